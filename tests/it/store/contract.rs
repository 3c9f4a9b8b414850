//! The contract of the store: one suite for every adapter.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::platform::AppName;
use ai_stack_deployer::server::store::{
    CancelOutcome, CancelRequest, Cause, CleanupRecord, End, Fact, IdempotencyKey, Lane, Lease,
    NewDeployment, Quota, State, StepId, StepRecord, Store, StoreError, StoredResponse,
};
use domain::deployment::{Deployment, DeploymentId};
use domain::event::{EventBody, FailureCode, ProgressUpdate, Resources};
use domain::kind::DEPLOY;
use domain::message::MessageCode;
use domain::phase::Phase;
use domain::receipt::{Line, Outcome, Receipt, ResourceKind};
use domain::stack_name::StackName;
use jiff::Timestamp;

use crate::support::claim_one::{CLEAN_UP, ClaimOne as _, KINDS};
use crate::support::settings::{stack_settings, template};

mod claims;
mod kept;
mod measured;
mod on_stack;
mod panics;
mod platform_logs;
pub(super) mod removals;
pub(super) mod specs;
mod task_leases;
mod templates;
mod volumes;

/// The duration of leases in these tests.
pub(super) const LEASE: Duration = Duration::from_secs(30);

/// Returns the time that is this many seconds after the start.
pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_427_270 + second).unwrap()
}

/// Returns the event that announces a phase.
pub(super) fn progress(phase: Phase) -> EventBody {
    EventBody::Progress(ProgressUpdate::new(&DEPLOY, phase, 0, Resources::default(), at(0)))
}

/// Returns a deployment to insert.
pub(super) fn new(number: u128, name: &str) -> NewDeployment {
    let id = DeploymentId::from_random(number);
    NewDeployment {
        deployment: Deployment {
            id: id.clone(),
            kind: DEPLOY.name,
            name: StackName::parse(name).unwrap(),
            url: format!("https://{name}.example.com"),
            started: at(i64::try_from(number).unwrap()),
        },
        host: format!("{name}.example.com"),
        first: progress(Phase::INITIALIZING),
        retry_of: None,
        owner: None,
        quota: Quota::default(),
        audit_entry: None,
        claim: None,
        template: template(&stack_settings("sandbox/hello")),
        spec: specs::bare(&id),
        data: None,
    }
}

pub(super) fn response(key: &str, body: &str) -> StoredResponse {
    StoredResponse {
        key: IdempotencyKey { caller: String::from("somebody"), key: key.to_owned() },
        fingerprint: String::from("digest"),
        status: 201,
        location: Some(String::from("/api/deployment/x")),
        body: body.to_owned(),
        expires: at(100),
    }
}

/// Returns a fact about a step.
pub(super) fn step(step: StepId, record: StepRecord, events: Vec<EventBody>) -> Fact {
    Fact { step: Some((step, record)), events, ..Fact::default() }
}

/// Returns the fact that an operation ends.
pub(super) fn end(state: State) -> Fact {
    end_as(state, CancelRequest::None)
}

fn end_as(state: State, cancel_request: CancelRequest) -> Fact {
    let due = (state == State::Stuck).then(|| at(60));
    Fact {
        end: Some(End { state, at: at(50), leaves: None, cancel_request, due }),
        ..Fact::default()
    }
}

/// Runs the whole contract against an empty store.
pub(super) async fn hold(store: Arc<dyn Store>) {
    store.check().await.unwrap();
    names_are_reserved_until_nothing_is_left(&*store).await;
    a_fact_is_numbered_without_a_gap_and_found_again(&*store).await;
    a_lease_is_exclusive_until_it_lapses(&*store).await;
    a_worker_that_lost_its_lease_cannot_write(&*store).await;
    a_response_is_stored_once_and_expires(&*store).await;
    rolled_back_operations_are_purged_in_time(&*store).await;
    a_cancel_request_is_observed_before_the_end(&*store).await;
    clean_up_continues_after_the_end_until_nothing_is_left(&*store).await;
    removals::hold(&*store).await;
    kept::hold(&*store).await;
    on_stack::hold(&*store).await;
    measured::hold(&*store).await;
    a_retry_is_linked_both_ways(&*store).await;
    claims::the_oldest_waiting_operations_are_claimed_and_no_more_than_wanted(&*store).await;
    claims::overdue_deployments_are_claimed_for_clean_up(&*store).await;
    a_live_stack_that_is_due_is_claimed_until_it_is_rechecked(&*store).await;
    panics::hold(&*store).await;
    platform_logs::hold(&*store).await;
    claims::hold(&*store).await;
    task_leases::hold(&*store).await;
    specs::hold(&*store).await;
    templates::hold(&*store).await;
    volumes::hold(&*store).await;
}

async fn names_are_reserved_until_nothing_is_left(store: &dyn Store) {
    store.begin(&new(1, "alice"), None).await.unwrap();
    let taken = store.begin(&new(2, "alice"), None).await.unwrap_err();
    assert!(matches!(taken, StoreError::NameTaken), "{taken:?}");
    assert_eq!(store.find(&DeploymentId::from_random(2)).await.unwrap(), None);
    let names = ["alice", "bob"].map(|name| StackName::parse(name).unwrap());
    assert_eq!(store.reserved(&names).await.unwrap(), &names[..1]);

    let lease = store.claim_one(Lane::Forward, "a", at(10), LEASE).await.unwrap().unwrap();
    store.record(&lease, &end(State::Stuck)).await.unwrap();
    assert_eq!(store.stuck().await.unwrap().len(), 1);
    assert!(store.begin(&new(3, "alice"), None).await.is_err(), "stuck keeps the name");

    store.begin(&new(4, "bob"), None).await.unwrap();
    let lease = store.claim_one(Lane::Forward, "a", at(10), LEASE).await.unwrap().unwrap();
    store.record(&lease, &end(State::RolledBack)).await.unwrap();
    store.begin(&new(5, "bob"), None).await.unwrap();
    let lease = store.claim_one(Lane::Forward, "a", at(10), LEASE).await.unwrap().unwrap();
    store.record(&lease, &end(State::Live)).await.unwrap();
    assert!(store.begin(&new(6, "bob"), None).await.is_err(), "live keeps the name");
}

async fn a_fact_is_numbered_without_a_gap_and_found_again(store: &dyn Store) {
    let begun = new(10, "carol");
    store.begin(&begun, None).await.unwrap();
    let lease = store.claim_one(Lane::Forward, "a", at(10), LEASE).await.unwrap().unwrap();
    let id = &lease.id;
    let started = step(
        StepId::PROJECT,
        StepRecord::Started,
        vec![progress(Phase::CREATING_PROJECT), progress(Phase::GETTING_ENVIRONMENT)],
    );
    assert_eq!(store.record(&lease, &started).await.unwrap().seq, 3);
    let cause = Cause::new(FailureCode::DeployFailed, MessageCode::StartFailed);
    let cause = Cause { at: Some(at(7)), ..cause };
    let failed = StepRecord::Failed { cause };
    let fact = step(StepId::PROJECT, failed.clone(), vec![progress(Phase::ROLLING_BACK)]);
    assert_eq!(store.record(&lease, &fact).await.unwrap().seq, 4);

    let steps = store.journal(id).await.unwrap();
    assert_eq!(steps.records, BTreeMap::from([(StepId::PROJECT, failed)]));
    let events = store.events(id, 0, 100).await.unwrap();
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let later = store.events(id, 2, 1).await.unwrap();
    assert_eq!(later, &events[2..3]);
    assert!(store.events(id, u64::MAX, 10).await.unwrap().is_empty());
    let last = events[3].decode().unwrap();
    assert_eq!(last.body, progress(Phase::ROLLING_BACK));

    let record = store.find(id).await.unwrap().unwrap();
    assert_eq!((record.deployment, record.host), (begun.deployment, begun.host));
    assert_eq!((record.state, record.seq, record.metadata.completed), (State::Active, 4, None));
    store.record(&lease, &end(State::RolledBack)).await.unwrap();
    let record = store.find(id).await.unwrap().unwrap();
    assert_eq!((record.state, record.metadata.completed), (State::RolledBack, Some(at(50))));
}

async fn a_lease_is_exclusive_until_it_lapses(store: &dyn Store) {
    store.begin(&new(20, "dave"), None).await.unwrap();
    let first = store.claim_one(Lane::Forward, "a", at(20), LEASE).await.unwrap().unwrap();
    assert_eq!(store.claim_one(Lane::Forward, "b", at(49), LEASE).await.unwrap(), None);
    store.renew(&first, at(80)).await.unwrap();
    assert_eq!(store.claim_one(Lane::Forward, "b", at(79), LEASE).await.unwrap(), None);
    let second = store.claim_one(Lane::Forward, "b", at(80), LEASE).await.unwrap().unwrap();
    assert!(second.token > first.token);
    store.release(&first).await.unwrap();
    assert_eq!(
        store.claim_one(Lane::Forward, "c", at(81), LEASE).await.unwrap(),
        None,
        "not the first's to give"
    );
    store.release(&second).await.unwrap();
    let third = store.claim_one(Lane::Forward, "c", at(81), LEASE).await.unwrap().unwrap();
    store.record(&third, &end(State::RolledBack)).await.unwrap();
}

async fn a_worker_that_lost_its_lease_cannot_write(store: &dyn Store) {
    store.begin(&new(30, "erin"), None).await.unwrap();
    let lost = store.claim_one(Lane::Forward, "a", at(30), LEASE).await.unwrap().unwrap();
    let held = store.claim_one(Lane::Forward, "a", at(60), LEASE).await.unwrap().unwrap();
    let fact = step(StepId::PROJECT, StepRecord::Started, vec![progress(Phase::CREATING_PROJECT)]);
    let error = store.record(&lost, &fact).await.unwrap_err();
    assert!(matches!(error, StoreError::LeaseLost), "{error:?}");
    assert!(matches!(store.renew(&lost, at(99)).await, Err(StoreError::LeaseLost)));
    assert!(store.journal(&lost.id).await.unwrap().records.is_empty());
    assert_eq!(store.events(&lost.id, 0, 10).await.unwrap().len(), 1);

    store.record(&held, &end(State::RolledBack)).await.unwrap();
    let error = store.record(&held, &fact).await.unwrap_err();
    assert!(matches!(error, StoreError::LeaseLost), "nothing follows an end: {error:?}");
}

async fn a_response_is_stored_once_and_expires(store: &dyn Store) {
    let kept = response("once", "first");
    store.begin(&new(40, "frank"), Some(&kept)).await.unwrap();
    let used = store.begin(&new(41, "grace"), Some(&response("once", "second"))).await.unwrap_err();
    assert!(matches!(used, StoreError::KeyUsed), "{used:?}");
    let grace = StackName::parse("grace").unwrap();
    assert!(store.reserved(&[grace]).await.unwrap().is_empty(), "nothing was begun");
    store.store_response(&response("once", "third")).await.unwrap();
    assert_eq!(store.stored_response(&kept.key, at(99)).await.unwrap(), Some(kept.clone()));
    assert_eq!(store.stored_response(&kept.key, at(100)).await.unwrap(), None);

    let refused = response("refused", "no");
    store.store_response(&refused).await.unwrap();
    assert_eq!(store.stored_response(&refused.key, at(99)).await.unwrap(), Some(refused));
    let frank = store.claim_one(Lane::Forward, "a", at(50), LEASE).await.unwrap().unwrap();
    store.record(&frank, &end(State::Live)).await.unwrap();
}

async fn rolled_back_operations_are_purged_in_time(store: &dyn Store) {
    let (rolled_back, live) = (DeploymentId::from_random(10), DeploymentId::from_random(40));
    assert_eq!(store.purge(at(50)).await.unwrap(), 0);
    assert!(store.purge(at(51)).await.unwrap() > 0);
    assert_eq!(store.find(&rolled_back).await.unwrap(), None);
    assert!(store.events(&rolled_back, 0, 10).await.unwrap().is_empty());
    assert!(store.find(&live).await.unwrap().is_some(), "what is live is kept");
}

async fn a_cancel_request_is_observed_before_the_end(store: &dyn Store) {
    let id = DeploymentId::from_random(50);
    assert_eq!(store.cancel(&id, at(50), None).await.unwrap(), CancelOutcome::Unknown);
    store.begin(&new(50, "heidi"), None).await.unwrap();
    let lease = claim(store, Lane::Forward, &id).await;
    assert_eq!(store.renew(&lease, at(90)).await.unwrap(), CancelRequest::None);
    assert_eq!(store.cancel(&id, at(51), None).await.unwrap(), CancelOutcome::Accepted);
    assert_eq!(store.cancel(&id, at(52), None).await.unwrap(), CancelOutcome::Accepted);
    assert_eq!(store.find(&id).await.unwrap().unwrap().cancel_request, CancelRequest::Requested);
    assert_eq!(store.renew(&lease, at(90)).await.unwrap(), CancelRequest::Requested);
    let fact = step(StepId::PROJECT, StepRecord::Started, vec![progress(Phase::CREATING_PROJECT)]);
    assert_eq!(store.record(&lease, &fact).await.unwrap().cancel_request, CancelRequest::Requested);

    let unheard = store.record(&lease, &end(State::Live)).await.unwrap_err();
    assert!(matches!(unheard, StoreError::CancelPending), "{unheard:?}");
    assert_eq!(store.find(&id).await.unwrap().unwrap().state, State::Active, "nothing was written");

    store.release(&lease).await.unwrap();
    let lease = claim(store, CLEAN_UP, &id).await;
    store.record(&lease, &end_as(State::RolledBack, CancelRequest::Requested)).await.unwrap();
    assert_eq!(store.cancel(&id, at(53), None).await.unwrap(), CancelOutcome::AlreadyEnded);
}

async fn clean_up_continues_after_the_end_until_nothing_is_left(store: &dyn Store) {
    let id = DeploymentId::from_random(60);
    store.begin(&new(60, "ivan"), None).await.unwrap();
    assert!(!store.make_due_now(&id, None).await.unwrap(), "it is under way");
    let lease = claim(store, Lane::Forward, &id).await;
    let service = AppName(String::from("stack-ivan-x1y2z3"));
    let services = vec![service.clone()];
    store.record(&lease, &Fact { services, ..end(State::Stuck) }).await.unwrap();
    store.release(&lease).await.unwrap();
    assert!(store.services().await.unwrap().contains(&(service, id.clone())));
    assert!(store.stuck().await.unwrap().iter().any(|record| record.deployment.id == id));

    let early = store.claim_one(CLEAN_UP, "a", at(59), LEASE).await.unwrap();
    assert_eq!(early, None, "nothing is due yet");
    let lease = claim(store, CLEAN_UP, &id).await;
    let undone = StepRecord::Undone { lines: Vec::new(), cause: None };
    store.record(&lease, &step(StepId::HEALTH, undone, Vec::new())).await.unwrap();
    let event = step(StepId::HEALTH, StepRecord::Started, vec![progress(Phase::DEPLOYING)]);
    assert!(store.record(&lease, &event).await.is_err(), "no event follows the end");

    let left = Receipt::of(vec![line(Outcome::Left)]);
    let again = CleanupRecord { receipt: left.clone(), at: at(61), due: at(500), leaves: None };
    store.record_cleanup(&lease, &again).await.unwrap();
    let record = store.find(&id).await.unwrap().unwrap();
    assert_eq!((record.state, record.metadata.receipt), (State::Stuck, Some(left)));
    assert_eq!((record.clean_up.tries, record.clean_up.due), (1, Some(at(500))));
    assert_eq!(record.metadata.completed, Some(at(50)), "the end stays where it was");

    assert!(store.make_due_now(&id, None).await.unwrap());
    store.release(&lease).await.unwrap();
    let lease = store.claim_one(CLEAN_UP, "a", at(62), LEASE).await.unwrap().unwrap();
    let clean = Receipt::of(vec![line(Outcome::VerifiedGone)]);
    let gone = CleanupRecord { receipt: clean.clone(), at: at(63), due: at(600), leaves: None };
    store.record_cleanup(&lease, &gone).await.unwrap();
    let record = store.find(&id).await.unwrap().unwrap();
    assert_eq!((record.state, record.metadata.receipt), (State::RolledBack, Some(clean)));
    assert!(store.record_cleanup(&lease, &gone).await.is_err(), "clean-up has ended");
    store.begin(&new(61, "ivan"), None).await.unwrap();
    finish(store, Lane::Forward, &DeploymentId::from_random(61), State::RolledBack).await;

    let ended = store.claim_ended(&id, "b", at(200), LEASE).await.unwrap().unwrap();
    assert_eq!(store.claim_ended(&id, "c", at(201), LEASE).await.unwrap(), None);
    store.release(&ended).await.unwrap();
}

async fn a_retry_is_linked_both_ways(store: &dyn Store) {
    let first = DeploymentId::from_random(80);
    store.begin(&new(80, "kim"), None).await.unwrap();
    finish(store, Lane::Forward, &first, State::RolledBack).await;
    let retry = NewDeployment { retry_of: Some(first.clone()), ..new(81, "kim") };
    store.begin(&retry, None).await.unwrap();
    let links =
        |record: Option<ai_stack_deployer::server::store::Record>| record.unwrap().metadata.links;
    let second = retry.deployment.id;
    assert_eq!(links(store.find(&first).await.unwrap()).retried_by, Some(second.clone()));
    assert_eq!(links(store.find(&second).await.unwrap()).retry_of, Some(first));
    finish(store, Lane::Forward, &second, State::Live).await;
}

async fn a_live_stack_that_is_due_is_claimed_until_it_is_rechecked(store: &dyn Store) {
    let id = DeploymentId::from_random(900);
    store.begin(&new(900, "tina"), None).await.unwrap();
    let lease = claim(store, Lane::Forward, &id).await;
    assert!(store.rechecked(&lease, None).await.is_err(), "it is not live yet");
    let (cancel_request, due) = (CancelRequest::None, Some(at(80)));
    let live = End { state: State::Live, at: at(50), leaves: None, cancel_request, due };
    store.record(&lease, &Fact { end: Some(live), ..end(State::Live) }).await.unwrap();
    store.release(&lease).await.unwrap();

    let claim_at = async |now| {
        let leases = store.claim(CLEAN_UP, &KINDS, usize::MAX, "t", at(now), LEASE).await.unwrap();
        for lease in leases.iter().filter(|lease| lease.id != id) {
            store.release(lease).await.unwrap();
        }
        leases.into_iter().find(|lease| lease.id == id)
    };
    assert_eq!(claim_at(79).await, None, "it is not due yet");
    let first = claim_at(80).await.expect("it is due");
    store.rechecked(&first, Some(at(2_000))).await.unwrap();
    store.release(&first).await.unwrap();
    assert!(store.rechecked(&first, None).await.is_err(), "the lease is handed back");
    assert_eq!(claim_at(1_999).await, None);
    let second = claim_at(2_000).await.expect("it is due again");
    store.rechecked(&second, None).await.unwrap();
    store.release(&second).await.unwrap();
    assert_eq!(claim_at(90_000).await, None, "nothing is left to look for");
    let record = store.find(&id).await.unwrap().unwrap();
    assert_eq!((record.state, record.clean_up.tries), (State::Live, 2));
    assert_eq!(record.metadata.completed, Some(at(50)), "the end stays where it was");
}

/// Claims operations until one is `id`.
pub(super) async fn claim(store: &dyn Store, lane: Lane, id: &DeploymentId) -> Lease {
    loop {
        let lease = store.claim_one(lane, "a", at(100), LEASE).await.unwrap().unwrap();
        if lease.id == *id {
            return lease;
        }
    }
}

/// Claims an operation and records its end.
pub(super) async fn finish(
    store: &dyn Store,
    lane: Lane,
    id: &DeploymentId,
    state: State,
) -> Lease {
    let lease = claim(store, lane, id).await;
    store.record(&lease, &end(state)).await.unwrap();
    lease
}

fn line(outcome: Outcome) -> Line {
    let name = String::from("ai-stack-ivan");
    Line { resource: ResourceKind::Project, id: None, name, outcome, at: at(61), remedy: None }
}
