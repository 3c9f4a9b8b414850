//! The identity of a stack, and of what it is made of.

use std::fmt;

use super::deployment::DeploymentId;
use super::kind::Kind;

/// The id of a stack: `stk_` and 128 bits in hexadecimal. They are those of the deployment that
/// makes the stack, so that stacks of older versions, which had no ids, have one as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StackId(u128);

impl StackId {
    /// What the text of an id begins with.
    pub const PREFIX: &str = "stk_";
    const DATA_PREFIX: &str = "dat_";

    /// Returns the id of the stack that `deployment` makes.
    pub fn of(deployment: &DeploymentId) -> Self {
        Self(deployment.bits())
    }

    /// Parses an id; `None` if `text` does not have the form of one.
    pub fn parse(text: &str) -> Option<Self> {
        let bits = u128::from_str_radix(text.strip_prefix(Self::PREFIX)?, 16).ok()?;
        Some(Self(bits)).filter(|id| id.to_string() == text)
    }

    /// Returns the id of its data, once that is kept.
    pub fn data_id(self) -> String {
        format!("{}{:032x}", Self::DATA_PREFIX, self.0)
    }

    /// Returns the stack whose data has this id; `None` if `text` does not have the form of one.
    pub fn of_data(text: &str) -> Option<Self> {
        let bits = u128::from_str_radix(text.strip_prefix(Self::DATA_PREFIX)?, 16).ok()?;
        Some(Self(bits)).filter(|stack| stack.data_id() == text)
    }

    /// Returns the id of the one operation of `kind` that there is of the stack.
    pub fn operation(self, kind: &Kind) -> DeploymentId {
        kind.operation_id(self.0)
    }

    /// Returns the id of the deployment that makes the stack.
    pub fn deployment(self) -> DeploymentId {
        DeploymentId::from_random(self.0)
    }
}

impl fmt::Display for StackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:032x}", Self::PREFIX, self.0)
    }
}

/// The identity of a revision: what a stack is made of, which never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RevisionId {
    /// The stack.
    pub stack: StackId,
    /// The number within the stack, from 1 on.
    pub number: u32,
}

impl RevisionId {
    /// The number of a stack's first revision.
    pub const FIRST: u32 = 1;

    /// Returns the first revision of the stack that `deployment` makes.
    pub fn first_of(deployment: &DeploymentId) -> Self {
        Self { stack: StackId::of(deployment), number: Self::FIRST }
    }
}

impl fmt::Display for RevisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stack, self.number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kind::REMOVE;

    #[test]
    fn a_stack_is_known_by_the_bits_of_its_deployment() {
        let deployment = DeploymentId::from_random(0x7f3a);
        let stack = StackId::of(&deployment);
        assert_eq!(stack.to_string(), "stk_00000000000000000000000000007f3a");
        assert_eq!(stack.deployment(), deployment);
        assert_ne!(stack, StackId::of(&REMOVE.operation_id(0x7f3b)));
        assert_eq!(RevisionId::first_of(&deployment).to_string(), format!("{stack}/1"));
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn an_id_reads_back_and_nothing_else_does(
            bits: u128, text in "\\PC{0,40}|(stk|dep)_[+0-9a-gA-F]{31,33}"
        ) {
            let id = StackId(bits);
            prop_assert_eq!(StackId::parse(&id.to_string()), Some(id));
            prop_assert!(StackId::parse(&text).is_none_or(|id| id.to_string() == text));
        }
    }
}
