//! Reads members of JSON objects, and names what has an unexpected form.
//!
//! An error has the member's name and the forms, but never the value, which may be a secret.

use serde_json::{Map, Value};

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// A member has an unexpected form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {found}, but must be {wanted}")]
pub(super) struct WrongForm {
    name: String,
    found: &'static str,
    wanted: &'static str,
}

impl WrongForm {
    /// Says that the member `name` of `object` is not `wanted`.
    pub(super) fn of(object: &Object, name: &str, wanted: &'static str) -> Self {
        Self { name: name.to_owned(), found: form(object.get(name)), wanted }
    }
}

/// Returns the form of a value in words.
pub(super) fn form(value: Option<&Value>) -> &'static str {
    match value {
        None => "missing",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "true or false",
        Some(Value::Number(_)) => "a number",
        Some(Value::String(_)) => "a text",
        Some(Value::Array(_)) => "a list",
        Some(Value::Object(_)) => "an object",
    }
}

/// Parses a JSON object; `what` is its name in the error.
pub(super) fn object(what: &str, text: &[u8]) -> Result<Object, WrongForm> {
    let (found, wanted) = match serde_json::from_slice(text) {
        Ok(Value::Object(object)) => return Ok(object),
        Ok(value) => (form(Some(&value)), "a JSON object"),
        Err(_) => ("not JSON", "a JSON object"),
    };
    Err(WrongForm { name: what.to_owned(), found, wanted })
}

/// Returns the text `name`.
pub(super) fn text<'a>(object: &'a Object, name: &str) -> Result<&'a str, WrongForm> {
    optional_text(object, name)?.ok_or_else(|| WrongForm::of(object, name, "a text"))
}

/// Returns the text `name`; `None` if it is missing or null.
pub(super) fn optional_text<'a>(
    object: &'a Object,
    name: &str,
) -> Result<Option<&'a str>, WrongForm> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(WrongForm::of(object, name, "a text"))
        }
    }
}

/// Returns the time `name` in Unix seconds; `None` if it is missing or null.
pub(super) fn optional_time(object: &Object, name: &str) -> Result<Option<f64>, WrongForm> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let time = value.as_f64().ok_or_else(|| WrongForm::of(object, name, "a number"))?;
            Ok(Some(time))
        }
    }
}

/// Returns the texts `name`: a list of texts, or one text.
pub(super) fn texts<'a>(object: &'a Object, name: &str) -> Result<Vec<&'a str>, WrongForm> {
    let texts = match object.get(name) {
        Some(Value::String(text)) => Some(vec![text.as_str()]),
        Some(Value::Array(texts)) => texts.iter().map(Value::as_str).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => None,
    };
    texts.ok_or_else(|| WrongForm::of(object, name, "a text or a list of texts"))
}
