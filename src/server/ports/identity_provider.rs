//! The identity provider port: who tells us who somebody is.
//!
//! It must not know sessions, cookies or what the portal does with the answer.

use async_trait::async_trait;

use super::accounts::Profile;

/// Where on the portal people come back to with a code.
pub const CALLBACK: &str = "/auth/callback";
/// Where on the portal people come back to once they have signed out.
pub const SIGNED_OUT: &str = "/sign-in";

/// Tells who somebody is, after they have been there.
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// Returns the address to send a person to, from which they come back with a code.
    async fn begin(&self, departure: &Departure<'_>) -> Result<String, IdentityError>;
    /// Turns the code that a person came back with into who they are.
    async fn finish(&self, arrival: &Arrival<'_>) -> Result<Profile, IdentityError>;
    /// Returns the address at which a person signs out there, too; `None` when there is none, or
    /// when it cannot be had now.
    async fn sign_out_address(&self) -> Option<String>;
}

/// What a person takes along.
#[derive(Clone, Copy, Debug)]
pub struct Departure<'a> {
    /// What the provider has to send back.
    pub state: &'a str,
    /// What the identity token has to hold.
    pub nonce: &'a str,
    /// The proof key's verifier (RFC 7636), of which only a digest goes along.
    pub verifier: &'a str,
}

/// What a person comes back with, and what was kept meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The provider's code.
    pub code: &'a str,
    /// What the identity token has to hold.
    pub nonce: &'a str,
    /// The proof key's verifier.
    pub verifier: &'a str,
}

/// The provider does not tell who somebody is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// It does not answer, or not in a way that can be understood: later it may.
    #[error("the provider does not answer: {0}")]
    Away(String),
    /// It refuses the code, or the portal itself.
    #[error("the provider refuses: {0}")]
    Refused(String),
    /// What it says does not hold.
    #[error("what the provider says does not hold: {0}")]
    Untrusted(String),
}
