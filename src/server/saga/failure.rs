//! Step failures, with the messages that people read about them.
//!
//! The platform's own error messages never get here, since they may contain internals: only the
//! kind of failure does.

use crate::server::local_fault::{self, LocalFault};
use crate::server::platform::PlatformError;
use crate::server::secrets::OpenSecretError;
use crate::server::store::{Cause, StoreError};
use domain::event::FailureCode;
use domain::message::MessageCode;
use domain::phase::Phase;
use domain::platform_problem::CallFailure;

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

    /// Returns the cause of a deployment whose stored spec cannot be read.
    pub(crate) fn spec_lost() -> Cause {
        Cause::new(FailureCode::Internal, MessageCode::SpecLost)
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
    pub(crate) fn local_fault(phase: Phase, fault: LocalFault) -> Cause {
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
        match call_failure(error) {
            CallFailure::Refused => {
                Self::failed(FailureCode::PlatformRefused, MessageCode::CallRefused { phase })
            }
            CallFailure::KeyRefused => {
                Self::failed(FailureCode::PlatformKeyRefused, MessageCode::KeyRefused { phase })
            }
            CallFailure::Unavailable
            | CallFailure::AnswerLost
            | CallFailure::Unreachable
            | CallFailure::Paused => {
                Self::failed(FailureCode::PlatformUnreachable, MessageCode::NoAnswer { phase })
            }
            CallFailure::Local(fault) => Self::Failed(Self::local_fault(phase, fault)),
        }
    }
}

/// Returns how a call failed.
pub(crate) fn call_failure(error: &PlatformError) -> CallFailure {
    match error {
        PlatformError::Refused { .. }
        | PlatformError::Unexplained { .. }
        | PlatformError::NotFound { .. } => CallFailure::Refused,
        PlatformError::KeyRefused { .. } => CallFailure::KeyRefused,
        PlatformError::Unavailable { .. } => CallFailure::Unavailable,
        PlatformError::TimedOut { .. } | PlatformError::Lost { .. } => CallFailure::AnswerLost,
        PlatformError::Unreachable { .. } => CallFailure::Unreachable,
        PlatformError::Paused { .. } => CallFailure::Paused,
        PlatformError::Local { fault, .. } => CallFailure::Local(local_fault::classify(*fault)),
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
