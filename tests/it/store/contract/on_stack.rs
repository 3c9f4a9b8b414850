//! The part of the contract about operations on a stack that is there and that they leave there.

use ai_stack_deployer::server::store::{
    CancelRequest, CleanupRecord, Desired, End, Fact, Lane, Lease, NewOperation, OperationOutcome,
    RemovalOutcome, StackOperation, State, Store, StoreError,
};
use domain::deployment::DeploymentId;
use domain::event::{EventBody, ProgressUpdate};
use domain::kind::{Kind, RESTART, START, STOP};
use domain::receipt::Receipt;
use domain::stack_name::StackName;

use super::removals::{live, removal};
use super::{LEASE, at, claim, finish};
use crate::support::claim_one::CLEAN_UP;

/// Runs this part against `store`.
pub(super) async fn hold(store: &dyn Store) {
    a_stack_is_what_the_last_operation_made_of_it(store).await;
    one_operation_is_under_way_at_a_time(store).await;
    what_is_stuck_makes_way_for_the_next(store).await;
    every_stack_that_is_not_gone_is_listed(store).await;
}

async fn every_stack_that_is_not_gone_is_listed(store: &dyn Store) {
    let listed = async |name: &str| {
        let all = store.present_stacks(None).await.unwrap();
        all.into_iter().find(|present| present.stack.deployment.name.as_str() == name)
    };
    assert_eq!(listed("quentin").await, None);
    let made = live(store, 2_050, "quentin").await;
    let name = called("quentin");
    let present = listed("quentin").await.unwrap();
    let same = store.stacks(Some(&name)).await.unwrap().remove(0);
    assert_eq!((present.stack, present.is_live), (same, true));

    let stop = operation(&STOP, 2_051, Some(&made));
    store.begin_operation(&name, &stop).await.unwrap();
    let told = store.last_told(&[&stop.id, &made]).await.unwrap();
    let first = told.iter().find(|(id, _)| *id == stop.id).map(|(_, event)| event.seq);
    assert_eq!(first, Some(1));
    end(store, &stop.id, State::RolledBack, Some(Desired::Stopped)).await;
    let present = listed("quentin").await.unwrap();
    assert_eq!((present.stack.desired, present.is_live), (Desired::Stopped, true));

    let nobody = domain::owner::OwnerId::person("nobody");
    assert!(store.present_stacks(Some(&nobody)).await.unwrap().is_empty());
    let remove = removal(2_052, None);
    store.begin_removal(&name, &remove).await.unwrap();
    assert!(listed("quentin").await.unwrap().stack.removal.is_some());
    finish(store, CLEAN_UP, &remove.id, State::RolledBack).await;
    assert_eq!(listed("quentin").await, None);
}

pub(super) fn operation(
    kind: &'static Kind,
    number: u128,
    of: Option<&DeploymentId>,
) -> NewOperation {
    NewOperation {
        id: kind.operation_id(number),
        kind,
        started: at(60),
        first: EventBody::Progress(ProgressUpdate::first(kind, at(60))),
        of: of.cloned(),
        expired: None,
        limit: None,
        revision: None,
        audit_entry: None,
        claim: None,
    }
}

fn called(name: &str) -> StackName {
    StackName::parse(name).unwrap()
}

/// Ends the operation `id`, which leaves the stack like that.
async fn end(store: &dyn Store, id: &DeploymentId, state: State, leaves: Option<Desired>) -> Lease {
    let lease = claim(store, CLEAN_UP, id).await;
    end_by(store, &lease, state, leaves).await;
    lease
}

/// Ends the operation of `lease`, which leaves the stack like that.
pub(super) async fn end_by(
    store: &dyn Store,
    lease: &Lease,
    state: State,
    leaves: Option<Desired>,
) {
    let cancel_request = CancelRequest::None;
    let due = (state == State::Stuck).then(|| at(62));
    let end = Some(End { state, leaves, at: at(62), cancel_request, due });
    store.record(lease, &Fact { end, ..Fact::default() }).await.unwrap();
}

/// Ends the operation as stuck, with nobody who cleans up after it.
async fn get_stuck(store: &dyn Store, lease: &Lease) {
    let (cancel_request, due) = (CancelRequest::None, Some(at(62)));
    let end = Some(End { state: State::Stuck, leaves: None, at: at(62), cancel_request, due });
    store.record(lease, &Fact { end, ..Fact::default() }).await.unwrap();
    store.release(lease).await.unwrap();
}

async fn desired(store: &dyn Store, name: &str) -> Desired {
    store.stacks(Some(&called(name))).await.unwrap()[0].desired
}

async fn a_stack_is_what_the_last_operation_made_of_it(store: &dyn Store) {
    let (name, other) = (called("olga"), DeploymentId::from_random(2_099));
    let begin = async |new: NewOperation| store.begin_operation(&name, &new).await.unwrap();
    let stop = |number| operation(&STOP, number, None);
    let start = |number| operation(&START, number, None);
    assert_eq!(begin(stop(2_001)).await, OperationOutcome::NotLive);
    let made = live(store, 2_000, "olga").await;
    assert_eq!(
        begin(operation(&STOP, 2_001, Some(&other))).await,
        OperationOutcome::DifferentStack
    );
    assert_eq!(begin(start(2_001)).await, OperationOutcome::Unchanged, "it runs");

    let first = stop(2_001).id;
    assert_eq!(
        begin(operation(&STOP, 2_001, Some(&made))).await,
        OperationOutcome::Accepted(first.clone())
    );
    let record = store.find(&first).await.unwrap().unwrap();
    assert_eq!((record.deployment.kind, record.seq), (STOP.name, 1));
    assert_eq!((record.host.as_str(), record.revision.number), ("olga.example.com", 1));
    assert_eq!(record.metadata.links.removes, None);
    assert_eq!(desired(store, "olga").await, Desired::Running, "not before its end");
    end(store, &first, State::RolledBack, Some(Desired::Stopped)).await;

    let stacks = store.stacks(Some(&name)).await.unwrap();
    assert_eq!(stacks.len(), 1, "it is not gone");
    assert_eq!((stacks[0].desired, &stacks[0].operation), (Desired::Stopped, &None));
    assert!(store.reserved(std::slice::from_ref(&name)).await.unwrap().contains(&name));
    assert_eq!(begin(stop(2_002)).await, OperationOutcome::Unchanged);
    let restart = operation(&RESTART, 2_002, None);
    assert_eq!(begin(restart).await, OperationOutcome::WrongState(Desired::Stopped));

    let second = start(2_003).id;
    assert_eq!(begin(start(2_003)).await, OperationOutcome::Accepted(second.clone()));
    end(store, &second, State::RolledBack, Some(Desired::Running)).await;
    assert_eq!(desired(store, "olga").await, Desired::Running);

    let remove = removal(2_004, None);
    let removing = store.begin_removal(&name, &remove).await.unwrap();
    assert_eq!(removing, RemovalOutcome::Accepted(remove.id.clone()));
    finish(store, CLEAN_UP, &remove.id, State::RolledBack).await;
    assert!(store.stacks(Some(&name)).await.unwrap().is_empty());
}

async fn one_operation_is_under_way_at_a_time(store: &dyn Store) {
    let name = called("pavel");
    live(store, 2_010, "pavel").await;
    let begin = async |new: NewOperation| store.begin_operation(&name, &new).await.unwrap();
    let id = operation(&STOP, 2_011, None).id;
    assert_eq!(begin(operation(&STOP, 2_011, None)).await, OperationOutcome::Accepted(id.clone()));
    let held = store.stacks(Some(&name)).await.unwrap().remove(0).operation;
    let kind = STOP.name;
    assert_eq!(held, Some(StackOperation { id: id.clone(), kind, state: State::Active }));
    assert_eq!(
        begin(operation(&STOP, 2_012, None)).await,
        OperationOutcome::Accepted(id.clone()),
        "the same again"
    );
    for other in [&START, &RESTART] {
        let begun = begin(operation(other, 2_013, None)).await;
        assert_eq!(begun, OperationOutcome::UnderWay(id.clone()));
    }
    let removing = store.begin_removal(&name, &removal(2_014, None)).await.unwrap();
    assert_eq!(removing, RemovalOutcome::UnderWay(id.clone()));
    end(store, &id, State::RolledBack, Some(Desired::Stopped)).await;

    let remove = removal(2_015, None);
    store.begin_removal(&name, &remove).await.unwrap();
    for kind in [&STOP, &START, &RESTART] {
        let begun = begin(operation(kind, 2_016, None)).await;
        assert_eq!(begun, OperationOutcome::UnderWay(remove.id.clone()));
    }
    let lease = finish(store, CLEAN_UP, &remove.id, State::Stuck).await;
    let begun = begin(operation(&START, 2_017, None)).await;
    assert_eq!(begun, OperationOutcome::UnderWay(remove.id.clone()), "only it can finish");
    let (receipt, leaves) = (Receipt::of(Vec::new()), None);
    let gone = CleanupRecord { receipt, at: at(75), due: at(600), leaves };
    store.record_cleanup(&lease, &gone).await.unwrap();
    assert!(store.stacks(Some(&name)).await.unwrap().is_empty());
}

async fn what_is_stuck_makes_way_for_the_next(store: &dyn Store) {
    let name = called("quinn");
    live(store, 2_020, "quinn").await;
    let begin = async |new: NewOperation| store.begin_operation(&name, &new).await.unwrap();
    let stuck = operation(&STOP, 2_021, None).id;
    begin(operation(&STOP, 2_021, None)).await;
    let cleaning = end(store, &stuck, State::Stuck, None).await;
    let held = store.stacks(Some(&name)).await.unwrap().remove(0).operation.unwrap();
    assert_eq!(held.state, State::Stuck);

    // It is not known what runs, so each kind may begin.
    let start = operation(&START, 2_024, None);
    assert_eq!(begin(start.clone()).await, OperationOutcome::Later(start.id.clone()));
    assert_eq!(store.find(&stuck).await.unwrap().unwrap().state, State::RolledBack);
    // The worker that cleaned up may not know yet that it has lost its lease.
    let claim = async |now| {
        let claimed = store.claim(Lane::Forward, &[START.name], 9, "z", now, LEASE).await.unwrap();
        claimed.into_iter().find(|lease| lease.id == start.id)
    };
    assert_eq!(claim(at(129)).await, None, "a worker may still clean up");
    let lease = claim(at(130)).await.expect("its lease has expired");
    get_stuck(store, &lease).await;
    let restart = operation(&RESTART, 2_022, None);
    let begun = begin(restart.clone()).await;
    assert_eq!(begun, OperationOutcome::Accepted(restart.id.clone()));
    assert_eq!(store.find(&stuck).await.unwrap().unwrap().state, State::RolledBack);
    let cleaned = CleanupRecord {
        receipt: Receipt::of(Vec::new()),
        at: at(101),
        due: at(600),
        leaves: Some(Desired::Stopped),
    };
    let late = store.record_cleanup(&cleaning, &cleaned).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
    assert_eq!(desired(store, "quinn").await, Desired::Running);
    let lease = super::claim(store, Lane::Forward, &restart.id).await;
    get_stuck(store, &lease).await;

    let remove = removal(2_023, None);
    let removing = store.begin_removal(&name, &remove).await.unwrap();
    assert_eq!(removing, RemovalOutcome::Accepted(remove.id.clone()), "it takes over as well");
    assert_eq!(store.find(&restart.id).await.unwrap().unwrap().state, State::RolledBack);
    finish(store, Lane::Forward, &remove.id, State::RolledBack).await;
}
