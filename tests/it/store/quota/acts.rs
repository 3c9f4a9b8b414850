//! Short helpers that change operations.

use ai_stack_deployer::server::store::{
    CancelRequest, CleanupRecord, Desired, End, Fact, Lane, Lease, NewRemoval, RemovalOutcome,
    State, Store, Usage,
};
use domain::deployment::DeploymentId;
use domain::receipt::Receipt;
use domain::stack_name::StackName;
use jiff::Timestamp;

use crate::store::contract::LEASE;
use crate::store::contract::removals::removal;
use crate::support::claim_one::{CLEAN_UP, ClaimOne as _};

/// Inserts the removal of a live stack.
pub(super) async fn remove(
    store: &dyn Store,
    number: u128,
    name: &str,
    started: Timestamp,
) -> DeploymentId {
    let removal = NewRemoval { started, ..removal(number, None) };
    let name = StackName::parse(name).unwrap();
    let begun = store.begin_removal(&name, &removal).await.unwrap();
    assert_eq!(begun, RemovalOutcome::Accepted(removal.id.clone()));
    removal.id
}

/// Ends an operation in progress.
pub(super) async fn finish(store: &dyn Store, id: &DeploymentId, state: State, time: Timestamp) {
    let due = (state == State::Stuck).then_some(time);
    let end = End { state, leaves: None, at: time, cancel_request: CancelRequest::None, due };
    record(store, id, end).await;
}

/// Ends an operation in progress that leaves its stack like that.
pub(super) async fn finish_leaving(
    store: &dyn Store,
    id: &DeploymentId,
    leaves: Option<Desired>,
    time: Timestamp,
) {
    let (state, cancel_request, due) = (State::RolledBack, CancelRequest::None, None);
    record(store, id, End { state, leaves, at: time, cancel_request, due }).await;
}

async fn record(store: &dyn Store, id: &DeploymentId, end: End) {
    let (lease, others) = claim(store, Lane::Forward, id, end.at).await;
    store.record(&lease, &Fact { end: Some(end), ..Fact::default() }).await.unwrap();
    release(store, lease, others).await;
}

/// Records a clean-up of a stuck operation that left nothing.
pub(super) async fn record_cleanup(store: &dyn Store, id: &DeploymentId, time: Timestamp) {
    let (lease, others) = claim(store, CLEAN_UP, id, time).await;
    let cleanup =
        CleanupRecord { receipt: Receipt::of(Vec::new()), at: time, due: time, leaves: None };
    store.record_cleanup(&lease, &cleanup).await.unwrap();
    release(store, lease, others).await;
}

async fn claim(
    store: &dyn Store,
    lane: Lane,
    id: &DeploymentId,
    time: Timestamp,
) -> (Lease, Vec<Lease>) {
    let mut others = Vec::new();
    loop {
        let lease = store.claim_one(lane, "a", time, LEASE).await.unwrap().unwrap();
        if lease.id == *id {
            return (lease, others);
        }
        others.push(lease);
    }
}

async fn release(store: &dyn Store, lease: Lease, others: Vec<Lease>) {
    for lease in others.into_iter().chain([lease]) {
        store.release(&lease).await.unwrap();
    }
}

/// Returns the usage of `counted_as`.
pub(super) async fn usage(store: &dyn Store, counted_as: &str, hour_ago: Timestamp) -> Usage {
    store.usages(&[counted_as], hour_ago).await.unwrap().remove(0)
}
