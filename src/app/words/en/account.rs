//! The words of the account page.

use jiff::Timestamp;

use crate::api::TokenStatus;

pub(crate) const IS_OPERATOR: &str = " You are an operator of this portal.";
pub(crate) const SIGN_OUT: &str = "Sign out";
pub(crate) const SIGN_OUT_EVERYWHERE: &str = "Sign out everywhere";
pub(crate) const SIGN_OUT_NOTE: &str = "\"Sign out everywhere\" ends your sessions in all browsers. \
     Your tokens stay valid until you revoke them.";
pub(crate) const UNAVAILABLE: &str = "Account not available";
pub(crate) const UNAVAILABLE_HEADING: &str = "We cannot show your account now";

pub(crate) const TOKENS: &str = "API tokens";
/// The header is in the middle.
pub(crate) const TOKENS_LEAD: [&str; 3] = [
    "A program that sends one in the header ",
    "Authorization: Bearer",
    " acts on your behalf. It sees your stacks, and changes them if the token allows it.",
];
/// The link to the page about the API is in the middle.
pub(crate) const API_DOCS: [&str; 3] =
    ["What such a program can do is on the page about the ", "API", "."];
pub(crate) const NO_TOKENS: &str = "You have no tokens.";
pub(crate) const FRESH_TOKEN: &str = "Your new token";
pub(crate) const FRESH_TOKEN_LEAD: &str = "Copy it now: it is shown only once. Anyone who has it \
     can act on your behalf, so keep it like a password.";
pub(crate) const REVOKE: &str = "Revoke";
/// What stands around the token's name.
pub(crate) const REVOKES: [&str; 2] =
    ["Programs that use ", " are rejected from then on. This cannot be undone."];

pub(crate) const NEW_TOKEN: &str = "Create a token";
pub(crate) const CREATE_TOKEN: &str = "Create the token";
pub(crate) const TOKEN_NAME: &str = "Name";
pub(crate) const TOKEN_NAME_HINT: &str = "What the token is for, such as nightly build";
pub(crate) const SCOPE: &str = "It may";
pub(crate) const SCOPE_READ: &str = "read only";
pub(crate) const SCOPE_DEPLOY: &str = "read, start, cancel and remove";
pub(crate) const LIFETIME: &str = "Valid for";

/// Returns the title of the page.
pub(crate) fn title(name: &str) -> String {
    format!("{name} · Account")
}

/// Returns the sentence about how the person has signed in.
pub(crate) fn signed_in_with(provider: &str) -> String {
    format!("You have signed in with {provider}.")
}

/// Returns the words for the status of a token.
pub(crate) fn token_status(status: &TokenStatus) -> String {
    match status {
        TokenStatus::Valid(until) => format!("Valid until {}", day(*until)),
        TokenStatus::Expired(at) => format!("Expired on {}", day(*at)),
        TokenStatus::Revoked(at) => format!("Revoked on {}", day(*at)),
    }
}

/// Returns the words for the scope of a token, its creation and its last use.
pub(crate) fn token_facts(may_change: bool, made: Timestamp, used: Option<Timestamp>) -> String {
    let scope = if may_change { "Reads, starts, cancels and removes" } else { "Reads only" };
    let used = used.map_or(String::from("never used"), |at| format!("last used {}", minute(at)));
    format!("{scope} · created {} · {used}", day(made))
}

/// Returns the words for a lifetime.
pub(crate) fn days(count: u16) -> String {
    format!("{count} days")
}

/// Formats a date, as `25 Nov 2026` (UTC).
fn day(at: Timestamp) -> String {
    at.strftime("%-d %b %Y").to_string()
}

/// Formats a time to the minute, as `25 Nov 2026, 23:10 UTC`.
pub(crate) fn minute(at: Timestamp) -> String {
    at.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_the_same_for_everybody() {
        let at = "2026-11-05T23:10:59Z".parse().unwrap();
        assert_eq!(day(at), "5 Nov 2026");
        assert_eq!(minute(at), "5 Nov 2026, 23:10 UTC");
    }
}
