//! A set of answers that was checked: the variables of the container, and what a revision keeps.

use std::fmt;

use super::situation::Values;

/// A set of answers that obeys all rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// The id of the size; `None` if the template has no sizes.
    pub size: Option<String>,
    /// The variables: the fixed ones, then those of the answers in the order of the questions.
    pub variables: Vec<Variable>,
    /// The answers that the revision keeps. No secret is among them.
    pub values: Values,
    /// The keys of the secrets that the stack has with these answers.
    pub secrets: Vec<String>,
    /// The keys of the earlier answers that no longer count although nothing else was answered: they
    /// break a rule of this version, or it does not ask for them. `size` is that of the size.
    pub replaced: Vec<String>,
}

/// A variable of the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The name.
    pub name: String,
    /// The value.
    pub value: VariableValue,
}

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableValue {
    /// This text, which anybody may see who may change the stack.
    Plain(String),
    /// The secret of this parameter.
    Secret {
        /// The key of the parameter.
        key: String,
        /// Where its text comes from.
        origin: SecretOrigin,
    },
}

/// Where the text of a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretOrigin {
    /// It was given.
    Given(SecretText),
    /// It is to be generated, with this number of characters.
    Generated(u32),
    /// The stack has it.
    Kept,
}

/// The text of a secret. It is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns the text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText")
    }
}
