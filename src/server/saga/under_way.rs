//! The calls of an earlier process of this portal that may still run on the platform.

use std::time::Duration;

use jiff::Timestamp;

use super::late_commit;
use crate::server::{
    platform::call_slots::{CallBounds, CallKind},
    store::{OperationFilter, State, StepId, StepRecord, Steps, Store, StoreError},
};
use domain::{kind::KindName, phase::Phase, progress::elapsed_ms};

/// The number of operations that are looked at.
const MAX_OPERATIONS: u32 = 1_000;
/// The time for which the step that only enqueues a job and then watches it counts as a call.
const ENQUEUING: Duration = Duration::from_secs(15);

/// Reads out of the journals which calls that change something an earlier process may have been
/// stopped in the middle of, and until when they may have an effect. Of the others one slot less
/// is counted than there are: most of them had not begun yet.
///
/// # Errors
///
/// Returns an error when the database cannot be read.
pub async fn calls_under_way(
    store: &dyn Store,
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
        let id = &record.deployment.id;
        let steps = store.journal(id).await?;
        let progress = store.progress(id).await?;
        let enqueuing = progress.running_since(Phase::DEPLOYING);
        let enqueuing = enqueuing
            .is_some_and(|since| Duration::from_millis(elapsed_ms(since, now)) < ENQUEUING);
        calls.extend(call(&steps, record.deployment.kind, enqueuing));
    }
    let (domains, _) = bounds.of(CallKind::Domain);
    let (_, others) = bounds.of(CallKind::Other);
    let mut left = [(CallKind::Domain, domains), (CallKind::Other, others.saturating_sub(1))];
    calls.retain(|kind| {
        let left = left.iter_mut().find(|(one, left)| one == kind && *left > 0);
        left.map(|(_, left)| *left -= 1).is_some()
    });
    Ok((calls, late_commit::until(now)))
}

/// Returns the call that an operation may have been in the middle of.
fn call(steps: &Steps, kind: KindName, enqueuing: bool) -> Option<CallKind> {
    let turned = |record: &StepRecord| {
        matches!(record, StepRecord::Failed { .. } | StepRecord::Undone { .. })
    };
    if kind == KindName::REMOVE || steps.records.values().any(turned) {
        return Some(CallKind::Other);
    }
    let begun =
        |(step, record): (&StepId, &StepRecord)| (*record == StepRecord::Started).then_some(*step);
    match steps.records.iter().find_map(begun)? {
        StepId::DOMAIN => Some(CallKind::Domain),
        StepId::DEPLOY => enqueuing.then_some(CallKind::Other),
        StepId::ADDRESS | StepId::ENVIRONMENT | StepId::HEALTH => None,
        _ => Some(CallKind::Other),
    }
}
