//! The contract of the store's ports, which every adapter must fulfil, and further promises of each
//! adapter.

use std::sync::Arc;

use ai_stack_deployer::server::sqlite_file::OpenStoreError;
use ai_stack_deployer::server::store::postgres::PostgresStore;
use ai_stack_deployer::server::store::sqlite::SqliteStore;
use ai_stack_deployer::server::store::{
    Fact, Journal, Lane, Leases, Operations, Stacks, State, StepId, StepRecord, Store, StoreError,
};
use clock::{Clock as _, SystemClock};
use domain::deployment::DeploymentId;
use domain::phase::Phase;
use secrecy::SecretString;
use tempfile::TempDir;

use self::contract::{LEASE, at, claim, end, new, progress, step};
use crate::support::claim_one::ClaimOne as _;
use crate::support::memory_store::MemoryStore;
use crate::support::postgres::Cluster;

/// Runs one suite on the store in memory, in SQLite and in PostgreSQL.
macro_rules! on_every_store {
    ($memory:ident, $sqlite:ident, $postgres:ident: $hold:ident) => {
        #[tokio::test]
        async fn $memory() {
            $hold(&crate::support::memory_store::MemoryStore::default()).await;
        }

        #[tokio::test]
        async fn $sqlite() {
            let (_folder, store) = crate::store::in_sqlite().await;
            $hold(&*store).await;
        }

        #[tokio::test]
        async fn $postgres() {
            let url = crate::support::postgres::Cluster::shared().database();
            $hold(&*crate::store::in_postgres(&url).await).await;
        }
    };
}

mod accounts;
mod audit;
mod audited;
mod call_slots;
mod contract;
mod digests;
mod expiry;
mod one_operation;
mod postgres;
mod purge;
mod quota;
mod secrets;
mod stack_events;
mod upgrade;

/// Creates a store in a file of a temporary folder.
async fn in_sqlite() -> (TempDir, Arc<SqliteStore>) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("portal.db")).await.unwrap();
    (folder, Arc::new(store))
}

/// Opens a database that several stores may share.
async fn in_postgres(url: &str) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::open_for_cli(&SecretString::from(url)).await.unwrap())
}

#[tokio::test]
async fn the_store_in_memory_fulfils_the_contract() {
    contract::hold(Arc::new(MemoryStore::default())).await;
}

#[tokio::test]
async fn the_store_in_sqlite_fulfils_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/when/missing/portal.db");
    contract::hold(Arc::new(SqliteStore::open(&path).await.unwrap())).await;
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
    let lease = store.claim_one(Lane::Forward, "before", at(1), LEASE).await.unwrap().unwrap();
    let fact = step(StepId::PROJECT, StepRecord::Started, vec![progress(Phase::CREATING_PROJECT)]);
    store.record(&lease, &fact).await.unwrap();
    drop(store);

    let store = SqliteStore::open(&path).await.unwrap();
    let resumed = store.claim_one(Lane::Forward, "after", at(1), LEASE).await.unwrap().unwrap();
    assert_eq!((&resumed.id, resumed.token > lease.token), (&lease.id, true));
    assert!(matches!(store.record(&lease, &fact).await, Err(StoreError::LeaseLost)));
    let steps = store.journal(&resumed.id).await.unwrap();
    assert_eq!(steps.records[&StepId::PROJECT], StepRecord::Started);
    assert_eq!(store.find(&resumed.id).await.unwrap().unwrap().seq, 2);
}

#[tokio::test]
async fn a_command_beside_the_portal_leaves_its_leases_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portal.db");
    let missing = SqliteStore::open_for_cli(&path).await.unwrap_err();
    assert!(matches!(missing, OpenStoreError::Missing { .. }), "{missing:?}");
    let store = SqliteStore::open(&path).await.unwrap();
    store.begin(&new(1, "alice"), None).await.unwrap();
    let lease = store.claim_one(Lane::Forward, "portal", at(1), LEASE).await.unwrap().unwrap();
    let beside = SqliteStore::open_for_cli(&path).await.unwrap();
    assert!(!beside.make_due_now(&lease.id, None).await.unwrap());
    store.renew(&lease, at(99)).await.unwrap();
}

#[tokio::test]
async fn the_portals_name_is_kept_while_there_are_stacks() {
    let (_folder, sqlite) = in_sqlite().await;
    let postgres = in_postgres(&Cluster::shared().database()).await;
    for store in [sqlite as Arc<dyn Store>, postgres] {
        let keep = async |name| {
            store.keep_portal_name(name).await.unwrap();
            store.name_of_stacks().await.unwrap()
        };
        assert_eq!((keep("first").await, keep("second").await), (None, None));
        store.begin(&new(1, "alice"), None).await.unwrap();
        let second = Some(String::from("second"));
        assert_eq!((keep("third").await, keep("second").await), (second.clone(), second));
        let lease = claim(&*store, Lane::Forward, &DeploymentId::from_random(1)).await;
        store.record(&lease, &end(State::RolledBack)).await.unwrap();
        assert_eq!(keep("third").await, None);
        store.begin(&new(2, "alice"), None).await.unwrap();
        assert_eq!(store.name_of_stacks().await.unwrap().as_deref(), Some("third"));
    }
}

/// A fact of that many events takes several statements.
#[tokio::test]
async fn a_fact_of_many_events_is_stored_in_time_and_without_a_gap() {
    let (_folder, sqlite) = in_sqlite().await;
    let postgres = in_postgres(&Cluster::shared().database()).await;
    for store in [sqlite as Arc<dyn Store>, postgres] {
        store.begin(&new(1, "alice"), None).await.unwrap();
        let lease = claim(&*store, Lane::Forward, &DeploymentId::from_random(1)).await;
        let events = vec![progress(Phase::CREATING_PROJECT); 20_250];
        let begun = SystemClock.monotonic();
        store.record(&lease, &Fact { events, ..Fact::default() }).await.unwrap();
        println!(
            "{}: 20,250 events in {:?}",
            store.kind(),
            SystemClock.monotonic().saturating_sub(begun)
        );
        let stored = store.events(&lease.id, 0, u32::MAX).await.unwrap();
        assert!(stored.iter().map(|event| event.seq).eq(1..=20_251));
    }
}
