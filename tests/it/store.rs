//! The store port's contract: one suite, run against every adapter.

use std::{sync::Arc, time::Duration};

use ai_stack_deployer::{
    domain::{
        deployment::{Deployment, DeploymentId},
        event::{EventBody, FailureCode, ProgressUpdate, Resources},
        phase::Phase,
        stack_name::StackName,
    },
    server::{
        ports::store::{
            Answer, AnswerKey, Cause, End, Fact, NewDeployment, State, StepId, StepRecord, Store,
            StoreError,
        },
        store::sqlite::{OpenStoreError, SqliteStore},
    },
};
use jiff::Timestamp;

use crate::support::memory_store::MemoryStore;

const LEASE: Duration = Duration::from_secs(30);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_427_270 + second).unwrap()
}

fn progress(phase: Phase) -> EventBody {
    EventBody::Progress(ProgressUpdate::new(phase, 0, Resources::default(), at(0)))
}

fn new(number: u128, name: &str) -> NewDeployment {
    NewDeployment {
        deployment: Deployment {
            id: DeploymentId::from_random(number),
            name: StackName::parse(name).unwrap(),
            url: format!("https://{name}.example.com"),
            started: at(i64::try_from(number).unwrap()),
        },
        host: format!("{name}.example.com"),
        first: progress(Phase::Initializing),
    }
}

fn answer(key: &str, body: &str) -> Answer {
    Answer {
        key: AnswerKey { caller: String::from("somebody"), key: key.to_owned() },
        fingerprint: String::from("digest"),
        status: 201,
        location: Some(String::from("/api/deployment/x")),
        body: body.to_owned(),
        expires: at(100),
    }
}

fn step(step: StepId, record: StepRecord, events: Vec<EventBody>) -> Fact {
    Fact { step: Some((step, record)), events, end: None }
}

fn end(state: State) -> Fact {
    Fact { step: None, events: Vec::new(), end: Some(End { state, at: at(50) }) }
}

/// Runs the whole contract against a store that is empty.
async fn hold_the_contract(store: Arc<dyn Store>) {
    store.check().await.unwrap();
    names_are_reserved_until_nothing_is_left(&*store).await;
    a_fact_is_numbered_without_a_gap_and_found_again(&*store).await;
    a_lease_is_exclusive_until_it_lapses(&*store).await;
    who_lost_the_lease_cannot_write(&*store).await;
    an_answer_is_kept_once_and_expires(&*store).await;
    what_was_rolled_back_is_forgotten_in_time(&*store).await;
}

async fn names_are_reserved_until_nothing_is_left(store: &dyn Store) {
    store.begin(&new(1, "alice"), None).await.unwrap();
    let taken = store.begin(&new(2, "alice"), None).await.unwrap_err();
    assert!(matches!(taken, StoreError::NameTaken), "{taken:?}");
    assert_eq!(store.find(&DeploymentId::from_random(2)).await.unwrap(), None);
    let names = ["alice", "bob"].map(|name| StackName::parse(name).unwrap());
    assert_eq!(store.reserved(&names).await.unwrap(), &names[..1]);

    let lease = store.claim("a", at(10), LEASE).await.unwrap().unwrap();
    store.record(&lease, &end(State::Stuck)).await.unwrap();
    assert_eq!(store.stuck_count().await.unwrap(), 1);
    assert!(store.begin(&new(3, "alice"), None).await.is_err(), "stuck keeps the name");

    store.begin(&new(4, "bob"), None).await.unwrap();
    let lease = store.claim("a", at(10), LEASE).await.unwrap().unwrap();
    store.record(&lease, &end(State::RolledBack)).await.unwrap();
    store.begin(&new(5, "bob"), None).await.unwrap();
    let lease = store.claim("a", at(10), LEASE).await.unwrap().unwrap();
    store.record(&lease, &end(State::Live)).await.unwrap();
    assert!(store.begin(&new(6, "bob"), None).await.is_err(), "live keeps the name");
}

async fn a_fact_is_numbered_without_a_gap_and_found_again(store: &dyn Store) {
    let begun = new(10, "carol");
    store.begin(&begun, None).await.unwrap();
    let lease = store.claim("a", at(10), LEASE).await.unwrap().unwrap();
    let id = &lease.id;
    let started = step(
        StepId::Project,
        StepRecord::Started,
        vec![progress(Phase::CreatingProject), progress(Phase::GettingEnvironment)],
    );
    assert_eq!(store.record(&lease, &started).await.unwrap(), 3);
    let message = String::from("no");
    let cause = Cause { code: FailureCode::CrashLoop, message };
    let failed = StepRecord::Failed { cause };
    let fact = step(StepId::Project, failed.clone(), vec![progress(Phase::RollingBack)]);
    assert_eq!(store.record(&lease, &fact).await.unwrap(), 4);

    assert_eq!(store.journal(id).await.unwrap(), [(StepId::Project, failed)]);
    let events = store.events(id, 0, 100).await.unwrap();
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let later = store.events(id, 2, 1).await.unwrap();
    assert_eq!(later, &events[2..3]);
    assert!(store.events(id, u64::MAX, 10).await.unwrap().is_empty());
    let last = events[3].decode().unwrap();
    assert_eq!(last.body, progress(Phase::RollingBack));

    let record = store.find(id).await.unwrap().unwrap();
    assert_eq!((record.deployment, record.host), (begun.deployment, begun.host));
    assert_eq!((record.state, record.seq, record.completed), (State::Active, 4, None));
    store.record(&lease, &end(State::RolledBack)).await.unwrap();
    let record = store.find(id).await.unwrap().unwrap();
    assert_eq!((record.state, record.completed), (State::RolledBack, Some(at(50))));
}

async fn a_lease_is_exclusive_until_it_lapses(store: &dyn Store) {
    store.begin(&new(20, "dave"), None).await.unwrap();
    let first = store.claim("a", at(20), LEASE).await.unwrap().unwrap();
    assert_eq!(store.claim("b", at(49), LEASE).await.unwrap(), None);
    store.renew(&first, at(80)).await.unwrap();
    assert_eq!(store.claim("b", at(79), LEASE).await.unwrap(), None);
    let second = store.claim("b", at(80), LEASE).await.unwrap().unwrap();
    assert!(second.token > first.token);
    store.release(&first).await.unwrap();
    assert_eq!(store.claim("c", at(81), LEASE).await.unwrap(), None, "not the first's to give");
    store.release(&second).await.unwrap();
    let third = store.claim("c", at(81), LEASE).await.unwrap().unwrap();
    store.record(&third, &end(State::RolledBack)).await.unwrap();
}

async fn who_lost_the_lease_cannot_write(store: &dyn Store) {
    store.begin(&new(30, "erin"), None).await.unwrap();
    let lost = store.claim("a", at(30), LEASE).await.unwrap().unwrap();
    let held = store.claim("a", at(60), LEASE).await.unwrap().unwrap();
    let fact = step(StepId::Project, StepRecord::Started, vec![progress(Phase::CreatingProject)]);
    let error = store.record(&lost, &fact).await.unwrap_err();
    assert!(matches!(error, StoreError::LeaseLost), "{error:?}");
    assert!(matches!(store.renew(&lost, at(99)).await, Err(StoreError::LeaseLost)));
    assert!(store.journal(&lost.id).await.unwrap().is_empty());
    assert_eq!(store.events(&lost.id, 0, 10).await.unwrap().len(), 1);

    store.record(&held, &end(State::RolledBack)).await.unwrap();
    let error = store.record(&held, &fact).await.unwrap_err();
    assert!(matches!(error, StoreError::LeaseLost), "nothing follows an end: {error:?}");
}

async fn an_answer_is_kept_once_and_expires(store: &dyn Store) {
    let kept = answer("once", "first");
    store.begin(&new(40, "frank"), Some(&kept)).await.unwrap();
    let used = store.begin(&new(41, "grace"), Some(&answer("once", "second"))).await.unwrap_err();
    assert!(matches!(used, StoreError::KeyUsed), "{used:?}");
    let grace = StackName::parse("grace").unwrap();
    assert!(store.reserved(&[grace]).await.unwrap().is_empty(), "nothing was begun");
    store.keep_answer(&answer("once", "third")).await.unwrap();
    assert_eq!(store.answer(&kept.key, at(99)).await.unwrap(), Some(kept.clone()));
    assert_eq!(store.answer(&kept.key, at(100)).await.unwrap(), None);

    let refused = answer("refused", "no");
    store.keep_answer(&refused).await.unwrap();
    assert_eq!(store.answer(&refused.key, at(99)).await.unwrap(), Some(refused));
    let frank = store.claim("a", at(50), LEASE).await.unwrap().unwrap();
    store.record(&frank, &end(State::Live)).await.unwrap();
}

async fn what_was_rolled_back_is_forgotten_in_time(store: &dyn Store) {
    let (rolled_back, live) = (DeploymentId::from_random(10), DeploymentId::from_random(40));
    assert_eq!(store.forget(at(50)).await.unwrap(), 0);
    assert!(store.forget(at(51)).await.unwrap() > 0);
    assert_eq!(store.find(&rolled_back).await.unwrap(), None);
    assert!(store.events(&rolled_back, 0, 10).await.unwrap().is_empty());
    assert!(store.find(&live).await.unwrap().is_some(), "what is live is kept");
}

#[tokio::test]
async fn the_store_in_memory_holds_the_contract() {
    hold_the_contract(Arc::new(MemoryStore::default())).await;
}

#[tokio::test]
async fn the_store_in_sqlite_holds_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/when/missing/portal.db");
    hold_the_contract(Arc::new(SqliteStore::open(&path).await.unwrap())).await;
}

#[tokio::test]
async fn a_second_process_is_told_that_the_file_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portal.db");
    let first = SqliteStore::open(&path).await.unwrap();
    let second = SqliteStore::open(&path).await.unwrap_err();
    assert!(matches!(second, OpenStoreError::InUse { .. }), "{second:?}");
    first.close().await;
    drop(first);
    SqliteStore::open(&path).await.unwrap();
}

#[tokio::test]
async fn reopening_voids_every_lease_and_keeps_every_fact() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portal.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.begin(&new(1, "alice"), None).await.unwrap();
    let lease = store.claim("before", at(1), LEASE).await.unwrap().unwrap();
    let fact = step(StepId::Project, StepRecord::Started, vec![progress(Phase::CreatingProject)]);
    store.record(&lease, &fact).await.unwrap();
    drop(store);

    let store = SqliteStore::open(&path).await.unwrap();
    let resumed = store.claim("after", at(1), LEASE).await.unwrap().unwrap();
    assert_eq!((&resumed.id, resumed.token > lease.token), (&lease.id, true));
    assert!(matches!(store.record(&lease, &fact).await, Err(StoreError::LeaseLost)));
    assert_eq!(store.journal(&resumed.id).await.unwrap(), [(StepId::Project, StepRecord::Started)]);
    assert_eq!(store.find(&resumed.id).await.unwrap().unwrap().seq, 2);
}
