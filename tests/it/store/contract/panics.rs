//! The part of the contract about operations that panic.

use ai_stack_deployer::server::store::{Lane, Lease, RemovalOutcome, State, Store, StoreError};
use domain::deployment::DeploymentId;
use domain::stack_name::StackName;

use super::{LEASE, at, claim, end, finish, new, removals};
use crate::support::claim_one::{CLEAN_UP, KINDS};

/// Runs this part against `store`.
pub(super) async fn hold(store: &dyn Store) {
    let id = DeploymentId::from_random(950);
    store.begin(&new(950, "uma"), None).await.unwrap();
    let lease = claim(store, Lane::Forward, &id).await;
    store.suspend(&lease, at(500)).await.unwrap();
    assert!(matches!(store.suspend(&lease, at(900)).await, Err(StoreError::LeaseLost)));
    assert!(matches!(store.renew(&lease, at(900)).await, Err(StoreError::LeaseLost)));
    // Releasing the lease after a panic does not let others claim the operation sooner.
    store.release(&lease).await.unwrap();
    for lane in [Lane::Forward, Lane::CleanUp { overdue: at(999) }] {
        assert_eq!(claim_at(store, &id, lane, 499).await, None, "{lane:?}");
    }
    let lease = claim_at(store, &id, Lane::Forward, 500).await.unwrap();
    let record = store.find(&id).await.unwrap().unwrap();
    assert_eq!((record.panics, record.clean_up.tries), (1, 0));

    store.record(&lease, &end(State::Stuck)).await.unwrap();
    store.suspend(&lease, at(800)).await.unwrap();
    let record = store.find(&id).await.unwrap().unwrap();
    assert_eq!((record.panics, record.clean_up.tries), (2, 1));
    assert_eq!(record.clean_up.due, Some(at(800)));
    assert_eq!(claim_at(store, &id, CLEAN_UP, 799).await, None);
    // A request of an operator makes it due at once.
    assert!(store.make_due_now(&id, None).await.unwrap());
    assert_eq!(store.find(&id).await.unwrap().unwrap().panics, 0);
    assert!(claim_at(store, &id, CLEAN_UP, 600).await.is_some());
    a_removal_asked_for_again_starts_afresh(store).await;
}

async fn a_removal_asked_for_again_starts_afresh(store: &dyn Store) {
    removals::live(store, 951, "vera").await;
    let id = removals::begin(store, 952, "vera").await;
    let lease = finish(store, CLEAN_UP, &id, State::Stuck).await;
    store.suspend(&lease, at(800)).await.unwrap();
    assert_eq!(store.find(&id).await.unwrap().unwrap().panics, 1);
    let name = StackName::parse("vera").unwrap();
    let again = store.begin_removal(&name, &removals::removal(953, None)).await.unwrap();
    assert_eq!(again, RemovalOutcome::Accepted(id.clone()));
    assert_eq!(store.find(&id).await.unwrap().unwrap().panics, 0);
    assert!(claim_at(store, &id, CLEAN_UP, 600).await.is_some());
}

/// Claims everything, and keeps only the lease of `id`.
async fn claim_at(store: &dyn Store, id: &DeploymentId, lane: Lane, now: i64) -> Option<Lease> {
    let leases = store.claim(lane, &KINDS, usize::MAX, "u", at(now), LEASE).await.unwrap();
    for lease in leases.iter().filter(|lease| lease.id != *id) {
        store.release(lease).await.unwrap();
    }
    leases.into_iter().find(|lease| lease.id == *id)
}
