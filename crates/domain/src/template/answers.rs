//! A set of answers as it was sent: as JSON, or as the fields of a form.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value as Json;

use super::Template;
use super::answer_error::{AnswerError, AnswerErrors, Expected};
use super::parameter::{Parameter, ParameterKind, Value};

/// What the names of a form's fields for parameters begin with.
pub const PARAMETER_FIELD: &str = "p.";
/// What the names of a form's fields for secrets begin with.
pub const SECRET_FIELD: &str = "s.";
/// What the names of a form's boxes begin with that remove a secret of a stack that is changed.
pub const CLEAR_FIELD: &str = "c.";
/// What the name of the field for a value of one's own ends with, beside that of the choice.
pub const OTHER_FIELD: &str = ".other";
/// The name of a form's field for the size, and of the property of JSON.
pub const SIZE: &str = "size";
/// The property of the parameters.
pub const PARAMETERS: &str = "parameters";
/// The property of the secrets.
pub const SECRETS: &str = "secrets";

/// An answer as it was sent.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// No answer, said explicitly.
    None,
    /// A text.
    Text(String),
    /// The digits of a number.
    Number(String),
    /// Yes or no.
    Boolean(bool),
    /// Several texts.
    List(Vec<String>),
    /// More than one answer.
    Repeated,
    /// Something else.
    Unreadable,
}

impl Answer {
    /// Returns whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::None => true,
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Number(_) | Self::Boolean(_) | Self::Repeated | Self::Unreadable => false,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn number(&self) -> Option<&str> {
        if let Self::Number(text) = self { Some(text) } else { None }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        if let Self::Boolean(value) = self { Some(*value) } else { None }
    }

    pub(super) fn list(&self) -> Option<&[String]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    fn from_json(value: &Json) -> Self {
        match value {
            Json::Null => Self::None,
            Json::Bool(value) => Self::Boolean(*value),
            Json::Number(number) => Self::Number(number.to_string()),
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(items) => {
                let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
                texts.collect::<Option<_>>().map_or(Self::Unreadable, Self::List)
            }
            Json::Object(_) => Self::Unreadable,
        }
    }
}

impl From<&Value> for Answer {
    fn from(value: &Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(text.clone()),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::Boolean(value) => Self::Boolean(*value),
            Value::List(items) => Self::List(items.clone()),
        }
    }
}

/// A set of answers as it was sent.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Answers {
    pub(super) parameters: BTreeMap<String, Answer>,
    pub(super) secrets: BTreeMap<String, Answer>,
    pub(super) size: Option<Answer>,
    /// Whether it is from a form, which sends the fields of hidden questions as well, and nothing
    /// for an empty checkbox.
    pub(super) is_form: bool,
}

/// Only the keys, since secrets are among the answers.
impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers")
            .field("parameters", &self.parameters.keys())
            .field("secrets", &self.secrets.keys())
            .finish_non_exhaustive()
    }
}

impl Answers {
    /// Reads `{"parameters": {…}, "secrets": {…}, "size": "…"}`, each of which may be left out.
    ///
    /// # Errors
    ///
    /// Returns the properties that are of another type, and those that there are not.
    pub fn from_json(body: &Json) -> Result<Self, AnswerErrors> {
        let mut errors = AnswerErrors::default();
        let mut answers = Self::default();
        let Json::Object(properties) = body else {
            errors.add(PARAMETERS, AnswerError::WrongType(Expected::Object));
            return Err(errors);
        };
        for (name, value) in properties {
            match (name.as_str(), value) {
                (PARAMETERS, Json::Object(fields)) => answers.parameters = answers_in(fields),
                (SECRETS, Json::Object(fields)) => answers.secrets = answers_in(fields),
                (PARAMETERS | SECRETS, _) => {
                    errors.add(name, AnswerError::WrongType(Expected::Object));
                }
                (SIZE, value) => answers.size = Some(Answer::from_json(value)),
                _ => errors.add(name, AnswerError::Unknown),
            }
        }
        errors.or(answers)
    }

    /// Reads the fields of a form: `p.key` for parameters, `s.key` for secrets, `c.key` to remove a
    /// secret, and `size`. Other fields are not for answers.
    ///
    /// An empty field is no answer; an empty field of a secret says nothing. A checkbox is `on`,
    /// `true`, `false` or not there; the last one counts, so that a hidden field can go before it.
    /// A list is a repeated field, a text of lines, or both. The value of one's own of a choice is
    /// in `p.key.other`, and counts where `p.key` is empty.
    pub fn from_form(template: &Template, pairs: &[(String, String)]) -> Self {
        let mut fields: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, value) in pairs {
            fields.entry(name).or_default().push(value);
        }
        let mut answers = Self { is_form: true, ..Self::default() };
        answers.size = fields.get(SIZE).map(|values| text_of(values)).filter(|one| !one.is_empty());
        for (name, values) in &fields {
            if let Some(key) = name.strip_prefix(PARAMETER_FIELD) {
                let choice = key.strip_suffix(OTHER_FIELD).filter(|key| has_other(template, key));
                let answer = match choice.or(Some(key)).and_then(|key| template.parameter(key)) {
                    Some(parameter) => field_of(parameter, values),
                    None => Answer::Unreadable,
                };
                // The field of the choice itself goes first in the order of names.
                let key = choice.unwrap_or(key);
                let is_chosen = answers.parameters.get(key).is_some_and(|one| !one.is_empty());
                if choice.is_none() || !is_chosen {
                    answers.parameters.insert(key.to_owned(), answer);
                }
            } else if let Some(key) = name.strip_prefix(CLEAR_FIELD) {
                // A secret that is typed replaces it: its field goes after this one in the order of names.
                answers.secrets.insert(key.to_owned(), Answer::None);
            } else if let Some(key) = name.strip_prefix(SECRET_FIELD) {
                let answer = text_of(values);
                if !answer.is_empty() {
                    answers.secrets.insert(key.to_owned(), answer);
                }
            }
        }
        answers
    }
}

fn answers_in(fields: &serde_json::Map<String, Json>) -> BTreeMap<String, Answer> {
    fields.iter().map(|(key, value)| (key.clone(), Answer::from_json(value))).collect()
}

/// Returns whether the parameter of this key is a choice that allows a value of one's own.
fn has_other(template: &Template, key: &str) -> bool {
    template.parameter(key).is_some_and(|parameter| {
        let is_choice = matches!(parameter.kind, ParameterKind::Choice(_));
        is_choice && parameter.kind.text_rules().is_some()
    })
}

/// Reads the values of one field of a form.
fn field_of(parameter: &Parameter, values: &[&str]) -> Answer {
    match &parameter.kind {
        ParameterKind::Boolean => match values.last() {
            Some(&("on" | "true")) => Answer::Boolean(true),
            Some(&("false" | "off" | "")) => Answer::Boolean(false),
            Some(_) | None => Answer::Unreadable,
        },
        ParameterKind::List(_) => {
            let lines = values.iter().flat_map(|value| value.lines());
            let lines = lines.map(|line| line.trim_matches([' ', '\t']));
            Answer::List(lines.filter(|line| !line.is_empty()).map(str::to_owned).collect())
        }
        ParameterKind::Number(_) => match values {
            [value] if value.trim().is_empty() => Answer::None,
            [value] => Answer::Number(value.trim().to_owned()),
            _ => Answer::Repeated,
        },
        ParameterKind::String(_)
        | ParameterKind::Text(_)
        | ParameterKind::Choice(_)
        | ParameterKind::Secret(_) => text_of(values),
    }
}

/// Reads a text. Forms send CR LF for each end of a line.
fn text_of(values: &[&str]) -> Answer {
    match values {
        [value] => Answer::Text(value.replace("\r\n", "\n")),
        _ => Answer::Repeated,
    }
}
