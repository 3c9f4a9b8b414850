//! Which of the portal's origins a person uses, if it has several.

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, header};

use crate::server::origin::Origin;

/// The header in which proxies pass on the host that the client has named.
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Returns the one of `origins` at which a request arrived, or the first. A client can name any
/// host, but gets only an origin of the portal.
///
/// # Panics
///
/// Panics if there are no origins, which the settings rule out.
#[expect(clippy::indexing_slicing, reason = "a portal has at least one origin")]
pub(super) fn in_use<'a>(parts: &Parts, origins: &'a [Origin]) -> &'a Origin {
    let headers = &parts.headers;
    let authority = parts.uri.authority().map(Authority::as_str);
    // The nearest proxy is the last that has added a host, but it may not know the portal's name.
    let hosts: Vec<_> = listed(headers, FORWARDED_HOST)
        .chain(listed(headers, header::HOST))
        .chain(authority)
        .collect();
    let exact = hosts.iter().find_map(|host| {
        let is_host = |origin: &&Origin| {
            Origin::parse(&format!("{}://{host}", origin.scheme())).is_ok_and(|at| at == **origin)
        };
        origins.iter().find(is_host)
    });
    let similar = || {
        // Some proxies leave out the port.
        hosts.iter().find_map(|host| {
            let has_host = |origin: &&Origin| {
                let at = Origin::parse(&format!("{}://{host}", origin.scheme()));
                at.is_ok_and(|at| at.host() == origin.host())
            };
            let mut found = origins.iter().filter(has_host);
            found.next().filter(|_| found.next().is_none())
        })
    };
    exact.or_else(similar).unwrap_or(&origins[0])
}

/// Returns the entries of a list, the last one first.
fn listed(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    let entries: Vec<_> = lines.flat_map(|line| line.split(',').map(str::trim)).collect();
    entries.into_iter().rev()
}
