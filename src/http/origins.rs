//! Which of the portal's origins a person uses, if it has several.

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};

use crate::server::origin::Origin;

/// Returns the one of `origins` at which a request arrived, or the first. A client can name any
/// host, but gets only an origin of the portal.
///
/// # Panics
///
/// Panics if there are no origins, which the settings rule out.
#[expect(clippy::indexing_slicing, reason = "a portal has at least one origin")]
pub(super) fn in_use<'a>(parts: &Parts, origins: &'a [Origin]) -> &'a Origin {
    let hosts = [
        last(&parts.headers, "x-forwarded-host"),
        parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()),
        parts.uri.authority().map(Authority::as_str),
    ];
    let known = hosts.into_iter().flatten().find_map(|host| {
        let is_host = |origin: &&Origin| {
            Origin::parse(&format!("{}://{host}", origin.scheme())).is_ok_and(|at| at == **origin)
        };
        origins.iter().find(is_host)
    });
    known.unwrap_or(&origins[0])
}

/// Returns the last entry of a list, which the nearest proxy has added.
fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    line.rsplit(',').next().map(str::trim)
}
