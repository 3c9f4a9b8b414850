//! The texts of sign-in, sign-out and the account page.

use jiff::Timestamp;

/// The text for people whose session has expired.
pub(crate) const ENDED: &str =
    "Nothing was lost. Deployments in progress continue. Sign in again to see them.";
/// The text for people who have just signed out.
pub(crate) const SIGNED_OUT: &str = "This browser is signed out of the portal.";

/// Returns the text that explains why and how to sign in.
pub(crate) fn lead(provider: &str) -> String {
    format!(
        "Sign in to start a stack or to manage yours. The portal asks {provider} who you are. It \
         never sees your password."
    )
}

/// Returns the text of the error `code` on the sign-in page.
pub(crate) fn refusal(code: &str, provider: &str) -> String {
    match code {
        "SIGN_IN_DENIED" => format!(
            "You were not signed in. You cancelled, or {provider} does not allow you to use this \
             portal."
        ),
        "SIGN_IN_STALE" => String::from(
            "This sign-in expired, was already completed, or was started in another browser. Sign \
             in again.",
        ),
        "PROVIDER_UNREACHABLE" => format!(
            "Nobody can sign in right now: {provider} does not answer. Try again in a minute. \
             Stacks and deployments are not affected."
        ),
        "PROVIDER_REFUSED" => format!(
            "{provider} did not accept this portal. Tell the portal's operator. The portal's log \
             says why."
        ),
        "IDENTITY_UNTRUSTED" => format!(
            "The answer from {provider} could not be verified, so you were not signed in. Try \
             again. If this happens again, tell the portal's operator."
        ),
        "STORE_UNAVAILABLE" => String::from(
            "The portal cannot read or write its database right now. Try again in a moment.",
        ),
        _ => String::from("You could not be signed in. Try again in a moment."),
    }
}

/// Returns the text of the error `code` on the account page.
pub(crate) fn of_account(code: &str) -> &'static str {
    match code {
        "INVALID_TOKEN_NAME" => {
            "Give the token a name of 1 to 60 characters. No token was created."
        }
        "TOO_MANY_TOKENS" => {
            "You have 20 active tokens, which is the limit. Revoke one that you do not need. No \
             token was created."
        }
        "NO_SUCH_TOKEN" => "This token is already revoked, or it is not yours.",
        "STORE_UNAVAILABLE" => {
            "The portal cannot read or write its database right now. Nothing was changed. Try \
             again in a moment."
        }
        _ => {
            "The portal could not complete the request. Nothing was changed. Try again in a \
             moment."
        }
    }
}

/// Formats a date, as `25 Nov 2026` (UTC).
pub(crate) fn day(at: Timestamp) -> String {
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
    fn whatever_stood_in_the_way_is_a_sentence_without_jargon() {
        for code in [
            "SIGN_IN_DENIED",
            "SIGN_IN_STALE",
            "PROVIDER_UNREACHABLE",
            "PROVIDER_REFUSED",
            "IDENTITY_UNTRUSTED",
            "STORE_UNAVAILABLE",
            "<script>",
        ] {
            let sentence = refusal(code, "Example Ltd");
            assert!(sentence.ends_with('.') && !sentence.contains(code), "{sentence}");
            assert!(of_account(code).ends_with('.'), "{code}");
        }
        assert!(refusal("PROVIDER_UNREACHABLE", "Example Ltd").contains("Example Ltd"));
    }

    #[test]
    fn times_read_the_same_for_everybody() {
        let at = "2026-11-05T23:10:59Z".parse().unwrap();
        assert_eq!(day(at), "5 Nov 2026");
        assert_eq!(minute(at), "5 Nov 2026, 23:10 UTC");
    }
}
