//! Databases of older versions are migrated without losing anything.

mod acting;
mod history;
mod kept;

use std::fs;
use std::path::Path;
use std::time::Duration;

use ai_stack_deployer::server::secrets::Keyring;
use ai_stack_deployer::server::secrets::rotation::rotate;
use ai_stack_deployer::server::secrets::sealed::SealedSecrets;
use ai_stack_deployer::server::spec::OperationSpec;
use ai_stack_deployer::server::store::sqlite::SqliteStore;
use ai_stack_deployer::server::store::{
    Lane, Lease, SealedSpec, SpecOrigin, State, StepRecord, Store,
};
use domain::deployment::DeploymentId;
use domain::event::EventBody;
use domain::kind::{KindName, REMOVE};
use domain::remedy::{Remedy, RemedyKind};
use domain::stack_name::StackName;
use domain::words;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use tempfile::TempDir;

use super::contract::{LEASE, at, new, specs};
use super::in_postgres;
use crate::support::claim_one::{CLEAN_UP, ClaimOne as _};
use crate::support::postgres::Cluster;
use crate::support::settings::keyring;

/// One operation in each state, with an event, as in all versions.
const ROWS: &str = "
    INSERT INTO deployments (id, name, host, url, state, seq, started_ms, completed_ms) VALUES
        ('dep_%1', 'alice', 'a', 'a', 'live', 1, 1000, 2000),
        ('dep_%2', 'bobby', 'b', 'b', 'stuck', 1, 1000, 2000),
        ('dep_%3', 'carol', 'c', 'c', 'rolled_back', 1, 1000, 2000),
        ('dep_%4', 'david', 'd', 'd', 'active', 1, 1000, NULL);
    INSERT INTO events (deployment_id, seq, name, data)
        SELECT id, 1, 'progress', name FROM deployments;
";
/// The further columns of versions with removals, and removals: one stuck, one ended, and one in
/// progress.
const ENDS: &str = "
    UPDATE deployments SET due_ms = completed_ms WHERE state = 'stuck';
    UPDATE deployments SET released_ms = completed_ms WHERE state = 'rolled_back';
    INSERT INTO deployments (id, name, host, url, state, seq, started_ms, completed_ms, due_ms,
                             released_ms, removes) VALUES
        ('dep_%6', 'erika', 'e', 'e', 'live', 1, 1000, 2000, NULL, NULL, NULL),
        ('rem_%7', 'erika', 'e', 'e', 'stuck', 1, 1500, 2500, 2500, NULL, 'dep_%6'),
        ('dep_%8', 'frank', 'f', 'f', 'rolled_back', 1, 1000, 2000, NULL, 3000, NULL),
        ('rem_%9', 'frank', 'f', 'f', 'rolled_back', 1, 1500, 2500, NULL, 3000, 'dep_%8'),
        ('dep_%a', 'gerda', 'g', 'g', 'live', 1, 1000, 2000, NULL, NULL, NULL),
        ('rem_%b', 'gerda', 'g', 'g', 'active', 1, 1500, NULL, NULL, NULL, 'dep_%a');
";
/// The same as in versions with stacks.
const STACKS: &str = "
    INSERT INTO stacks (stack, name, host, url, created_ms, live_ms, gone_ms) VALUES
        ('stk_%1', 'alice', 'a', 'a', 1000, 2000, NULL),
        ('stk_%2', 'bobby', 'b', 'b', 1000, NULL, NULL),
        ('stk_%3', 'carol', 'c', 'c', 1000, NULL, 2000),
        ('stk_%4', 'david', 'd', 'd', 1000, NULL, NULL),
        ('stk_%6', 'erika', 'e', 'e', 1000, 2000, NULL),
        ('stk_%8', 'frank', 'f', 'f', 1000, 2000, 3000),
        ('stk_%a', 'gerda', 'g', 'g', 1000, 2000, NULL);
    INSERT INTO operations (id, stack, state, seq, started_ms, completed_ms, due_ms, released_ms,
                            removes) VALUES
        ('dep_%1', 'stk_%1', 'live', 1, 1000, 2000, NULL, NULL, NULL),
        ('dep_%2', 'stk_%2', 'stuck', 1, 1000, 2000, 2000, NULL, NULL),
        ('dep_%3', 'stk_%3', 'rolled_back', 1, 1000, 2000, NULL, 2000, NULL),
        ('dep_%4', 'stk_%4', 'active', 1, 1000, NULL, NULL, NULL, NULL),
        ('dep_%6', 'stk_%6', 'live', 1, 1000, 2000, NULL, NULL, NULL),
        ('rem_%7', 'stk_%6', 'stuck', 1, 1500, 2500, 2500, NULL, 'dep_%6'),
        ('dep_%8', 'stk_%8', 'rolled_back', 1, 1000, 2000, NULL, 3000, NULL),
        ('rem_%9', 'stk_%8', 'rolled_back', 1, 1500, 2500, NULL, 3000, 'dep_%8'),
        ('dep_%a', 'stk_%a', 'live', 1, 1000, 2000, NULL, NULL, NULL),
        ('rem_%b', 'stk_%a', 'active', 1, 1500, NULL, NULL, NULL, 'dep_%a');
    INSERT INTO events (deployment_id, seq, name, data)
        SELECT id, 1, 'progress', name FROM operations JOIN stacks USING (stack);
";

/// What david's stack is made of, as the versions have it that knew a stack by the deployment that
/// made it.
const SPECS: &str = "
    INSERT INTO revisions VALUES ('dep_%4', 1, 'SPEC');
    INSERT INTO sealed_secrets VALUES ('dep_%4', SECRET);
";
/// The same as the versions with revisions have it.
const REVISIONS: &str = "
    UPDATE operations SET from_revision = 1 WHERE removes IS NOT NULL;
    UPDATE operations SET to_revision = 1 WHERE removes IS NULL;
    INSERT INTO revisions (stack, revision, origin, spec) VALUES ('stk_%4', 1, 'begun', 'SPEC');
    INSERT INTO sealed_secrets VALUES ('stk_%4', 1, SECRET);
";
const SPEC: &str = r#"{"version":"1","image":"sandbox/hello","registry":null,"port":8080,
    "size":{"cpu_nanos":null,"memory_bytes":null},
    "environment":[{"name":"TOKEN","value":{"name":"env:TOKEN","fingerprint":"e8c96126"}}],
    "health":{"path":"/","timeout":{"secs":60,"nanos":0},"interval":{"secs":1,"nanos":0}},
    "certificate":{"source":"none","timeout":{"secs":300,"nanos":0}}}"#;
/// The value "value", bound to the deployment; what `<` and `>` enclose are bytes.
const SECRET: &str = "'env:TOKEN', 'test',
    <b9c938626013d791a1ff3e75d9b471b61634d59033ccebbc580efb39c3237f9bd6047d8002af09b78a9e36c1\
         8b7b8c083ed2a5a4c2c73b940efef4bb8b1b79d5d02ea8d3f83c83cf>,
    <7d261e506516f597becffd86f092d1bb5b2101a7b47b4cfe14892b34e2215c47c4ab48ba5a7f45e60f3f8565\
         94>, 'e8c96126'";

/// Events and records of steps as in versions without message codes, one for each sentence.
const SENTENCES: &str = include_str!("older_rows.txt");

/// Returns the rows of [`SENTENCES`]: the kind of each, and its text.
fn sentences() -> impl Iterator<Item = (&'static str, &'static str)> {
    SENTENCES.lines().map(|line| line.split_once(' ').unwrap())
}

/// Writes the statements that add [`SENTENCES`] to carol's operation, each step under another name.
fn insert_sentences() -> String {
    let mut steps = ["project", "environment", "application", "deploy"].into_iter();
    let (carol, mut seq) = (DeploymentId::from_random(3), 1);
    let row = |(what, text): (&str, &str)| {
        let text = text.replace('\'', "''");
        if what == "step" {
            let step = steps.next().unwrap();
            return format!("INSERT INTO steps VALUES ('{carol}', '{step}', '{text}');");
        }
        seq += 1;
        format!("INSERT INTO events VALUES ('{carol}', {seq}, '{what}', '{text}');")
    };
    sentences().map(row).collect()
}

/// Checks that the rows of an older version can be read, that events are shown byte for byte, and
/// that messages have a code if limits are computed from them.
async fn assert_sentences_read(store: &dyn Store) {
    let carol = DeploymentId::from_random(3);
    let shown = store.events(&carol, 1, 100).await.unwrap();
    let written: Vec<_> = sentences().filter(|(what, _)| *what != "step").collect();
    let data: Vec<_> = shown.iter().map(|event| (event.name.as_str(), &*event.data)).collect();
    assert_eq!(data, written);
    let (mut known, mut kinds) = (0, Vec::new());
    for event in &shown {
        match event.decode().unwrap().body {
            EventBody::Progress(update) => {
                let words = update.message_code().map(|code| words::message::sentence(&code));
                known += usize::from(words.is_some());
                assert!(words.is_none_or(|words| words == update.message));
            }
            EventBody::Error(failure) => {
                let was_both = failure.message.contains("cancelled. Before that: ");
                assert_eq!(failure.cause_before_cancel().is_some(), was_both, "{failure:?}");
                let receipt = serde_json::to_string(&failure.receipt).unwrap();
                assert!(event.data.contains(&receipt), "{receipt} of {}", event.data);
                let remedies = failure.receipt.leftovers().filter_map(|line| line.remedy.as_ref());
                kinds.extend(remedies.map(Remedy::kind));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(known, 12);
    let count = |kind| kinds.iter().filter(|one| **one == kind).count();
    let kinds = [RemedyKind::Command, RemedyKind::Instruction, RemedyKind::Wait].map(count);
    assert_eq!(kinds, [2, 11, 12]);
    let records = store.journal(&carol).await.unwrap().records;
    let mut kept: Vec<_> = records
        .into_values()
        .map(|record| match record {
            StepRecord::Failed { cause } => (cause.message, cause.reason),
            other => panic!("{other:?}"),
        })
        .collect();
    kept.sort_by(|one, other| one.0.cmp(&other.0));
    let steps = sentences().filter(|(what, _)| *what == "step");
    assert!(
        steps.zip(kept).all(|((_, text), (words, code))| text.contains(&words) && code.is_none())
    );
}

/// Returns a folder with the first `count` files of `all`, and the number of all files.
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

/// Returns whether `name` is among these migrations.
fn has(migrations: &Path, name: &str) -> bool {
    let mut files = fs::read_dir(migrations).unwrap();
    files.any(|file| file.unwrap().file_name().to_str().unwrap().ends_with(name))
}

/// Returns SQL for the rows that a version with these migrations wrote. `%` in an id stands for
/// zeros, and the two `bytes` enclose hexadecimal digits in the database's SQL.
fn rows(migrations: &Path, bytes: [&str; 2]) -> String {
    let has = |name| has(migrations, name);
    let rows = match (has("_stacks.sql"), has("_operations.sql")) {
        (true, _) => String::from(STACKS),
        (false, true) => format!("{ROWS}{ENDS}"),
        (false, false) => String::from(ROWS),
    };
    let specs = match (has("_revisions.sql"), has("_specs.sql")) {
        (true, _) => REVISIONS,
        (false, true) => SPECS,
        (false, false) => "",
    };
    let kept = if has("_kept_data.sql") { kept::ROWS } else { "" };
    let rows = format!("{rows}{specs}{kept}").replace("SPEC", SPEC).replace("SECRET", SECRET);
    rows.replace('%', &"0".repeat(31)).replace('<', bytes[0]).replace('>', bytes[1])
}

#[tokio::test]
async fn every_older_database_in_sqlite_is_migrated() {
    let mut version = 1;
    loop {
        let (migrations, newest) = first_of("sqlite", version);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portal.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut older = options.connect().await.unwrap();
        Migrator::new(migrations.path()).await.unwrap().run(&mut older).await.unwrap();
        older.execute(AssertSqlSafe(rows(migrations.path(), ["x'", "'"]))).await.unwrap();
        older.execute(AssertSqlSafe(insert_sentences())).await.unwrap();
        older.close().await.unwrap();
        let store = SqliteStore::open(&path).await.unwrap();
        if version > 1 {
            assert_no_removal_is_lost(&store).await;
        }
        if !has(migrations.path(), "_stack_events.sql") {
            history::assert_told(&store, version > 1).await;
        }
        kept::assert_listed(&store, has(migrations.path(), "_kept_data.sql")).await;
        let lease = assert_nothing_is_lost(&store).await;
        assert_spec_is_kept(&store, &lease, has(migrations.path(), "_specs.sql")).await;
        acting::assert_they_begin(&store, version > 1).await;
        if version == newest {
            return;
        }
        version += 1;
    }
}

#[tokio::test]
async fn every_older_database_in_postgres_is_migrated() {
    let mut version = 1;
    loop {
        let (migrations, newest) = first_of("postgres", version);
        let url = Cluster::shared().database();
        let mut older = PgConnection::connect(&url).await.unwrap();
        Migrator::new(migrations.path()).await.unwrap().run(&mut older).await.unwrap();
        let rows = rows(migrations.path(), ["'\\x", "'::bytea"]);
        older.execute(AssertSqlSafe(rows)).await.unwrap();
        older.execute(AssertSqlSafe(insert_sentences())).await.unwrap();
        older.close().await.unwrap();
        let store = in_postgres(&url).await;
        // A replica of an older version still reads like this until it has ended.
        let read = "SELECT string_agg(name || ' ' || state, ',' ORDER BY id) FROM deployments
                    WHERE removes IS NULL AND released_ms IS NULL";
        let seen = "alice live,bobby stuck,david active,erika live,gerda live";
        assert_eq!(Cluster::ask(&url, read), seen);
        assert_no_removal_is_lost(&*store).await;
        if !has(migrations.path(), "_stack_events.sql") {
            history::assert_told(&*store, true).await;
        }
        kept::assert_listed(&*store, has(migrations.path(), "_kept_data.sql")).await;
        let lease = assert_nothing_is_lost(&*store).await;
        assert_spec_is_kept(&*store, &lease, has(migrations.path(), "_specs.sql")).await;
        acting::assert_they_begin(&*store, true).await;
        if version == newest {
            return;
        }
        version += 1;
    }
}

/// Returns the lease of david's operation.
async fn assert_nothing_is_lost(store: &dyn Store) -> Lease {
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
        let events = store.events(id, 0, 1).await.unwrap();
        assert_eq!((events.len(), events[0].data.as_str()), (1, name.as_str()));
    }
    assert_sentences_read(store).await;
    let mut reserved = store.reserved(&names).await.unwrap();
    reserved.sort();
    assert_eq!(reserved, [&names[0], &names[1], &names[3]].map(Clone::clone));
    let claim = async |lane| store.claim_one(lane, "a", at(10), LEASE).await.unwrap().unwrap();
    let lease = claim(Lane::Forward).await;
    assert_eq!((&lease.id, claim(CLEAN_UP).await.id), (&david, bobby));
    store.begin(&new(5, "carol"), None).await.unwrap();
    lease
}

/// The spec of the operation under `lease` is there, and its secret opens; where an older version
/// did not store it, one is assumed.
async fn assert_spec_is_kept<S: Store + SealedSecrets>(store: &S, lease: &Lease, was_stored: bool) {
    let record = store.find(&lease.id).await.unwrap().unwrap();
    assert_eq!(record.revision, specs::revision(4));
    let assumed = SealedSpec { origin: SpecOrigin::Assumed, ..specs::sealed(4) };
    assert_eq!(store.spec(record.revision).await.unwrap().is_some(), was_stored);
    store.store_spec(lease, &assumed).await.unwrap();
    let stored = store.spec(record.revision).await.unwrap().unwrap();
    if !was_stored {
        assert_eq!(stored, assumed);
        return;
    }
    assert_eq!(stored.origin, SpecOrigin::Begun);
    let new = Keyring::parse("new:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=").unwrap();
    assert_opens(store, keyring()).await;
    let both = new.clone().with_older(&keyring()).unwrap();
    let rotation = rotate(store, &both).await.unwrap();
    assert_eq!((rotation.resealed, rotation.unopened), (1, Vec::new()));
    assert_opens(store, new).await;
}

async fn assert_opens(store: &dyn Store, keyring: Keyring) {
    let stored = store.spec(specs::revision(4)).await.unwrap().unwrap();
    let spec = OperationSpec::stored(stored, specs::revision(4), Some(keyring));
    let [(name, value)] = &*spec.environment().unwrap() else { panic!("one variable") };
    assert_eq!((name.as_str(), value.expose_secret()), ("TOKEN", "value"));
}

async fn assert_no_removal_is_lost(store: &dyn Store) {
    let name = |name| StackName::parse(name).unwrap();
    let removal = |number| REMOVE.operation_id(number);
    let stacks = store.stacks(None).await.unwrap();
    let found: Vec<_> = stacks
        .iter()
        .map(|stack| (stack.deployment.name.as_str(), stack.removal.clone()))
        .collect();
    let (erika, gerda) = ((removal(7), State::Stuck), (removal(11), State::Active));
    assert_eq!(found, [("alice", None), ("erika", Some(erika)), ("gerda", Some(gerda))]);
    for (number, of) in [(7, "erika"), (9, "frank"), (11, "gerda")] {
        let record = store.find(&removal(number)).await.unwrap().unwrap();
        assert_eq!(
            (&record.deployment.name, record.deployment.kind),
            (&name(of), KindName::REMOVE)
        );
        assert_eq!(record.metadata.links.removes, Some(DeploymentId::from_random(number - 1)));
        assert_eq!(record.revision, specs::revision(number - 1));
    }
    let freed = store.freed(&name("frank"), Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(freed, Some((None, Timestamp::from_second(3).unwrap())));
    let measured: Vec<_> =
        store.durations(9).await.unwrap().into_iter().map(|one| one.took).collect();
    assert_eq!(measured, [Duration::from_secs(1); 4]);
}

#[tokio::test]
async fn a_command_of_a_newer_version_migrates_nothing_under_a_running_portal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portal.db");
    let portal = SqliteStore::open(&path).await.unwrap();
    let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    let forget = "DELETE FROM _sqlx_migrations
                  WHERE version = (SELECT max(version) FROM _sqlx_migrations)";
    SqliteStore::open_for_cli(&path).await.unwrap();
    connection.execute(forget).await.unwrap();
    connection.close().await.unwrap();
    let error = SqliteStore::open_for_cli(&path).await.unwrap_err().to_string();
    assert!(error.contains("a portal of another version is running"), "{error}");
    assert!(error.contains("restart it with this version first"), "{error}");
    portal.check().await.unwrap();
}
