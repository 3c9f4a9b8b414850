//! Short names, such as those of phases and steps: copied like a number, written as text.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest name, in bytes.
const LONGEST: usize = 32;

/// A short name, as it is in the database and on the wire. The set of them is open: another
/// version of the portal may have names that this one does not know.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ShortName([u8; LONGEST]);

impl ShortName {
    /// Makes the name of a constant.
    ///
    /// # Panics
    ///
    /// Panics, while compiling, if the name is too long.
    #[expect(clippy::indexing_slicing, reason = "only for constants, checked while compiling")]
    pub(crate) const fn new(name: &'static str) -> Self {
        let (name, mut bytes, mut at) = (name.as_bytes(), [0; LONGEST], 0);
        while at < name.len() {
            bytes[at] = name[at];
            at += 1;
        }
        Self(bytes)
    }

    /// Reads a name; `None` where it is too long.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut bytes = [0; LONGEST];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        Some(Self(bytes))
    }

    /// Returns the name as text.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default().trim_end_matches('\0')
    }
}

impl fmt::Debug for ShortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ShortName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ShortName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| D::Error::custom("the name is too long"))
    }
}

/// Defines a type of short names: `new`, `parse`, `as_str`, and how they are written.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(crate::short_name::ShortName);

        impl $name {
            /// Makes the name of a constant.
            pub const fn new(name: &'static str) -> Self {
                Self(crate::short_name::ShortName::new(name))
            }

            /// Reads a name; `None` where it is too long to be one.
            pub fn parse(name: &str) -> Option<Self> {
                crate::short_name::ShortName::parse(name).map(Self)
            }

            /// Returns the name as it is in the database and on the wire. Persisted: never rename.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use named;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_unless_it_is_too_long() {
        assert_eq!(ShortName::parse("deploying"), Some(ShortName::new("deploying")));
        assert_eq!(ShortName::new("deploying").as_str(), "deploying");
        assert_eq!(ShortName::parse(&"x".repeat(33)), None);
        let json = serde_json::to_string(&ShortName::new("deploying")).unwrap();
        assert_eq!(json, "\"deploying\"");
        assert_eq!(serde_json::from_str::<ShortName>(&json).unwrap(), ShortName::new("deploying"));
    }
}
