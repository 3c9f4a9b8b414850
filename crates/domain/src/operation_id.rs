//! The identity of an operation.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The id of an operation: the prefix of its kind, which is `dep_` for a deployment, and 128 random
/// bits in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct DeploymentId(String);

/// A text is not a deployment's id.
#[derive(Debug, thiserror::Error)]
#[error("not a deployment id")]
pub struct ParseDeploymentIdError;

impl DeploymentId {
    const DEPLOYMENT: &str = "dep_";
    const PREFIXES: [&str; 3] = [Self::DEPLOYMENT, "rem_", "op_"];
    const DIGITS: usize = 32;

    /// Returns the id of a deployment with these random bits.
    pub fn from_random(bits: u128) -> Self {
        Self::new(Self::DEPLOYMENT, bits)
    }

    /// Returns the id of an operation of the kind with this prefix.
    pub(crate) fn new(prefix: &str, bits: u128) -> Self {
        Self(format!("{prefix}{bits:032x}"))
    }

    /// Parses an id.
    ///
    /// # Errors
    ///
    /// Returns an error if `text` does not have the form of an id.
    pub fn parse(text: &str) -> Result<Self, ParseDeploymentIdError> {
        let digits = Self::PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix));
        let digits = digits.ok_or(ParseDeploymentIdError)?;
        let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if digits.len() == Self::DIGITS && digits.bytes().all(is_hex) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseDeploymentIdError)
        }
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns its random bits.
    pub(crate) fn bits(&self) -> u128 {
        u128::from_str_radix(self.digits(), 16).unwrap_or_default()
    }

    /// Returns half of its random bits, as the seed of random choices about the operation, so that
    /// they are reproducible.
    pub fn seed(&self) -> u64 {
        let digits = self.0.get(self.0.len() - 16..).unwrap_or_default();
        u64::from_str_radix(digits, 16).unwrap_or_default()
    }

    /// Returns the short reference that a person reads out and an operator searches for:
    /// the first eight digits, as in `7F3A-22C1`.
    pub fn reference(&self) -> String {
        let digits: String = self.digits().chars().take(8).collect();
        let (head, tail) = digits.split_at(digits.len() / 2);
        format!("{head}-{tail}").to_ascii_uppercase()
    }

    fn digits(&self) -> &str {
        self.0.split_once('_').unwrap_or_default().1
    }
}

impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for DeploymentId {
    type Error = ParseDeploymentIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_holds_its_128_bits_and_reads_back() {
        let id = DeploymentId::from_random(0x7f3a_22c1 << 96);
        assert_eq!(id.as_str(), "dep_7f3a22c1000000000000000000000000");
        assert_eq!(DeploymentId::parse(id.as_str()).unwrap(), id);
        assert_eq!(id.reference(), "7F3A-22C1");
        assert_eq!(DeploymentId::from_random((0x7f3a << 64) + 42).seed(), 42);
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        let short = format!("dep_{}", "0".repeat(31));
        let upper = format!("dep_{}", "A".repeat(32));
        for text in
            ["", "dep_", "rem_", "op_", "run_00000000000000000000000000000000", &short, &upper]
        {
            assert!(DeploymentId::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn whatever_parses_is_an_id_of_the_one_form(
            text in "\\PC{0,40}|(dep|rem|op)_[0-9a-g]{31,33}|(dep|rem|op|run)_[0-9a-f]{32}"
        ) {
            if let Ok(id) = DeploymentId::parse(&text) {
                prop_assert_eq!(id.as_str(), &text);
                prop_assert_eq!(id.reference().len(), 9);
                let (_, digits) = text.split_once('_').unwrap();
                prop_assert_eq!(digits.len(), 32);
                prop_assert!(u128::from_str_radix(digits, 16).is_ok());
            }
        }

        #[test]
        fn every_id_reads_back(bits: u128, is_removal: bool) {
            let id = DeploymentId::new(if is_removal { "rem_" } else { "dep_" }, bits);
            prop_assert_eq!(&DeploymentId::parse(id.as_str()).unwrap(), &id);
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<DeploymentId>(&json).unwrap(), id);
        }
    }
}
