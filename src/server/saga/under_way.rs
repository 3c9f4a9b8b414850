//! Mutating calls of an earlier process of this portal that may still run on the platform.

use jiff::Timestamp;

use super::engine::{Operation, Operations};
use super::late_commit::until;
use crate::server::platform::call_slots::{CallBounds, CallKind};
use crate::server::store::{
    self, OperationFilter, Result, State, StepId, StepRecord, Steps, Store,
};
use domain::kind::Direction;
use domain::progress::Progress;
use domain::time::elapsed_ms;

/// The maximum number of operations that are examined.
const MAX_OPERATIONS: u32 = 1_000;
/// Reads from the journals which mutating calls may have been running when an earlier process
/// stopped, and returns their kinds, with the time until which they may take effect.
///
/// The result is no larger than the limits on concurrent calls. For [`CallKind::Other`] it is one
/// less, so that one slot stays free: most of these steps had probably not made their call yet.
///
/// # Errors
///
/// Returns a `StoreError` if the database cannot be read.
pub async fn calls_under_way(
    store: &dyn Store,
    operations: &Operations,
    bounds: CallBounds,
    now: Timestamp,
) -> Result<(Vec<CallKind>, Timestamp)> {
    let filter = OperationFilter {
        state: Some(State::Active),
        limit: MAX_OPERATIONS,
        ..OperationFilter::default()
    };
    let mut calls = Vec::new();
    for record in store.operations(&filter).await? {
        let Some(operation) = operations.of(record.deployment.kind) else { continue };
        let steps = store.journal(&record.deployment.id).await?;
        let progress = store::progress(store, &record.deployment.id).await?;
        calls.extend(call(operation, &steps, &progress, now));
    }
    let (domains, _) = bounds.of(CallKind::Domain);
    let (_, others) = bounds.of(CallKind::Other);
    let mut left = [(CallKind::Domain, domains), (CallKind::Other, others.saturating_sub(1))];
    calls.retain(|kind| {
        let left = left.iter_mut().find(|(one, left)| one == kind && *left > 0);
        left.map(|(_, left)| *left -= 1).is_some()
    });
    Ok((calls, until(now)))
}

/// Returns the kind of call that an operation may have been making, if any.
fn call(
    operation: &dyn Operation,
    steps: &Steps,
    progress: &Progress,
    now: Timestamp,
) -> Option<CallKind> {
    let rolls_back = |record: &StepRecord| {
        matches!(record, StepRecord::Failed { .. } | StepRecord::Undone { .. })
    };
    let kind = operation.kind();
    if kind.direction == Direction::Back || steps.records.values().any(rolls_back) {
        return Some(CallKind::Other);
    }
    let begun =
        |(step, record): (&StepId, &StepRecord)| (*record == StepRecord::Started).then_some(*step);
    let step = steps.records.iter().find_map(begun)?;
    let since = progress.running_since(kind.phase_of(step));
    operation.call_under_way(step, since.map_or(u64::MAX, |since| elapsed_ms(since, now) / 1000))
}
