//! Refuses what another site makes a browser post.
//!
//! The body of a deploy is read as JSON whatever its content type, so no preflight protects
//! it; and stacks are same-site with the portal. What is no browser sends neither header.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{HttpState, auth, error::Failed, routes};
use crate::server::{audit::AuditAction, origin::Origin};
use domain::refusal::{Refusal, RefusalCode};

/// Lets through what is safe, what our own pages send and what is no browser's.
pub(super) async fn refuse(
    State(state): State<HttpState>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let may = is_safe(request.method())
        || is_ours(headers, &state.public_url)
        || is_invited(headers, &state.cors_origins);
    if may {
        return next.run(request).await;
    }
    let caller = state.authenticator.anonymous_caller(auth::address(
        request.extensions(),
        headers,
        &state.proxies,
    ));
    let path = request.uri().path();
    state.service.record_rejection(&caller, AuditAction::Enter, path, RefusalCode::CrossSite).await;
    Failed::from(Refusal::CrossSite(state.public_url.to_string())).into_response()
}

/// Returns whether a page of an origin that was let in sends a token. A cookie is never taken from
/// elsewhere.
fn is_invited(headers: &HeaderMap, invited: &[Origin]) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
    let origin = origin.and_then(|text| Origin::parse(text).ok());
    origin.is_some_and(|origin| invited.contains(&origin))
        && headers.contains_key(header::AUTHORIZATION)
        && !headers.contains_key(header::COOKIE)
}

/// Lets pages of other origins read answers of the API, where origins are let in. Without any,
/// no header says so, and browsers keep every answer to themselves.
pub(super) fn share(origins: &[Origin]) -> CorsLayer {
    let origins =
        origins.iter().filter_map(|origin| HeaderValue::try_from(origin.to_string()).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods(routes::methods(|route| route.path.starts_with("/api/")))
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([header::LOCATION, header::RETRY_AFTER])
        .max_age(Duration::from_mins(10))
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn is_ours(headers: &HeaderMap, public_url: &Origin) -> bool {
    let is_elsewhere = |site: &[u8]| {
        site.eq_ignore_ascii_case(b"cross-site") || site.eq_ignore_ascii_case(b"same-site")
    };
    let mut sites = headers.get_all("sec-fetch-site").iter();
    let mut origins = headers.get_all(header::ORIGIN).iter();
    !sites.any(|site| is_elsewhere(site.as_bytes()))
        && origins.all(|origin| {
            let origin = origin.to_str().ok().and_then(|text| Origin::parse(text).ok());
            origin.is_some_and(|origin| public_url.covers(&origin))
        })
}
