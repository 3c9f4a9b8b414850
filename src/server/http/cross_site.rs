//! Refuses what another site makes a browser post.
//!
//! The body of a deploy is read as JSON whatever its content type, so no preflight protects
//! it; and stacks are same-site with the portal. What is no browser sends neither header.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{HttpState, error::Failed};
use crate::server::origin::Origin;

/// Lets through what is safe, what our own pages send and what is no browser's.
pub(super) async fn refuse(
    State(state): State<HttpState>,
    request: Request,
    next: Next,
) -> Response {
    if is_safe(request.method()) || is_ours(request.headers(), &state.public_url) {
        return next.run(request).await;
    }
    let message = format!(
        "This request comes from another site. Use the portal at {}; if this is the portal, its \
         operator has to set PUBLIC_URL to the address in your browser.",
        state.public_url
    );
    Failed::new(403, "CROSS_SITE", message).into_response()
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
