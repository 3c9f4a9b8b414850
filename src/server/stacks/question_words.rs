//! How people call the questions of a template and their answers, for lists of what differs.

use std::collections::BTreeMap;

use super::Service;
use crate::server::catalogue::Audience;
use domain::template::Template;
use domain::template::answers::SIZE;
use domain::template::parameter::ParameterKind;
use domain::template::text::FALLBACK;

/// The labels of a template's questions, of their answers, and of its sizes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuestionWords {
    questions: BTreeMap<String, String>,
    answers: BTreeMap<(String, String), String>,
}

impl QuestionWords {
    /// Reads the labels of a template.
    pub(super) fn of(template: &Template) -> Self {
        let mut words = Self::default();
        for parameter in &template.parameters {
            let key = &parameter.key;
            words.questions.insert(key.clone(), parameter.label.in_language(FALLBACK).to_owned());
            if let ParameterKind::Choice(rules) = &parameter.kind {
                for choice in &rules.choices {
                    let label = choice.label.in_language(FALLBACK).to_owned();
                    words.answers.insert((key.clone(), choice.value.clone()), label);
                }
            }
        }
        for size in &template.sizes {
            if let Some(label) = &size.label {
                let label = label.in_language(FALLBACK).to_owned();
                words.answers.insert((SIZE.to_owned(), size.id.clone()), label);
            }
        }
        words
    }

    /// Adds what `others` have for questions and answers that these words do not know.
    pub(super) fn or(mut self, others: Self) -> Self {
        let Self { questions, answers } = others;
        for (key, label) in questions {
            self.questions.entry(key).or_insert(label);
        }
        for (answer, label) in answers {
            self.answers.entry(answer).or_insert(label);
        }
        self
    }

    /// Returns how people call the question of this key; `None` if the template has none.
    pub fn question(&self, key: &str) -> Option<&str> {
        self.questions.get(key).map(String::as_str)
    }

    /// Returns how people call an answer, which is the value itself unless the template says more.
    pub fn answer(&self, key: &str, value: &str) -> String {
        let label = self.answers.get(&(key.to_owned(), value.to_owned()));
        label.map_or_else(|| value.to_owned(), Clone::clone)
    }
}

impl Service {
    /// Returns how people call the questions of the template of this id, if there is one by now.
    pub(crate) fn question_words(&self, id: &str) -> QuestionWords {
        let entry = self.parts.offers.find(&Audience::Operator, id);
        entry.map(|entry| QuestionWords::of(&entry.template)).unwrap_or_default()
    }
}
