//! The end of a stack's time: the stack that gets one, those whose time is over, and which of an
//! operation at that time and a person who keeps the stack comes first.

use ai_stack_deployer::server::store::{
    CancelRequest, Desired, End, ExpiredStack, Fact, Lane, NewOperation, NewRemoval,
    OperationOutcome, RemovalOutcome, StackOperation, StackTurn, State, Store, Turn,
};
use domain::deployment::DeploymentId;
use domain::event::{EventBody, ProgressUpdate};
use domain::kind::STOP;
use domain::stack_event::{Reason, StackEventBody, StackHistory};
use domain::stack_id::StackId;
use domain::stack_name::StackName;
use jiff::Timestamp;

use super::contract::removals::{live, removal};
use super::contract::{at, claim, end, new};
use crate::support::claim_one::CLEAN_UP;

/// The number of stacks that are kept and stopped at the same time.
const RACES: u128 = 20;

on_every_store!(
    a_stack_expires_once_its_time_is_over_in_memory,
    a_stack_expires_once_its_time_is_over_in_sqlite,
    a_stack_expires_once_its_time_is_over_in_postgres: a_stack_expires
);

on_every_store!(
    what_begins_at_the_end_of_a_stack_needs_that_end_in_memory,
    what_begins_at_the_end_of_a_stack_needs_that_end_in_sqlite,
    what_begins_at_the_end_of_a_stack_needs_that_end_in_postgres: the_end_is_decided_at_the_begin
);

on_every_store!(
    keeping_a_stack_or_its_end_comes_first_in_memory,
    keeping_a_stack_or_its_end_comes_first_in_sqlite,
    keeping_a_stack_or_its_end_comes_first_in_postgres: one_of_both_comes_first
);

fn called(name: &str) -> StackName {
    StackName::parse(name).unwrap()
}

fn stop(number: u128, expired: Option<Timestamp>) -> NewOperation {
    NewOperation {
        id: STOP.operation_id(number),
        kind: &STOP,
        started: at(200),
        first: EventBody::Progress(ProgressUpdate::first(&STOP, at(200))),
        of: None,
        expired,
        limit: None,
        revision: None,
        audit_entry: None,
        claim: None,
    }
}

/// Gives the stack that `made` created another time.
async fn expire(store: &dyn Store, made: &DeploymentId, time: Option<Timestamp>) -> bool {
    let stack = StackId::of(made);
    let seen = store.stack_events(stack, 0, 100).await.unwrap().last().unwrap().seq;
    let turn = Turn::Expires(time);
    let turn = StackTurn { stack, seen, at: at(80), turn, audit_entry: None };
    store.record_turn(&turn).await.unwrap()
}

async fn finish_stop(store: &dyn Store, id: &DeploymentId) {
    let lease = claim(store, CLEAN_UP, id).await;
    let (state, cancel_request) = (State::RolledBack, CancelRequest::None);
    let leaves = Some(Desired::Stopped);
    let end = Some(End { state, leaves, at: at(210), cancel_request, due: None });
    store.record(&lease, &Fact { end, ..Fact::default() }).await.unwrap();
}

async fn a_stack_expires(store: &dyn Store) {
    let (made, name) = (DeploymentId::from_random(1), called("alice"));
    store.begin(&new(1, "alice"), None).await.unwrap();
    let lease = claim(store, Lane::Forward, &made).await;
    let fact = Fact { expires: Some(at(90)), ..end(State::Live) };
    store.record(&lease, &fact).await.unwrap();
    let found = store.stacks(Some(&name)).await.unwrap().remove(0);
    assert_eq!((found.expires, found.last_event), (Some(at(90)), 4));
    let events = store.stack_events(StackId::of(&made), 0, 10).await.unwrap();
    let last = StackEventBody::ExpiryChanged { expires_at: Some(at(90)) };
    assert_eq!(events.last().unwrap().body, last);
    assert_eq!(StackHistory::of(events).expires, Some(at(90)));

    // One that does not expire, and one that does so later.
    live(store, 2, "bobby").await;
    let later = live(store, 3, "carol").await;
    assert!(expire(store, &later, Some(at(300))).await);
    let expired = async |now| store.expired_stacks(now).await.unwrap();
    assert_eq!(expired(at(89)).await, []);
    let alice = ExpiredStack {
        name: name.clone(),
        deployment: made.clone(),
        expires: at(90),
        last: at(50),
        desired: Desired::Running,
        operation: None,
    };
    assert_eq!(expired(at(90)).await, vec![alice.clone()]);
    assert!(expire(store, &later, Some(at(85))).await);
    let names: Vec<_> = expired(at(90)).await.into_iter().map(|stack| stack.name).collect();
    assert_eq!(names, [called("carol"), name.clone()], "the first one first");
    assert!(expire(store, &later, None).await);

    let begun = stop(4, Some(at(90)));
    store.begin_operation(&name, &begun).await.unwrap();
    let held = StackOperation { id: begun.id.clone(), kind: STOP.name, state: State::Active };
    let stopping = ExpiredStack { last: at(200), operation: Some(held), ..alice.clone() };
    assert_eq!(expired(at(90)).await, [stopping]);
    finish_stop(store, &begun.id).await;
    let stopped = ExpiredStack { last: at(210), desired: Desired::Stopped, ..alice };
    assert_eq!(expired(at(90)).await, [stopped]);
    let remove = NewRemoval { expired: Some(at(90)), started: at(300), ..removal(5, None) };
    store.begin_removal(&name, &remove).await.unwrap();
    let lease = claim(store, CLEAN_UP, &remove.id).await;
    store.record(&lease, &end(State::RolledBack)).await.unwrap();
    assert_eq!(expired(at(900)).await, [], "it is gone");
}

async fn the_end_is_decided_at_the_begin(store: &dyn Store) {
    let name = called("alice");
    let made = live(store, 11, "alice").await;
    let begin = async |new: NewOperation| store.begin_operation(&name, &new).await.unwrap();
    let remove = async |expired| {
        let new = NewRemoval { expired: Some(expired), started: at(300), ..removal(12, None) };
        store.begin_removal(&name, &new).await.unwrap()
    };
    let (soon, kept) = (Some(at(90)), Some(at(900)));
    assert_eq!(begin(stop(13, soon)).await, OperationOutcome::DifferentStack, "it has no end");
    assert!(expire(store, &made, soon).await);
    assert!(expire(store, &made, kept).await);
    assert_eq!(begin(stop(13, soon)).await, OperationOutcome::DifferentStack, "it is kept");
    assert_eq!(remove(at(90)).await, RemovalOutcome::DifferentStack);
    let events = store.stack_events(StackId::of(&made), 0, 100).await.unwrap();
    assert_eq!(events.len(), 5, "nothing began: {events:?}");

    // Of two portals, one begins it. Nobody joins what a person began.
    let first = stop(13, kept);
    assert_eq!(begin(first.clone()).await, OperationOutcome::Accepted(first.id.clone()));
    assert_eq!(begin(stop(14, kept)).await, OperationOutcome::UnderWay(first.id.clone()));
    assert_eq!(remove(at(900)).await, RemovalOutcome::UnderWay(first.id.clone()));
    finish_stop(store, &first.id).await;
    assert_eq!(begin(stop(15, kept)).await, OperationOutcome::Unchanged);

    let removing = RemovalOutcome::Accepted(removal(12, None).id);
    assert_eq!(remove(at(900)).await, removing);
    let again = NewRemoval { expired: kept, ..removal(16, None) };
    let again = store.begin_removal(&name, &again).await.unwrap();
    assert_eq!(again, RemovalOutcome::UnderWay(removal(12, None).id));
    let events = store.stack_events(StackId::of(&made), 5, 100).await.unwrap();
    let reasons = events.iter().filter_map(|event| {
        let StackEventBody::OperationBegun { reason, .. } = &event.body else { return None };
        Some(*reason)
    });
    assert_eq!(reasons.collect::<Vec<_>>(), [Some(Reason::Expired); 2]);
}

/// Either the portal begins to stop the stack, and the person who keeps it learns that something has
/// happened, or the person was first, and nothing is stopped.
async fn one_of_both_comes_first(store: &dyn Store) {
    for number in 0..RACES {
        let name = called(&format!("race-{number}"));
        let made = live(store, 100 + 10 * number, name.as_str()).await;
        assert!(expire(store, &made, Some(at(90))).await);
        let new = stop(101 + 10 * number, Some(at(90)));
        let (begun, is_kept) =
            tokio::join!(store.begin_operation(&name, &new), expire(store, &made, Some(at(900))));
        let found = store.stacks(Some(&name)).await.unwrap().remove(0);
        let is_stopping = begun.unwrap() == OperationOutcome::Accepted(new.id);
        assert_eq!(is_stopping, found.operation.is_some());
        assert_eq!(is_kept, found.expires == Some(at(900)));
        // A person who saw the stop may keep the stack all the same.
        let events = store.stack_events(StackId::of(&made), 4, 100).await.unwrap();
        let is_first = matches!(events[0].body, StackEventBody::ExpiryChanged { .. });
        assert!(!(is_first && is_stopping), "{number}: it was kept before: {events:?}");
        assert!(is_kept || is_stopping, "{number}: {events:?}");
    }
}
