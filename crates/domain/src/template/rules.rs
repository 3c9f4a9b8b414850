//! Checks one answer by the rules of its question.

use super::answer_error::{AnswerError, Expected, FieldError};
use super::answers::Answer;
use super::carry::check_carried;
use super::decimal::{Decimal, ParseDecimalError};
use super::parameter::{
    ChoiceRules, ListRules, NumberRules, ParameterKind, PatternMatcher, TextRules, Value,
};

/// The largest answer, in KiB. Linux takes no variable of more than 128 KiB with its name
/// (`MAX_ARG_STRLEN`, see execve(2)); the recordings of the platform show no smaller limit.
pub(super) const LARGEST_KIB: usize = 64;

/// What is allowed in a text besides the rules.
#[derive(Clone, Copy)]
enum Lines {
    One,
    Several,
}

/// Reads an answer; `None` if it is empty.
///
/// # Errors
///
/// Returns the rule that the answer breaks.
pub(super) fn read(
    kind: &ParameterKind,
    answer: &Answer,
    matcher: &dyn PatternMatcher,
) -> Result<Option<Value>, FieldError> {
    if is_left_out(kind, answer) {
        return Ok(None);
    }
    match kind {
        ParameterKind::Boolean => boolean(answer).map(Some),
        ParameterKind::String(rules) => text(rules, Lines::One, answer, matcher).map(Some),
        ParameterKind::Text(rules) | ParameterKind::Secret(rules) => {
            text(rules, Lines::Several, answer, matcher).map(Some)
        }
        ParameterKind::Number(rules) => number(rules, answer).map(Some),
        ParameterKind::Choice(rules) => choice(rules, answer, matcher).map(Some),
        ParameterKind::List(rules) => list(rules, answer, matcher).map(Some),
    }
}

impl ParameterKind {
    /// Checks whether `value` obeys the rules.
    ///
    /// # Errors
    ///
    /// Returns the rule that it breaks.
    pub fn check(&self, value: &Value, matcher: &dyn PatternMatcher) -> Result<(), FieldError> {
        read(self, &Answer::from(value), matcher)?.map(drop).ok_or(AnswerError::Required.into())
    }
}

/// Returns whether `value` obeys the rules.
pub(super) fn obeys(kind: &ParameterKind, value: &Value, matcher: &dyn PatternMatcher) -> bool {
    kind.check(value, matcher).is_ok()
}

/// Returns the answer to a question without an answer and without a default.
pub(super) fn unanswered(kind: &ParameterKind) -> Option<Value> {
    match kind {
        ParameterKind::Boolean => Some(Value::Boolean(false)),
        ParameterKind::String(_)
        | ParameterKind::Text(_)
        | ParameterKind::Number(_)
        | ParameterKind::Choice(_)
        | ParameterKind::List(_)
        | ParameterKind::Secret(_) => None,
    }
}

/// Returns whether an answer says that there is none.
fn is_left_out(kind: &ParameterKind, answer: &Answer) -> bool {
    match kind {
        ParameterKind::Boolean => false,
        ParameterKind::Number(_) => *answer == Answer::None,
        ParameterKind::List(_) => {
            *answer == Answer::None || answer.list().is_some_and(<[String]>::is_empty)
        }
        ParameterKind::String(_)
        | ParameterKind::Text(_)
        | ParameterKind::Choice(_)
        | ParameterKind::Secret(_) => {
            *answer == Answer::None || answer.text().is_some_and(str::is_empty)
        }
    }
}

fn boolean(answer: &Answer) -> Result<Value, FieldError> {
    let value = answer.boolean().ok_or_else(|| wrong_type(answer, Expected::Boolean))?;
    Ok(Value::Boolean(value))
}

fn wrong_type(answer: &Answer, expected: Expected) -> FieldError {
    let is_repeated = *answer == Answer::Repeated;
    let error = if is_repeated { AnswerError::Repeated } else { AnswerError::WrongType(expected) };
    error.into()
}

fn as_text(answer: &Answer) -> Result<&str, FieldError> {
    answer.text().ok_or_else(|| wrong_type(answer, Expected::Text))
}

fn text(
    rules: &TextRules,
    lines: Lines,
    answer: &Answer,
    matcher: &dyn PatternMatcher,
) -> Result<Value, FieldError> {
    let text = as_text(answer)?;
    check_text(rules, lines, text, matcher)?;
    check_carried(text)?;
    Ok(Value::Text(text.to_owned()))
}

fn check_text(
    rules: &TextRules,
    lines: Lines,
    text: &str,
    matcher: &dyn PatternMatcher,
) -> Result<(), AnswerError> {
    if text.len() > LARGEST_KIB * 1024 {
        return Err(AnswerError::TooLarge(LARGEST_KIB));
    }
    check_characters(lines, text)?;
    let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    if length < rules.min {
        return Err(AnswerError::TooShort(rules.min));
    }
    if length > rules.max {
        return Err(AnswerError::TooLong(rules.max));
    }
    match &rules.pattern {
        Some(pattern) if !matcher.matches(pattern, text) => Err(AnswerError::WrongForm),
        Some(_) | None => Ok(()),
    }
}

/// Refuses control characters, and in a single line also the separators of lines.
fn check_characters(lines: Lines, text: &str) -> Result<(), AnswerError> {
    let is_separator = |c: char| matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}');
    match lines {
        Lines::One if text.contains(is_separator) => Err(AnswerError::LineBreak),
        Lines::One if text.contains(char::is_control) => Err(AnswerError::ControlCharacter),
        Lines::Several if text.contains(|c: char| c.is_control() && c != '\n' && c != '\t') => {
            Err(AnswerError::ControlCharacter)
        }
        Lines::One | Lines::Several => Ok(()),
    }
}

fn number(rules: &NumberRules, answer: &Answer) -> Result<Value, FieldError> {
    let text = answer.number().ok_or_else(|| wrong_type(answer, Expected::Number))?;
    let number = Decimal::parse(text).map_err(|error| match error {
        ParseDecimalError::NotANumber => AnswerError::NotANumber,
        ParseDecimalError::TooSmall => AnswerError::BelowMinimum(rules.min),
        ParseDecimalError::TooLarge => AnswerError::AboveMaximum(rules.max),
        ParseDecimalError::TooPrecise => AnswerError::NotAMultiple(rules.step),
    })?;
    if number < rules.min {
        return Err(AnswerError::BelowMinimum(rules.min).into());
    }
    if number > rules.max {
        return Err(AnswerError::AboveMaximum(rules.max).into());
    }
    if !number.is_multiple_of(rules.step) {
        return Err(AnswerError::NotAMultiple(rules.step).into());
    }
    Ok(Value::Number(number))
}

fn choice(
    rules: &ChoiceRules,
    answer: &Answer,
    matcher: &dyn PatternMatcher,
) -> Result<Value, FieldError> {
    let chosen = as_text(answer)?;
    if rules.choices.iter().any(|choice| choice.value == chosen) {
        return Ok(Value::Text(chosen.to_owned()));
    }
    match &rules.other {
        Some(other) => text(other, Lines::One, answer, matcher),
        None => Err(AnswerError::NotAChoice.into()),
    }
}

fn list(
    rules: &ListRules,
    answer: &Answer,
    matcher: &dyn PatternMatcher,
) -> Result<Value, FieldError> {
    let items = answer.list().ok_or_else(|| wrong_type(answer, Expected::List))?;
    let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
    if count < rules.min {
        return Err(AnswerError::TooFew(rules.min).into());
    }
    if count > rules.max {
        return Err(AnswerError::TooMany(rules.max).into());
    }
    for (position, item) in items.iter().enumerate() {
        check_item(rules, item, matcher)
            .map_err(|error| FieldError { item: Some(position + 1), error })?;
    }
    let value = Value::List(items.to_vec());
    let joined = value.to_variable(rules.separator);
    if joined.len() > LARGEST_KIB * 1024 {
        return Err(AnswerError::TooLarge(LARGEST_KIB).into());
    }
    check_carried(&joined)?;
    Ok(value)
}

fn check_item(
    rules: &ListRules,
    item: &str,
    matcher: &dyn PatternMatcher,
) -> Result<(), AnswerError> {
    check_text(&rules.item, Lines::One, item, matcher)?;
    if item.contains(rules.separator) {
        return Err(AnswerError::Separator(rules.separator));
    }
    if item.contains(super::carry::REFERENCE) {
        return Err(AnswerError::Reference);
    }
    // A form, in which each line is an item, drops them.
    if item.starts_with(' ') || item.ends_with(' ') {
        return Err(AnswerError::OuterSpace);
    }
    Ok(())
}
