//! The headers that every answer carries.
//!
//! A page brings its own content policy, with the nonce of its scripts.

use axum::{
    extract::Request,
    http::{
        HeaderValue,
        header::{self, HeaderName},
    },
    middleware::Next,
    response::Response,
};

const EVERYWHERE: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // `no-referrer` would take the Origin from our own form's post.
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];
/// For answers that are true only now.
pub(super) const NO_STORE: [(HeaderName, HeaderValue); 1] =
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
/// A page is rendered for one visit, with a nonce of its own.
const PERSONAL: HeaderValue = HeaderValue::from_static("private, no-cache");
const NO_CONTENT: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const NO_FRAMES: HeaderValue = HeaderValue::from_static("frame-ancestors 'none'");

/// Adds the headers that are not there yet.
pub(super) async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let policy = if is_page { NO_FRAMES } else { NO_CONTENT };
    let headers = response.headers_mut();
    if is_page {
        headers.entry(header::CACHE_CONTROL).or_insert(PERSONAL);
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    for (name, value) in EVERYWHERE {
        headers.entry(name).or_insert(value);
    }
    response
}
