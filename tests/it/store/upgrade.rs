//! A database that an older portal has filled is brought up to date, and nothing in it is lost.

use std::{fs, path::Path};

use ai_stack_deployer::server::store::{Lane, State, Store, sqlite::SqliteStore};
use domain::{deployment::DeploymentId, kind::KindName, stack_name::StackName};
use sqlx::{
    ConnectOptions, Connection, Executor, PgConnection, migrate::Migrator,
    sqlite::SqliteConnectOptions,
};
use tempfile::TempDir;

use super::{
    contract::{LEASE, at, new},
    in_postgres,
};
use crate::support::{
    claim_one::{CLEAN_UP, ClaimOne as _},
    postgres::Cluster,
};

/// One operation in each state, with an event, as all versions had them.
const ROWS: &str = "
    INSERT INTO deployments (id, name, host, url, state, seq, started_ms, completed_ms) VALUES
        ('dep_00000000000000000000000000000001', 'alice', 'a', 'a', 'live', 1, 1000, 2000),
        ('dep_00000000000000000000000000000002', 'bobby', 'b', 'b', 'stuck', 1, 1000, 2000),
        ('dep_00000000000000000000000000000003', 'carol', 'c', 'c', 'rolled_back', 1, 1000, 2000),
        ('dep_00000000000000000000000000000004', 'david', 'd', 'd', 'active', 1, 1000, NULL);
    INSERT INTO events (deployment_id, seq, name, data)
        SELECT id, 1, 'progress', name FROM deployments;
";
/// What the versions with removals wrote at an end, too.
const ENDS: &str = "
    UPDATE deployments SET due_ms = completed_ms WHERE state = 'stuck';
    UPDATE deployments SET released_ms = completed_ms WHERE state = 'rolled_back';
";

/// Returns a folder with the first `count` files of `all`, and how many there are in all.
fn first_of(all: &str, count: usize) -> (TempDir, usize) {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(all);
    let mut files: Vec<_> = fs::read_dir(all).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let folder = tempfile::tempdir().unwrap();
    for file in &files[..count] {
        fs::copy(file, folder.path().join(file.file_name().unwrap())).unwrap();
    }
    (folder, files.len())
}

#[tokio::test]
async fn every_older_database_in_sqlite_is_brought_up_to_date() {
    let mut version = 1;
    loop {
        let (migrations, newest) = first_of("sqlite", version);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portal.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut older = options.connect().await.unwrap();
        Migrator::new(migrations.path()).await.unwrap().run(&mut older).await.unwrap();
        older.execute(ROWS).await.unwrap();
        if version > 1 {
            older.execute(ENDS).await.unwrap();
        }
        older.close().await.unwrap();
        assert_nothing_is_lost(&SqliteStore::open(&path).await.unwrap()).await;
        if version == newest {
            return;
        }
        version += 1;
    }
}

#[tokio::test]
async fn every_older_database_in_postgres_is_brought_up_to_date() {
    let mut version = 1;
    loop {
        let (migrations, newest) = first_of("postgres", version);
        let url = Cluster::shared().database();
        let mut older = PgConnection::connect(&url).await.unwrap();
        Migrator::new(migrations.path()).await.unwrap().run(&mut older).await.unwrap();
        older.execute(ROWS).await.unwrap();
        older.execute(ENDS).await.unwrap();
        older.close().await.unwrap();
        assert_nothing_is_lost(&*in_postgres(&url).await).await;
        if version == newest {
            return;
        }
        version += 1;
    }
}

async fn assert_nothing_is_lost(store: &dyn Store) {
    let names = ["alice", "bobby", "carol", "david"].map(|name| StackName::parse(name).unwrap());
    let [alice, bobby, carol, david] = [1, 2, 3, 4].map(DeploymentId::from_random);
    for (id, name, state) in [
        (&alice, &names[0], State::Live),
        (&bobby, &names[1], State::Stuck),
        (&carol, &names[2], State::RolledBack),
        (&david, &names[3], State::Active),
    ] {
        let record = store.find(id).await.unwrap().unwrap();
        assert_eq!((&record.deployment.name, record.state), (name, state));
        assert_eq!(record.deployment.kind, KindName::DEPLOY);
        assert_eq!((record.owner, record.deployment.started.as_second()), (None, 1));
        let events = store.events(id, 0, 10).await.unwrap();
        assert_eq!((events.len(), events[0].data.as_str()), (1, name.as_str()));
    }
    let mut reserved = store.reserved(&names).await.unwrap();
    reserved.sort();
    assert_eq!(reserved, [&names[0], &names[1], &names[3]].map(Clone::clone));
    let claim = async |lane| store.claim_one(lane, "a", at(10), LEASE).await.unwrap().unwrap().id;
    assert_eq!(claim(Lane::Forward).await, david);
    assert_eq!(claim(CLEAN_UP).await, bobby);
    store.begin(&new(5, "carol"), None).await.unwrap();
}
