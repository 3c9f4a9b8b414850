//! The error answers of the platform's API.
//!
//! It must not know why a call fails.

use serde_json::{Map, Value, json};

use super::request::{Answer, Body};
use super::rows::merged;

/// The result of a call.
pub(crate) type Outcome = Result<Body, Refusal>;

/// An error of a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    code: Code,
    message: String,
    call: Option<String>,
    issues: Vec<Issue>,
}

/// The kind of an error, which determines its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    BadRequest,
    Unauthorized,
    NotFound,
    UnsupportedMediaType,
    InternalServerError,
}

/// The validation message about one field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Issue {
    pub(crate) field: String,
    pub(crate) message: String,
    /// The other fields of the message, such as `code` and `expected`.
    pub(crate) details: Value,
}

impl Code {
    /// Returns the HTTP status and the platform's word for it.
    fn status_and_word(self) -> (u16, &'static str) {
        match self {
            Self::BadRequest => (400, "BAD_REQUEST"),
            Self::Unauthorized => (401, "UNAUTHORIZED"),
            Self::NotFound => (404, "NOT_FOUND"),
            Self::UnsupportedMediaType => (415, "UNSUPPORTED_MEDIA_TYPE"),
            Self::InternalServerError => (500, "INTERNAL_SERVER_ERROR"),
        }
    }
}

impl Refusal {
    /// Returns an error of `call` with this message.
    pub(crate) fn new(code: Code, call: &str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), call: Some(call.to_owned()), issues: Vec::new() }
    }

    /// Returns the error that `what` does not exist.
    pub(crate) fn not_found(call: &str, what: &str) -> Self {
        Self::new(Code::NotFound, call, format!("{what} not found"))
    }

    /// Returns the error for an unknown path or method (recordings 94 to 96, 100).
    pub(crate) fn no_such_path() -> Self {
        Self { call: None, ..Self::new(Code::NotFound, "", "Not found") }
    }

    /// Returns the error for invalid fields (recording 23).
    pub(crate) fn invalid(call: &str, issues: Vec<Issue>) -> Self {
        Self { issues, ..Self::new(Code::BadRequest, call, "Input validation failed") }
    }

    /// Returns the refusal in the platform's format.
    pub(crate) fn into_answer(self) -> Answer {
        let (status, code) = self.code.status_and_word();
        let mut data = json!({ "code": code, "httpStatus": status, "zodError": self.zod_error() });
        if let Some(call) = &self.call {
            data = merged(data, json!({ "path": call }));
        }
        let mut body = json!({ "message": self.message, "code": code, "data": data });
        if !self.issues.is_empty() {
            let issues: Vec<_> = self.issues.iter().map(Issue::to_json).collect();
            body = merged(body, json!({ "issues": issues }));
        }
        Answer::new(status, Body::Json(body))
    }

    fn zod_error(&self) -> Value {
        if self.issues.is_empty() {
            return Value::Null;
        }
        let mut fields = Map::new();
        for issue in &self.issues {
            let messages = fields.entry(issue.field.clone()).or_insert_with(|| json!([]));
            if let Some(messages) = messages.as_array_mut() {
                messages.push(json!(issue.message));
            }
        }
        json!({ "formErrors": [], "fieldErrors": fields })
    }
}

impl Issue {
    fn to_json(&self) -> Value {
        let own = json!({ "path": [self.field], "message": self.message });
        merged(self.details.clone(), own)
    }
}

impl From<Outcome> for Answer {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Ok(body) => Self::new(200, body),
            Err(refusal) => refusal.into_answer(),
        }
    }
}

/// Returns the 401 of a request's second key verification: the database went down after the first
/// one, or the key's limit was reached (recording day-two 90).
pub(crate) fn unauthorized_within(call: &str) -> Answer {
    Refusal::new(Code::Unauthorized, call, "UNAUTHORIZED").into_answer()
}

/// Returns the bare 401, which has several causes: no key, an invalid key, a reached rate limit,
/// the database down.
pub(crate) fn unauthorized() -> Answer {
    Answer::new(401, Body::Json(json!({ "message": "Unauthorized" })))
}
