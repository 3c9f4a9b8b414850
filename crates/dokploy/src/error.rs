//! The errors of calls to the platform, with advice on whether to repeat the call.

use std::time::Duration;

use transport::LocalFault;

/// A failed call to the platform.
///
/// Each variant says whether the call may have taken effect; [`Error::advice`] says whether to
/// repeat it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The platform rejected the call, which had no effect. It would reject a repetition as well.
    #[error("the platform refused {call} with status {status}")]
    Refused {
        /// The call, such as `application.create`.
        call: &'static str,
        /// The HTTP status.
        status: u16,
        /// The platform's message, for the operator's log only.
        detail: String,
    },
    /// The platform answered 400 without a list of issues. The call may have taken effect.
    #[error("the platform answered {call} with an unexplained status 400")]
    Unexplained {
        /// The call.
        call: &'static str,
        /// The platform's message, for the operator's log only.
        detail: String,
    },
    /// The resource of the call does not exist.
    #[error("the platform does not know the resource of {call}")]
    NotFound {
        /// The call.
        call: &'static str,
    },
    /// The platform rejects the key although it reports itself healthy: the key is wrong, expired
    /// or over its rate limit, or the platform's database was briefly unavailable. Since the
    /// platform verifies the key a second time during a call, the call may have taken effect.
    #[error("the platform rejected the key for {call}")]
    KeyRefused {
        /// The call.
        call: &'static str,
    },
    /// The platform is unavailable (5xx, 429, or a 401 during an outage). The call may have taken
    /// effect.
    #[error("the platform could not serve {call} (status {status})")]
    Unavailable {
        /// The call.
        call: &'static str,
        /// The HTTP status.
        status: u16,
        /// The pause that the platform requests.
        retry_after: Option<Duration>,
    },
    /// There was no answer in time. The call may have taken effect.
    #[error("the platform's answer to {call} was lost: none within {} ms", limit.as_millis())]
    TimedOut {
        /// The call.
        call: &'static str,
        /// The time limit.
        limit: Duration,
    },
    /// The answer broke off, or cannot be read. The call may have taken effect.
    #[error("the platform's answer to {call} was lost: {reason}")]
    Lost {
        /// The call.
        call: &'static str,
        /// The reason.
        reason: String,
    },
    /// The connection failed. The call had no effect.
    #[error("the platform could not be reached for {call}: {reason}")]
    Unreachable {
        /// The call.
        call: &'static str,
        /// The reason.
        reason: String,
    },
    /// A local fault of this process prevented the call, which had no effect. This says nothing
    /// about the platform.
    #[error("{call} could not be made, since {fault}: {reason}")]
    Local {
        /// The call.
        call: &'static str,
        /// The local fault.
        fault: LocalFault,
        /// The system's error message.
        reason: String,
    },
    /// The circuit breaker is open: the call was not made.
    #[error("calls to the platform are paused for {} ms", retry_after.as_millis())]
    Paused {
        /// The time until the next call may go through.
        retry_after: Duration,
    },
}

/// The advice for a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Do not repeat the call.
    GiveUp,
    /// Check whether the call took effect; if not, repeat it once.
    CheckThenRetryOnce,
    /// Repeat the call, after the requested pause if that is longer than the caller's own.
    Retry {
        /// The pause that the platform requests.
        after: Option<Duration>,
    },
    /// Wait for this time, then repeat the call. The attempt does not count.
    Wait(Duration),
    /// Repeat the call until the local fault of this process is over. Only the overall deadline
    /// keeps running.
    WaitForLocalFault(LocalFault),
    /// Repeat the call with growing pauses until the deadline. The attempts do not count.
    RetryUntilDeadline,
}

impl Error {
    /// Returns whether and when to repeat the call.
    pub fn advice(&self) -> Advice {
        match self {
            Self::Refused { .. } | Self::NotFound { .. } => Advice::GiveUp,
            Self::Unexplained { .. } => Advice::CheckThenRetryOnce,
            // A platform without its database and a key over its rate limit have the same answer,
            // and both recover.
            Self::KeyRefused { .. } | Self::Unavailable { status: 401, .. } => {
                Advice::RetryUntilDeadline
            }
            Self::TimedOut { .. } | Self::Lost { .. } | Self::Unreachable { .. } => {
                Advice::Retry { after: None }
            }
            Self::Unavailable { retry_after, .. } => Advice::Retry { after: *retry_after },
            Self::Paused { retry_after } => Advice::Wait(*retry_after),
            Self::Local { fault, .. } => Advice::WaitForLocalFault(*fault),
        }
    }

    /// Returns whether the platform may still be executing the call: its answer was lost, or a
    /// proxy gave up waiting for it.
    pub fn may_still_run(&self) -> bool {
        match self {
            Self::TimedOut { .. } | Self::Lost { .. } => true,
            Self::Unavailable { status, .. } => matches!(status, 408 | 502 | 504 | 520..),
            Self::Refused { .. }
            | Self::Unexplained { .. }
            | Self::NotFound { .. }
            | Self::KeyRefused { .. }
            | Self::Unreachable { .. }
            | Self::Local { .. }
            | Self::Paused { .. } => false,
        }
    }

    /// Returns whether the platform sent no answer at all.
    pub fn is_out_of_reach(&self) -> bool {
        match self {
            Self::TimedOut { .. }
            | Self::Lost { .. }
            | Self::Unreachable { .. }
            | Self::Local { .. }
            | Self::Paused { .. } => true,
            Self::Refused { .. }
            | Self::Unexplained { .. }
            | Self::NotFound { .. }
            | Self::KeyRefused { .. }
            | Self::Unavailable { .. } => false,
        }
    }

    /// Returns the local fault that caused the error, if there was one.
    pub fn local_fault(&self) -> Option<LocalFault> {
        match self {
            Self::Local { fault, .. } => Some(*fault),
            _ => None,
        }
    }

    /// Returns whether the platform answered 401, which it also does while its database is briefly
    /// unavailable.
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, Self::KeyRefused { .. } | Self::Unavailable { status: 401, .. })
    }

    /// Returns whether the call may have taken effect.
    pub fn may_have_committed(&self) -> bool {
        match self {
            Self::Unexplained { .. }
            | Self::KeyRefused { .. }
            | Self::Unavailable { .. }
            | Self::TimedOut { .. }
            | Self::Lost { .. } => true,
            Self::Refused { .. }
            | Self::NotFound { .. }
            | Self::Unreachable { .. }
            | Self::Local { .. }
            | Self::Paused { .. } => false,
        }
    }
}
