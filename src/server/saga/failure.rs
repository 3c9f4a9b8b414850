//! Step failures, and the messages that people read about them.
//!
//! The platform's own words never get here: only what kind of failure it was.

use crate::server::{
    local_fault::{self, LocalFault},
    platform::PlatformError,
    secrets::OpenSecretError,
    store::{Cause, StoreError},
};
use domain::{event::FailureCode, phase::Phase};

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
    /// Fails with `code` and a sentence for the person.
    pub(crate) fn failed(code: FailureCode, message: impl Into<String>) -> Self {
        Self::Failed(Cause::new(code, message))
    }

    /// Returns why a step stops that a person cancelled.
    pub(crate) fn cancelled() -> Cause {
        Cause::new(FailureCode::Cancelled, "The deployment was cancelled.")
    }

    /// Returns why an operation is given up that panicked again and again.
    pub(crate) fn panicked() -> Cause {
        let message = String::from("The portal had an internal error several times in a row.");
        Cause::new(FailureCode::Internal, message)
    }

    /// Returns why a step stops whose time is up, or the whole deployment's.
    pub(crate) fn overdue() -> Cause {
        Cause::new(FailureCode::Deadline, "It took too long, so the portal stopped waiting.")
    }

    /// Fails because the platform hung during `phase` for too long.
    pub(crate) fn wedged(phase: Phase) -> Self {
        let doing = doing(phase);
        let message = format!("The platform hung while {doing}, and did not come back in time.");
        Self::failed(FailureCode::PlatformWedged, message)
    }

    /// Returns why a step of `phase` stops whose time was up while the portal itself lacked
    /// something.
    pub(crate) fn lacked(phase: Phase, fault: LocalFault) -> Cause {
        let (past, doing) = (fault.past(), doing(phase));
        let message = format!("{past} while {doing}, until the time was up.");
        Cause::new(FailureCode::PortalImpaired, message)
    }

    /// Fails because a secret of the stack does not open.
    pub(crate) fn sealed(error: OpenSecretError) -> Self {
        tracing::error!(
            %error,
            "A secret of this deployment does not open: append its key after a comma, in \
             PORTAL_SECRET_KEY or portal.key"
        );
        let message = "The portal cannot open this deployment's secrets. Try again, or tell an \
                       operator.";
        Self::failed(FailureCode::SecretsSealed, message)
    }

    /// Fails because a call failed for good during `phase`.
    pub(crate) fn of_platform(phase: Phase, error: &PlatformError) -> Self {
        let doing = doing(phase);
        match error {
            PlatformError::Refused { .. }
            | PlatformError::Unexplained { .. }
            | PlatformError::NotFound { .. } => Self::failed(
                FailureCode::PlatformRefused,
                format!("The platform refused a request while {doing}."),
            ),
            PlatformError::KeyRefused { .. } => Self::failed(
                FailureCode::PlatformKeyRefused,
                format!("The platform did not accept the portal's key while {doing}."),
            ),
            PlatformError::Unavailable { .. }
            | PlatformError::Lost { .. }
            | PlatformError::Unreachable { .. }
            | PlatformError::Paused { .. } => Self::failed(
                FailureCode::PlatformUnreachable,
                format!("The platform did not answer while {doing}, after several tries."),
            ),
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

/// Puts a phase into the middle of a sentence.
fn doing(phase: Phase) -> &'static str {
    match phase {
        Phase::INITIALIZING => "getting ready",
        Phase::CREATING_PROJECT => "creating the project",
        Phase::GETTING_ENVIRONMENT => "finding the project's environment",
        Phase::CREATING_APPLICATION => "creating the application",
        Phase::CONFIGURING_APPLICATION => "configuring the application",
        Phase::CREATING_DOMAIN => "attaching the address",
        Phase::DEPLOYING => "starting the container",
        Phase::VERIFYING_HEALTH => "checking that the stack answers",
        Phase::COMPLETED => "finishing",
        Phase::ROLLING_BACK | Phase::FAILED | Phase::CANCELLED => "removing what was made",
        Phase::REMOVING | Phase::REMOVED => "removing the stack",
        _ => "working on the stack",
    }
}
