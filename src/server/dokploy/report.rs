//! The log of calls: one structured entry for each, and one when the breaker turns.
//!
//! It must never be given a body or a secret.

use jiff::Timestamp;

use crate::server::ports::platform::{Breaker, BreakerState, PlatformError};

/// Writes the log entry of one call.
pub(super) fn report(
    call: &'static str,
    status: Option<u16>,
    (started, ended): (Timestamp, Timestamp),
    error: Option<&PlatformError>,
) {
    let duration_ms = ended.duration_since(started).as_millis();
    let duration_ms = u64::try_from(duration_ms).unwrap_or_default();
    let outcome = outcome(error);
    match error {
        None | Some(PlatformError::NotFound { .. }) => tracing::info!(
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

/// Writes that the breaker opened or closed.
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

/// Returns the word by which an outcome is counted.
fn outcome(error: Option<&PlatformError>) -> &'static str {
    match error {
        None => "done",
        Some(PlatformError::Refused { .. }) => "refused",
        Some(PlatformError::Unexplained { .. }) => "unexplained",
        Some(PlatformError::NotFound { .. }) => "not_found",
        Some(PlatformError::KeyRefused { .. }) => "key_refused",
        Some(PlatformError::Unavailable { .. }) => "unavailable",
        Some(PlatformError::Lost { .. }) => "lost",
        Some(PlatformError::Unreachable { .. }) => "unreachable",
        Some(PlatformError::Paused { .. }) => "paused",
        Some(PlatformError::Local { .. }) => "local_fault",
    }
}

/// Returns the platform's own words, for the operator's log.
fn detail(error: &PlatformError) -> Option<&str> {
    match error {
        PlatformError::Refused { detail, .. } | PlatformError::Unexplained { detail, .. } => {
            Some(detail)
        }
        PlatformError::NotFound { .. }
        | PlatformError::KeyRefused { .. }
        | PlatformError::Unavailable { .. }
        | PlatformError::Lost { .. }
        | PlatformError::Unreachable { .. }
        | PlatformError::Local { .. }
        | PlatformError::Paused { .. } => None,
    }
}
