//! A case of the table of answers. The tests of the portal include this file and the table as well.

use serde_json::{Value, json};

/// What must come of a set of answers: some of the variables, or all errors.
#[derive(Clone, Copy)]
pub(super) enum Expected {
    /// These are among the variables.
    Variables(&'static [&'static str]),
    /// None of the variables has one of these names.
    Without(&'static [&'static str]),
    /// The keys of all fields that are refused, with their codes.
    Errors(&'static [(&'static str, &'static str)]),
}

/// The same answers as a form sends them.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// These are the fields.
    Fields(&'static [(&'static str, &'static str)]),
    /// No form sends this.
    Never(Never),
}

/// Why no form sends what JSON can say.
#[derive(Clone, Copy)]
pub(super) enum Never {
    /// A field has no type: its text is read as the question's.
    Typed,
    /// A field that is left out is no explicit `null`.
    Null,
    /// The end of a line is CR LF in a form, so it is no answer with a CR.
    LineEnd,
    /// An item is a line without its outer spaces, and not empty.
    Trimmed,
    /// What a page without scripts shows of a question that is not asked is no answer.
    Shown,
}

/// A set of answers beside those that are always required: as JSON, and as the fields of a form.
pub(super) struct Case {
    pub(super) parameters: Value,
    pub(super) secrets: Value,
    pub(super) size: Option<Value>,
    pub(super) form: Form,
    pub(super) expected: Expected,
}

impl Case {
    /// Returns the case as JSON, with the answers of `always` where it has no others.
    pub(super) fn body(&self, always: &[(&str, &str)]) -> Value {
        let mut parameters = self.parameters.clone();
        for (key, answer) in always {
            if parameters.get(key).is_none() {
                parameters[key] = json!(answer);
            }
        }
        let mut body = json!({ "parameters": parameters, "secrets": self.secrets });
        if let Some(size) = &self.size {
            body["size"] = size.clone();
        }
        body
    }

    /// Returns the case as the fields of a form, with the answers of `always` where it has no
    /// others; `None` if no form sends it.
    pub(super) fn fields(&self, always: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        let own = match self.form {
            Form::Fields(own) => own,
            Form::Never(
                Never::Typed | Never::Null | Never::LineEnd | Never::Trimmed | Never::Shown,
            ) => return None,
        };
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut fields: Vec<_> = own.iter().map(owned).collect();
        for (key, answer) in always {
            let name = format!("p.{key}");
            if !fields.iter().any(|(other, _)| *other == name) {
                fields.push((name, (*answer).to_owned()));
            }
        }
        Some(fields)
    }
}

/// Returns whether there are errors, and a schema has words for none of them.
pub(super) fn is_beyond_schema(errors: &[(String, String)]) -> bool {
    let is_beyond = |(key, code): &(String, String)| match (key.as_str(), code.as_str()) {
        // What a list is as one variable, and fractions, which are exact only in decimal.
        ("tags", "NOT_REPRESENTABLE") | ("ratio", "NOT_A_MULTIPLE") => true,
        (_, code) => ["TOO_LARGE", "TOO_LARGE_TOGETHER"].contains(&code),
    };
    !errors.is_empty() && errors.iter().all(is_beyond)
}
