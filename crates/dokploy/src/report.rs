//! The log of calls: one structured entry for each call, and one when the breaker opens or closes.
//!
//! It must not receive request bodies, response bodies or secrets.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::{Breaker, BreakerState, Error};

/// A call that has ended, for those who count calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallReport {
    /// Its name, such as `application.create`.
    pub call: &'static str,
    /// How it ended: `done`, `refused`, `unexplained`, `not_found`, `key_refused`, `unavailable`,
    /// `lost`, `unreachable` or `local_fault`; `paused` if the circuit breaker did not let it
    /// through.
    pub outcome: &'static str,
    /// How long it took; `None` if the circuit breaker did not let it through.
    pub took: Option<Duration>,
}

/// What is called after each call.
#[derive(Clone)]
pub struct OnCall(Arc<dyn Fn(&CallReport) + Send + Sync>);

impl OnCall {
    /// Calls `observe` after each call. It must not block.
    pub fn new(observe: impl Fn(&CallReport) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }

    /// Passes on the report of a call.
    fn pass(&self, report: &CallReport) {
        (self.0)(report);
    }
}

impl Default for OnCall {
    fn default() -> Self {
        Self::new(|_| {})
    }
}

impl fmt::Debug for OnCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OnCall")
    }
}

/// Reports a call that the circuit breaker did not let through. It is not logged: the breaker's
/// opening was.
pub(super) fn report_paused(call: &'static str, on_call: &OnCall) {
    on_call.pass(&CallReport { call, outcome: "paused", took: None });
}

/// Writes the log entry of one call, and passes on its report.
pub(super) fn report(
    call: &'static str,
    status: Option<u16>,
    (started, ended): (Timestamp, Timestamp),
    error: Option<&Error>,
    on_call: &OnCall,
) {
    let took = Duration::try_from(ended.duration_since(started)).unwrap_or_default();
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or_default();
    let outcome = error.map_or("done", Error::outcome);
    on_call.pass(&CallReport { call, outcome, took: Some(took) });
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

impl Error {
    /// Returns its kind as a word, by which calls are counted; see [`CallReport::outcome`].
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Unexplained { .. } => "unexplained",
            Self::NotFound { .. } => "not_found",
            Self::KeyRefused { .. } => "key_refused",
            Self::Unavailable { .. } => "unavailable",
            Self::TimedOut { .. } | Self::Lost { .. } => "lost",
            Self::Unreachable { .. } => "unreachable",
            Self::Paused { .. } => "paused",
            Self::Local { .. } => "local_fault",
        }
    }
}

/// Returns the platform's own error message, for the operator's log.
fn detail(error: &Error) -> Option<&str> {
    match error {
        Error::Refused { detail, .. } | Error::Unexplained { detail, .. } => Some(detail),
        _ => None,
    }
}
