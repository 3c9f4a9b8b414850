//! Rejects cross-site requests (CSRF).
//!
//! The body of a deploy request is read as JSON regardless of its content type, so no CORS
//! preflight protects it; and stacks are same-site with the portal. Clients that are not browsers
//! send neither `Origin` nor `Sec-Fetch-Site`.

use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::address::address;
use super::error::Failed;
use super::{HttpState, routes};
use crate::server::audit::AuditAction;
use crate::server::origin::Origin;
use domain::refusal::{CrossSite, Refusal, RefusalCode};

/// Accepts requests with a safe method, from our own pages, from invited origins with a token, and
/// from clients that are not browsers. Rejects all others with 403.
pub(super) async fn check(state: &HttpState, parts: &Parts) -> Result<(), Failed> {
    let headers = &parts.headers;
    let may = is_safe(&parts.method)
        || is_ours(headers, &state.origins)
        || is_invited(headers, &state.cors_origins);
    if may {
        return Ok(());
    }
    let address = address(&parts.extensions, headers, &state.proxies);
    let caller = state.authenticator.anonymous_caller(address);
    let path = parts.uri.path();
    let code = RefusalCode::CrossSite;
    Box::pin(state.audit.rejection(&caller, AuditAction::Enter, Some(path), code)).await;
    Err(Refusal::CrossSite(reason(headers, &state.origins)).into())
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

/// Returns whether a request comes from a page at one of our `origins`, or from a client that is no
/// browser.
fn is_ours(headers: &HeaderMap, origins: &[Origin]) -> bool {
    let sites = headers.get_all("sec-fetch-site").iter();
    let mut sites = sites.map(|site| site.as_bytes().to_ascii_lowercase()).peekable();
    let says_where = sites.peek().is_some();
    let (mut is_elsewhere, mut is_here) = (false, says_where);
    for site in sites {
        is_elsewhere |= matches!(&site[..], b"cross-site" | b"same-site");
        is_here &= site == b"same-origin";
    }
    !is_elsewhere
        && headers.get_all(header::ORIGIN).iter().all(|origin| match claimed(origin) {
            Claimed::Nothing => is_here,
            Claimed::Origin(origin) => origins.iter().any(|own| own.covers(&origin)),
            Claimed::Unreadable => false,
        })
}

/// What an `Origin` header says.
enum Claimed {
    /// `null`: the page keeps it to itself. Browsers send this for our own forms if a proxy adds
    /// `Referrer-Policy: no-referrer`, and for those of sandboxed frames and of local files, but
    /// only for ours together with `Sec-Fetch-Site: same-origin`, which no page can set.
    Nothing,
    /// An origin.
    Origin(Origin),
    /// Something else.
    Unreadable,
}

fn claimed(origin: &HeaderValue) -> Claimed {
    if origin == "null" {
        return Claimed::Nothing;
    }
    let origin = origin.to_str().ok().and_then(|text| Origin::parse(text).ok());
    origin.map_or(Claimed::Unreadable, Claimed::Origin)
}

/// Returns why a request was refused, as far as its headers tell.
fn reason(headers: &HeaderMap, origins: &[Origin]) -> CrossSite {
    let portal = origins.first().map(ToString::to_string).unwrap_or_default();
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes().to_ascii_lowercase());
    let is_own_page = site.as_deref() == Some(b"same-origin");
    match headers.get(header::ORIGIN).map(claimed) {
        Some(Claimed::Nothing) if site.is_none() => CrossSite::Unnamed { portal },
        Some(Claimed::Origin(origin)) if is_own_page => {
            CrossSite::OtherAddress { portal, address: origin.to_string() }
        }
        Some(Claimed::Nothing | Claimed::Origin(_) | Claimed::Unreadable) | None => {
            CrossSite::Elsewhere { portal }
        }
    }
}
