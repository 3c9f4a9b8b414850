//! The part of the contract about removals of live stacks.

use std::time::Duration;

use ai_stack_deployer::server::store::{
    CleanupRecord, Disposal, Lane, NewRemoval, RemovalOutcome, State, Store,
};
use domain::deployment::DeploymentId;
use domain::kind::REMOVE;
use domain::receipt::Receipt;
use domain::stack_name::StackName;

use super::{at, finish, new};
use crate::support::claim_one::CLEAN_UP;
use crate::support::settings::new_removal;

/// Runs this part against `store`.
pub(super) async fn hold(store: &dyn Store) {
    a_removal_frees_the_name_once_nothing_is_left(store).await;
    a_removal_removes_the_meant_stack_or_nothing(store).await;
    durations_include_stacks_that_are_removed_by_now(store).await;
}

/// Returns a removal to insert.
pub(in crate::store) fn removal(number: u128, of: Option<&DeploymentId>) -> NewRemoval {
    NewRemoval { of: of.cloned(), ..new_removal(number, at(70)) }
}

/// Inserts the removal with this number of the live stack `name`.
pub(super) async fn begin(store: &dyn Store, number: u128, name: &str) -> DeploymentId {
    let (name, new) = (StackName::parse(name).unwrap(), removal(number, None));
    let begun = store.begin_removal(&name, &new).await.unwrap();
    assert_eq!(begun, RemovalOutcome::Accepted(new.id.clone()));
    new.id
}

/// Records a live stack.
pub(in crate::store) async fn live(store: &dyn Store, number: u128, name: &str) -> DeploymentId {
    store.begin(&new(number, name), None).await.unwrap();
    let id = DeploymentId::from_random(number);
    finish(store, Lane::Forward, &id, State::Live).await;
    id
}

async fn a_removal_frees_the_name_once_nothing_is_left(store: &dyn Store) {
    let name = StackName::parse("judy").unwrap();
    let keep = |number| NewRemoval { disposal: Disposal::Keep, ..removal(number, None) };
    let begin = async |number| store.begin_removal(&name, &keep(number)).await.unwrap();
    let accepted = |number| RemovalOutcome::Accepted(REMOVE.operation_id(number));
    assert_eq!(begin(71).await, RemovalOutcome::NotLive, "nothing of that name");
    store.begin(&new(70, "judy"), None).await.unwrap();
    assert_eq!(begin(71).await, RemovalOutcome::NotLive, "not live yet");
    finish(store, Lane::Forward, &DeploymentId::from_random(70), State::Live).await;
    let stacks = store.stacks(Some(&name)).await.unwrap();
    assert_eq!((stacks.len(), stacks[0].since, &stacks[0].removal), (1, at(50), &None));
    assert!(store.stacks(None).await.unwrap().len() > 1);

    assert_eq!(begin(71).await, accepted(71));
    assert_eq!(begin(72).await, accepted(71), "one removal at a time");
    let id = removal(71, None).id;
    assert_eq!(store.find(&id).await.unwrap().unwrap().deployment.kind, REMOVE.name);
    let record = store.find(&id).await.unwrap().unwrap();
    assert_eq!(record.metadata.links.removes, Some(DeploymentId::from_random(70)));
    assert_eq!((record.host.as_str(), record.seq), ("judy.example.com", 1));
    assert_eq!(record.disposal, Disposal::Keep);
    let made = store.find(&DeploymentId::from_random(70)).await.unwrap().unwrap();
    assert_eq!(made.disposal, Disposal::Delete, "it is no removal");
    assert_eq!(store.events(&id, 0, 10).await.unwrap().len(), 1);

    let lease = finish(store, CLEAN_UP, &id, State::Stuck).await;
    let stacks = store.stacks(Some(&name)).await.unwrap();
    assert_eq!(stacks[0].removal, Some((id.clone(), State::Stuck)));
    assert!(store.begin(&new(73, "judy"), None).await.is_err(), "stuck keeps the name");
    assert_eq!(begin(74).await, accepted(71));
    assert_eq!(store.find(&id).await.unwrap().unwrap().clean_up.due, Some(at(70)));
    let receipt = Receipt::of(Vec::new());
    let gone = CleanupRecord { receipt, at: at(75), due: at(600), leaves: None };
    store.record_cleanup(&lease, &gone).await.unwrap();
    assert!(store.stacks(Some(&name)).await.unwrap().is_empty());
    let removed = store.find(&DeploymentId::from_random(70)).await.unwrap().unwrap();
    assert_eq!((removed.state, removed.metadata.completed), (State::RolledBack, Some(at(50))));

    live(store, 76, "judy").await;
    assert_eq!(begin(77).await, accepted(77), "the next stack has a removal of its own");
    finish(store, CLEAN_UP, &removal(77, None).id, State::RolledBack).await;
    assert!(store.stacks(Some(&name)).await.unwrap().is_empty());
    assert_eq!(store.purge(at(51)).await.unwrap(), 4, "the stack, its removal and two before");
}

/// The page of a stack may be older than the stack that has its name.
async fn a_removal_removes_the_meant_stack_or_nothing(store: &dyn Store) {
    let name = StackName::parse("mallory").unwrap();
    let begin = async |number, of: &DeploymentId| {
        store.begin_removal(&name, &removal(number, Some(of))).await.unwrap()
    };
    let due = async |id: &DeploymentId| store.find(id).await.unwrap().unwrap().clean_up.due;
    let (stranger, first) = (DeploymentId::from_random(89), live(store, 90, "mallory").await);
    assert_eq!(begin(91, &stranger).await, RemovalOutcome::DifferentStack);
    assert_eq!(store.find(&removal(91, None).id).await.unwrap(), None, "nothing has begun");

    let id = removal(92, None).id;
    assert_eq!(begin(92, &first).await, RemovalOutcome::Accepted(id.clone()));
    let lease = finish(store, CLEAN_UP, &id, State::Stuck).await;
    assert_eq!(begin(93, &stranger).await, RemovalOutcome::DifferentStack);
    assert_eq!(due(&id).await, Some(at(60)), "no clean-up became due");
    assert_eq!(begin(93, &first).await, RemovalOutcome::Accepted(id.clone()));
    assert_eq!(begin(93, &id).await, RemovalOutcome::Accepted(id.clone()));
    assert_eq!(due(&id).await, Some(at(70)));
    let gone =
        CleanupRecord { receipt: Receipt::of(Vec::new()), at: at(75), due: at(600), leaves: None };
    store.record_cleanup(&lease, &gone).await.unwrap();
    assert_eq!(begin(93, &id).await, RemovalOutcome::NotLive);

    let second = live(store, 94, "mallory").await;
    for stale in [&first, &id] {
        assert_eq!(begin(95, stale).await, RemovalOutcome::DifferentStack);
    }
    assert_eq!(store.stacks(Some(&name)).await.unwrap()[0].removal, None);
    let id = removal(96, None).id;
    assert_eq!(begin(96, &second).await, RemovalOutcome::Accepted(id.clone()));
    finish(store, CLEAN_UP, &id, State::RolledBack).await;
}

async fn durations_include_stacks_that_are_removed_by_now(store: &dyn Store) {
    // They end at 50 s, so they take 6, 7 and 8 seconds.
    live(store, 44, "nina").await;
    let name = StackName::parse("nina").unwrap();
    let removing = store.begin_removal(&name, &removal(97, None)).await.unwrap();
    assert_eq!(removing, RemovalOutcome::Accepted(removal(97, None).id));
    let measured = async || -> Vec<Duration> {
        let measured = store.durations(100).await.unwrap();
        assert!(measured.iter().all(|one| one.template == "default"), "{measured:?}");
        measured.into_iter().map(|one| one.took).collect()
    };
    let [came_up, failed, stuck] = [6, 7, 8].map(Duration::from_secs);
    assert!(measured().await.contains(&came_up), "while it is being removed");
    finish(store, CLEAN_UP, &removal(97, None).id, State::RolledBack).await;

    store.begin(&new(43, "oscar"), None).await.unwrap();
    finish(store, Lane::Forward, &DeploymentId::from_random(43), State::RolledBack).await;
    store.begin(&new(42, "peggy"), None).await.unwrap();
    let lease = finish(store, Lane::Forward, &DeploymentId::from_random(42), State::Stuck).await;
    let gone =
        CleanupRecord { receipt: Receipt::of(Vec::new()), at: at(75), due: at(600), leaves: None };
    store.record_cleanup(&lease, &gone).await.unwrap();

    let durations = measured().await;
    assert!(durations.contains(&came_up), "and afterwards: {durations:?}");
    assert!(!durations.contains(&failed) && !durations.contains(&stuck), "{durations:?}");
    assert!(durations.contains(&Duration::from_secs(10)), "frank still is: {durations:?}");
    assert_eq!(store.durations(2).await.unwrap().len(), 2);
}
