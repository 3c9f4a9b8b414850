//! What fills a form: a link, what was sent and refused, or what an earlier stack was started with.

use std::collections::BTreeMap;

use super::{DATA, NAME, VERSION};
use domain::deployment::Deployment;
use domain::stack_name::StackName;
use domain::stack_spec::StackSpec;
use domain::template::Template;
use domain::template::answers::{PARAMETER_FIELD, SIZE};
use domain::template::parameter::{DefaultAnswer, Parameter, Source};

/// The field of a link with the id of the deployment whose answers fill the form.
pub const AGAIN: &str = "again";

/// What fills a form.
#[derive(Clone, Debug, Default)]
pub struct Filling {
    /// The fields with their values, in the order in which they were sent.
    pub pairs: Vec<(String, String)>,
    /// Whether they are from a link, and not from the form itself.
    pub is_link: bool,
    /// Whether they are the answers that another stack was started with.
    pub is_again: bool,
    /// The secrets that were given, sealed while the form is mended, by their keys.
    pub kept: BTreeMap<String, String>,
    /// What is wrong, by the keys of the questions.
    pub problems: BTreeMap<String, String>,
    /// Similar names that are available, if the name is taken.
    pub offers: Vec<StackName>,
    /// What is wrong besides.
    pub problem: Option<String>,
}

impl Filling {
    /// Reads what a link fills a form with from its query.
    pub fn link(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { pairs, is_link: true, ..Self::default() }
    }

    /// Returns what fills the form of `template` with the answers that `deployment` was started
    /// with: all but the secrets. What followed from its name follows from the new one.
    /// What was never asked then has its default.
    pub fn again(
        template: &Template,
        deployment: &Deployment,
        spec: &StackSpec,
        data: Option<String>,
    ) -> Self {
        let Deployment { name, url, .. } = deployment;
        let answer = |parameter: &Parameter| {
            let answer = spec.values.get(&parameter.key)?.as_ref();
            let text = answer.map(|value| value.to_variable('\n')).unwrap_or_default();
            let is_derived = match parameter.default {
                Some(DefaultAnswer::From(Source::StackName)) => text == name.as_str(),
                Some(DefaultAnswer::From(Source::StackUrl)) => text == *url,
                Some(
                    DefaultAnswer::From(
                        Source::PersonEmail | Source::PersonName | Source::Generate(_),
                    )
                    | DefaultAnswer::Value(_),
                )
                | None => false,
            };
            (!is_derived).then(|| (format!("{PARAMETER_FIELD}{}", parameter.key), text))
        };
        let own = |field: &str, value: &str| (field.to_owned(), value.to_owned());
        let size = spec.size_id.iter().map(|size| own(SIZE, size));
        let data = data.iter().map(|data| own(DATA, data));
        let answers = template.parameters.iter().filter_map(answer);
        let pairs = [own(NAME, name.as_str())].into_iter().chain(size).chain(data).chain(answers);
        Self { pairs: pairs.collect(), is_again: true, ..Self::default() }
    }

    /// Returns what fills the form of a stack's settings with the answers of a revision: all but the
    /// secrets.
    pub fn answers(spec: &StackSpec) -> Self {
        let own = |field: &str, value: &str| (field.to_owned(), value.to_owned());
        let version = spec.template.iter().map(|template| own(VERSION, &template.version));
        let size = spec.size_id.iter().map(|size| own(SIZE, size));
        let answers = spec.values.iter().map(|(key, answer)| {
            let text = answer.as_ref().map(|value| value.to_variable('\n')).unwrap_or_default();
            (format!("{PARAMETER_FIELD}{key}"), text)
        });
        let pairs = version.chain(size).chain(answers).collect();
        Self { pairs, is_again: true, ..Self::default() }
    }

    /// Returns the values of a field.
    pub fn values(&self, field: &str) -> Vec<&str> {
        let values = self.pairs.iter().filter(|(name, _)| name == field);
        values.map(|(_, value)| value.as_str()).collect()
    }

    /// Returns whether the fields of the form were sent, so that what is not among them was left out
    /// by the person.
    pub(super) fn is_sent(&self) -> bool {
        !self.is_link && !self.is_again && !self.pairs.is_empty()
    }
}
