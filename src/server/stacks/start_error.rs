//! The reasons why a deployment cannot begin, and the responses that people get.

use crate::server::{local_fault, platform::PlatformError, store::StoreError};
use crate::wire::ApiError;
use domain::refusal::Refusal;

/// A deployment cannot begin.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("refused: {}", .0.code().as_str())]
    Refused(Refusal),
    #[error("the platform cannot report which names are in use")]
    Platform(#[from] PlatformError),
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl From<Refusal> for StartError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl StartError {
    /// Returns the response.
    pub(super) fn into_api(self) -> ApiError {
        match self {
            Self::Refused(refusal) => refusal.into(),
            Self::Platform(error) => platform_failed(&error).into(),
            Self::Store(error) => error.into(),
        }
    }
}

fn platform_failed(error: &PlatformError) -> Refusal {
    tracing::warn!(error = %error, "Could not read from the platform which names are in use");
    let pause = match error {
        PlatformError::Paused { retry_after } => retry_after.as_secs() + 1,
        _ => 10,
    };
    match error.local_fault() {
        Some(fault) => Refusal::PortalImpaired(local_fault::classify(fault), pause),
        None => Refusal::PlatformUnreachable(pause),
    }
}
