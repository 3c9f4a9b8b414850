//! The stack name and its rules, each with a code.
//!
//! The same code runs in the browser while a person types, and on the server. It must not know
//! whether a name is taken.

mod reserved;

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// The minimum number of characters.
pub const MIN_LENGTH: usize = 3;
/// The maximum number of characters.
pub const MAX_LENGTH: usize = 32;

/// A valid name for a stack: a DNS label of 3 to 32 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct StackName(String);

impl StackName {
    /// Parses the name of a new stack, which may not be reserved.
    ///
    /// # Errors
    ///
    /// Returns the first rule that `input` breaks.
    pub fn for_new_stack(input: &str) -> Result<Self, ParseStackNameError> {
        let name = Self::parse(input)?;
        if reserved::is_reserved(input) { Err(ParseStackNameError::Reserved) } else { Ok(name) }
    }

    /// Parses a name. It may be reserved: a stack keeps a name that was reserved later.
    ///
    /// # Errors
    ///
    /// Returns the first rule that `input` breaks.
    pub fn parse(input: &str) -> Result<Self, ParseStackNameError> {
        use ParseStackNameError as Error;
        if input.is_empty() {
            return Err(Error::Empty);
        }
        if let Some(found) = input.chars().find(|c| !is_allowed(*c)) {
            return Err(Error::InvalidCharacter(found));
        }
        if !input.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err(Error::StartsWithoutLetter);
        }
        if input.contains("--") {
            return Err(Error::DoubleHyphen);
        }
        if input.len() < MIN_LENGTH {
            return Err(Error::TooShort);
        }
        if input.len() > MAX_LENGTH {
            return Err(Error::TooLong);
        }
        if input.ends_with('-') {
            return Err(Error::EndsWithHyphen);
        }
        Ok(Self(input.to_owned()))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

impl fmt::Display for StackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for StackName {
    type Error = ParseStackNameError;

    fn try_from(input: String) -> Result<Self, Self::Error> {
        Self::parse(&input)
    }
}

/// The rule that a name breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE", prefix = "NAME_")]
pub enum ParseStackNameError {
    /// The name is empty.
    #[error("name is empty")]
    Empty,
    /// Fewer than [`MIN_LENGTH`] characters.
    #[error("name is shorter than {MIN_LENGTH} characters")]
    TooShort,
    /// More than [`MAX_LENGTH`] characters.
    #[error("name is longer than {MAX_LENGTH} characters")]
    TooLong,
    /// A character other than a lower-case letter, a digit or a hyphen.
    #[error("name contains {0:?}")]
    InvalidCharacter(char),
    /// The first character is a digit or a hyphen.
    #[error("name does not start with a letter")]
    StartsWithoutLetter,
    /// The last character is a hyphen.
    #[error("name ends with a hyphen")]
    EndsWithHyphen,
    /// There are two hyphens in a row.
    #[error("name contains two hyphens in a row")]
    DoubleHyphen,
    /// The name is reserved for the system.
    #[error("name is reserved")]
    Reserved,
}

impl ParseStackNameError {
    /// Returns the code on the wire.
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// Returns whether typing more characters can correct the name, so that a page may wait before
    /// it shows the error.
    pub fn is_unfinished(self) -> bool {
        matches!(self, Self::Empty | Self::TooShort | Self::EndsWithHyphen)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::words;

    #[test]
    fn every_rule_has_its_own_code_and_sentence() {
        let cases = [
            ("", "NAME_EMPTY", "Enter a name"),
            ("ab", "NAME_TOO_SHORT", "Use at least 3 characters"),
            ("abcdefghijklmnopqrstuvwxyz0123456", "NAME_TOO_LONG", "Use at most 32 characters"),
            ("Alice", "NAME_INVALID_CHARACTER", "Use lower-case letters only"),
            ("al ice", "NAME_INVALID_CHARACTER", "Leave out spaces: a hyphen can join words"),
            ("älice", "NAME_INVALID_CHARACTER", "Use only the letters a to z, digits and hyphens"),
            ("al_ice", "NAME_INVALID_CHARACTER", "Use only the letters a to z, digits and hyphens"),
            ("1alice", "NAME_STARTS_WITHOUT_LETTER", "Start with a letter"),
            ("-alice", "NAME_STARTS_WITHOUT_LETTER", "Start with a letter"),
            ("alice-", "NAME_ENDS_WITH_HYPHEN", "End with a letter or a digit"),
            ("al--ice", "NAME_DOUBLE_HYPHEN", "Hyphens can't stand next to each other"),
            ("dokploy", "NAME_RESERVED", "This name is kept for the system: choose another"),
        ];
        for (input, code, sentence) in cases {
            let error = StackName::for_new_stack(input).unwrap_err();
            assert_eq!(
                (error.code(), words::name::rule(error).as_str()),
                (code, sentence),
                "{input:?}"
            );
        }
    }

    #[test]
    fn names_at_the_edges_of_the_rules_are_valid() {
        for name in ["abc", "a1-", "test", "testuser", "a-b-c", "abcdefghijklmnopqrstuvwxyz012345"]
        {
            assert_eq!(StackName::parse(name).is_ok(), !name.ends_with('-'), "{name:?}");
        }
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn whatever_parses_is_a_dns_label_and_round_trips(input in "\\PC{0,40}|[a-z0-9-]{0,40}") {
            if let Ok(name) = StackName::parse(&input) {
                prop_assert_eq!(name.as_str(), &input);
                prop_assert!((MIN_LENGTH..=MAX_LENGTH).contains(&input.len()));
                prop_assert!(input.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
                prop_assert!(!input.starts_with('-') && !input.ends_with('-') && !input.contains("--"));
                let json = serde_json::to_string(&name).unwrap();
                prop_assert_eq!(serde_json::from_str::<StackName>(&json).unwrap(), name);
            }
        }

        #[test]
        fn every_name_of_the_grammar_parses(input in "[a-z]([a-z0-9]|-[a-z0-9]){2,14}") {
            prop_assert!(StackName::parse(&input).is_ok());
        }
    }
}
