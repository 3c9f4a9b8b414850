//! The audit log: entries can only be added and read, and purged when they are too old; the
//! databases reject everything else.

use std::net::IpAddr;

use ai_stack_deployer::server::audit::{AuditAction, AuditEntry, AuditFilter, AuditLog};
use ai_stack_deployer::server::store::Store;
use sqlx::{Connection, PgConnection, SqliteConnection};

use super::contract::at;
use super::{in_postgres, in_sqlite};
use crate::support::postgres::Cluster;

const ALL: AuditFilter =
    AuditFilter { who: None, act: None, target: None, since: None, before: None, limit: 100 };

on_every_store! {
    the_store_in_memory_fulfils_the_contract_of_the_audit_log,
    the_store_in_sqlite_fulfils_the_contract_of_the_audit_log,
    the_store_in_postgres_fulfils_the_contract_of_the_audit_log:
    hold
}

#[tokio::test]
async fn sqlite_rejects_changes_and_deletions_of_entries() {
    let (folder, store) = in_sqlite().await;
    store.append(&entry(0)).await.unwrap();
    let path = folder.path().join("portal.db");
    let mut raw = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    for statement in [
        "UPDATE audit SET outcome = 'done'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE act = 'sign_in'",
        "REPLACE INTO audit (number, at_ms, who, act, outcome) VALUES (1, 0, 'x', 'x', 'x')",
        "INSERT INTO audit (number, at_ms, who, act, outcome) VALUES (1, 0, 'x', 'x', 'x')
         ON CONFLICT DO UPDATE SET outcome = excluded.outcome",
    ] {
        let error = sqlx::query(statement).execute(&mut raw).await.unwrap_err().to_string();
        assert!(error.contains("only ever added"), "{statement}: {error}");
    }
    assert_eq!(store.entries(&ALL).await.unwrap(), [(1, entry(0))]);
    store.close().await;
}

/// Statements that would delete entries without a cut-off that allows it. Each is an attempt of its
/// own, after entries at the times 0 to 4 and cut-offs that were recorded earlier.
const UNRECORDED: [&str; 4] = [
    // The cut-off of an earlier transaction allows nothing, whether or not it is the newest entry.
    "DELETE FROM audit WHERE act <> 'purge'",
    "BEGIN; INSERT INTO audit (at_ms, who, act, outcome) VALUES (9000000000000, 'x', 'x', 'x');
     DELETE FROM audit WHERE act <> 'purge'; COMMIT",
    // A cut-off that no entry follows, however late it says it was made.
    "INSERT INTO audit (at_ms, who, act, outcome, cutoff_ms)
     VALUES (9000000000000, 'x', 'purge', 'done', 8000000000000)",
    // A cut-off allows no more than it says.
    "BEGIN; INSERT INTO audit (at_ms, who, act, outcome, cutoff_ms)
         VALUES (9000000000000, 'x', 'purge', 'done', 1);
     DELETE FROM audit; COMMIT",
];

/// Purges entries, and returns the rest with their numbers.
async fn purged(store: &dyn AuditLog) -> Vec<(i64, AuditEntry)> {
    for number in 0..5 {
        store.append(&entry(number)).await.unwrap();
    }
    let purge = AuditEntry { at: at(6), act: AuditAction::Purge, ..entry(0) };
    assert_eq!(store.purge_entries(at(2), &purge).await.unwrap(), 2);
    let rest = store.entries(&ALL).await.unwrap();
    let times: Vec<_> = rest.iter().map(|(_, entry)| entry.at).collect();
    assert_eq!(times, [at(6), at(4), at(3), at(2)]);
    rest
}

#[tokio::test]
async fn sqlite_deletes_only_what_is_before_a_cut_off_of_the_same_transaction() {
    let (folder, store) = in_sqlite().await;
    let rest = purged(&*store).await;
    let path = folder.path().join("portal.db");
    let mut raw = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    for statement in UNRECORDED {
        let error = sqlx::raw_sql(statement).execute(&mut raw).await.unwrap_err().to_string();
        assert!(error.contains("only ever added"), "{statement}: {error}");
        // An error has ended some transactions.
        drop(sqlx::raw_sql("ROLLBACK").execute(&mut raw).await);
    }
    // Nobody else can say that a cut-off is at work.
    for pretend in [
        "INSERT INTO audit_purge (number) SELECT max(number) FROM audit WHERE act = 'purge'",
        "INSERT INTO audit_purge (number) VALUES (6)",
        "INSERT INTO audit_purge (number) VALUES (7)",
        "REPLACE INTO audit_purge (number, done) SELECT number, 0 FROM audit_purge",
        "INSERT INTO audit_purge (number) SELECT number FROM audit_purge WHERE true
         ON CONFLICT DO UPDATE SET done = 0",
        "UPDATE audit_purge SET done = 0",
        "UPDATE audit_purge SET number = 1",
        "DELETE FROM audit_purge",
    ] {
        let error = sqlx::raw_sql(pretend).execute(&mut raw).await.unwrap_err().to_string();
        assert!(error.contains("a cut-off works once"), "{pretend}: {error}");
    }
    assert_eq!(store.entries(&ALL).await.unwrap(), rest);
    store.close().await;
}

#[tokio::test]
async fn postgres_deletes_only_what_is_before_a_cut_off_of_the_same_transaction() {
    let url = Cluster::shared().database();
    let store = in_postgres(&url).await;
    let rest = purged(&*store).await;
    let mut raw = PgConnection::connect(&url).await.unwrap();
    for statement in UNRECORDED {
        let error = sqlx::raw_sql(statement).execute(&mut raw).await.unwrap_err().to_string();
        assert!(error.contains("only ever added"), "{statement}: {error}");
        sqlx::raw_sql("ROLLBACK").execute(&mut raw).await.unwrap();
    }
    assert_eq!(store.entries(&ALL).await.unwrap(), rest);
}

#[tokio::test]
async fn postgres_rejects_changes_and_deletions_of_entries() {
    let url = Cluster::shared().database();
    let store = in_postgres(&url).await;
    store.append(&entry(0)).await.unwrap();
    let mut raw = PgConnection::connect(&url).await.unwrap();
    for statement in [
        "UPDATE audit SET outcome = 'done'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "INSERT INTO audit (number, at_ms, who, act, outcome) OVERRIDING SYSTEM VALUE
         VALUES (1, 0, 'x', 'x', 'x')
         ON CONFLICT (number) DO UPDATE SET outcome = excluded.outcome",
    ] {
        let error = sqlx::raw_sql(statement).execute(&mut raw).await.unwrap_err().to_string();
        assert!(error.contains("only ever added"), "{statement}: {error}");
        sqlx::raw_sql("ROLLBACK").execute(&mut raw).await.unwrap();
    }
    assert_eq!(store.entries(&ALL).await.unwrap(), [(1, entry(0))]);
}

async fn hold(log: &dyn AuditLog) {
    assert!(log.entries(&ALL).await.unwrap().is_empty());
    let audit_entry: Vec<_> = (0..AuditAction::ALL.len()).map(entry).collect();
    for entry in &audit_entry {
        log.append(entry).await.unwrap();
    }
    let found = log.entries(&ALL).await.unwrap();
    assert!(found.is_sorted_by(|(one, _), (next, _)| one > next), "newest first");
    let entries = |found: Vec<(i64, AuditEntry)>| -> Vec<_> {
        found.into_iter().map(|(_, entry)| entry).rev().collect()
    };
    assert_eq!(entries(found.clone()), audit_entry);

    let list = async |filter| entries(log.entries(&filter).await.unwrap());
    let newest = AuditFilter { limit: 5, ..ALL };
    let first = audit_entry.len() - 5;
    assert_eq!(list(newest.clone()).await, audit_entry[first..]);
    let next = AuditFilter { before: Some(found[4].0), ..newest };
    assert_eq!(list(next).await, audit_entry[first - 5..first]);
    assert_eq!(list(AuditFilter { since: Some(at(9)), ..ALL }).await, audit_entry[9..]);
    assert_eq!(list(AuditFilter { act: Some(AuditAction::Retry), ..ALL }).await, audit_entry[4..5]);
    let who = Some(String::from("person:1"));
    let own = AuditFilter { who, ..ALL };
    let of_one: Vec<_> = (1..audit_entry.len()).step_by(3).map(entry).collect();
    assert_eq!(list(own.clone()).await, of_one);
    let target = Some(String::from("stack-1"));
    let of_both: Vec<_> = (1..audit_entry.len()).step_by(6).map(entry).collect();
    assert_eq!(list(AuditFilter { target, ..own }).await, of_both);
    let target = Some(String::from("stack"));
    assert!(list(AuditFilter { target, ..ALL }).await.is_empty(), "only the whole of it");

    let odd = AuditEntry { target: Some(String::from("a\0b")), at: at(99), ..entry(0) };
    log.append(&odd).await.unwrap();
    assert_eq!(log.entries(&ALL).await.unwrap().len(), audit_entry.len() + 1);
    let target = Some(String::from("\0"));
    assert!(list(AuditFilter { target, ..ALL }).await.is_empty());

    let purge = AuditEntry { at: at(200), act: AuditAction::Purge, ..entry(0) };
    assert_eq!(log.purge_entries(at(0), &purge).await.unwrap(), 0);
    assert_eq!(log.entries(&ALL).await.unwrap().len(), audit_entry.len() + 1, "nothing to say");
    assert_eq!(log.purge_entries(at(10), &purge).await.unwrap(), 10);
    let rest = entries(log.entries(&ALL).await.unwrap());
    assert_eq!(rest[..audit_entry.len() - 10], audit_entry[10..]);
    assert_eq!(rest.last(), Some(&purge));
    // A clock that is far ahead.
    let count = log.entries(&ALL).await.unwrap().len();
    let later = AuditEntry { at: at(100_000), ..purge };
    assert_eq!(log.purge_entries(at(90_000), &later).await.unwrap(), 0);
    assert_eq!(log.entries(&ALL).await.unwrap().len(), count, "nothing is newer");
}

/// Returns one of many entries, each with another action.
fn entry(number: usize) -> AuditEntry {
    let addresses = [None, Some("192.0.2.7"), Some("2001:db8::7")];
    let address = addresses[number % 3].map(|text| text.parse::<IpAddr>().unwrap());
    AuditEntry {
        at: at(i64::try_from(number).unwrap()),
        who: format!("person:{}", number % 3),
        act: AuditAction::ALL[number],
        target: (!number.is_multiple_of(4)).then(|| format!("stack-{}", number % 6)),
        from: address,
        outcome: String::from("done"),
    }
}
