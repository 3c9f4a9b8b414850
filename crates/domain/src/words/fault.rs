//! The sentences about faults of the portal and of the platform, without a full stop.

use crate::local_fault::LocalFault;
use crate::platform_problem::{CallFailure, PlatformProblem};

/// Returns what an operator can do about a problem of the whole platform, and the section of the
/// README about it.
pub fn advice(problem: PlatformProblem) -> &'static str {
    match problem {
        PlatformProblem::KeyRefused => {
            "Dokploy rejects the key: it is wrong, expired, or over its rate limit. Configure \
             another key, see the README, section \"An API key without rate limit\""
        }
        PlatformProblem::Wedged => {
            "Dokploy hangs: it answers no calls, although its /api/health reports ok. End its \
             database sessions or restart it, see the README, section \"When Dokploy hangs\""
        }
    }
}

/// Says how a call to the platform failed.
pub fn call_failed(failure: CallFailure) -> &'static str {
    match failure {
        CallFailure::Refused => "The platform refused",
        CallFailure::KeyRefused => "The platform did not accept the portal's key",
        CallFailure::Unavailable => "The platform is temporarily unavailable",
        CallFailure::AnswerLost => "The platform's answer was lost",
        CallFailure::Unreachable => "The platform could not be reached",
        CallFailure::Paused => "Calls to the platform are paused",
        CallFailure::Local(fault) => present(fault),
    }
}

/// Describes a local fault of the portal in the present tense.
pub fn present(fault: LocalFault) -> &'static str {
    match fault {
        LocalFault::Resources => "The portal itself is short of resources",
        LocalFault::Names => "The portal itself cannot look addresses up",
        LocalFault::Network => "The portal itself has no network",
        LocalFault::Database => "The portal itself cannot reach its database",
    }
}

/// Describes a local fault of the portal in the past tense.
pub fn past(fault: LocalFault) -> &'static str {
    match fault {
        LocalFault::Resources => "The portal itself was short of resources",
        LocalFault::Names => "The portal itself could not look addresses up",
        LocalFault::Network => "The portal itself had no network",
        LocalFault::Database => "The portal itself could not reach its database",
    }
}

/// Says that an operation waits for the end of a local fault.
pub(super) fn waiting(fault: LocalFault) -> &'static str {
    match fault {
        LocalFault::Resources => "Waiting: the portal is short of resources",
        LocalFault::Names => "Waiting: the portal cannot look addresses up",
        LocalFault::Network => "Waiting: the portal has no network",
        LocalFault::Database => "Waiting: the portal cannot reach its database",
    }
}
