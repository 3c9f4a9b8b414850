//! The kinds of operations, by name. It must not know how an operation is driven or stored.

use std::{borrow::Cow, fmt};

/// The name of a kind of operation, as the database has it. It may be the name of a kind that
/// only another version of the portal knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KindName(Cow<'static, str>);

impl KindName {
    /// Brings a stack up.
    pub const DEPLOY: Self = Self(Cow::Borrowed("deploy"));
    /// Takes a live stack down.
    pub const REMOVE: Self = Self(Cow::Borrowed("remove"));

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for KindName {
    fn from(name: String) -> Self {
        Self(Cow::Owned(name))
    }
}

impl fmt::Display for KindName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
