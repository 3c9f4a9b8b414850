//! The ticket for the secrets that were generated for a stack: a cookie takes it to the stack's page,
//! which shows them once. An address would remain in the browser's history and in logs.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};

use crate::server::auth::cookies::{self, GENERATED};
use crate::server::page::DEPLOYMENTS;
use crate::server::stacks::SHOWN_WITHIN;
use domain::deployment::DeploymentId;

/// Returns the cookie with a ticket, if there is one.
pub(super) fn write(is_secure: bool, ticket: Option<String>) -> Option<HeaderValue> {
    ticket.map(|ticket| cookies::write_generated(is_secure, &ticket, SHOWN_WITHIN))
}

/// Returns the deployment whose page is at `path`, and the ticket that a request brings for it.
pub(super) fn read<'a>(
    is_secure: bool,
    headers: &'a HeaderMap,
    path: &str,
) -> Option<(DeploymentId, &'a str)> {
    let id = DeploymentId::parse(path.strip_prefix(DEPLOYMENTS)?).ok()?;
    Some((id, cookies::read(headers, &cookies::name(GENERATED, is_secure))?))
}

/// Returns the header that deletes the ticket from the browser.
pub(super) fn remove(is_secure: bool) -> HeaderValue {
    cookies::write_generated(is_secure, "", Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    #[test]
    fn a_ticket_comes_to_the_pages_of_deployments_and_to_no_other() {
        let id = DeploymentId::from_random(1);
        for is_secure in [true, false] {
            let cookie = write(is_secure, Some(String::from("a.b"))).unwrap();
            let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            let headers = HeaderMap::from_iter([(header::COOKIE, pair.parse().unwrap())]);
            let page = format!("{DEPLOYMENTS}{id}");
            assert_eq!(read(is_secure, &headers, &page), Some((id.clone(), "a.b")));
            assert!(remove(is_secure).to_str().unwrap().contains("Max-Age=0"));
            assert!(read(is_secure, &headers, "/").is_none());
            assert!(read(is_secure, &headers, &format!("{DEPLOYMENTS}x")).is_none());
            // A sibling domain can set a cookie without the prefix.
            assert!(read(!is_secure, &headers, &page).is_none());
        }
        assert!(write(true, None).is_none());
    }
}
