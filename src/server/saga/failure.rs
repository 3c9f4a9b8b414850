//! Step failures, and what people read about them.
//!
//! The platform's own words never get here: only what kind of failure it was.

use crate::server::{
    local_fault::{self, LocalFault},
    platform::PlatformError,
    secrets::OpenSecretError,
    store::{Cause, StoreError},
};
use domain::{event::FailureCode, message::MessageCode, phase::Phase};

/// The reason why a step stopped. Retrying is over by then.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// It failed for good.
    #[error("the step failed: {}", .0.message)]
    Failed(Cause),
    /// The journal is out of reach, or the lease is lost.
    #[error("the journal is out of reach")]
    Store(#[from] StoreError),
}

impl StepError {
    /// Fails with `code`, and with `message` for the person.
    pub(crate) fn failed(code: FailureCode, message: MessageCode) -> Self {
        Self::Failed(Cause::new(code, message))
    }

    /// Returns why a step stops that a person cancelled.
    pub(crate) fn cancelled() -> Cause {
        Cause::new(FailureCode::Cancelled, MessageCode::Cancelled)
    }

    /// Returns why an operation is given up that panicked again and again.
    pub(crate) fn panicked() -> Cause {
        Cause::new(FailureCode::Internal, MessageCode::Panicked)
    }

    /// Returns why a step stops whose time is up, or the whole deployment's.
    pub(crate) fn overdue() -> Cause {
        Cause::new(FailureCode::Deadline, MessageCode::Overdue)
    }

    /// Fails because the platform hung during `phase` for too long.
    pub(crate) fn wedged(phase: Phase) -> Self {
        Self::failed(FailureCode::PlatformWedged, MessageCode::PlatformHung { phase })
    }

    /// Returns why a step of `phase` stops whose time was up while the portal itself lacked
    /// something.
    pub(crate) fn lacked(phase: Phase, fault: LocalFault) -> Cause {
        Cause::new(FailureCode::PortalImpaired, MessageCode::PortalLacked { fault, phase })
    }

    /// Fails because a secret of the stack does not open.
    pub(crate) fn sealed(error: OpenSecretError) -> Self {
        tracing::error!(
            %error,
            "A secret of this deployment does not open: append its key after a comma, in \
             PORTAL_SECRET_KEY or portal.key"
        );
        Self::failed(FailureCode::SecretsSealed, MessageCode::SecretsSealed)
    }

    /// Fails because a call failed for good during `phase`.
    pub(crate) fn of_platform(phase: Phase, error: &PlatformError) -> Self {
        match error {
            PlatformError::Refused { .. }
            | PlatformError::Unexplained { .. }
            | PlatformError::NotFound { .. } => {
                Self::failed(FailureCode::PlatformRefused, MessageCode::CallRefused { phase })
            }
            PlatformError::KeyRefused { .. } => {
                Self::failed(FailureCode::PlatformKeyRefused, MessageCode::KeyRefused { phase })
            }
            PlatformError::Unavailable { .. }
            | PlatformError::Lost { .. }
            | PlatformError::Unreachable { .. }
            | PlatformError::Paused { .. } => {
                Self::failed(FailureCode::PlatformUnreachable, MessageCode::NoAnswer { phase })
            }
            PlatformError::Local { fault, .. } => {
                Self::Failed(Self::lacked(phase, local_fault::classify(*fault)))
            }
        }
    }
}

/// Says in the person's log how a call failed, without a full stop.
pub(crate) fn describe_failure(error: &PlatformError) -> &'static str {
    match error {
        PlatformError::Refused { .. }
        | PlatformError::Unexplained { .. }
        | PlatformError::NotFound { .. } => "The platform refused",
        PlatformError::KeyRefused { .. } => "The platform did not accept the portal's key",
        PlatformError::Unavailable { .. } => "The platform is temporarily unavailable",
        PlatformError::Lost { .. } => "The platform's answer was lost",
        PlatformError::Unreachable { .. } => "The platform could not be reached",
        PlatformError::Paused { .. } => "Calls to the platform are paused",
        PlatformError::Local { fault, .. } => local_fault::classify(*fault).describe_failure(),
    }
}

/// Writes an error with all its sources on one line.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
