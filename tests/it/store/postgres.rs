//! The store in PostgreSQL: several portals on one database, and a database that goes away or does
//! not answer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::auth::accounts::Accounts as _;
use ai_stack_deployer::server::name_index::Lookup;
use ai_stack_deployer::server::notifier::Notifier;
use ai_stack_deployer::server::store::postgres::PostgresStore;
use ai_stack_deployer::server::store::{
    Fact, Journal, Lane, Leases, OperationFilter, Operations, Stacks, State, StepId, StepRecord,
    Store,
};
use clock::{Clock, SystemClock};
use domain::deployment::DeploymentId;
use domain::phase::Phase;
use secrecy::SecretString;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::accounts;
use super::contract::{self, LEASE, at, end, new, progress, step};
use crate::support::black_hole::BlackHole;
use crate::support::claim_one::{ClaimOne as _, KINDS};
use crate::support::postgres::Cluster;

/// The time limit for what normally takes a moment.
const SOON: Duration = Duration::from_secs(20);

/// A portal's store and its notifier.
struct Replica {
    store: Arc<PostgresStore>,
    notifier: Arc<Notifier>,
}

impl Replica {
    /// Opens the database, and waits until it listens, which notifies all subscribers.
    async fn open(url: &str) -> Self {
        let notifier = Arc::new(Notifier::default());
        let mut work = notifier.work();
        let url = SecretString::from(url);
        let store = PostgresStore::open(&url, Arc::clone(&notifier)).await.unwrap();
        notified(&mut work).await;
        Self { store: Arc::new(store), notifier }
    }
}

fn started() -> Fact {
    step(StepId::PROJECT, StepRecord::Started, vec![progress(Phase::CREATING_PROJECT)])
}

async fn notified(receiver: &mut watch::Receiver<()>) {
    timeout(SOON, receiver.changed()).await.expect("no notification").unwrap();
}

/// Waits until the store answers again.
async fn responses(store: &PostgresStore) {
    let asking = async {
        while store.check().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, asking).await.expect("no answer");
}

#[tokio::test]
async fn the_store_in_postgres_fulfils_the_contract() {
    let replica = Replica::open(&Cluster::shared().database()).await;
    contract::hold(replica.store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_claim_each_deployment_exactly_once() {
    let url = Cluster::shared().database();
    let replicas = [Replica::open(&url).await, Replica::open(&url).await];
    for number in 0..60 {
        replicas[0].store.begin(&new(number, &format!("stack-{number}")), None).await.unwrap();
    }
    let mut claiming = JoinSet::new();
    // Some claim one at a time, some several.
    for (number, replica) in replicas.iter().cycle().take(8).enumerate() {
        let store = Arc::clone(&replica.store);
        claiming.spawn(async move {
            let mut claimed = Vec::new();
            let (owner, most) = (number.to_string(), 1 + number / 2);
            loop {
                let got =
                    store.claim(Lane::Forward, &KINDS, most, &owner, at(100), LEASE).await.unwrap();
                assert!(got.len() <= most, "more than asked for");
                if got.is_empty() {
                    return claimed;
                }
                claimed.extend(got.into_iter().map(|lease| lease.id));
            }
        });
    }
    let claimed = claiming.join_all().await;
    let busy = claimed.iter().filter(|ids| !ids.is_empty()).count();
    assert!(busy > 1, "one had everything");
    let all: Vec<DeploymentId> = claimed.into_iter().flatten().collect();
    let different: BTreeSet<_> = all.iter().collect();
    assert_eq!((all.len(), different.len()), (60, 60));
}

#[tokio::test]
async fn the_writes_of_one_portal_notify_the_other() {
    let url = Cluster::shared().database();
    let (here, there) = (Replica::open(&url).await, Replica::open(&url).await);
    let mut work = there.notifier.work();
    let begun = new(1, "alice");
    let id = &begun.deployment.id;
    let (names, now) = (there.notifier.names(), Duration::from_secs(9));
    let reading = names.reading_due(now).unwrap();
    names.complete(&reading, Some(there.store.names(None).await.unwrap()));
    assert_eq!(names.look_up(&begun.deployment.name, now), Lookup::Free);
    here.store.begin(&begun, None).await.unwrap();
    notified(&mut work).await;
    assert_eq!(names.look_up(&begun.deployment.name, now), Lookup::Unknown, "it has changed");

    let lease = here.store.claim_one(Lane::Forward, "a", at(1), LEASE).await.unwrap().unwrap();
    let mut events = there.notifier.watch(id);
    here.store.record(&lease, &started()).await.unwrap();
    notified(&mut events).await;

    let (mut cancel_requests, mut work) = (here.notifier.cancel_requests(id), here.notifier.work());
    there.store.cancel(id, at(2), None).await.unwrap();
    notified(&mut cancel_requests).await;
    notified(&mut work).await;
    let mut work = there.notifier.work();
    here.store.release(&lease).await.unwrap();
    notified(&mut work).await;
}

#[tokio::test]
async fn an_uncommitted_write_notifies_nobody() {
    let url = Cluster::shared().database();
    let (here, there) = (Replica::open(&url).await, Replica::open(&url).await);
    here.store.begin(&new(1, "alice"), None).await.unwrap();
    let lost = here.store.claim_one(Lane::Forward, "a", at(1), LEASE).await.unwrap().unwrap();
    let held = here.store.claim_one(Lane::Forward, "a", at(60), LEASE).await.unwrap().unwrap();
    let mut events = there.notifier.watch(&held.id);
    here.store.record(&lost, &started()).await.unwrap_err();
    assert!(!events.has_changed().unwrap());
    here.store.record(&held, &started()).await.unwrap();
    notified(&mut events).await;
    assert!(!events.has_changed().unwrap(), "there was one notification, not two");
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_at_once_create_the_tables_once() {
    let url = Cluster::shared().database();
    let mut opening = JoinSet::new();
    for _ in 0..6 {
        let url = url.clone();
        opening.spawn(async move { Replica::open(&url).await });
    }
    for replica in opening.join_all().await {
        replica.store.check().await.unwrap();
        replica.store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_survives_an_outage_of_the_database() {
    let cluster = Cluster::start();
    let url = cluster.database();
    let (here, there) = (Replica::open(&url).await, Replica::open(&url).await);
    here.store.begin(&new(1, "alice"), None).await.unwrap();
    let lease = here.store.claim_one(Lane::Forward, "a", at(1), LEASE).await.unwrap().unwrap();
    let (mut work, mut events) = (there.notifier.work(), there.notifier.watch(&lease.id));

    cluster.stop();
    timeout(SOON, here.store.record(&lease, &started())).await.unwrap().unwrap_err();
    cluster.start_again();
    responses(&here.store).await;
    // Both recover by themselves, and committed rows are there.
    notified(&mut work).await;
    notified(&mut events).await;
    assert_eq!(here.store.find(&lease.id).await.unwrap().unwrap().seq, 1);

    here.store.record(&lease, &started()).await.unwrap();
    notified(&mut events).await;
    assert_eq!(there.store.events(&lease.id, 0, 10).await.unwrap().len(), 2);
    here.store.record(&lease, &end(State::RolledBack)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_are_closed_and_replaced() {
    let cluster = Cluster::shared();
    let url = cluster.database();
    let hole = BlackHole::before(cluster.port()).await;
    let replica = Replica::open(&Cluster::through(hole.port(), &url)).await;
    let mut asking = JoinSet::new();
    for _ in 0..8 {
        let store = Arc::clone(&replica.store);
        asking.spawn(async move { store.check().await });
    }
    asking.join_all().await;
    let mut work = replica.notifier.work();
    work.mark_unchanged();

    hole.swallow();
    let asked = SystemClock.now();
    responses(&replica.store).await;
    let took = SystemClock.now().duration_since(asked);
    println!("after all connections went silent the store answered within {took:?}");
    // It also listens again.
    notified(&mut work).await;
    Replica::open(&url).await.store.begin(&new(1, "alice"), None).await.unwrap();
    notified(&mut work).await;
}

/// A statement that is prepared with `*` would fail once there is another column.
#[tokio::test]
async fn columns_that_a_newer_version_adds_do_not_prevent_reading() {
    let url = Cluster::shared().database();
    let store = Replica::open(&url).await.store;
    let begun = new(1, "alice");
    store.begin(&begun, None).await.unwrap();
    let session = accounts::session("cat", "secret", 1);
    let cat = store.sign_in(&accounts::profile("cat"), &session).await.unwrap().owner;
    let token = accounts::token(&cat, "first", 1, 100);
    store.add_token(&token, 5).await.unwrap();
    let read = async || {
        let id = &begun.deployment.id;
        assert!(store.find(id).await.unwrap().is_some());
        assert_eq!(
            store
                .operations(&OperationFilter { limit: 9, ..Default::default() })
                .await
                .unwrap()
                .len(),
            1
        );
        assert_eq!(store.events(id, 0, 9).await.unwrap().len(), 1);
        assert!(store.session(&session.secret, at(2), at(3)).await.unwrap().is_some());
        assert!(store.token(&token.secret, at(2)).await.unwrap().is_some());
        assert_eq!(store.tokens(&cat, at(2)).await.unwrap().len(), 1);
        assert_eq!(store.people(9).await.unwrap().len(), 1);
        store.stuck().await.unwrap();
        store.stacks(None).await.unwrap();
        store.journal(id).await.unwrap();
        assert!(store.take_sign_in(&session.secret, at(2)).await.unwrap().is_none());
    };
    read().await;
    for table in
        ["stacks", "operations", "events", "steps", "people", "sessions", "sign_ins", "tokens"]
    {
        Cluster::ask(&url, &format!("ALTER TABLE {table} ADD COLUMN newer text"));
    }
    read().await;
}

#[tokio::test]
async fn no_error_contains_the_password() {
    let port = Cluster::shared().port();
    for url in [
        String::from("postgres://portal:canary@"),
        String::from("postgres://portal:canary@127.0.0.1:1/none"),
        format!("postgres://portal:canary@127.0.0.1:{port}/none"),
        format!("postgres://nobody:canary@127.0.0.1:{port}/postgres"),
        format!("postgres://nobody@127.0.0.1:{port}/postgres?sslmode=canary"),
    ] {
        let url = SecretString::from(url);
        let opening = PostgresStore::open(&url, Arc::default());
        let error = timeout(SOON, opening).await.unwrap().unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("canary"), "{text}");
    }
}
