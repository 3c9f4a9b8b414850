//! The part of the contract about leases that operations begin with, and about heartbeats.

use ai_stack_deployer::server::store::{
    CancelRequest, Claim, Lane, Lease, NewDeployment, State, StepId, StepRecord, Store,
};
use domain::{deployment::DeploymentId, kind::KindName, phase::Phase};

use super::{LEASE, at, claim, new, progress, step};
use crate::support::claim_one::KINDS;

/// Holds the store to it.
pub(super) async fn hold(store: &dyn Store) {
    what_begins_with_a_lease_is_nobody_else_s(store).await;
    of_several_leases_those_that_are_held_are_renewed(store).await;
    a_kind_that_only_another_version_knows_reads_back_and_is_left_to_it(store).await;
}

async fn a_kind_that_only_another_version_knows_reads_back_and_is_left_to_it(store: &dyn Store) {
    let kind = KindName::new("unheard-of");
    let mut begun = new(990, "yannick");
    begun.deployment.kind = kind;
    store.begin(&begun, None).await.unwrap();
    let id = DeploymentId::from_random(990);
    assert_eq!(store.find(&id).await.unwrap().unwrap().deployment.kind, kind);
    let claim_of = async |kinds: &[KindName]| {
        let leases = store.claim(Lane::Forward, kinds, usize::MAX, "u", at(2_000), LEASE).await;
        let leases = leases.unwrap();
        for lease in &leases {
            store.release(lease).await.unwrap();
        }
        leases.iter().any(|lease| lease.id == id)
    };
    assert!(!claim_of(&KINDS).await && !claim_of(&[]).await);
    assert!(claim_of(&[KindName::DEPLOY, kind]).await);
    let leases = store.claim(Lane::Forward, &[kind], 1, "u", at(2_000), LEASE).await.unwrap();
    store.record(&leases[0], &super::end(State::RolledBack)).await.unwrap();
}

async fn what_begins_with_a_lease_is_nobody_else_s(store: &dyn Store) {
    let id = DeploymentId::from_random(970);
    let own = Claim { owner: String::from("acceptor"), token: 1, until: at(1_000) };
    let begun = NewDeployment { claim: Some(own), ..new(970, "victor") };
    store.begin(&begun, None).await.unwrap();
    let claim_at = async |now| {
        let leases =
            store.claim(Lane::Forward, &KINDS, usize::MAX, "v", at(now), LEASE).await.unwrap();
        for lease in leases.iter().filter(|lease| lease.id != id) {
            store.release(lease).await.unwrap();
        }
        leases.into_iter().find(|lease| lease.id == id)
    };
    assert_eq!(claim_at(999).await, None);
    let lease = Lease { id: id.clone(), owner: String::from("acceptor"), token: 1 };
    let event = vec![progress(Phase::CREATING_PROJECT)];
    let fact = step(StepId::PROJECT, StepRecord::Started, event);
    store.record(&lease, &fact).await.unwrap();
    let later = claim_at(1_000).await.expect("it has lapsed");
    assert!(later.token > lease.token);
    store.record(&lease, &fact).await.unwrap_err();
    store.record(&later, &super::end(State::RolledBack)).await.unwrap();
}

async fn of_several_leases_those_that_are_held_are_renewed(store: &dyn Store) {
    let mut leases = Vec::new();
    for (number, name) in [(981, "wanda"), (982, "xaver"), (983, "yusuf"), (984, "zelda")] {
        store.begin(&new(number, name), None).await.unwrap();
        leases.push(claim(store, Lane::Forward, &DeploymentId::from_random(number)).await);
    }
    store.release(&leases[1]).await.unwrap();
    store.suspend(&leases[2], at(50)).await.unwrap();
    store.cancel(&leases[3].id, at(50), None).await.unwrap();
    let mut renewed = store.renew_all(&leases, at(5_000)).await.unwrap();
    renewed.sort_by(|one, other| one.0.as_str().cmp(other.0.as_str()));
    let held = [
        (leases[0].id.clone(), CancelRequest::None),
        (leases[3].id.clone(), CancelRequest::Requested),
    ];
    assert_eq!(renewed, held);
    assert_eq!(store.renew_all(&[], at(5_000)).await.unwrap(), []);
    let free = store.claim(Lane::Forward, &KINDS, usize::MAX, "w", at(4_999), LEASE).await.unwrap();
    let is_free = |lease: &Lease| free.iter().any(|one| one.id == lease.id);
    assert_eq!(leases.iter().map(is_free).collect::<Vec<_>>(), [false, true, true, false]);
    for lease in free.iter().chain(&leases) {
        store.release(lease).await.unwrap();
    }
}
