//! The errors of calls to the platform, with advice on what to do.

use std::time::Duration;

use transport::LocalFault;

/// A call to the platform failed. It carries the decision what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It understood and said no: it would say no again.
    #[error("the platform refused {call} with status {status}")]
    Refused {
        /// The call, as `application.create`.
        call: &'static str,
        /// The HTTP status.
        status: u16,
        /// Its own words, for the operator's log only.
        detail: String,
    },
    /// A 400 without a list of issues: it may have been done all the same.
    #[error("the platform answered {call} with an unexplained status 400")]
    Unexplained {
        /// The call.
        call: &'static str,
        /// Its own words, for the operator's log only.
        detail: String,
    },
    /// The subject of the call does not exist.
    #[error("the platform does not know the resource of {call}")]
    NotFound {
        /// The call.
        call: &'static str,
    },
    /// The key is refused although the platform is well: wrong, expired or used up, or its database
    /// was away for a moment. The key is verified again in the middle of a call: perhaps done.
    #[error("the platform rejected the key for {call}")]
    KeyRefused {
        /// The call.
        call: &'static str,
    },
    /// It answered that it cannot now (5xx, 429, a 401 during an outage): perhaps done.
    #[error("the platform could not serve {call} (status {status})")]
    Unavailable {
        /// The call.
        call: &'static str,
        /// The HTTP status.
        status: u16,
        /// The time for which it asks to wait.
        retry_after: Option<Duration>,
    },
    /// No answer came, or none that can be read: perhaps done.
    #[error("the platform's answer to {call} was lost: {reason}")]
    Lost {
        /// The call.
        call: &'static str,
        /// The reason.
        reason: String,
    },
    /// The connection could not be made: surely not done.
    #[error("the platform could not be reached for {call}: {reason}")]
    Unreachable {
        /// The call.
        call: &'static str,
        /// The reason.
        reason: String,
    },
    /// This process lacks what a call takes: surely not done, and no word about the platform.
    #[error("{call} could not be made, since {fault}: {reason}")]
    Local {
        /// The call.
        call: &'static str,
        /// What it lacks.
        fault: LocalFault,
        /// In the system's words.
        reason: String,
    },
    /// The breaker is open: the call was not made.
    #[error("calls to the platform are paused for {} ms", retry_after.as_millis())]
    Paused {
        /// The time until one may go through.
        retry_after: Duration,
    },
}

/// Describes how the reason of a call begins that got no answer in its time.
const TIMED_OUT: &str = "none within";

/// The advice for a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Do not repeat it.
    GiveUp,
    /// Look whether it was done; if not, repeat it once.
    CheckThenRetryOnce,
    /// Repeat it, after the pause it asks for if that is longer than the schedule's.
    Retry {
        /// The pause that the platform asks for.
        after: Option<Duration>,
    },
    /// Wait; this attempt does not count.
    Wait(Duration),
    /// Wait for what this process itself lacks; only the whole deadline counts on.
    WaitForUs(LocalFault),
    /// Repeat it for as long as there is time, after growing pauses: the attempts do not count.
    RetryUntilDeadline,
}

impl Error {
    /// Returns what to do about it.
    pub fn advice(&self) -> Advice {
        match self {
            Self::Refused { .. } | Self::NotFound { .. } => Advice::GiveUp,
            Self::Unexplained { .. } => Advice::CheckThenRetryOnce,
            // A platform without its database, and a key over its rate limit, look the same and
            // recover.
            Self::KeyRefused { .. } | Self::Unavailable { status: 401, .. } => {
                Advice::RetryUntilDeadline
            }
            Self::Lost { .. } | Self::Unreachable { .. } => Advice::Retry { after: None },
            Self::Unavailable { retry_after, .. } => Advice::Retry { after: *retry_after },
            Self::Paused { retry_after } => Advice::Wait(*retry_after),
            Self::Local { fault, .. } => Advice::WaitForUs(*fault),
        }
    }

    /// Says that `call` got no answer within `limit`.
    pub fn timed_out(call: &'static str, limit: Duration) -> Self {
        Self::Lost { call, reason: format!("{TIMED_OUT} {} ms", limit.as_millis()) }
    }

    /// Returns whether the call got no answer in its time.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Lost { reason, .. } if reason.starts_with(TIMED_OUT))
    }

    /// Returns whether the platform may still be at work on the call: its answer was lost on the
    /// way, or a proxy before it gave up waiting.
    pub fn may_still_run(&self) -> bool {
        match self {
            Self::Lost { .. } => true,
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

    /// Returns whether nothing of the platform was to be heard.
    pub fn is_out_of_reach(&self) -> bool {
        match self {
            Self::Lost { .. }
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

    /// Returns what this process itself lacked for it, if that is what was wrong.
    pub fn local_fault(&self) -> Option<LocalFault> {
        match self {
            Self::Local { fault, .. } => Some(*fault),
            Self::Refused { .. }
            | Self::Unexplained { .. }
            | Self::NotFound { .. }
            | Self::KeyRefused { .. }
            | Self::Unavailable { .. }
            | Self::Lost { .. }
            | Self::Unreachable { .. }
            | Self::Paused { .. } => None,
        }
    }

    /// Returns whether it is a 401, which one moment without the platform's database brings, too.
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, Self::KeyRefused { .. } | Self::Unavailable { status: 401, .. })
    }

    /// Returns whether the call may have been carried out all the same.
    pub fn may_have_committed(&self) -> bool {
        match self {
            Self::Unexplained { .. }
            | Self::KeyRefused { .. }
            | Self::Unavailable { .. }
            | Self::Lost { .. } => true,
            Self::Refused { .. }
            | Self::NotFound { .. }
            | Self::Unreachable { .. }
            | Self::Local { .. }
            | Self::Paused { .. } => false,
        }
    }
}
