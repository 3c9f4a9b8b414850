//! Outcomes: records how an operation ended, and the result of a clean-up after its end.

use std::time::Duration;

use jiff::Timestamp;

use super::context::Context;
use super::run_mode::RunMode;
use super::unwind::Leftover;
use crate::server::metrics::Outcome;
use crate::server::store::{
    CancelRequest, Cause, CleanupRecord, Desired, End, Fact, Result, State, StoreError,
};
use domain::deployment::DeploymentId;
use domain::event::{Completion, EventBody, Failure, FailureCode, Ready};
use domain::kind::StackState;
use domain::message::MessageCode;
use domain::phase::Phase;
use domain::receipt::Receipt;
use domain::time::later;

/// The pause between the end and the first clean-up. Each later pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
/// The number of times that a live stack is checked again if duplicates could not be removed. After
/// that, the reconciler handles them.
const MAX_CHECKS: u32 = 10;
/// The limit of the pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(30);

/// Records the successful end of an operation with its last event. `due` is the time of a recheck,
/// if one is needed.
///
/// # Errors
///
/// [`StoreError::CancelPending`] if a cancel was requested before the end was recorded.
pub(crate) async fn done(cx: &Context, event: EventBody, due: Option<Timestamp>) -> Result<()> {
    let kind = cx.journal.kind();
    let state = match kind.done {
        StackState::Live if !kind.keeps_stack() => State::Live,
        // Nothing is left to do.
        StackState::Live | StackState::Stopped | StackState::Gone => State::RolledBack,
    };
    let leaves = leaves(cx, kind.done);
    let cancel_request = match cx.journal.mode() {
        RunMode::Forward => CancelRequest::None,
        _ => cx.journal.cancel_request(),
    };
    record_end(cx, event, End { state, leaves, at: cx.clock.now(), cancel_request, due }).await
}

/// Records the end with its last event, and tells the metrics and the trace.
async fn record_end(cx: &Context, event: EventBody, end: End) -> Result<()> {
    let (outcome, code) = Outcome::of(&event, end.state == State::Stuck);
    let ended = end.at;
    // Only a new stack gets a time: others have theirs, or none.
    let lifetime = cx.lifetime.filter(|_| end.state == State::Live);
    let expires = lifetime.map(|lifetime| later(ended, lifetime));
    let fact = Fact { events: vec![event], end: Some(end), expires, ..Fact::default() };
    cx.journal.end(fact).await?;
    cx.metrics.ended(cx.deployment.kind, outcome, code);
    cx.trace.ended(outcome, code, (cx.deployment.started, ended));
    Ok(())
}

/// Returns the last event of a successful deployment: the stack's address, its resources, and the
/// duration.
pub(crate) fn completion(cx: &Context) -> EventBody {
    EventBody::Complete(Completion {
        url: cx.deployment.url.clone(),
        status: match leaves(cx, cx.journal.kind().done) {
            Some(Desired::Stopped) => Ready::Stopped,
            Some(Desired::Running) | None => Ready::Ready,
        },
        resources: cx.journal.resources(),
        duration: seconds(cx.elapsed_ms(cx.clock.now())),
    })
}

/// Returns the phase and the cause of the recorded failure.
pub(crate) fn recorded_failure(cx: &Context) -> (Phase, Cause) {
    let kind = cx.journal.kind();
    match cx.journal.cause() {
        Some((step, cause)) => (kind.phase_of(step), cause),
        // Without a record, nobody knows which step failed. The first phase that the page lists
        // stands for all.
        None => (kind.listed().next().unwrap_or(kind.first_phase()), internal()),
    }
}

/// Records the end of an operation that failed in this phase: as cancelled if a cancel was
/// requested.
pub(crate) async fn failed(
    cx: &Context,
    (phase, cause): (Phase, Cause),
    receipt: &Receipt,
) -> Result<()> {
    loop {
        let cancel_request = cx.journal.cancel_request();
        let cause = match cancel_request {
            CancelRequest::Requested => as_cancelled(cause.clone()),
            CancelRequest::None => cause.clone(),
        };
        let event = failure(&cx.deployment.id, phase, cause, receipt.clone());
        match record_end(cx, event, end(cx, receipt, cancel_request)).await {
            // A cancel was requested meanwhile. The journal has observed it, so the next attempt
            // ends as cancelled.
            Err(StoreError::CancelPending) => {}
            result => return result,
        }
    }
}

/// Returns the last event of an operation that failed in this phase.
pub(crate) fn failure(
    id: &DeploymentId,
    phase: Phase,
    cause: Cause,
    receipt: Receipt,
) -> EventBody {
    let Cause { message, code, reason, .. } = cause;
    EventBody::Error(Failure { phase, message, code, reason, receipt, reference: id.reference() })
}

/// Records the result of a clean-up after the end, and logs it.
pub(crate) async fn cleaned_up(cx: &Context, receipt: Receipt) -> Result<()> {
    let at = cx.clock.now();
    let leaves = leaves(cx, cx.journal.kind().undone);
    let cleanup = CleanupRecord { receipt, at, due: due(at, cx.tries + 1), leaves };
    cx.journal.record_cleanup(&cleanup).await?;
    let receipt = &cleanup.receipt;
    if receipt.clean {
        tracing::info!("Clean-up is finished: the name is available");
    } else {
        let leftover: Vec<_> =
            receipt.leftovers().filter_map(|line| line.remedy.as_ref()).collect();
        tracing::error!(tries = cx.tries + 1, remedies = ?leftover, "Clean-up is incomplete: some resources are left");
    }
    Ok(())
}

/// Returns the receipt: the resources that were undone, and those that are left.
pub(crate) fn receipt(cx: &Context, leftover: Leftover) -> Receipt {
    let mut lines = cx.journal.undone_lines();
    lines.extend(leftover.lines);
    let mut receipt = Receipt::of(lines);
    // A failed undo may return no line. Something may be left all the same, so the receipt is not
    // clean.
    receipt.clean &= leftover.code.is_none();
    receipt
}

/// Returns how the operation ends. If a resource is left, it is stuck, and due for a clean-up.
fn end(cx: &Context, receipt: &Receipt, cancel_request: CancelRequest) -> End {
    let at = cx.clock.now();
    if receipt.clean {
        let leaves = leaves(cx, cx.journal.kind().undone);
        End { state: State::RolledBack, leaves, at, cancel_request, due: None }
    } else {
        End { state: State::Stuck, leaves: None, at, cancel_request, due: Some(due(at, 0)) }
    }
}

/// Returns what the stack should be once an operation has left it in `state`; `None` if it is gone
/// then.
fn leaves(cx: &Context, state: StackState) -> Option<Desired> {
    let kind = cx.journal.kind();
    let desired = if kind.keeps_desired() { Some(cx.desired) } else { Desired::of(state) };
    desired.filter(|_| kind.keeps_stack())
}

/// Returns the time of the next clean-up after `tries` attempts.
pub(crate) fn due(now: Timestamp, tries: u32) -> Timestamp {
    let pause = FIRST_PAUSE.saturating_mul(1 << tries.min(16)).min(LONGEST_PAUSE);
    later(now, pause)
}

/// Returns when a live stack is checked again after this many `tries`; `None` after the last one.
pub(crate) fn next_check(now: Timestamp, tries: u32) -> Option<Timestamp> {
    (tries < MAX_CHECKS).then(|| due(now, tries + 1))
}

/// Turns `cause` into a cancellation. Its message still says what had failed before the cancel.
fn as_cancelled(cause: Cause) -> Cause {
    if cause.code == FailureCode::Cancelled {
        return cause;
    }
    let Cause { message, reason, at, platform_log, last_log, .. } = cause;
    let message = MessageCode::CancelledAfter { message, reason: reason.map(Box::new) };
    Cause { at, platform_log, last_log, ..Cause::new(FailureCode::Cancelled, message) }
}

/// Returns the cause of an end for which the journal has none.
fn internal() -> Cause {
    Cause::new(FailureCode::Internal, MessageCode::StateLost)
}

#[expect(clippy::cast_precision_loss, reason = "a deployment lasts minutes, not centuries")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use crate::server::saga::outcomes::*;

    #[test]
    fn the_pauses_of_clean_up_grow_from_seconds_to_half_an_hour() {
        let now = Timestamp::UNIX_EPOCH;
        let pauses: Vec<i64> =
            [0, 1, 2, 6, 7, 8, 100].map(|tries| due(now, tries).as_second()).into();
        assert_eq!(pauses, [15, 30, 60, 960, 1_800, 1_800, 1_800]);
    }
}
