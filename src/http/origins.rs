//! Which of the portal's origins a person uses, if it has several.

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderName, header};

use super::headers::list;
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
    // Most portals have one: then there is nothing to look for.
    if let [only] = origins {
        return only;
    }
    let headers = &parts.headers;
    let authority = parts.uri.authority().map(Authority::as_str);
    // The nearest proxy is the last that has added a host, but it may not know the portal's name.
    let hosts: Vec<_> = list(headers, FORWARDED_HOST)
        .rev()
        .chain(list(headers, header::HOST).rev())
        .chain(authority)
        .collect();
    let at = |host, like: &Origin| Origin::parse(&format!("{}://{host}", like.scheme())).ok();
    let exact = hosts.iter().find_map(|host| {
        origins.iter().find(|origin| at(host, origin).is_some_and(|at| at == **origin))
    });
    let similar = || {
        // Some proxies leave out the port.
        hosts.iter().find_map(|host| {
            let has_host =
                |origin: &&Origin| at(host, origin).is_some_and(|at| at.host() == origin.host());
            let mut found = origins.iter().filter(has_host);
            found.next().filter(|_| found.next().is_none())
        })
    };
    exact.or_else(similar).unwrap_or(&origins[0])
}
