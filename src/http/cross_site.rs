//! Rejects cross-site requests (CSRF).
//!
//! The body of a deploy request is read as JSON regardless of its content type, so no CORS
//! preflight protects it; and stacks are same-site with the portal. Clients that are not browsers
//! send neither `Origin` nor `Sec-Fetch-Site`.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::error::Failed;
use super::{HttpState, auth, routes};
use crate::server::audit::AuditAction;
use crate::server::origin::Origin;
use domain::refusal::{Refusal, RefusalCode};

/// Passes on requests with a safe method, from our own pages, from invited origins with a token,
/// and from clients that are not browsers. Rejects all others with 403.
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
    state.audit.rejection(&caller, AuditAction::Enter, path, RefusalCode::CrossSite).await;
    Failed::from(Refusal::CrossSite(state.public_url.to_string())).into_response()
}

/// Returns whether the request comes from one of the origins in `CORS_ORIGINS` and has a token.
/// Cookies of other origins are never accepted.
fn is_invited(headers: &HeaderMap, invited: &[Origin]) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
    let origin = origin.and_then(|text| Origin::parse(text).ok());
    origin.is_some_and(|origin| invited.contains(&origin))
        && headers.contains_key(header::AUTHORIZATION)
        && !headers.contains_key(header::COOKIE)
}

/// Returns the CORS layer that lets pages of `origins` read answers of the API. Without any origin
/// it adds no header, and browsers hide every answer from other origins.
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
