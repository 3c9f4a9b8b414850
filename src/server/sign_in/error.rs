//! What a person comes back with, and why they may not get in.

use super::ReturnTo;
use crate::server::ports::{identity_provider::IdentityError, store::StoreError};

/// How many characters of an error's name are kept.
const ERROR_LENGTH: usize = 60;

/// What a person comes back from the provider with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callback {
    /// A code, which the provider exchanges for who they are.
    Code {
        /// What they were sent away with.
        state: String,
        /// The code.
        code: String,
    },
    /// An error of the provider's (RFC 6749, section 4.1.2.1).
    Error {
        /// What they were sent away with.
        state: String,
        /// The error's name.
        error: String,
    },
}

impl Callback {
    /// Returns the state, and the code or what the provider's error means.
    pub(super) fn parts(&self) -> (&str, Result<&str, SignInError>) {
        match self {
            Self::Code { state, code } => (state, Ok(code)),
            Self::Error { state, error } => {
                let error = match error.as_str() {
                    "access_denied" => SignInError::Denied,
                    "temporarily_unavailable" | "server_error" => SignInError::Away(error.clone()),
                    _ => SignInError::Refused(plain(error)),
                };
                (state, Err(error))
            }
        }
    }
}

/// Returns the name of an error as one looks (RFC 6749, section 4.1.2.1): the rest is anybody's.
fn plain(error: &str) -> String {
    error.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(ERROR_LENGTH).collect()
}

/// Somebody cannot sign in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The person or the provider said no.
    #[error("the sign-in was refused or given up at the provider")]
    Denied,
    /// This browser has begun none, or it took too long, or it was finished already.
    #[error("there is no such sign-in under way in this browser")]
    Stale,
    /// The provider does not answer.
    #[error("the provider does not answer: {0}")]
    Away(String),
    /// The provider does not take what the portal says: somebody has to look at how it is set up.
    #[error("the provider refuses: {0}")]
    Refused(String),
    /// What the provider says does not hold.
    #[error("what the provider says does not hold: {0}")]
    Untrusted(String),
    /// The records are out of reach.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Somebody was not let in.
#[derive(Debug)]
pub struct TurnedAway {
    /// Why.
    pub error: SignInError,
    /// Where they wanted to go.
    pub return_to: ReturnTo,
}

impl SignInError {
    /// Returns the code on the wire, for which the page has words.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied => "SIGN_IN_DENIED",
            Self::Stale => "SIGN_IN_STALE",
            Self::Away(_) => "PROVIDER_UNREACHABLE",
            Self::Refused(_) => "PROVIDER_REFUSED",
            Self::Untrusted(_) => "IDENTITY_UNTRUSTED",
            Self::Store(_) => "STORE_UNAVAILABLE",
        }
    }
}

impl From<IdentityError> for SignInError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Away(reason) => Self::Away(reason),
            IdentityError::Refused(reason) => Self::Refused(reason),
            IdentityError::Untrusted(reason) => Self::Untrusted(reason),
        }
    }
}
