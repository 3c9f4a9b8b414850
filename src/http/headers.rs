//! The headers that every answer carries.
//!
//! A page sets its own content security policy, which has the nonce of its scripts.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{self, HeaderName};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version};
use axum::response::Response;
use serde::Serialize;
use tower::util::MapRequestLayer;
use tower_http::CompressionLevel;
use tower_http::compression::{CompressionLayer, Predicate};

use super::error;

const EVERYWHERE: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // With `no-referrer`, browsers would send `Origin: null` for posts of our own forms.
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
/// The header of answers that must not be cached.
pub(super) const NO_STORE: [(HeaderName, HeaderValue); 1] =
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
/// The number of headers that are added to each response apart from those everywhere.
const ADDED_BY_SERVER: usize = 4;
/// The caching of a page: it is for one visitor, and each response has a nonce of its own.
const PERSONAL: HeaderValue = HeaderValue::from_static("private, no-cache");
const NO_CONTENT: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const NO_FRAMES: HeaderValue = HeaderValue::from_static("frame-ancestors 'none'");

/// Returns an answer in JSON that must not be cached.
pub(super) fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    let mut response = Response::new(Body::from(error::json(body)));
    *response.status_mut() = status;
    // The map does not grow later.
    let mut headers = HeaderMap::with_capacity(EVERYWHERE.len() + ADDED_BY_SERVER);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.extend(NO_STORE);
    *response.headers_mut() = headers;
    response
}

/// A layer that changes requests.
type ChangeRequest = MapRequestLayer<fn(Request) -> Request>;

/// Compresses pages. It is a layer of the pages alone: event streams are never compressed, since that
/// would hold events back, and files are already.
pub(super) fn compression() -> (ChangeRequest, CompressionLayer<impl Predicate>) {
    let is_compressed =
        |_: StatusCode, _: Version, headers: &HeaderMap, extensions: &Extensions| {
            is_page(headers) && extensions.get::<HasSecret>().is_none()
        };
    let layer = CompressionLayer::new().quality(CompressionLevel::Fastest);
    (MapRequestLayer::new(allow_uncompressed), layer.compress_when(is_compressed))
}

/// Forgets that a client refuses what is not compressed: it gets that all the same. Otherwise the
/// layer that compresses pages would answer 406 in place of the page.
fn allow_uncompressed(mut request: Request) -> Request {
    if request.headers().contains_key(header::ACCEPT_ENCODING) {
        let accepted = list(request.headers(), header::ACCEPT_ENCODING);
        let kept: Vec<_> = accepted.filter(|element| !forbids_all(element)).collect();
        if let Ok(kept) = HeaderValue::try_from(kept.join(",")) {
            request.headers_mut().insert(header::ACCEPT_ENCODING, kept);
        }
    }
    request
}

/// Returns whether an element of `Accept-Encoding` is `*;q=0` or `identity;q=0`.
fn forbids_all(element: &str) -> bool {
    let (name, weight) = weighted(element);
    let is_zero = weight.and_then(|weight| weight.parse::<f32>().ok()).is_some_and(|q| q <= 0.0);
    is_zero && (name == "*" || name.eq_ignore_ascii_case("identity"))
}

/// Returns the elements of a header that is a list. A line that cannot be read has none.
pub(super) fn list(headers: &HeaderMap, name: HeaderName) -> impl DoubleEndedIterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// Returns the name of an element of `Accept-Encoding` and its weight, which is 1 by default; `None`
/// if something else follows the name.
pub(super) fn weighted(element: &str) -> (&str, Option<&str>) {
    let (name, weight) = element.split_once(';').unwrap_or((element, "q=1"));
    (name.trim(), weight.trim().trim_start_matches(['q', 'Q']).strip_prefix('='))
}

/// Marks a page with a secret. It is not compressed, since its length would tell about the secret.
#[derive(Clone, Copy, Debug)]
pub(super) struct HasSecret;

fn is_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|content_type| content_type.as_bytes().starts_with(b"text/html"))
}

/// Adds the headers that the response does not have yet.
pub(super) fn secure(mut response: Response) -> Response {
    let is_page = is_page(response.headers());
    let policy = if is_page { NO_FRAMES } else { NO_CONTENT };
    let headers = response.headers_mut();
    headers.reserve(EVERYWHERE.len() + ADDED_BY_SERVER);
    if is_page {
        headers.entry(header::CACHE_CONTROL).or_insert(PERSONAL);
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    for (name, value) in EVERYWHERE {
        headers.entry(name).or_insert(value);
    }
    response
}
