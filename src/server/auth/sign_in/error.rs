//! The authorization response of a sign-in, and the errors of sign-ins.

use super::ReturnTo;
use crate::server::auth::identity_provider::{CHECK_STATE, IdentityError};
use crate::server::store_error::StoreError;
use domain::refusal::RefusalCode;

/// The maximum number of characters of a provider's error name.
const ERROR_LENGTH: usize = 60;

/// The authorization response (RFC 6749, section 4.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// The `state` of the authorization request.
    pub state: String,
    /// The code, which the provider exchanges for tokens, or the name of the provider's error (RFC
    /// 6749, section 4.1.2.1).
    pub code: Result<String, String>,
}

impl Callback {
    /// Returns whether it belongs to `check --sign-in`, which a terminal completes.
    pub fn is_check(&self) -> bool {
        self.state.starts_with(CHECK_STATE)
    }

    /// Returns the code, or the provider's error.
    pub(super) fn code(&self) -> Result<&str, SignInError> {
        self.code.as_deref().map_err(|error| match error.as_str() {
            "access_denied" => SignInError::Denied,
            "temporarily_unavailable" | "server_error" => SignInError::Busy,
            _ => IdentityError::Refused(plain(error)).into(),
        })
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
    /// The provider sent the person back, since it cannot sign anybody in right now.
    #[error("the provider cannot sign anybody in right now")]
    Busy,
    /// The provider could not identify the person.
    #[error(transparent)]
    Provider(#[from] IdentityError),
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
            Self::Busy | Self::Provider(IdentityError::Unavailable(_)) => {
                RefusalCode::ProviderUnreachable
            }
            Self::Provider(IdentityError::Status(429 | 500..)) => RefusalCode::ProviderUnreachable,
            Self::Provider(IdentityError::Unreadable(_) | IdentityError::Status(_)) => {
                RefusalCode::ProviderUnreadable
            }
            Self::Provider(IdentityError::Refused(_) | IdentityError::ClientRefused(_)) => {
                RefusalCode::ProviderRefused
            }
            Self::Provider(IdentityError::Untrusted(_)) => RefusalCode::IdentityUntrusted,
            Self::Store(_) => RefusalCode::StoreUnavailable,
        }
    }
}
