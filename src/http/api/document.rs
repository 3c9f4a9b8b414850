//! The description of the API, for programs.

use axum::http::HeaderMap;
use axum::response::Response;

use crate::http::DOCUMENT;

/// `GET /api/openapi.json`: the description of the API.
pub(in crate::http) async fn openapi(headers: HeaderMap) -> Response {
    DOCUMENT.answer(&headers)
}
