//! A complete answer of the portal in process.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use serde_json::Value;

use super::contract::{self, Exchange};

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) async fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let is_compressed = parts.headers.contains_key("content-encoding");
        let body = match String::from_utf8(bytes.to_vec()) {
            Err(_) if is_compressed => String::from("(compressed)"),
            text => text.unwrap(),
        };
        Self { status: parts.status, headers: parts.headers, body }
    }

    /// Checks that the API's document allows this answer.
    pub(crate) fn check(&self, method: &str, uri: &Uri) {
        let headers = self.headers.iter();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = headers.map(|(name, value)| (name.as_str().to_owned(), text(value)));
        let (target, status) = (uri.to_string(), self.status.as_u16());
        let (headers, body) = (headers.collect(), self.body.as_str());
        contract::check(&Exchange { method, target: &target, status, headers, body });
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Checks that this is an error in the usual format, and returns its code.
    pub(crate) fn error_code(&self) -> String {
        let json = self.json();
        let keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["code", "error", "success"], "{self:?}");
        assert_eq!(json["success"], false, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        let sentence = json["error"].as_str().unwrap();
        assert!(sentence.ends_with('.') && sentence.len() > 10, "no sentence: {sentence}");
        json["code"].as_str().unwrap().to_owned()
    }

    /// Returns the status and the code of an error, such as `404 NOT_FOUND`.
    pub(crate) fn error(&self) -> String {
        format!("{} {}", self.status.as_u16(), self.error_code())
    }
}
