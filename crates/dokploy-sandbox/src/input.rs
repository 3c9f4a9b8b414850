//! Validation of a call's input, with the platform's error messages.
//!
//! Reading an invalid field records an issue and returns a placeholder. [`Input::check`] ends the
//! call with all issues, as the platform does.

use serde_json::{Map, Value, json};

use super::refusal::{Issue, Refusal};

/// The fields of one call's input.
#[derive(Debug)]
pub(crate) struct Input {
    call: String,
    fields: Map<String, Value>,
    issues: Vec<Issue>,
}

impl Input {
    /// Creates the input from the parameters of a query or the fields of a body.
    pub(crate) fn new(call: &str, fields: Map<String, Value>) -> Self {
        Self { call: call.to_owned(), fields, issues: Vec::new() }
    }

    /// Returns the name of the call.
    pub(crate) fn call(&self) -> &str {
        &self.call
    }

    /// Returns all fields, not validated.
    pub(crate) fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// Reads a required string.
    pub(crate) fn string(&mut self, name: &str) -> String {
        match self.fields.get(name) {
            Some(Value::String(text)) => text.clone(),
            other => {
                let found = type_name(other);
                self.wrong_type(name, "string", found);
                String::new()
            }
        }
    }

    /// Returns the field `name`, which must be a string, if all fields that were read are valid.
    ///
    /// # Errors
    ///
    /// Returns the refusal with all issues so far.
    pub(crate) fn required(&mut self, name: &str) -> Result<String, Refusal> {
        let text = self.string(name);
        self.check()?;
        Ok(text)
    }

    /// Reads a required string that must not be empty.
    pub(crate) fn filled(&mut self, name: &str) -> String {
        let text = self.string(name);
        if text.is_empty() && matches!(self.fields.get(name), Some(Value::String(_))) {
            let details =
                json!({ "origin": "string", "code": "too_small", "minimum": 1, "inclusive": true });
            self.issue(name, "Too small: expected string to have >=1 characters", details);
        }
        text
    }

    /// Reads an optional string, which may be null.
    pub(crate) fn optional(&mut self, name: &str) -> Option<String> {
        match self.fields.get(name) {
            None | Some(Value::Null) => None,
            Some(_) => Some(self.string(name)),
        }
    }

    /// Reads an optional list of strings, which may be null; `None` without one.
    pub(crate) fn strings(&mut self, name: &str) -> Option<Vec<String>> {
        let texts = |list: &Vec<Value>| {
            list.iter().map(|one| one.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        };
        match self.fields.get(name) {
            None | Some(Value::Null) => None,
            Some(value) => {
                let found = value.as_array().and_then(texts);
                if found.is_none() {
                    let found = type_name(Some(value));
                    self.wrong_type(name, "array", found);
                }
                found
            }
        }
    }

    /// Reads a required value, which may be null.
    pub(crate) fn nonoptional(&mut self, name: &str) -> Value {
        let value = self.fields.get(name).cloned();
        if value.is_none() {
            self.wrong_type(name, "nonoptional", "undefined");
        }
        value.unwrap_or_default()
    }

    /// Reads an optional number from JSON or from a query; without one, returns `default`.
    pub(crate) fn number(&mut self, name: &str, default: u64) -> u64 {
        match self.fields.get(name) {
            None | Some(Value::Null) => default,
            Some(Value::String(text)) => text.parse().unwrap_or(default),
            Some(value) => {
                let number = value.as_u64();
                if number.is_none() {
                    let found = type_name(Some(value));
                    self.wrong_type(name, "number", found);
                }
                number.unwrap_or(default)
            }
        }
    }

    /// Reads an optional boolean; without one, returns `default`.
    pub(crate) fn switch(&mut self, name: &str, default: bool) -> bool {
        match self.fields.get(name) {
            None | Some(Value::Null) => default,
            Some(Value::Bool(value)) => *value,
            other => {
                let found = type_name(other);
                self.wrong_type(name, "boolean", found);
                default
            }
        }
    }

    /// Reads an optional string that must be one of `choices`; without one, returns `default`.
    pub(crate) fn choice(&mut self, name: &str, choices: &[&str], default: &str) -> String {
        let Some(chosen) = self.optional(name) else { return default.to_owned() };
        if !choices.contains(&chosen.as_str()) {
            let quoted: Vec<_> = choices.iter().map(|choice| format!("\"{choice}\"")).collect();
            let message = format!("Invalid option: expected one of {}", quoted.join("|"));
            self.issue(name, &message, json!({ "code": "invalid_value", "values": choices }));
        }
        chosen
    }

    /// Records that a field has another type than `expected`.
    pub(crate) fn wrong_type(&mut self, name: &str, expected: &str, found: &str) {
        let message = format!("Invalid input: expected {expected}, received {found}");
        self.issue(name, &message, json!({ "code": "invalid_type", "expected": expected }));
    }

    /// Records an issue of a field.
    pub(crate) fn issue(&mut self, field: &str, message: &str, details: Value) {
        self.issues.push(Issue { field: field.to_owned(), message: message.to_owned(), details });
    }

    /// Ends the call if there are issues.
    ///
    /// # Errors
    ///
    /// Returns a refusal with all issues recorded so far.
    pub(crate) fn check(&mut self) -> Result<(), Refusal> {
        if self.issues.is_empty() {
            return Ok(());
        }
        Err(Refusal::invalid(&self.call, std::mem::take(&mut self.issues)))
    }
}

/// Returns the name of a value's type in the platform's validation messages.
pub(crate) fn type_name(value: Option<&Value>) -> &'static str {
    match value {
        None => "undefined",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
    }
}
