//! The answer to `OPTIONS *`.

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Answers `OPTIONS *` with all methods that the server supports (RFC 9110, section 9.3.7).
pub(super) fn answer(methods: &[Method]) -> Response {
    let names: Vec<_> = methods.iter().map(Method::as_str).chain(["HEAD", "OPTIONS"]).collect();
    let allow = HeaderValue::try_from(names.join(",")).unwrap_or(HeaderValue::from_static("GET"));
    (StatusCode::NO_CONTENT, [(header::ALLOW, allow)]).into_response()
}
