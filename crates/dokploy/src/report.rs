//! The log of calls: one structured entry for each call, and one when the breaker opens or closes.
//!
//! It must not receive request bodies, response bodies or secrets.

use jiff::Timestamp;

use crate::{Breaker, BreakerState, Error};

/// Writes the log entry of one call.
pub(super) fn report(
    call: &'static str,
    status: Option<u16>,
    (started, ended): (Timestamp, Timestamp),
    error: Option<&Error>,
) {
    let duration_ms = ended.duration_since(started).as_millis();
    let duration_ms = u64::try_from(duration_ms).unwrap_or_default();
    let outcome = outcome(error);
    match error {
        None | Some(Error::NotFound { .. }) => tracing::info!(
            platform.call = call,
            http.status = status,
            duration_ms,
            outcome,
            "The platform answered."
        ),
        Some(error) => tracing::warn!(
            platform.call = call,
            http.status = status,
            duration_ms,
            outcome,
            platform.detail = detail(error),
            "A call failed: {error}."
        ),
    }
}

/// Logs that the breaker opened or closed, if it did.
pub(super) fn report_breaker(before: BreakerState, after: Breaker) {
    match (before, after.state) {
        (BreakerState::Closed | BreakerState::HalfOpen, BreakerState::Open) => tracing::warn!(
            breaker.failures = after.consecutive_failures,
            "The circuit breaker opened: calls to the platform are paused."
        ),
        (BreakerState::HalfOpen, BreakerState::Closed) => {
            tracing::info!("The circuit breaker closed: calls to the platform continue.");
        }
        _ => {}
    }
}

/// Returns the value of the field `outcome`, by which log queries count.
fn outcome(error: Option<&Error>) -> &'static str {
    match error {
        None => "done",
        Some(Error::Refused { .. }) => "refused",
        Some(Error::Unexplained { .. }) => "unexplained",
        Some(Error::NotFound { .. }) => "not_found",
        Some(Error::KeyRefused { .. }) => "key_refused",
        Some(Error::Unavailable { .. }) => "unavailable",
        Some(Error::TimedOut { .. } | Error::Lost { .. }) => "lost",
        Some(Error::Unreachable { .. }) => "unreachable",
        Some(Error::Paused { .. }) => "paused",
        Some(Error::Local { .. }) => "local_fault",
    }
}

/// Returns the platform's own error message, for the operator's log.
fn detail(error: &Error) -> Option<&str> {
    match error {
        Error::Refused { detail, .. } | Error::Unexplained { detail, .. } => Some(detail),
        _ => None,
    }
}
