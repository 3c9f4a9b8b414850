//! Starts in a folder where a portal ran before, whose database is missing.

use std::fs;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use super::{give, knows, names_in, refused, succeed};
use crate::support::process::PortalDir;

/// Checks that a start names the file and the remedy, and that it changes no file.
fn assert_refused(portal_dir: &PortalDir, reason: &str) {
    let files = ["portal.db", "portal.db-wal", "portal.db.identity"];
    let read = || files.map(|file| fs::read(portal_dir.path().join(file)).ok());
    let before = read();
    let text = refused(portal_dir);
    for part in [reason, "portal.db", "ai-stack-deployer restore FILE", "ai-stack-deployer --new"] {
        assert!(text.contains(part), "no {part:?}: {text}");
    }
    assert!(read() == before, "{text}");
    // A command does not use these files as the database either.
    let (code, text) = give(portal_dir, &["stuck", "list"]);
    assert!(code == Some(1) && text.contains(reason), "{text}");
    assert!(read() == before, "{text}");
}

/// Returns the folder of a portal that was killed with a live stack, and that stack's deployment.
fn killed() -> (PortalDir, String) {
    let portal_dir = PortalDir::new();
    let portal = portal_dir.start(&[]);
    let id = portal_dir.deploy_until("alice", "complete");
    portal.kill();
    (portal_dir, id)
}

#[test]
fn a_missing_or_empty_database_is_noticed() {
    let portal_dir = PortalDir::new();
    assert_eq!(portal_dir.start(&[]).end().0, Some(0));
    let database = portal_dir.path().join("portal.db");
    fs::write(&database, "").unwrap();
    assert_refused(&portal_dir, "is empty");
    fs::remove_file(&database).unwrap();
    assert_refused(&portal_dir, "is missing");
    let (portal_dir, _) = killed();
    fs::remove_file(portal_dir.path().join("portal.db")).unwrap();
    assert_refused(&portal_dir, "is missing");
    // The log alone shows it, too.
    fs::remove_file(portal_dir.path().join("portal.db.identity")).unwrap();
    let text = refused(&portal_dir);
    assert!(text.contains("is missing") && text.contains("portal.db-wal"), "{text}");
}

#[test]
fn a_copy_without_the_log_of_a_running_portal_is_recognised() {
    let (portal_dir, other) = (PortalDir::new(), PortalDir::new());
    let portal = portal_dir.start(&[]);
    let alice = portal_dir.deploy_until("alice", "complete");
    fs::copy(portal_dir.path().join("portal.db"), other.path().join("portal.db")).unwrap();
    assert_refused(&other, "is incomplete without");
    let (code, text) = give(&other, &["backup", "copy.db"]);
    assert!(code == Some(1) && text.contains("is incomplete without"), "{text}");
    // After a clean end, the copy is put back in its place.
    assert_eq!(portal.end().0, Some(0));
    fs::rename(portal_dir.path().join("portal.db"), portal_dir.path().join("good.db")).unwrap();
    fs::copy(other.path().join("portal.db"), portal_dir.path().join("portal.db")).unwrap();
    assert_refused(&portal_dir, "is incomplete without");
    let (code, text) = give(&portal_dir, &["restore", "../nothing.db"]);
    assert!(code == Some(1) && text.contains("does not exist"), "{text}");
    succeed(&portal_dir, &["restore", "good.db"]);
    let _portal = portal_dir.start(&[]);
    assert!(knows(&portal_dir, &alice));
}

#[test]
fn a_database_without_the_tables_of_a_portal_is_rejected() {
    let portal_dir = PortalDir::new();
    let database = portal_dir.path().join("portal.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        // As earlier versions left it, with the tables still in the log.
        let options = SqliteConnectOptions::new().filename(&database).create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        connection.execute("PRAGMA journal_mode = WAL").await.unwrap();
        connection.close().await.unwrap();
    });
    assert!(fs::metadata(&database).unwrap().len() > 0);
    let text = refused(&portal_dir);
    assert!(text.contains("holds no records of a portal") && text.contains("--new"), "{text}");
}

#[test]
fn after_a_kill_the_log_is_needed_unless_it_was_checkpointed() {
    let (portal_dir, alice) = killed();
    let log = portal_dir.path().join("portal.db-wal");
    let bytes = fs::read(&log).unwrap();
    fs::remove_file(&log).unwrap();
    assert_refused(&portal_dir, "is incomplete without");
    fs::write(&log, "").unwrap();
    assert_refused(&portal_dir, "is incomplete without");
    fs::write(&log, bytes).unwrap();
    let portal = portal_dir.start(&[]);
    assert!(knows(&portal_dir, &alice));
    portal.kill();
    // A command may be the last to close the database.
    succeed(&portal_dir, &["stuck", "list"]);
    let portal = portal_dir.start(&[]);
    assert!(knows(&portal_dir, &alice));
    portal.kill();
    // `sqlite3` does that.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(portal_dir.path().join("portal.db"));
        let mut connection = options.connect().await.unwrap();
        connection.execute("SELECT count(*) FROM operations").await.unwrap();
        connection.close().await.unwrap();
    });
    assert!(!log.exists());
    let _portal = portal_dir.start(&[]);
    assert!(knows(&portal_dir, &alice));
}

#[test]
fn a_database_is_not_mixed_with_the_log_of_another() {
    let portal_dir = PortalDir::new();
    let portal = portal_dir.start(&[]);
    let alice = portal_dir.deploy_until("alice", "complete");
    succeed(&portal_dir, &["backup", "copy.db"]);
    let raw = fs::read(portal_dir.path().join("portal.db")).unwrap();
    portal_dir.deploy_until("bobby", "complete");
    portal.kill();
    let (database, log) =
        (portal_dir.path().join("portal.db"), portal_dir.path().join("portal.db-wal"));
    fs::copy(portal_dir.path().join("copy.db"), &database).unwrap();
    assert_refused(&portal_dir, "belongs to another database");
    let (code, text) = give(&portal_dir, &["backup", "second.db"]);
    assert!(code == Some(1) && text.contains("belongs to another database"), "{text}");
    // With the log moved away, as the message says, the copy can be used.
    fs::rename(&log, portal_dir.path().join("log")).unwrap();
    let portal = portal_dir.start(&[]);
    assert!(knows(&portal_dir, &alice));
    portal.kill();
    // The file of an earlier start with the log of a later one.
    fs::write(&database, raw).unwrap();
    assert_refused(&portal_dir, "belongs to another database");
    succeed(&portal_dir, &["restore", "copy.db"]);
    assert!(names_in(portal_dir.path()).iter().any(|name| name.ends_with("Z-wal")));
    let _portal = portal_dir.start(&[]);
    assert!(knows(&portal_dir, &alice));
}

#[test]
fn the_database_of_another_portal_is_accepted_only_by_restore() {
    let (portal_dir, other) = (PortalDir::new(), PortalDir::new());
    let portal = portal_dir.start(&[]);
    let alice = portal_dir.deploy_until("alice", "complete");
    assert_eq!(portal.end().0, Some(0));
    assert_eq!(other.start(&[]).end().0, Some(0));
    let database = other.path().join("portal.db");
    fs::copy(portal_dir.path().join("portal.db"), &database).unwrap();
    let text = refused(&other);
    assert!(text.contains("portal.db.identity") && text.contains("restore FILE"), "{text}");
    fs::rename(&database, other.path().join("theirs.db")).unwrap();
    succeed(&other, &["restore", "theirs.db"]);
    let portal = other.start(&[]);
    assert!(knows(&other, &alice));
    assert_eq!(portal.end().0, Some(0));
    // Without the identity file, or with an empty one, a complete database counts as the portal's.
    for content in ["", "nonsense"] {
        fs::write(other.path().join("portal.db.identity"), content).unwrap();
        assert_eq!(other.start(&[]).end().0, Some(0));
    }
    let id = fs::read_to_string(other.path().join("portal.db.identity")).unwrap();
    let theirs = fs::read_to_string(portal_dir.path().join("portal.db.identity")).unwrap();
    assert_eq!((id.trim().len(), id), (32, theirs));
}
