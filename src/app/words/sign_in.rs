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
    fn times_read_the_same_for_everybody() {
        let at = "2026-11-05T23:10:59Z".parse().unwrap();
        assert_eq!(day(at), "5 Nov 2026");
        assert_eq!(minute(at), "5 Nov 2026, 23:10 UTC");
    }
}
