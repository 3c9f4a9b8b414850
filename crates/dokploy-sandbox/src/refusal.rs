//! Describes how the platform says no: the error bodies of the API.
//!
//! It must not know why a call fails.

use serde_json::{Map, Value, json};

use super::request::{Answer, Body};

/// An error of one call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    code: Code,
    message: String,
    call: Option<String>,
    issues: Vec<Issue>,
}

/// The kind of an error, which fixes its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    BadRequest,
    Unauthorized,
    NotFound,
    UnsupportedMediaType,
    InternalServerError,
}

/// What validation says about one field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Issue {
    pub(crate) field: String,
    pub(crate) message: String,
    /// What else the platform tells: `code`, `expected` and the like.
    pub(crate) details: Value,
}

impl Code {
    fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BAD_REQUEST",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::NotFound => "NOT_FOUND",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::InternalServerError => "INTERNAL_SERVER_ERROR",
        }
    }

    fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::NotFound => 404,
            Self::UnsupportedMediaType => 415,
            Self::InternalServerError => 500,
        }
    }
}

impl Refusal {
    /// Refuses `call` with a message of the platform's.
    pub(crate) fn new(code: Code, call: &str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), call: Some(call.to_owned()), issues: Vec::new() }
    }

    /// Says that `what` does not exist.
    pub(crate) fn not_found(call: &str, what: &str) -> Self {
        Self::new(Code::NotFound, call, format!("{what} not found"))
    }

    /// Says that there is no such path, or not with this method (recordings 94 to 96, 100).
    pub(crate) fn no_such_path() -> Self {
        Self {
            code: Code::NotFound,
            message: "Not found".to_owned(),
            call: None,
            issues: Vec::new(),
        }
    }

    /// Says which fields are wrong (recording 23).
    pub(crate) fn invalid(call: &str, issues: Vec<Issue>) -> Self {
        Self { issues, ..Self::new(Code::BadRequest, call, "Input validation failed") }
    }

    /// Writes the refusal as the platform does.
    pub(crate) fn into_answer(self) -> Answer {
        let mut inner = Map::new();
        inner.insert("code".to_owned(), json!(self.code.as_str()));
        inner.insert("httpStatus".to_owned(), json!(self.code.status()));
        if let Some(call) = &self.call {
            inner.insert("path".to_owned(), json!(call));
        }
        inner.insert("zodError".to_owned(), self.zod_error());
        let mut body =
            json!({ "message": self.message, "code": self.code.as_str(), "data": inner });
        if let (Some(body), false) = (body.as_object_mut(), self.issues.is_empty()) {
            let issues = self.issues.iter().map(Issue::to_json).collect();
            body.insert("issues".to_owned(), Value::Array(issues));
        }
        Answer::new(self.code.status(), Body::Json(body))
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
        let mut issue = self.details.as_object().cloned().unwrap_or_default();
        issue.insert("path".to_owned(), json!([self.field]));
        issue.insert("message".to_owned(), json!(self.message));
        Value::Object(issue)
    }
}

/// The 401 of the second time that a request's key is verified, when the first went well: the
/// database went down in between, or the key's limit was reached (day two, recording 90).
pub(crate) fn unauthorized_within(call: &str) -> Answer {
    Refusal::new(Code::Unauthorized, call, "UNAUTHORIZED").into_answer()
}

/// The bare 401, which has many causes: no key, a bad key, throttling, the database down.
pub(crate) fn unauthorized() -> Answer {
    Answer::new(401, Body::Json(json!({ "message": "Unauthorized" })))
}
