//! Owners of operations.

use std::fmt;

/// The id of an owner: `person:<id>` or `browser:<digest of its cookie>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerId(String);

/// The text is not the id of an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an owner")]
pub struct ParseOwnerIdError;

const PERSON: &str = "person:";
const BROWSER: &str = "browser:";

impl OwnerId {
    /// Returns the owner id of a person who signed in. `id` is the portal's own id of the person.
    pub fn person(id: &str) -> Self {
        Self(format!("{PERSON}{id}"))
    }

    /// Returns the owner id of a browser. `digest` is the digest of its cookie in hexadecimal
    /// digits.
    pub fn browser(digest: &str) -> Self {
        Self(format!("{BROWSER}{digest}"))
    }

    /// Parses an owner id from its form in the store.
    ///
    /// # Errors
    ///
    /// Returns an error when `text` has neither of the two forms.
    pub fn parse(text: &str) -> Result<Self, ParseOwnerIdError> {
        let id = text.strip_prefix(PERSON).or_else(|| text.strip_prefix(BROWSER));
        let is_id =
            |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if id.is_some_and(is_id) { Ok(Self(text.to_owned())) } else { Err(ParseOwnerIdError) }
    }

    /// Returns the form in the store, which [`OwnerId::parse`] accepts.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the portal's own id of a person; `None` for a browser.
    pub fn person_id(&self) -> Option<&str> {
        self.0.strip_prefix(PERSON)
    }
}

impl fmt::Display for OwnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn whatever_parses_is_an_owner_of_one_of_the_two_forms(
            text in "\\PC{0,30}|(person|browser|program):\\PC{0,9}|(person|browser):[0-9a-zA-Z]{0,9}"
        ) {
            let id = text.strip_prefix(PERSON).or_else(|| text.strip_prefix(BROWSER));
            let is_one = id.is_some_and(|id| {
                !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric())
            });
            prop_assert_eq!(OwnerId::parse(&text).is_ok(), is_one);
        }

        #[test]
        fn every_owner_reads_back(id in "[0-9a-f]{32,64}") {
            let (person, browser) = (OwnerId::person(&id), OwnerId::browser(&id));
            prop_assert_eq!(&OwnerId::parse(person.as_str()).unwrap(), &person);
            prop_assert_eq!(&OwnerId::parse(&browser.to_string()).unwrap(), &browser);
            prop_assert_eq!((person.person_id(), browser.person_id()), (Some(id.as_str()), None));
        }
    }

    #[test]
    fn an_owner_reads_back_as_it_was_written() {
        for owner in [OwnerId::person("a1b2"), OwnerId::browser("00ff")] {
            assert_eq!(OwnerId::parse(owner.as_str()), Ok(owner));
        }
        for text in ["", "person:", "person:a b", "nobody:a", "browser:a/b", "a"] {
            assert_eq!(OwnerId::parse(text), Err(ParseOwnerIdError), "{text:?}");
        }
    }
}
