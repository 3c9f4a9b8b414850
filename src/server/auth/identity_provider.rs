//! The identity provider port: authenticates people.
//!
//! It must not know sessions, cookies or what the portal does with the answer.

use async_trait::async_trait;

use super::accounts::Profile;

/// The path to which people come back with a code.
pub const CALLBACK: &str = "/auth/callback";
/// The path to which people come back once they have signed out.
pub const SIGNED_OUT: &str = "/sign-in";

/// Authenticates people by the authorization code flow.
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// Returns the address to send a person to, from which they come back with a code.
    async fn begin(&self, request: &AuthorizationRequest<'_>) -> Result<String, IdentityError>;
    /// Turns the code that a person came back with into who they are.
    async fn finish(&self, response: &AuthorizationResponse<'_>) -> Result<Profile, IdentityError>;
    /// Returns the address at which a person signs out there, too; `None` when there is none, or
    /// when it cannot be had now.
    async fn sign_out_address(&self) -> Option<String>;
}

/// The authorization request (RFC 6749, section 4.1.1).
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationRequest<'a> {
    /// The `state` parameter, which the provider has to send back.
    pub state: &'a str,
    /// The nonce, which the identity token has to hold.
    pub nonce: &'a str,
    /// The proof key's verifier (RFC 7636), of which only a digest goes along.
    pub verifier: &'a str,
}

/// The authorization response, with what was kept for it.
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationResponse<'a> {
    /// The provider's code.
    pub code: &'a str,
    /// The nonce, which the identity token has to hold.
    pub nonce: &'a str,
    /// The proof key's verifier.
    pub verifier: &'a str,
}

/// The provider does not tell who somebody is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// It does not answer, or not in a way that can be understood: later it may.
    #[error("the provider does not answer: {0}")]
    Unavailable(String),
    /// It refuses the code, or the portal itself.
    #[error("the provider rejected the request: {0}")]
    Refused(String),
    /// Its token or claims are invalid.
    #[error("the provider's answer could not be verified: {0}")]
    Untrusted(String),
}
