//! The reasons to refuse an answer, as codes with arguments. None contains what was answered.

use std::collections::BTreeMap;

use serde::Serialize;
use strum::{EnumDiscriminants, EnumIter, IntoStaticStr};

use super::decimal::Decimal;

/// The largest number of errors that are reported at once.
const MOST: usize = 100;
/// The longest key that is repeated in an error, in characters.
const LONGEST_KEY: usize = 64;

/// The rule that an answer breaks.
#[derive(Clone, Debug, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(
    name(AnswerCode),
    doc = "The code of an [`AnswerError`] on the wire.",
    derive(Hash, PartialOrd, Ord, Serialize, EnumIter, IntoStaticStr),
    serde(rename_all = "SCREAMING_SNAKE_CASE"),
    strum(serialize_all = "SCREAMING_SNAKE_CASE")
)]
pub enum AnswerError {
    /// The template has no such parameter.
    Unknown,
    /// The template has no such size.
    UnknownSize,
    /// An answer is required.
    Required,
    /// The answer has another type.
    WrongType(Expected),
    /// The form has the field more than once.
    Repeated,
    /// The question is not asked with these answers.
    Hidden,
    /// The answer is a secret, but is not among the secrets.
    IsSecret,
    /// The answer is among the secrets, but is none.
    IsNoSecret,
    /// The answer can be given only when the stack is started.
    Immutable,
    /// The text is no number.
    NotANumber,
    /// The number is less than this.
    BelowMinimum(Decimal),
    /// The number is more than this.
    AboveMaximum(Decimal),
    /// The number is no multiple of this.
    NotAMultiple(Decimal),
    /// The answer is none of the choices.
    NotAChoice,
    /// The text has fewer characters than this.
    TooShort(u32),
    /// The text has more characters than this.
    TooLong(u32),
    /// The list has fewer items than this.
    TooFew(u32),
    /// The list has more items than this.
    TooMany(u32),
    /// The text does not have the form that is asked for.
    WrongForm,
    /// The text has more than one line.
    LineBreak,
    /// The text contains a control character.
    ControlCharacter,
    /// An item of a list contains what separates the items.
    Separator(char),
    /// An item of a list begins or ends with a space.
    OuterSpace,
    /// The text contains a reference to be resolved by the platform.
    Reference,
    /// The platform cannot represent the text.
    NotRepresentable,
    /// The answer is larger than this, in KiB.
    TooLarge(usize),
    /// There are more answers than this.
    TooManyAnswers(usize),
    /// All answers together are larger than this, in KiB.
    TooLargeTogether(usize),
}

/// The type of an answer that is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A text.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list of texts.
    List,
    /// An object.
    Object,
}

/// An [`AnswerError`] with the item of a list that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The position of the item, counted from 1.
    pub item: Option<usize>,
    /// The rule.
    pub error: AnswerError,
}

impl From<AnswerError> for FieldError {
    fn from(error: AnswerError) -> Self {
        Self { item: None, error }
    }
}

impl FieldError {
    /// Returns the code on the wire.
    pub fn code(&self) -> AnswerCode {
        AnswerCode::from(&self.error)
    }
}

/// All errors of a set of answers: one for each field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerErrors(BTreeMap<String, FieldError>);

impl AnswerErrors {
    /// Adds the error of a field, unless the field has one.
    pub fn add(&mut self, key: &str, error: impl Into<FieldError>) {
        if self.0.len() < MOST {
            let key = key.chars().take(LONGEST_KEY).collect();
            self.0.entry(key).or_insert_with(|| error.into());
        }
    }

    /// Returns the error of a field.
    pub fn of(&self, key: &str) -> Option<&FieldError> {
        self.0.get(key)
    }

    /// Returns all errors, by the keys of their fields.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &FieldError)> {
        self.0.iter().map(|(key, error)| (key.as_str(), error))
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns `value` if there are no errors.
    ///
    /// # Errors
    ///
    /// Returns the errors if there are some.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}
