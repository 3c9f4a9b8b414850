//! The ends: what is recorded when there is nothing more to do, or nothing more can be done.

use std::time::Duration;

use jiff::Timestamp;

use super::{context::Context, lateness, removal, unwind::Left};
use crate::{
    domain::{
        event::{Completion, EventBody, Failure, FailureCode, Gone, Ready, RemovalCompletion},
        phase::Phase,
        receipt::Receipt,
    },
    server::ports::store::{Cause, End, Settlement, State, StepId, StoreError, Wish},
};

/// The first pause before clean-up goes on after an end; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_mins(30);

/// Ends live. What a lost answer may have made twice is removed first, and looked for once more
/// when nothing can come late any more.
///
/// # Errors
///
/// [`StoreError::WishUnheard`] when somebody wished to cancel before the end was recorded.
pub(super) async fn live(cx: &Context) -> Result<(), StoreError> {
    let is_doubtful = cx.journal.is_doubtful();
    if is_doubtful {
        removal::remove_doubles(cx).await?;
    }
    let at = cx.clock.now();
    let event = EventBody::Complete(Completion {
        url: cx.deployment.url.clone(),
        status: Ready::Ready,
        resources: cx.journal.resources(),
        duration: seconds(cx.elapsed_ms(at)),
    });
    let due = is_doubtful.then(|| lateness::until(at));
    cx.journal.end(event, End { state: State::Live, at, wish: Wish::GoOn, due }).await
}

/// Ends a deployment that is not live, as cancelled if that is wished by now.
pub(super) async fn not_live(cx: &Context, left: Left) -> Result<(), StoreError> {
    let receipt = receipt(cx, left);
    loop {
        let wish = cx.journal.wish();
        let (step, cause) = cx.journal.cause().unwrap_or((StepId::Project, internal()));
        let cause = if wish == Wish::Cancel { as_cancelled(cause) } else { cause };
        let event = EventBody::Error(Failure {
            phase: step.phase(),
            message: cause.message,
            code: cause.code,
            receipt: receipt.clone(),
            reference: cx.deployment.id.reference(),
        });
        match cx.journal.end(event, end(cx, &receipt, wish)).await {
            Err(StoreError::WishUnheard) => {}
            result => return result,
        }
    }
}

/// Ends a removal.
pub(super) async fn removed(cx: &Context, left: Left) -> Result<(), StoreError> {
    let code = left.code.unwrap_or(FailureCode::PlatformRefused);
    let receipt = receipt(cx, left);
    let end = end(cx, &receipt, cx.journal.wish());
    let event = if receipt.clean {
        EventBody::Removed(RemovalCompletion { status: Gone::Removed, receipt })
    } else {
        EventBody::Error(Failure {
            phase: Phase::Removing,
            message: String::from("Not everything could be removed yet. We keep trying."),
            code,
            receipt,
            reference: cx.deployment.id.reference(),
        })
    };
    cx.journal.end(event, end).await
}

/// Records what clean-up found after the end, and tells it once it is recorded.
pub(super) async fn settled(cx: &Context, left: Left) -> Result<(), StoreError> {
    let at = cx.clock.now();
    let settlement = Settlement { receipt: receipt(cx, left), at, due: due(at, cx.tries + 1) };
    cx.journal.settle(&settlement).await?;
    let receipt = &settlement.receipt;
    if receipt.clean {
        tracing::info!("Removed what had been left: the name is free");
    } else {
        let left: Vec<_> = receipt.left().filter_map(|line| line.remedy.as_deref()).collect();
        tracing::error!(tries = cx.tries + 1, remedies = ?left, "Something is still left");
    }
    Ok(())
}

fn receipt(cx: &Context, left: Left) -> Receipt {
    let mut lines = cx.journal.undone_lines();
    lines.extend(left.lines);
    let mut receipt = Receipt::of(lines);
    // A failure without a line of its own leaves something that nobody can name.
    receipt.clean &= left.code.is_none();
    receipt
}

fn end(cx: &Context, receipt: &Receipt, wish: Wish) -> End {
    let at = cx.clock.now();
    if receipt.clean {
        End { state: State::RolledBack, at, wish, due: None }
    } else {
        End { state: State::Stuck, at, wish, due: Some(due(at, 0)) }
    }
}

/// Returns when to clean up next, after that many tries.
pub(super) fn due(now: Timestamp, tries: u32) -> Timestamp {
    let pause = FIRST_PAUSE.saturating_mul(1 << tries.min(16)).min(LONGEST_PAUSE);
    now.checked_add(pause).unwrap_or(now)
}

fn as_cancelled(cause: Cause) -> Cause {
    let message = match cause.code {
        FailureCode::Cancelled => cause.message,
        _ => Failure::cancelled_after(&cause.message),
    };
    Cause { code: FailureCode::Cancelled, message, ..cause }
}

fn internal() -> Cause {
    Cause::new(FailureCode::Internal, "The portal lost track of this deployment.")
}

#[expect(clippy::cast_precision_loss, reason = "a deployment lasts minutes, not centuries")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_of_clean_up_grow_from_seconds_to_half_an_hour() {
        let now = Timestamp::UNIX_EPOCH;
        let pauses: Vec<i64> =
            [0, 1, 2, 6, 7, 8, 100].map(|tries| due(now, tries).as_second()).into();
        assert_eq!(pauses, [15, 30, 60, 960, 1_800, 1_800, 1_800]);
    }
}
