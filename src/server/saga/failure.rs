//! Step failures, with the messages that people read about them.
//!
//! The platform's own error messages never get here, since they may contain internals: only the
//! kind of failure does.

use crate::server::{
    local_fault::{self, LocalFault},
    platform::PlatformError,
    secrets::OpenSecretError,
    store::{Cause, StoreError},
};
use domain::{event::FailureCode, message::MessageCode, phase::Phase};

/// The reason why a step stopped. All retries have been made by then.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// It failed permanently.
    #[error("the step failed: {}", .0.message)]
    Failed(Cause),
    /// The journal cannot be written, or the lease is lost.
    #[error("the journal is out of reach")]
    Store(#[from] StoreError),
}

impl StepError {
    /// Returns the failure `code` with the message that people read.
    pub(crate) fn failed(code: FailureCode, message: MessageCode) -> Self {
        Self::Failed(Cause::new(code, message))
    }

    /// Returns the cause of a cancelled step.
    pub(crate) fn cancelled() -> Cause {
        Cause::new(FailureCode::Cancelled, MessageCode::Cancelled)
    }

    /// Returns the cause of an operation that ended because it panicked repeatedly.
    pub(crate) fn panicked() -> Cause {
        Cause::new(FailureCode::Internal, MessageCode::Panicked)
    }

    /// Returns the cause of a passed deadline, of a step or of the whole operation.
    pub(crate) fn overdue() -> Cause {
        Cause::new(FailureCode::Deadline, MessageCode::Overdue)
    }

    /// Returns the failure of a platform that hung during `phase` until the deadline.
    pub(crate) fn wedged(phase: Phase) -> Self {
        Self::failed(FailureCode::PlatformWedged, MessageCode::PlatformHung { phase })
    }

    /// Returns the cause of a deadline that passed during `phase` because of a local fault of the
    /// portal.
    pub(crate) fn lacked(phase: Phase, fault: LocalFault) -> Cause {
        Cause::new(FailureCode::PortalImpaired, MessageCode::PortalLacked { fault, phase })
    }

    /// Returns the failure of a secret of the stack that cannot be opened, and logs how to repair
    /// it.
    pub(crate) fn sealed(error: OpenSecretError) -> Self {
        tracing::error!(
            %error,
            "A secret of this deployment does not open: append its key after a comma, in \
             PORTAL_SECRET_KEY or portal.key"
        );
        Self::failed(FailureCode::SecretsSealed, MessageCode::SecretsSealed)
    }

    /// Returns the failure of a step whose call failed permanently during `phase`.
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

/// Describes how a call failed, for the log that people see: a sentence without a full stop.
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

/// Formats an error with all its sources on one line.
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
