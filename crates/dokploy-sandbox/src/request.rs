//! The input and output of the core: a request and its answer, without sockets.
//!
//! It must not know what a call does.

use std::time::Duration;

use axum::extract::Query;
use axum::http::Uri;
use serde_json::{Map, Value};

/// A request, read from a socket or made by a test.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// Path and query, such as `/api/project.one?projectId=x`.
    pub target: String,
    /// The header `x-api-key`.
    pub api_key: Option<String>,
    /// The header `content-type`.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// Returns a GET request for `target`.
    pub fn get(target: &str) -> Self {
        Self { method: "GET".to_owned(), target: target.to_owned(), ..Self::default() }
    }

    /// Returns a POST request with this JSON `body`.
    pub fn post(target: &str, body: &Value) -> Self {
        Self {
            method: "POST".to_owned(),
            target: target.to_owned(),
            content_type: Some("application/json".to_owned()),
            body: body.to_string().into_bytes(),
            ..Self::default()
        }
    }

    /// Adds the API key to the request.
    #[must_use]
    pub fn with_key(mut self, key: &str) -> Self {
        self.api_key = Some(key.to_owned());
        self
    }

    /// Returns the path without the query.
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Returns the name of the API call, such as `project.one`; for other paths, the path.
    pub(super) fn call(&self) -> &str {
        let path = self.path();
        path.strip_prefix("/api/").unwrap_or(path)
    }

    /// Returns the query's parameters, decoded, as strings. An invalid query counts as empty.
    pub(super) fn query(&self) -> Map<String, Value> {
        let uri: Uri = self.target.parse().unwrap_or_default();
        Query::try_from_uri(&uri).map(|Query(parameters)| parameters).unwrap_or_default()
    }
}

/// The answer of the platform.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Body,
    /// The header `retry-after`, in seconds.
    pub retry_after: Option<u64>,
    /// The additional delay of the answer.
    pub delay: Duration,
    /// The fate of the connection.
    pub disposition: Disposition,
}

/// The body of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// JSON.
    Json(Value),
    /// An empty body with the content type of JSON (recording 74).
    Empty,
    /// Plain text without a content type (recording 97).
    Text(&'static str),
}

/// The fate of the connection once the answer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The answer is sent.
    Send,
    /// Nothing is ever sent.
    Hang,
    /// The connection is dropped.
    Reset,
}

impl Answer {
    /// Returns an answer with `status` and `body`.
    pub(super) fn new(status: u16, body: Body) -> Self {
        Self {
            status,
            body,
            retry_after: None,
            delay: Duration::ZERO,
            disposition: Disposition::Send,
        }
    }

    /// Returns an answer 200 with `value`.
    pub(super) fn json(value: Value) -> Self {
        Self::new(200, Body::Json(value))
    }

    /// Returns the answer to a body that is too large, in plain text.
    pub(super) fn too_large() -> Self {
        Self::new(413, Body::Text("Body exceeded 1mb limit"))
    }

    /// Sets the fate of the connection.
    pub(super) fn with(mut self, disposition: Disposition) -> Self {
        self.disposition = disposition;
        self
    }

    /// Returns the JSON of the body; `Null` for other bodies.
    pub fn value(&self) -> &Value {
        match &self.body {
            Body::Json(value) => value,
            Body::Empty | Body::Text(_) => &Value::Null,
        }
    }

    /// Returns the body as it is sent.
    pub fn text(&self) -> String {
        match &self.body {
            Body::Json(value) => value.to_string(),
            Body::Empty => String::new(),
            Body::Text(text) => (*text).to_owned(),
        }
    }
}
