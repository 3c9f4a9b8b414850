//! Outcomes: records how an operation ended, and the result of a clean-up after its end.

use std::time::Duration;

use jiff::Timestamp;

use super::{context::Context, late_commit, unwind::Leftover};
use crate::server::steps::removal;
use crate::server::store::{CancelRequest, Cause, CleanupRecord, End, State, StepId, StoreError};
use domain::{
    event::{Completion, EventBody, Failure, FailureCode, Gone, Ready, RemovalCompletion},
    phase::Phase,
    receipt::Receipt,
};

/// The pause between the end and the first clean-up. Each later pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
/// The limit of the pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(30);

/// Ends a deployment as live.
///
/// If a response was lost, a retry may have created a resource twice. So this removes duplicates
/// first, and schedules a second search for the time when no late commit is possible any more.
///
/// # Errors
///
/// [`StoreError::CancelPending`] when a cancel was requested before the end was recorded.
pub(crate) async fn live(cx: &Context) -> Result<(), StoreError> {
    let may_have_duplicates = cx.journal.may_have_duplicates();
    if may_have_duplicates {
        removal::remove_duplicates_before_end(cx).await?;
    }
    let at = cx.clock.now();
    let event = EventBody::Complete(Completion {
        url: cx.deployment.url.clone(),
        status: Ready::Ready,
        resources: cx.journal.resources(),
        duration: seconds(cx.elapsed_ms(at)),
    });
    let due = may_have_duplicates.then(|| late_commit::until(at));
    cx.journal
        .end(event, End { state: State::Live, at, cancel_request: CancelRequest::None, due })
        .await
}

/// Ends a deployment as not live: as cancelled if a cancel was requested, otherwise as failed.
pub(crate) async fn not_live(cx: &Context, leftover: Leftover) -> Result<(), StoreError> {
    let receipt = receipt(cx, leftover);
    loop {
        let cancel_request = cx.journal.cancel_request();
        let (step, cause) = cx.journal.cause().unwrap_or((StepId::PROJECT, internal()));
        let cause =
            if cancel_request == CancelRequest::Requested { as_cancelled(cause) } else { cause };
        let event = EventBody::Error(Failure {
            phase: cx.journal.kind().phase_of(step),
            message: cause.message,
            code: cause.code,
            receipt: receipt.clone(),
            reference: cx.deployment.id.reference(),
        });
        match cx.journal.end(event, end(cx, &receipt, cancel_request)).await {
            // A cancel was requested meanwhile, and the journal has observed it: try again as
            // cancelled.
            Err(StoreError::CancelPending) => {}
            result => return result,
        }
    }
}

/// Ends a removal: as complete, or as failed if a resource is left.
pub(crate) async fn removed(cx: &Context, leftover: Leftover) -> Result<(), StoreError> {
    let code = leftover.code.unwrap_or(FailureCode::PlatformRefused);
    let receipt = receipt(cx, leftover);
    let end = end(cx, &receipt, cx.journal.cancel_request());
    let event = if receipt.clean {
        EventBody::Removed(RemovalCompletion { status: Gone::Removed, receipt })
    } else {
        EventBody::Error(Failure {
            phase: Phase::REMOVING,
            message: String::from("Not everything could be removed yet. We keep trying."),
            code,
            receipt,
            reference: cx.deployment.id.reference(),
        })
    };
    cx.journal.end(event, end).await
}

/// Records the result of a clean-up after the end, and logs it.
pub(crate) async fn cleaned_up(cx: &Context, leftover: Leftover) -> Result<(), StoreError> {
    let at = cx.clock.now();
    let cleanup = CleanupRecord { receipt: receipt(cx, leftover), at, due: due(at, cx.tries + 1) };
    cx.journal.record_cleanup(&cleanup).await?;
    let receipt = &cleanup.receipt;
    if receipt.clean {
        tracing::info!("Clean-up is finished: the name is available");
    } else {
        let leftover: Vec<_> =
            receipt.leftovers().filter_map(|line| line.remedy.as_deref()).collect();
        tracing::error!(tries = cx.tries + 1, remedies = ?leftover, "Clean-up is incomplete: some resources are left");
    }
    Ok(())
}

/// Returns the receipt: the resources that were undone, and those that are left.
fn receipt(cx: &Context, leftover: Leftover) -> Receipt {
    let mut lines = cx.journal.undone_lines();
    lines.extend(leftover.lines);
    let mut receipt = Receipt::of(lines);
    // A failure may have no line of its own: then something may be left that cannot be named.
    receipt.clean &= leftover.code.is_none();
    receipt
}

/// Returns how the operation ends. If a resource is left, it is stuck, and due for a clean-up.
fn end(cx: &Context, receipt: &Receipt, cancel_request: CancelRequest) -> End {
    let at = cx.clock.now();
    if receipt.clean {
        End { state: State::RolledBack, at, cancel_request, due: None }
    } else {
        End { state: State::Stuck, at, cancel_request, due: Some(due(at, 0)) }
    }
}

/// Returns the time of the next clean-up after `tries` attempts.
pub(crate) fn due(now: Timestamp, tries: u32) -> Timestamp {
    let pause = FIRST_PAUSE.saturating_mul(1 << tries.min(16)).min(LONGEST_PAUSE);
    now.checked_add(pause).unwrap_or(now)
}

/// Turns `cause` into a cancellation. Its message still says what had failed before the cancel.
fn as_cancelled(cause: Cause) -> Cause {
    let message = match cause.code {
        FailureCode::Cancelled => cause.message,
        _ => Failure::cancelled_after(&cause.message),
    };
    Cause { code: FailureCode::Cancelled, message, ..cause }
}

/// Returns the cause of an end for which the journal has none.
fn internal() -> Cause {
    Cause::new(
        FailureCode::Internal,
        "The portal had an internal error and lost the state of this deployment.",
    )
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
