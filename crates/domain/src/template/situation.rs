//! What a set of answers is checked against besides the template: the person, the stack, and what
//! a change begins with.

use std::collections::BTreeMap;

use super::parameter::{Parameter, PatternMatcher, Source, Value};
use super::rules;
use super::{Template, parameter::DefaultAnswer};

/// The answers that a revision keeps, by their keys: `None` where a question was asked and left
/// without an answer. Secrets are not among them, but for the `None` of an immutable one. The answers
/// of immutable questions stay while these are hidden.
pub type Values = BTreeMap<String, Option<Value>>;

/// The person, the stack, and what a change begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Situation {
    /// The verified e-mail address of the person.
    pub person_email: Option<String>,
    /// The name of the person.
    pub person_name: Option<String>,
    /// The name of the stack.
    pub stack_name: Option<String>,
    /// The URL of the stack.
    pub stack_url: Option<String>,
    /// What the stack has; `None` for a new stack.
    pub before: Option<Before>,
}

/// What a stack has before a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// The answers of its revision.
    pub values: Values,
    /// The keys of its secrets, with the lengths of their texts in bytes.
    pub secrets: BTreeMap<String, usize>,
    /// The id of its size.
    pub size: Option<String>,
}

/// What counts of a stack's answer to a question, if nothing else is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept<'a> {
    /// Nothing: the question is as new. It was not asked before, or what was answered breaks a rule.
    Nothing,
    /// That it was left without an answer.
    LeftOut,
    /// This answer.
    Value(&'a Value),
    /// Its secret.
    Secret,
}

impl<'a> Kept<'a> {
    /// Returns the answer that is no secret.
    pub fn value(self) -> Option<&'a Value> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing | Self::LeftOut | Self::Secret => None,
        }
    }
}

impl Situation {
    /// Returns what counts of the stack's answer to a question. An answer to another version of the
    /// template may break a rule of this one, or be of another kind.
    pub fn kept(&self, parameter: &Parameter, matcher: &dyn PatternMatcher) -> Kept<'_> {
        let Some(before) = &self.before else { return Kept::Nothing };
        let is_secret = parameter.is_secret();
        let has_substitute =
            parameter.generated().is_some() || rules::unanswered(&parameter.kind).is_some();
        match before.values.get(&parameter.key) {
            _ if is_secret && before.secrets.contains_key(&parameter.key) => Kept::Secret,
            Some(None) if !parameter.required && !has_substitute => Kept::LeftOut,
            Some(Some(value)) if !is_secret && rules::obeys(&parameter.kind, value, matcher) => {
                Kept::Value(value)
            }
            Some(_) | None => Kept::Nothing,
        }
    }

    /// Returns what the stack has of an immutable question, which no change can replace.
    pub fn fixed(&self, parameter: &Parameter, matcher: &dyn PatternMatcher) -> Kept<'_> {
        if parameter.immutable { self.kept(parameter, matcher) } else { Kept::Nothing }
    }

    /// Returns the answer to a question if none is given: what the stack has, otherwise the
    /// default. It is left out where it breaks a rule, as a person's name may.
    pub fn prefill(&self, parameter: &Parameter, matcher: &dyn PatternMatcher) -> Option<Value> {
        let obeys = |value: &Value| rules::obeys(&parameter.kind, value, matcher);
        match self.kept(parameter, matcher) {
            Kept::Value(value) => Some(value.clone()),
            Kept::LeftOut | Kept::Secret => None,
            Kept::Nothing => self.default(parameter).filter(obeys),
        }
    }

    /// Returns the default of a question, which may break its rules.
    fn default(&self, parameter: &Parameter) -> Option<Value> {
        let text = |text: &Option<String>| text.clone().map(Value::Text);
        match &parameter.default {
            Some(DefaultAnswer::Value(value)) => Some(value.clone()),
            Some(DefaultAnswer::From(Source::PersonEmail)) => text(&self.person_email),
            Some(DefaultAnswer::From(Source::PersonName)) => text(&self.person_name),
            Some(DefaultAnswer::From(Source::StackName)) => text(&self.stack_name),
            Some(DefaultAnswer::From(Source::StackUrl)) => text(&self.stack_url),
            Some(DefaultAnswer::From(Source::Generate(_))) => None,
            None => rules::unanswered(&parameter.kind),
        }
    }

    /// Returns the id of the size if none is chosen.
    pub fn default_size<'a>(&'a self, template: &'a Template) -> Option<&'a str> {
        let kept = self.before.as_ref().and_then(|before| before.size.as_deref());
        let kept = kept.filter(|id| template.sizes.iter().any(|size| size.id == *id));
        kept.or_else(|| template.default_size().map(|size| size.id.as_str()))
    }
}
