//! Files that `restore` rejects, and a restore that is interrupted.

use std::fs;
use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use super::{give, knows, names_in, refused, succeed};
use crate::support::process::PortalDir;

/// Damages the database at `path` with a statement.
fn change(path: &Path, statement: &'static str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        connection.execute(statement).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn a_damaged_copy_is_not_restored_and_changes_nothing() {
    let portal_dir = PortalDir::new();
    let portal = portal_dir.start(&[]);
    let alice = portal_dir.deploy_until("alice", "complete");
    succeed(&portal_dir, &["backup", "copy.db"]);
    assert_eq!(portal.end().0, Some(0));
    let at = |name: &str| portal_dir.path().join(name);
    let good = fs::read(at("copy.db")).unwrap();
    fs::write(at("empty.db"), "").unwrap();
    fs::write(at("text.db"), "no database at all, ".repeat(500)).unwrap();
    fs::write(at("short.db"), &good[..good.len() / 2]).unwrap();
    let mut broken = good.clone();
    broken[8192..12288].fill(0xa5);
    fs::write(at("broken.db"), broken).unwrap();
    fs::write(at("newer.db"), &good).unwrap();
    change(
        &at("newer.db"),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', 1, x'00', 1)",
    );
    fs::write(at("raised.db"), &good).unwrap();
    change(&at("raised.db"), "UPDATE schema_generation SET generation = 99");
    change(&at("foreign.db"), "CREATE TABLE notes (text TEXT)");
    let before = names_in(portal_dir.path());
    for (file, why) in [
        ("missing.db", "does not exist"),
        ("empty.db", "is empty"),
        ("text.db", "is not an SQLite database"),
        (".", "cannot be read"),
        ("short.db", "damaged"),
        ("broken.db", "damaged"),
        ("newer.db", "newer version"),
        ("raised.db", "another version"),
        ("foreign.db", "no records of a portal"),
        ("portal.db", "own database"),
    ] {
        let (code, text) = give(&portal_dir, &["restore", file]);
        assert_eq!((code, text.lines().count()), (Some(1), 1), "{file}: {text}");
        assert!(text.contains(file) && text.contains(why), "{file}: {text}");
        assert!(text.contains("nothing was changed"), "{file}: {text}");
        assert_eq!(names_in(portal_dir.path()), before, "{file}");
    }
    let _portal = portal_dir.start(&[]);
    assert!(knows(&portal_dir, &alice));
}

/// After a kill between any two steps, the start is refused, or the database is the old or the new
/// one, and running the same command again finishes the restore.
#[test]
fn an_interrupted_restore_is_never_taken_for_a_new_portal() {
    let portal_dir = PortalDir::new();
    let portal = portal_dir.start(&[]);
    let alice = portal_dir.deploy_until("alice", "complete");
    succeed(&portal_dir, &["backup", "copy.db"]);
    portal.kill();
    let at = |name: &str| portal_dir.path().join(name);
    fs::write(at("portal.db.restoring"), "half of a co").unwrap();
    fs::rename(at("portal.db"), at("portal.db.aside-1")).unwrap();
    assert!(refused(&portal_dir).contains("is missing"));
    fs::rename(at("portal.db-wal"), at("portal.db.aside-1-wal")).unwrap();
    assert!(refused(&portal_dir).contains("is missing"));
    succeed(&portal_dir, &["restore", "copy.db"]);
    assert!(!at("portal.db.restoring").exists());
    let portal = portal_dir.start(&[]);
    assert!(knows(&portal_dir, &alice));
    assert_eq!(portal.end().0, Some(0));
    succeed(&portal_dir, &["restore", "portal.db.aside-1"]);
    let _portal = portal_dir.start(&[]);
    assert!(knows(&portal_dir, &alice));
}
