//! The part of the contract about leases that operations begin with, and about heartbeats.

use ai_stack_deployer::server::store::{
    CancelRequest, Claim, Lane, Lease, NewDeployment, State, StepId, StepRecord, Store,
};
use domain::deployment::DeploymentId;
use domain::kind::KindName;
use domain::phase::Phase;

use super::{LEASE, at, claim, new, progress, step};
use crate::support::claim_one::KINDS;

/// Runs this part against `store`.
pub(super) async fn hold(store: &dyn Store) {
    an_operation_that_begins_with_a_lease_is_not_claimed_by_others(store).await;
    of_several_leases_those_that_are_held_are_renewed(store).await;
    a_lease_names_the_holder_before_if_it_did_not_release_its_own(store).await;
    a_kind_that_only_another_version_knows_reads_back_and_is_left_to_it(store).await;
}

pub(super) async fn the_oldest_waiting_operations_are_claimed_and_no_more_than_wanted(
    store: &dyn Store,
) {
    let now = at(1_000);
    store.claim(Lane::Forward, &KINDS, usize::MAX, "a", now, LEASE).await.unwrap();
    for number in [804, 802, 805, 801, 803] {
        store.begin(&new(number, &format!("queue-{number}")), None).await.unwrap();
    }
    for (max, expected) in [(2, &[801, 802][..]), (0, &[]), (2, &[803, 804]), (2, &[805]), (2, &[])]
    {
        let leases = store.claim(Lane::Forward, &KINDS, max, "b", now, LEASE).await.unwrap();
        let mut claimed: Vec<_> = leases.into_iter().map(|lease| lease.id).collect();
        let mut expected: Vec<_> =
            expected.iter().copied().map(DeploymentId::from_random).collect();
        claimed.sort();
        expected.sort();
        assert_eq!(claimed, expected);
    }
    let counts = store.counts(now).await.unwrap();
    assert!(counts.leased >= 5, "{counts:?}");
    let later = store.counts(now + LEASE).await.unwrap();
    assert_eq!((later.leased, later.waiting), (0, counts.waiting + counts.leased), "{later:?}");
    assert_eq!(later.stuck, store.stuck().await.unwrap().len() as u64);
}

/// Waits for the leases of the operations that `the_oldest_waiting_…` claimed.
pub(super) async fn overdue_deployments_are_claimed_for_clean_up(store: &dyn Store) {
    let now = at(1_000) + LEASE;
    let claim = async |overdue| {
        let lane = Lane::CleanUp { overdue: at(overdue) };
        let leases = store.claim(lane, &KINDS, usize::MAX, "c", now, LEASE).await.unwrap();
        leases.into_iter().map(|lease| lease.id).collect::<Vec<_>>()
    };
    let waits = |id: &DeploymentId| (801..=805).any(|n| *id == DeploymentId::from_random(n));
    assert!(!claim(800).await.iter().any(waits), "none of them is overdue");
    let mut overdue = claim(803).await;
    overdue.sort();
    let mut expected = [801, 802, 803].map(DeploymentId::from_random);
    expected.sort();
    assert_eq!(overdue, expected);
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

async fn an_operation_that_begins_with_a_lease_is_not_claimed_by_others(store: &dyn Store) {
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
    let lease = Lease { id: id.clone(), owner: String::from("acceptor"), token: 1, former: None };
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

async fn a_lease_names_the_holder_before_if_it_did_not_release_its_own(store: &dyn Store) {
    let id = DeploymentId::from_random(985);
    store.begin(&new(985, "anton"), None).await.unwrap();
    let claim_at = async |owner, now| {
        let leases =
            store.claim(Lane::Forward, &KINDS, usize::MAX, owner, at(now), LEASE).await.unwrap();
        for lease in leases.iter().filter(|lease| lease.id != id) {
            store.release(lease).await.unwrap();
        }
        leases.into_iter().find(|lease| lease.id == id).expect("it is free")
    };
    let first = claim_at("one", 1_000).await;
    let second = claim_at("two", 2_000).await;
    store.release(&first).await.unwrap_or_default();
    let third = claim_at("three", 3_000).await;
    store.release(&third).await.unwrap();
    let fourth = claim_at("four", 3_001).await;
    store.suspend(&fourth, at(3_100)).await.unwrap();
    let fifth = claim_at("five", 4_000).await;
    let former = [&first, &second, &third, &fourth, &fifth].map(|lease| lease.former.as_deref());
    assert_eq!(former, [None, Some("one"), Some("two"), None, None]);
    assert_eq!((second.token, third.token), (first.token + 1, first.token + 2));
    store.record(&fifth, &super::end(State::RolledBack)).await.unwrap();
}
