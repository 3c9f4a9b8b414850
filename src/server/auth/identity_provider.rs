//! The identity provider port: authenticates people.
//!
//! The port must not know sessions, cookies, or what the portal does with the result.

use async_trait::async_trait;

use super::accounts::Profile;
use crate::server::origin::Origin;

/// The path of the redirect URI, to which the provider sends people back with a code.
pub const CALLBACK: &str = "/auth/callback";
/// How the `state` of a sign-in begins that a terminal completes. The secrets of the others have no
/// dot.
pub const CHECK_STATE: &str = "check.";
/// The path to which the provider sends people back after they have signed out.
pub const SIGNED_OUT: &str = "/sign-in";

/// Authenticates people with the authorization code flow.
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// Returns the provider's URL to redirect a person to.
    async fn begin(&self, request: &AuthorizationRequest<'_>) -> Result<String, IdentityError>;
    /// Exchanges the code for the profile of the person.
    async fn finish(&self, response: &AuthorizationResponse<'_>) -> Result<Profile, IdentityError>;
    /// Returns the provider's URL at which a person who uses the portal at `portal` signs out of the
    /// provider, too; `None` if it has none or does not answer.
    async fn sign_out_address(&self, portal: &Origin) -> Option<String>;
}

/// The authorization request (RFC 6749, section 4.1.1).
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationRequest<'a> {
    /// The origin at which the person uses the portal, and to which they return.
    pub portal: &'a Origin,
    /// The `state` parameter, which the provider must send back.
    pub state: &'a str,
    /// The nonce, which the ID token must contain.
    pub nonce: &'a str,
    /// The PKCE code verifier (RFC 7636). The request contains only its digest.
    pub verifier: &'a str,
    /// Whether the person must prove who they are even if they are signed in at the provider.
    pub again: bool,
    /// Whether their e-mail address is wanted.
    pub wants_email: bool,
}

/// The authorization response, with the stored values of its request.
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationResponse<'a> {
    /// The origin of the request.
    pub portal: &'a Origin,
    /// The provider's code.
    pub code: &'a str,
    /// The nonce, which the ID token must contain.
    pub nonce: &'a str,
    /// The PKCE code verifier.
    pub verifier: &'a str,
    /// What is wanted of the claims besides the name and the role.
    pub wanted: Wanted,
}

/// What templates want to know of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Their e-mail address.
    pub email: bool,
    /// Their groups.
    pub groups: bool,
}

/// The provider could not authenticate a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// It does not answer. A later attempt may succeed.
    #[error("the provider does not answer: {0}")]
    Unavailable(String),
    /// Its answer has a form that the portal does not understand.
    #[error("the provider's answer cannot be read: {0}")]
    Unreadable(String),
    /// It answers the code, which anyone can put into an address, with this status and without the
    /// error that a provider must send.
    #[error("the provider answers with the status {0}")]
    Status(u16),
    /// It rejects the code, which anyone can put into an address.
    #[error("the provider rejected the request: {0}")]
    Refused(String),
    /// It rejects the portal as a client: nobody can sign in.
    #[error("the provider rejected the portal: {0}")]
    ClientRefused(String),
    /// Its token or claims are invalid.
    #[error("the provider's answer could not be verified: {0}")]
    Untrusted(String),
}
