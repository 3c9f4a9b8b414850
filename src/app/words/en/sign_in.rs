//! The words of the sign-in page.

pub(crate) use super::frame::SIGN_IN;

pub(crate) const ENDED: &str = "Your session has ended";
pub(crate) const ENDED_LEAD: &str =
    "Nothing was lost. Deployments in progress continue. Sign in again to see them.";
pub(crate) const SIGNED_OUT: &str = "You are signed out";
pub(crate) const SIGNED_OUT_LEAD: &str = "This browser is signed out of the portal.";
pub(crate) const COOKIE_REFUSED: &str = "Your browser refused our cookie, so you were not signed in. Allow cookies for this site, in the \
     settings of the browser and of what blocks them, and sign in again. If that does not help, open \
     the portal at its usual address, or in another browser.";
/// What stands around the name of the identity provider.
pub(crate) const MAY_BE_SIGNED_IN: [&str; 2] = ["You may still be signed in at ", ". "];

/// Returns the text that explains why and how to sign in.
pub(crate) fn lead(provider: &str) -> String {
    format!(
        "Sign in to start a stack or to manage yours. The portal asks {provider} who you are. It \
         never sees your password."
    )
}

/// Returns the label of the button that leads to the identity provider.
pub(crate) fn sign_in_with(provider: &str) -> String {
    format!("Sign in with {provider}")
}

/// Returns the label of the link that signs the person out at the identity provider.
pub(crate) fn sign_out_at(provider: &str) -> String {
    format!("Sign out at {provider}, too")
}
