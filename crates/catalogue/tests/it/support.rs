//! What the tests share: a template with every kind of question, and the checks in all forms.

use std::collections::BTreeSet;

use catalogue::{Definition, Patterns, json_schema, parse};
use domain::template::Template;
use domain::template::answer_error::{AnswerCode, AnswerErrors, FieldError};
use domain::template::answers::Answers;
use domain::template::checked::{Checked, SecretOrigin, VariableValue};
use domain::template::situation::Situation;
use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

/// The template with every kind of question.
pub(crate) const ALL: &str = include_str!("all.toml");

/// Parses the file of a template that has no faults.
pub(crate) fn definition(text: &str) -> Definition {
    parse(text, "all/template.toml").unwrap_or_else(|faults| {
        let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    })
}

/// Returns the template with every kind of question.
pub(crate) fn template() -> Template {
    definition(ALL).template
}

/// Returns Alice, who starts a stack of her own.
pub(crate) fn alice() -> Situation {
    Situation {
        person_email: Some(String::from("alice@example.com")),
        person_name: Some(String::from("Alice")),
        stack_name: Some(String::from("alices")),
        stack_url: Some(String::from("https://alices.example.com")),
        before: None,
    }
}

/// Returns all errors, each in a line: the field, the code and the sentence.
pub(crate) fn said(errors: &AnswerErrors) -> String {
    let line = |(key, error): (&str, &FieldError)| {
        let code = <&str>::from(error.code());
        format!("{key} {code} {}\n", domain::words::answer::message(error))
    };
    errors.iter().map(line).collect()
}

/// Everything that checks answers to one template in one situation.
pub(crate) struct Faces {
    pub(crate) template: Template,
    pub(crate) situation: Situation,
    patterns: Patterns,
    schema: Validator,
}

impl Faces {
    pub(crate) fn new(template: Template, situation: Situation) -> Self {
        let patterns = Patterns::of(&template);
        let schema = json_schema(&template, &situation, &patterns, "en");
        assert!(jsonschema::draft202012::meta::is_valid(&schema), "{schema:#}");
        let options =
            jsonschema::draft202012::options().with_pattern_options(PatternOptions::regex());
        let schema = options.build(&schema).unwrap();
        Self { template, situation, patterns, schema }
    }

    /// Checks a body of JSON.
    pub(crate) fn json(&self, body: &Value) -> Result<Checked, AnswerErrors> {
        self.check(&Answers::from_json(body)?)
    }

    /// Checks the fields of a form.
    pub(crate) fn form(&self, pairs: &[(&str, &str)]) -> Result<Checked, AnswerErrors> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let pairs: Vec<_> = pairs.iter().map(owned).collect();
        self.check(&Answers::from_form(&self.template, &pairs))
    }

    fn check(&self, answers: &Answers) -> Result<Checked, AnswerErrors> {
        self.template.check(answers, &self.situation, &self.patterns)
    }

    /// Returns whether the schema accepts a body of JSON.
    pub(crate) fn accepts(&self, body: &Value) -> bool {
        self.schema.is_valid(body)
    }
}

/// Returns the codes of the errors, by the keys of their fields.
pub(crate) fn codes(errors: &AnswerErrors) -> Vec<(String, String)> {
    let code = |code: AnswerCode| <&str>::from(code).to_owned();
    errors.iter().map(|(key, error)| (key.to_owned(), code(error.code()))).collect()
}

/// Returns the variables as lines.
pub(crate) fn lines(checked: &Checked) -> BTreeSet<String> {
    let line = |name: &str, value: &VariableValue| match value {
        VariableValue::Plain(text) => format!("{name}={text}"),
        VariableValue::Secret { origin: SecretOrigin::Given(text), .. } => {
            format!("{name}=secret {}", text.expose())
        }
        VariableValue::Secret { origin: SecretOrigin::Generated(length), .. } => {
            format!("{name}=generated {length}")
        }
        VariableValue::Secret { origin: SecretOrigin::Kept, .. } => format!("{name}=kept"),
    };
    checked.variables.iter().map(|variable| line(&variable.name, &variable.value)).collect()
}
