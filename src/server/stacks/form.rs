//! What the form of a template shows: its questions, with the answers so far and what is wrong with
//! them.
//!
//! A form is filled by a link, or by what a person sent before and the portal refused. Secrets are
//! never among the answers that it shows.

mod filling;

use std::collections::{BTreeMap, BTreeSet};

use catalogue::Entry;
use jiff::Timestamp;

pub use self::filling::{AGAIN, Filling};
use crate::wire::Usual;
use domain::size::Size;
use domain::stack_name::StackName;
use domain::template::Template;
use domain::template::answers::{OTHER_FIELD, PARAMETER_FIELD, SECRET_FIELD, SIZE};
use domain::template::parameter::{
    ChoiceRules, Condition, DefaultAnswer, Parameter, ParameterKind, Source, Value,
};
use domain::template::situation::Situation;

/// The field of the stack's name.
pub const NAME: &str = "name";
/// The field of the id of the kept data that the stack brings back.
pub const DATA: &str = "data";
/// The field of the version of the template whose questions the form has.
pub const VERSION: &str = "version";
/// What the names of the fields begin with that keep a secret, sealed, while the form is mended.
pub const KEPT_FIELD: &str = "k.";
/// What the names of the fields begin with that withdraw a secret that the form keeps.
pub const FORGET_FIELD: &str = "f.";

/// What the names of the fields begin with that say of an answer that it depends on the name of the
/// stack, so that the form could not show it: left empty, it is not "none".
pub const LATER_FIELD: &str = "d.";

/// Returns the fields of a form without those that were left empty because their answer depends on
/// the name of the stack.
pub fn answered(mut pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    let is_later = |(field, _): &(String, String)| field.starts_with(LATER_FIELD);
    let later: BTreeSet<String> = pairs
        .extract_if(.., |pair| is_later(pair))
        .filter_map(|(field, _)| field.strip_prefix(LATER_FIELD).map(ToOwned::to_owned))
        .collect();
    let is_left =
        |field: &str| field.strip_prefix(PARAMETER_FIELD).is_some_and(|key| later.contains(key));
    pairs.retain(|(field, value)| !(value.is_empty() && is_left(field)));
    pairs
}

/// The form of a template.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateForm {
    /// The id of the template.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is, in one line.
    pub summary: String,
    /// The path of its icon.
    pub icon: Option<String>,
    /// Its description, as Markdown that nobody has checked.
    pub readme: Option<String>,
    /// How long it usually takes until a stack of it is live, if that was measured.
    pub usual: Option<Usual>,
    /// Whether the caller is offered other templates as well.
    pub has_others: bool,
    /// The name of the stack, as far as it is typed.
    pub stack_name: String,
    /// The sizes; none if the template has none.
    pub sizes: Vec<Pick>,
    /// Whether the size is from a link.
    pub is_size_from_link: bool,
    /// The id of the kept data that the stack brings back.
    pub data: Option<String>,
    /// The questions.
    pub fields: Vec<Field>,
    /// What is wrong, by the keys of the questions, `name` and `size`.
    pub problems: BTreeMap<String, String>,
    /// Similar names that are available, if the name is taken.
    pub offers: Vec<StackName>,
    /// What is wrong besides.
    pub problem: Option<String>,
}

/// A value to pick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// The value.
    pub value: String,
    /// Its name.
    pub label: String,
    /// What helps to choose.
    pub help: Option<String>,
    /// The limits of a size.
    pub limits: Option<Size>,
    /// Whether it is picked.
    pub is_picked: bool,
}

/// A question.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The key.
    pub key: String,
    /// The question in a few words.
    pub label: String,
    /// What helps to answer it.
    pub help: Option<String>,
    /// How it is asked.
    pub control: Control,
    /// Whether an answer is required where the question is asked.
    pub is_required: bool,
    /// Whether it is folded away: it is advanced, has no answer from a link, and nothing is wrong.
    pub is_folded: bool,
    /// Whether the answer is from a link.
    pub is_from_link: bool,
    /// What its answer is if it is left empty, if that depends on the name of the stack.
    pub later: Option<Later>,
    /// The earlier question and the answer with which it is asked.
    pub asked_if: Option<AskedIf>,
}

/// An answer that depends on the name of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Later {
    /// The name itself.
    Name,
    /// The address.
    Url,
}

/// The earlier answer with which a question is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedIf {
    /// The key of the earlier question.
    pub key: String,
    /// Its label.
    pub label: String,
    /// The value of its field.
    pub value: String,
    /// How people call that answer; `None` for "yes" and "no".
    pub answer: Option<String>,
}

/// How a question is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Control {
    /// By a single line.
    Line {
        /// The answer.
        value: String,
        /// The largest number of characters.
        max: u32,
    },
    /// By several lines.
    Lines {
        /// The answer.
        value: String,
        /// The largest number of characters; `None` for a list, which has one item per line.
        max: Option<u32>,
    },
    /// By a number.
    Number {
        /// The answer.
        value: String,
        /// The least.
        min: String,
        /// The greatest.
        max: String,
        /// What it is a multiple of.
        step: String,
        /// The unit.
        unit: Option<String>,
    },
    /// By a box to tick.
    Tick {
        /// Whether it is ticked.
        is_on: bool,
    },
    /// By values to pick from.
    Choice {
        /// The values.
        picks: Vec<Pick>,
        /// The value of one's own, if the template allows one.
        other: Option<String>,
    },
    /// By a text that nobody reads.
    Secret {
        /// Whether it has several lines.
        is_multiline: bool,
        /// Whether one is generated if none is given.
        is_generated: bool,
        /// The one that was given, sealed while the form is mended.
        kept: Option<String>,
        /// What is known of the one that the stack has.
        present: Option<PresentSecret>,
    },
}

/// What is known of a secret that a stack has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentSecret {
    /// Its fingerprint.
    pub fingerprint: String,
    /// When it was set, if that is known.
    pub set_at: Option<Timestamp>,
    /// Whether it can be removed without another one in its place.
    pub can_be_removed: bool,
    /// Whether the form says that it is to be removed.
    pub is_removed: bool,
}

impl TemplateForm {
    /// Makes the form of a template in the texts of `language`.
    pub fn new(entry: &Entry, situation: &Situation, filling: &Filling, language: &str) -> Self {
        let template = &entry.template;
        let maker = Maker { entry, situation, filling, language };
        Self {
            id: template.id.clone(),
            name: template.name.in_language(language).to_owned(),
            summary: template.summary.in_language(language).to_owned(),
            icon: entry.icon.is_some().then(|| format!("/templates/{}/icon.svg", template.id)),
            readme: entry.readme.clone(),
            usual: None,
            has_others: false,
            stack_name: filling.values(NAME).last().copied().unwrap_or_default().to_owned(),
            sizes: maker.sizes(),
            is_size_from_link: filling.is_link && !filling.values(SIZE).is_empty(),
            data: filling.values(DATA).last().map(|id| (*id).to_owned()),
            fields: template.parameters.iter().map(|parameter| maker.field(parameter)).collect(),
            problems: filling.problems.clone(),
            offers: filling.offers.clone(),
            problem: filling.problem.clone(),
        }
    }
}

/// What the fields of a form are made of.
struct Maker<'a> {
    entry: &'a Entry,
    situation: &'a Situation,
    filling: &'a Filling,
    language: &'a str,
}

impl Maker<'_> {
    fn template(&self) -> &Template {
        &self.entry.template
    }

    fn sizes(&self) -> Vec<Pick> {
        let sent = self.filling.values(SIZE).last().copied();
        let chosen = sent.or_else(|| self.situation.default_size(self.template()));
        let pick = |size: &domain::template::SizeChoice| Pick {
            value: size.id.clone(),
            label: (size.label.as_ref())
                .map_or(size.id.as_str(), |label| label.in_language(self.language))
                .to_owned(),
            help: None,
            limits: Some(size.limits),
            is_picked: chosen == Some(size.id.as_str()),
        };
        self.template().sizes.iter().map(pick).collect()
    }

    fn field(&self, parameter: &Parameter) -> Field {
        let key = &parameter.key;
        let prefix = if parameter.is_secret() { SECRET_FIELD } else { PARAMETER_FIELD };
        let name = format!("{prefix}{key}");
        let is_from_link = self.filling.is_link
            && !parameter.is_secret()
            && [&name, &format!("{name}{OTHER_FIELD}")]
                .iter()
                .any(|field| !self.filling.values(field).is_empty());
        let has_problem = self.filling.problems.contains_key(key);
        Field {
            key: key.clone(),
            label: parameter.label.in_language(self.language).to_owned(),
            help: (parameter.help.as_ref()).map(|help| help.in_language(self.language).to_owned()),
            control: self.control(parameter, &name),
            is_required: parameter.required,
            is_folded: parameter.advanced && !is_from_link && !has_problem,
            is_from_link,
            later: self.later(parameter),
            asked_if: parameter.when.as_ref().and_then(|condition| self.asked_if(condition)),
        }
    }

    /// Returns what the answer follows from if it is left empty. It is not shown: the name may change,
    /// unless the stack has it already.
    fn later(&self, parameter: &Parameter) -> Option<Later> {
        if self.situation.before.is_some() {
            return None;
        }
        match parameter.default.as_ref()? {
            DefaultAnswer::From(Source::StackName) => Some(Later::Name),
            DefaultAnswer::From(Source::StackUrl) => Some(Later::Url),
            DefaultAnswer::From(Source::PersonEmail | Source::PersonName | Source::Generate(_))
            | DefaultAnswer::Value(_) => None,
        }
    }

    fn control(&self, parameter: &Parameter, name: &str) -> Control {
        let prefill = match self.later(parameter) {
            Some(_) => None,
            None => self.situation.prefill(parameter, &self.entry.patterns),
        };
        let sent = self.filling.values(name);
        let text = || match (sent.last(), &prefill) {
            (Some(sent), _) => (*sent).to_owned(),
            (None, Some(value)) if !self.filling.is_sent() => value.to_variable('\n'),
            (None, _) => String::new(),
        };
        match &parameter.kind {
            ParameterKind::String(rules) => Control::Line { value: text(), max: rules.max },
            ParameterKind::Text(rules) => Control::Lines { value: text(), max: Some(rules.max) },
            ParameterKind::List(_) if sent.len() > 1 => {
                Control::Lines { value: sent.join("\n"), max: None }
            }
            ParameterKind::List(_) => Control::Lines { value: text(), max: None },
            ParameterKind::Number(rules) => Control::Number {
                value: text(),
                min: rules.min.to_string(),
                max: rules.max.to_string(),
                step: rules.step.to_string(),
                unit: (rules.unit.as_ref()).map(|unit| unit.in_language(self.language).to_owned()),
            },
            ParameterKind::Boolean => {
                let is_on = |text: &&str| matches!(*text, "on" | "true");
                let is_prefilled = || prefill == Some(Value::Boolean(true));
                Control::Tick { is_on: sent.last().map_or_else(is_prefilled, is_on) }
            }
            ParameterKind::Choice(rules) => self.choice(rules, name, &text()),
            ParameterKind::Secret(_) => Control::Secret {
                is_multiline: parameter.multiline,
                is_generated: parameter.generated().is_some(),
                kept: self.filling.kept.get(&parameter.key).cloned(),
                present: None,
            },
        }
    }

    fn choice(&self, rules: &ChoiceRules, name: &str, value: &str) -> Control {
        let pick = |choice: &domain::template::parameter::Choice| Pick {
            value: choice.value.clone(),
            label: choice.label.in_language(self.language).to_owned(),
            help: (choice.help.as_ref()).map(|help| help.in_language(self.language).to_owned()),
            limits: None,
            is_picked: choice.value == value,
        };
        let picks: Vec<_> = rules.choices.iter().map(pick).collect();
        let is_own = !value.is_empty() && !picks.iter().any(|pick| pick.is_picked);
        let sent = self.filling.values(&format!("{name}{OTHER_FIELD}")).last().copied();
        let other = rules.other.is_some().then(|| {
            let own = if is_own { value } else { sent.unwrap_or_default() };
            own.to_owned()
        });
        Control::Choice { picks, other }
    }

    fn asked_if(&self, condition: &Condition) -> Option<AskedIf> {
        let earlier = self.template().parameter(&condition.key)?;
        let value = condition.equals.to_variable('\n');
        let answer = match &earlier.kind {
            ParameterKind::Boolean => None,
            ParameterKind::Choice(rules) => {
                let choice = rules.choices.iter().find(|choice| choice.value == value);
                Some(choice.map_or(value.as_str(), |one| one.label.in_language(self.language)))
            }
            ParameterKind::String(_)
            | ParameterKind::Text(_)
            | ParameterKind::Secret(_)
            | ParameterKind::List(_)
            | ParameterKind::Number(_) => Some(value.as_str()),
        };
        Some(AskedIf {
            key: condition.key.clone(),
            label: earlier.label.in_language(self.language).to_owned(),
            answer: answer.map(ToOwned::to_owned),
            value: value.clone(),
        })
    }
}
