//! The secrets that were generated for a stack: a cookie takes them to its page, which shows them
//! once. An address would remain in the browser's history and in logs.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use secrecy::{ExposeSecret as _, SecretString};

use crate::server::auth::cookies::{self, GENERATED};
use crate::server::page::{DEPLOYMENTS, NewSecret};
use domain::deployment::DeploymentId;

/// The time within which the page must be shown.
const SHOWN_WITHIN: Duration = Duration::from_mins(1);
/// The length in bytes of the longest value that browsers keep in a cookie, with room for its name and
/// attributes (RFC 6265, section 6.1).
const LONGEST: usize = 3_800;

/// Returns the cookie with the secrets that were generated for a stack, each after the label of its
/// question, as many as fit; `None` if there are none.
pub(super) fn write(
    is_secure: bool,
    id: &DeploymentId,
    secrets: &[(String, SecretString)],
) -> Option<HeaderValue> {
    let plain: Vec<_> =
        secrets.iter().map(|(label, secret)| (label, secret.expose_secret())).collect();
    let encode = |count: usize| {
        let text = serde_json::to_vec(&(id.as_str(), plain.get(..count)?)).ok()?;
        Some(BASE64_URL_SAFE_NO_PAD.encode(text)).filter(|value| value.len() <= LONGEST)
    };
    let value = (1..=plain.len()).rev().find_map(encode)?;
    let name = cookies::name(GENERATED, is_secure);
    Some(cookies::write_as(is_secure, &name, &value, SHOWN_WITHIN))
}

/// Returns the generated secrets that a request brings for the page at `path`, and the header that
/// deletes them from the browser.
pub(super) fn read(
    is_secure: bool,
    headers: &HeaderMap,
    path: &str,
) -> Option<(Vec<NewSecret>, HeaderValue)> {
    let id = path.strip_prefix(DEPLOYMENTS)?;
    let name = cookies::name(GENERATED, is_secure);
    let text = BASE64_URL_SAFE_NO_PAD.decode(cookies::read(headers, &name)?).ok()?;
    let (owner, secrets): (String, Vec<(String, String)>) = serde_json::from_slice(&text).ok()?;
    let secrets = secrets.into_iter().map(|(label, text)| NewSecret { label, text });
    let removed = cookies::write_as(is_secure, &name, "", Duration::ZERO);
    (owner == id).then(|| (secrets.collect(), removed))
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    #[test]
    fn generated_secrets_come_to_the_page_of_their_stack_and_to_no_other() {
        let id = DeploymentId::from_random(1);
        let secrets = [(String::from("Password"), SecretString::from("Ab1"))];
        for is_secure in [true, false] {
            let cookie = write(is_secure, &id, &secrets).unwrap();
            let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            let headers = HeaderMap::from_iter([(header::COOKIE, pair.parse().unwrap())]);
            let (shown, removed) =
                read(is_secure, &headers, &format!("{DEPLOYMENTS}{id}")).unwrap();
            assert_eq!(shown, [NewSecret { label: "Password".into(), text: "Ab1".into() }]);
            assert!(removed.to_str().unwrap().contains("Max-Age=0"));
            let other = DeploymentId::from_random(2);
            assert!(read(is_secure, &headers, &format!("{DEPLOYMENTS}{other}")).is_none());
            assert!(read(is_secure, &headers, "/").is_none());
            // A sibling domain can set a cookie without the prefix.
            assert!(read(!is_secure, &headers, &format!("{DEPLOYMENTS}{id}")).is_none());
        }
        assert!(write(true, &id, &[]).is_none());
        let long = (String::from("Password"), SecretString::from("x".repeat(LONGEST)));
        assert!(write(true, &id, std::slice::from_ref(&long)).is_none());
        let [short] = secrets;
        let both = [short, long];
        let only = write(true, &id, &both[..1]);
        assert_eq!(write(true, &id, &both), only, "what fits is shown");
    }
}
