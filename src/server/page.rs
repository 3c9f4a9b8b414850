//! What the router and the pages tell each other: the marks of a request, and the addresses of
//! pages.
//!
//! Only codes go into an address: a sentence there could be anybody's.

use std::fmt;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use super::origin::Origin;
use domain::deployment::DeploymentId;
use domain::refusal::RefusalCode;
use domain::stack_name::StackName;

/// The characters that a part of an address cannot have as they are.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The number of characters of a refused name that go back into the field.
const NAME_LIMIT: usize = 64;

/// The path of the page about the API.
pub(crate) const API_DOCS: &str = "/api/docs";
/// How the paths of the pages of operations begin.
pub(crate) const DEPLOYMENTS: &str = "/deployments/";
/// The address of the events of the caller's own stacks.
pub(crate) const MY_EVENTS: &str = "/api/stacks/-/events?follow=true";
/// How the paths of the pages of stacks begin.
pub(crate) const STACKS: &str = "/stacks/";
/// The path of the page of a new stack. The pages of templates are below it.
pub(crate) const NEW: &str = "/new";
/// The path of the page of kept data.
pub(crate) const DATA: &str = "/data";
/// The parameter with which a response that sets a cookie leads to the next page: the time in Unix
/// seconds. The page then knows whether the cookie came back. Without it, nobody could tell a browser
/// that refuses cookies from one that comes for the first time.
pub(crate) const COOKIE_SENT: &str = "cookie_sent";
/// The seconds for which it counts: the address may be kept, or opened in another browser.
const COMES_BACK_WITHIN_S: u64 = 30;

/// Writes a value into the query of an address.
pub(crate) fn query_value(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

/// The cookies that the account page and the sign-in page need.
#[derive(Clone, Default)]
pub(crate) struct PageCookies {
    /// A token that was just made, to be shown this once.
    pub(crate) fresh_token: Option<String>,
    /// The secrets that were just generated for a stack, to be shown this once.
    pub(crate) generated: Vec<NewSecret>,
    /// True if the browser was signed in once.
    pub(crate) had_session: bool,
    /// True if the browser keeps cookies.
    pub(crate) had_probe: bool,
}

/// A secret that was generated.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct NewSecret {
    /// The label of its question.
    pub(crate) label: String,
    /// The secret.
    pub(crate) text: String,
}

/// Only the label.
impl fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewSecret({})", self.label)
    }
}

/// The origin at which the person uses the portal: one of `PUBLIC_URL`.
#[derive(Clone, Debug)]
pub(crate) struct OriginInUse(pub(crate) Origin);

/// Whether the person uses the portal over HTTPS, which decides the names of cookies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IsSecure(pub(crate) bool);

/// Returns whether a deployment that was refused for this reason is started anew by its form, which is
/// filled with its answers.
pub(crate) fn is_mended_by_form(code: RefusalCode) -> bool {
    use RefusalCode::{InvalidParameters, SecretsExpired, SecretsLost};
    matches!(code, InvalidParameters | SecretsExpired | SecretsLost)
}

/// Marks a request for a page that is hidden from the caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HiddenPage;

/// Returns the address of a deployment's page.
pub(crate) fn page_of(id: &DeploymentId) -> String {
    format!("{DEPLOYMENTS}{id}")
}

/// Returns the address of a stack's page; one without an owner is found by the id of its deployment.
pub(crate) fn stack_page(name: &StackName, of: Option<&DeploymentId>) -> String {
    let id = of.map(|id| format!("?id={id}")).unwrap_or_default();
    format!("{STACKS}{name}{id}")
}

/// The end of the path of the settings of a stack.
const SETTINGS: &str = "/settings";

/// Returns whether the page with the settings of a stack is at `path`.
pub(crate) fn is_settings(path: &str) -> bool {
    path.starts_with(STACKS) && path.ends_with(SETTINGS)
}

/// Returns the address of the settings of the stack at `page`, filled with the answers of a change.
pub(crate) fn settings_again(page: &str, change: &DeploymentId) -> String {
    let (path, query) = page.split_once('?').unwrap_or((page, ""));
    let id = if query.is_empty() { String::new() } else { format!("{query}&") };
    format!("{path}{SETTINGS}?{id}again={change}")
}

/// Returns whether a request is a browser's that shows the answer as a page.
pub(crate) fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Returns the address of the home page that says why nothing was started for `name`.
pub(crate) fn refusal_location(name: &str, code: RefusalCode) -> String {
    let name: String = name.chars().take(NAME_LIMIT).collect();
    format!("/?name={}&refused={}", percent_encode(&name), code.as_str())
}

/// Returns the address of `page` that says why nothing was done there.
pub(crate) fn refused_at(page: &str, code: RefusalCode) -> String {
    format!("{page}?refused={}", code.as_str())
}

/// Returns the address of the page that asks somebody to sign in who wants to go to `return_to`,
/// and says what stood in the way, if something did.
pub(crate) fn sign_in_location(return_to: &str, refused: Option<RefusalCode>) -> String {
    let refused = refused.map(|code| format!("refused={}&", code.as_str()));
    let refused = refused.unwrap_or_default();
    format!("/sign-in?{refused}return_to={}", percent_encode(return_to))
}

/// Returns the parameter that says that a cookie was sent at `now`.
pub(crate) fn cookie_sent(now: Timestamp) -> String {
    format!("{COOKIE_SENT}={}", now.as_second())
}

/// Returns whether a cookie was sent just before `now`, according to the value of the parameter.
pub(crate) fn was_cookie_just_sent(value: Option<&str>, now: Timestamp) -> bool {
    let sent: Option<i64> = value.and_then(|value| value.parse().ok());
    sent.is_some_and(|sent| now.as_second().abs_diff(sent) <= COMES_BACK_WITHIN_S)
}

/// Encodes `text` as a part of an address: everything but the unreserved characters (RFC 3986,
/// section 2.3).
pub(crate) fn percent_encode(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_was_typed_goes_back_into_the_field_and_nowhere_else() {
        let cases = [
            ("alice", "/?name=alice&refused=NAME_TAKEN"),
            ("a b&c=d", "/?name=a%20b%26c%3Dd&refused=NAME_TAKEN"),
            ("ä\r\n", "/?name=%C3%A4%0D%0A&refused=NAME_TAKEN"),
        ];
        for (name, location) in cases {
            assert_eq!(refusal_location(name, RefusalCode::NameTaken), location);
        }
        assert!(refusal_location(&"x".repeat(70_000), RefusalCode::NameTaken).len() < 100);
    }

    #[test]
    fn a_cookie_was_just_sent_for_half_a_minute() {
        let now = Timestamp::from_second(1_795_427_270).unwrap();
        for (value, expected) in [
            (None, false),
            (Some(""), false),
            (Some("x"), false),
            (Some("-9223372036854775808"), false),
            (Some("1795427239"), false),
            (Some("1795427240"), true),
            // The clock of another replica.
            (Some("1795427300"), true),
            (Some("1795427301"), false),
        ] {
            assert_eq!(was_cookie_just_sent(value, now), expected, "{value:?}");
        }
        assert_eq!(cookie_sent(now), "cookie_sent=1795427270");
    }
}
