//! What a set of answers is checked against besides the template: the person, the stack, and what
//! a change begins with.

use std::collections::{BTreeMap, BTreeSet};

use super::parameter::{Parameter, PatternMatcher, Source, Value};
use super::rules;
use super::{Template, parameter::DefaultAnswer};

/// The answers that a revision keeps, by their keys: `None` where a question was asked and left
/// without an answer. Secrets are not among them.
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
    /// The keys of its secrets.
    pub secrets: BTreeSet<String>,
    /// The id of its size.
    pub size: Option<String>,
}

impl Situation {
    /// Returns the answer to a question if none is given: what the stack has, otherwise the
    /// default. It is left out where it breaks a rule: a person's name may, and so may an answer to
    /// another version of the template.
    pub fn prefill(&self, parameter: &Parameter, matcher: &dyn PatternMatcher) -> Option<Value> {
        let kept = self.before.as_ref().and_then(|before| before.values.get(&parameter.key));
        let obeys = |value: &Value| rules::obeys(&parameter.kind, value, matcher);
        match kept {
            Some(None) => None,
            Some(Some(value)) if obeys(value) => Some(value.clone()),
            Some(Some(_)) | None => self.default(parameter).filter(obeys),
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

    /// Returns whether the stack has this secret.
    pub fn keeps_secret(&self, key: &str) -> bool {
        self.before.as_ref().is_some_and(|before| before.secrets.contains(key))
    }

    /// Returns the id of the size if none is chosen.
    pub fn default_size<'a>(&'a self, template: &'a Template) -> Option<&'a str> {
        let kept = self.before.as_ref().and_then(|before| before.size.as_deref());
        let kept = kept.filter(|id| template.sizes.iter().any(|size| size.id == *id));
        kept.or_else(|| template.default_size().map(|size| size.id.as_str()))
    }
}
