//! The questions of a template.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strum::IntoStaticStr;

use super::decimal::Decimal;
use super::text::Localized;

/// The longest single-line text, in characters, unless the template says less.
pub const LONGEST_LINE: u32 = 1_000;
/// The longest text of several lines, in characters, unless the template says less.
pub const LONGEST_TEXT: u32 = 16_000;
/// The largest number of items of a list, unless the template says less.
pub const MOST_ITEMS: u32 = 100;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the template's file")]
pub struct Parameter {
    /// The key, unique in the template.
    pub key: String,
    /// What answers it has.
    pub kind: ParameterKind,
    /// The question in a few words.
    pub label: Localized,
    /// What helps to answer it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Localized>,
    /// The variable that the answer becomes; `None` for a question that only decides which others
    /// are asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// Whether an answer is required where the question is asked.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// The answer if none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<DefaultAnswer>,
    /// Whether it can be answered only when the stack is started.
    #[serde(default, skip_serializing_if = "is_false")]
    pub immutable: bool,
    /// Whether a page may fold it away.
    #[serde(default, skip_serializing_if = "is_false")]
    pub advanced: bool,
    /// Whether the page has a field of several lines for a secret.
    #[serde(default, skip_serializing_if = "is_false")]
    pub multiline: bool,
    /// The earlier answer with which it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
}

/// Returns whether a flag says nothing, so that it is left out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn is_false(value: &bool) -> bool {
    !value
}

impl Parameter {
    /// Returns whether the answer is a secret.
    pub fn is_secret(&self) -> bool {
        match self.kind {
            ParameterKind::Secret(_) => true,
            ParameterKind::String(_)
            | ParameterKind::Text(_)
            | ParameterKind::Number(_)
            | ParameterKind::Boolean
            | ParameterKind::Choice(_)
            | ParameterKind::List(_) => false,
        }
    }

    /// Returns the length of the answer that is generated if none is given.
    pub fn generated(&self) -> Option<u32> {
        match self.default {
            Some(DefaultAnswer::From(Source::Generate(length))) => Some(length),
            Some(
                DefaultAnswer::From(
                    Source::PersonEmail | Source::PersonName | Source::StackName | Source::StackUrl,
                )
                | DefaultAnswer::Value(_),
            )
            | None => None,
        }
    }
}

/// The kinds of questions, with the rules of their answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(tag = "type", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ParameterKind {
    /// A single line.
    String(TextRules),
    /// One or more lines.
    Text(TextRules),
    /// A number.
    Number(NumberRules),
    /// Yes or no.
    Boolean,
    /// One of several values.
    Choice(ChoiceRules),
    /// Several single lines.
    List(ListRules),
    /// A text that nobody sees again.
    Secret(TextRules),
}

/// The rules of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextRules {
    /// The form of the whole text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
    /// The least number of characters, which is at least one: an empty text is no answer.
    pub min: u32,
    /// The largest number of characters.
    pub max: u32,
}

/// The rules of a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberRules {
    /// The least.
    pub min: Decimal,
    /// The greatest.
    pub max: Decimal,
    /// What it is a multiple of.
    pub step: Decimal,
    /// The unit that a page shows behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Localized>,
}

/// The rules of a choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceRules {
    /// The values to choose from.
    pub choices: Vec<Choice>,
    /// The rules of a value of one's own; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<TextRules>,
}

/// A value to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The value, as the variable has it.
    pub value: String,
    /// Its name.
    pub label: Localized,
    /// What helps to choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Localized>,
}

/// The rules of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListRules {
    /// The rules of each item.
    pub item: TextRules,
    /// The least number of items, which is at least one: an empty list is no answer.
    pub min: u32,
    /// The largest number of items.
    pub max: u32,
    /// What separates the items in the variable, and is in none of them.
    pub separator: char,
}

/// Where an answer comes from if none is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefaultAnswer {
    /// This value.
    Value(Value),
    /// The person, the stack, or chance.
    From(Source),
}

/// A source of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The verified e-mail address of the person.
    PersonEmail,
    /// The name of the person.
    PersonName,
    /// The name of the stack.
    StackName,
    /// The URL of the stack.
    StackUrl,
    /// Random letters and digits, of this number.
    Generate(u32),
}

/// The text is no source of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a source of answers")]
pub struct ParseSourceError;

impl Source {
    /// The fewest characters that are generated.
    pub const SHORTEST: u32 = 16;
    /// The most characters that are generated.
    pub const LONGEST: u32 = 128;

    /// Parses a source, such as `person.email` or `generate:32`.
    ///
    /// # Errors
    ///
    /// Returns an error if `text` is none.
    pub fn parse(text: &str) -> Result<Self, ParseSourceError> {
        match text {
            "person.email" => Ok(Self::PersonEmail),
            "person.name" => Ok(Self::PersonName),
            "stack.name" => Ok(Self::StackName),
            "stack.url" => Ok(Self::StackUrl),
            _ => {
                let digits = text.strip_prefix("generate:").ok_or(ParseSourceError)?;
                let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
                let length = digits.parse().ok().filter(|_| is_number);
                let length = length.filter(|n| (Self::SHORTEST..=Self::LONGEST).contains(n));
                length.map(Self::Generate).ok_or(ParseSourceError)
            }
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::PersonEmail => serializer.serialize_str("person.email"),
            Self::PersonName => serializer.serialize_str("person.name"),
            Self::StackName => serializer.serialize_str("stack.name"),
            Self::StackUrl => serializer.serialize_str("stack.url"),
            Self::Generate(length) => serializer.collect_str(&format_args!("generate:{length}")),
        }
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The answer to an earlier question with which a question is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The key of the earlier question.
    pub key: String,
    /// Its answer.
    pub equals: Value,
}

/// An answer that is no secret, after it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(Decimal),
    /// Yes or no.
    Boolean(bool),
    /// Several texts.
    List(Vec<String>),
}

impl Value {
    /// Returns the text of the variable. `separator` is between the items of a list.
    pub fn to_variable(&self, separator: char) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Boolean(value) => value.to_string(),
            Self::List(items) => items.join(separator.encode_utf8(&mut [0; 4])),
        }
    }

    /// Returns it as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.clone().into(),
            Self::Number(number) => number.to_json().into(),
            Self::Boolean(value) => (*value).into(),
            Self::List(items) => items.clone().into(),
        }
    }
}

/// As a value of JSON of its own type.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde_json::Value as Json;
        let unreadable = || serde::de::Error::custom("not an answer");
        match Json::deserialize(deserializer)? {
            Json::String(text) => Ok(Self::Text(text)),
            Json::Number(number) => Decimal::parse(&number.to_string())
                .map(Self::Number)
                .map_err(serde::de::Error::custom),
            Json::Bool(value) => Ok(Self::Boolean(value)),
            Json::Array(items) => {
                let text = |item: Json| item.as_str().map(str::to_owned).ok_or_else(unreadable);
                Ok(Self::List(items.into_iter().map(text).collect::<Result<_, _>>()?))
            }
            Json::Null | Json::Object(_) => Err(unreadable()),
        }
    }
}

/// A regular expression that a whole value must match. `catalogue` allows only those that Rust,
/// JavaScript and JSON Schema understand alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// Takes a pattern that was checked.
    pub fn new(checked: &str) -> Self {
        Self(checked.to_owned())
    }

    /// Returns it as the template has it, without anchors.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns it with anchors, for all three languages.
    pub fn whole(&self) -> String {
        format!("^(?:{})$", self.0)
    }
}

/// Matches patterns: the server by a crate, the browser by its own `RegExp`.
pub trait PatternMatcher {
    /// Returns whether the whole of `value` matches `pattern`.
    fn matches(&self, pattern: &Pattern, value: &str) -> bool;
}

impl ParameterKind {
    /// Returns the rules of the texts that can be answered.
    pub fn text_rules(&self) -> Option<&TextRules> {
        match self {
            Self::String(rules) | Self::Text(rules) | Self::Secret(rules) => Some(rules),
            Self::Choice(rules) => rules.other.as_ref(),
            Self::List(rules) => Some(&rules.item),
            Self::Number(_) | Self::Boolean => None,
        }
    }

    /// Returns what separates the items in the variable of a list.
    pub fn separator(&self) -> char {
        match self {
            Self::List(rules) => rules.separator,
            Self::String(_)
            | Self::Text(_)
            | Self::Secret(_)
            | Self::Choice(_)
            | Self::Number(_)
            | Self::Boolean => '\n',
        }
    }
}
