//! The calls of an earlier process of this portal that may still run on the platform.

use jiff::Timestamp;

use super::{
    engine::{Operation, Operations},
    late_commit::until,
};
use crate::server::{
    platform::call_slots::{CallBounds, CallKind},
    store::{OperationFilter, State, StepId, StepRecord, Steps, Store, StoreError},
};
use domain::{
    kind::Direction,
    progress::{Progress, elapsed_ms},
};

/// The number of operations that are looked at.
const MAX_OPERATIONS: u32 = 1_000;
/// Reads out of the journals which calls that change something an earlier process may have been
/// stopped in the middle of, and until when they may have an effect. Of the others one slot less
/// is counted than there are: most of them had not begun yet.
///
/// # Errors
///
/// Returns an error when the database cannot be read.
pub async fn calls_under_way(
    store: &dyn Store,
    operations: &Operations,
    bounds: CallBounds,
    now: Timestamp,
) -> Result<(Vec<CallKind>, Timestamp), StoreError> {
    let filter = OperationFilter {
        state: Some(State::Active),
        limit: MAX_OPERATIONS,
        ..OperationFilter::default()
    };
    let mut calls = Vec::new();
    for record in store.operations(&filter).await? {
        let Some(operation) = operations.of(record.deployment.kind) else { continue };
        let steps = store.journal(&record.deployment.id).await?;
        let progress = store.progress(&record.deployment.id).await?;
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

/// Returns the call that an operation may have been in the middle of.
fn call(
    operation: &dyn Operation,
    steps: &Steps,
    progress: &Progress,
    now: Timestamp,
) -> Option<CallKind> {
    let turned = |record: &StepRecord| {
        matches!(record, StepRecord::Failed { .. } | StepRecord::Undone { .. })
    };
    let kind = operation.kind();
    if kind.direction == Direction::Back || steps.records.values().any(turned) {
        return Some(CallKind::Other);
    }
    let begun =
        |(step, record): (&StepId, &StepRecord)| (*record == StepRecord::Started).then_some(*step);
    let step = steps.records.iter().find_map(begun)?;
    let since = progress.running_since(kind.phase_of(step));
    operation.call_under_way(step, since.map_or(u64::MAX, |since| elapsed_ms(since, now) / 1000))
}
