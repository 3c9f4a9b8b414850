//! The authorization response of a sign-in, and the errors of sign-ins.

use super::ReturnTo;
use crate::server::{auth::identity_provider::IdentityError, store_error::StoreError};
use domain::refusal::RefusalCode;

/// The maximum number of characters of a provider's error name.
const ERROR_LENGTH: usize = 60;

/// The authorization response (RFC 6749, section 4.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callback {
    /// A code, which the provider exchanges for tokens.
    Code {
        /// The `state` of the authorization request.
        state: String,
        /// The code.
        code: String,
    },
    /// An error from the provider (RFC 6749, section 4.1.2.1).
    Error {
        /// The `state` of the authorization request.
        state: String,
        /// The error's name.
        error: String,
    },
}

impl Callback {
    /// Returns the `state`, and the code or the provider's error.
    pub(super) fn parts(&self) -> (&str, Result<&str, SignInError>) {
        match self {
            Self::Code { state, code } => (state, Ok(code)),
            Self::Error { state, error } => {
                let error = match error.as_str() {
                    "access_denied" => SignInError::Denied,
                    "temporarily_unavailable" | "server_error" => {
                        SignInError::Unavailable(error.clone())
                    }
                    _ => SignInError::Refused(plain(error)),
                };
                (state, Err(error))
            }
        }
    }
}

/// Returns the error's name with only the characters that names have (RFC 6749, section 4.1.2.1):
/// anyone can put anything into the URL.
fn plain(error: &str) -> String {
    error.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(ERROR_LENGTH).collect()
}

/// A sign-in failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The person cancelled, or the provider denied access.
    #[error("the sign-in was denied or cancelled at the provider")]
    Denied,
    /// This browser has no sign-in in progress: it never began, took too long, or was finished
    /// already.
    #[error("no such sign-in is in progress in this browser")]
    Expired,
    /// The provider does not answer.
    #[error("the provider does not answer: {0}")]
    Unavailable(String),
    /// The provider rejects the portal's request: an operator must check the configuration.
    #[error("the provider rejected the request: {0}")]
    Refused(String),
    /// The provider's token or claims are invalid.
    #[error("the provider's answer could not be verified: {0}")]
    Untrusted(String),
    /// The store is unavailable.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// A sign-in was rejected.
#[derive(Debug)]
pub struct SignInRejected {
    /// The reason.
    pub error: SignInError,
    /// The page to return to.
    pub return_to: ReturnTo,
}

impl SignInError {
    /// Returns the code on the wire, which the page translates to words.
    pub fn code(&self) -> RefusalCode {
        match self {
            Self::Denied => RefusalCode::SignInDenied,
            Self::Expired => RefusalCode::SignInStale,
            Self::Unavailable(_) => RefusalCode::ProviderUnreachable,
            Self::Refused(_) => RefusalCode::ProviderRefused,
            Self::Untrusted(_) => RefusalCode::IdentityUntrusted,
            Self::Store(_) => RefusalCode::StoreUnavailable,
        }
    }
}

impl From<IdentityError> for SignInError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Unavailable(reason) => Self::Unavailable(reason),
            IdentityError::Refused(reason) => Self::Refused(reason),
            IdentityError::Untrusted(reason) => Self::Untrusted(reason),
        }
    }
}
