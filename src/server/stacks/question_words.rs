//! How people call the questions of a template and their answers, for lists of what differs.

use std::collections::BTreeMap;

use super::Service;
use crate::server::catalogue::Audience;
use crate::server::store::{Result, Revision};
use domain::stack_spec::TemplateRef;
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
    pub(crate) fn or(mut self, others: Self) -> Self {
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
    /// Returns how people call the questions of each of these revisions of a stack of `template`, by their
    /// numbers: as the version that the revision has of it, or else the one before, or that of now.
    pub(super) async fn words_of_revisions(
        &self,
        template: &str,
        revisions: &[Revision],
    ) -> Result<BTreeMap<u32, QuestionWords>> {
        let mut versions = BTreeMap::new();
        for TemplateRef { digest, .. } in
            revisions.iter().filter_map(|one| one.spec.template.as_ref())
        {
            if !versions.contains_key(digest) {
                let stored = self.parts.store.template(digest).await?;
                let template = stored.and_then(|json| Template::from_json(&json).ok());
                versions
                    .insert(digest, template.as_ref().map(QuestionWords::of).unwrap_or_default());
            }
        }
        let entry = self.parts.offers.find(&Audience::Operator, template);
        let now = entry.map(|entry| QuestionWords::of(&entry.template)).unwrap_or_default();
        let own = |revision: &Revision| {
            let template = revision.spec.template.as_ref();
            template.and_then(|it| versions.get(&it.digest)).cloned().unwrap_or_default()
        };
        let befores = revisions.iter().skip(1).map(Some).chain([None]);
        let words = revisions.iter().zip(befores).map(|(revision, before)| {
            let words = own(revision).or(before.map(own).unwrap_or_default());
            (revision.number, words.or(now.clone()))
        });
        Ok(words.collect())
    }
}
