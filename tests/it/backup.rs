//! Databases that are backed up and restored, by the real binary: `backup`, `restore` and `--new`.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use crate::support::postgres::Cluster;
use crate::support::process::{PortalDir, Running};

mod damage;
mod lost;

/// Runs a command, and returns its exit code and its output.
fn give(portal_dir: &PortalDir, arguments: &[&str]) -> (Option<i32>, String) {
    give_with(portal_dir, &[], arguments)
}

fn give_with(
    portal_dir: &PortalDir,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> (Option<i32>, String) {
    let output =
        portal_dir.command(variables).args(arguments).current_dir(portal_dir.path()).output();
    let output = output.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn succeed(portal_dir: &PortalDir, arguments: &[&str]) -> String {
    let (code, text) = give(portal_dir, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {text}");
    text
}

/// Runs a portal whose start must fail, and returns its output.
fn refused(portal_dir: &PortalDir) -> String {
    // If it started, it could not listen, and would say so.
    let _taken = std::net::TcpListener::bind(("127.0.0.1", portal_dir.port)).unwrap();
    let output = portal_dir.command(&[]).output().unwrap();
    let (code, text) = (output.status.code(), String::from_utf8(output.stderr).unwrap());
    assert_eq!((code, text.lines().count()), (Some(1), 1), "{text}");
    text
}

fn knows(portal_dir: &PortalDir, id: &str) -> bool {
    portal_dir.get(&format!("/api/deployment/{id}")).starts_with("HTTP/1.1 200 ")
}

fn names_in(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_backup_of_a_running_portal_is_complete_and_can_be_restored() {
    let portal_dir = PortalDir::new();
    let portal = portal_dir.start(&[]);
    let alice = portal_dir.deploy_until("alice", "complete");
    let text = succeed(&portal_dir, &["backup", "copy.db"]);
    assert!(text.contains("copy.db") && text.contains("sandbox.json"), "{text}");
    let copy = portal_dir.path().join("copy.db");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let bobby = portal_dir.deploy_until("bobby", "complete");

    let (code, text) = give(&portal_dir, &["restore", "copy.db"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("is in use by another portal process"), "{text}");
    assert!(knows(&portal_dir, &bobby));
    assert_eq!(portal.end().0, Some(0));

    let text = succeed(&portal_dir, &["restore", "copy.db"]);
    assert!(text.contains("portal.db.aside-") && text.contains("sandbox.json"), "{text}");
    let portal = portal_dir.start(&[]);
    assert!(knows(&portal_dir, &alice) && !knows(&portal_dir, &bobby));
    assert_eq!(portal.end().0, Some(0));

    // The database that was moved aside is not lost.
    let names = names_in(portal_dir.path());
    let is_aside = |name: &&String| name.contains(".aside-") && name.ends_with('Z');
    let aside = names.iter().find(is_aside).unwrap();
    succeed(&portal_dir, &["restore", aside]);
    let _portal = portal_dir.start(&[]);
    assert!(knows(&portal_dir, &alice) && knows(&portal_dir, &bobby));
}

#[test]
fn a_backup_after_a_kill_includes_the_log_and_can_be_restored_into_an_empty_folder() {
    let (portal_dir, other) = (PortalDir::new(), PortalDir::new());
    let portal = portal_dir.start(&[]);
    let alice = portal_dir.deploy_until("alice", "complete");
    portal.kill();
    let copy = other.path().join("copy.db");
    succeed(&portal_dir, &["backup", copy.to_str().unwrap()]);
    succeed(&other, &["restore", copy.to_str().unwrap()]);
    let _portal = other.start(&[]);
    assert!(knows(&other, &alice));
    let _portal = portal_dir.start(&[]);
    assert!(knows(&portal_dir, &alice));
}

#[test]
fn a_backup_overwrites_nothing_and_leaves_no_part_of_itself() {
    let portal_dir = PortalDir::new();
    let _portal = portal_dir.start(&[]);
    fs::write(portal_dir.path().join("notes"), "kept").unwrap();
    symlink("nowhere", portal_dir.path().join("link")).unwrap();
    let before = names_in(portal_dir.path());
    let files =
        ["notes", "link", "portal.db", "./portal.db", "portal.db-wal", "portal.db.identity"];
    let unwritable = ["missing/copy.db", "notes/copy.db", "/proc/copy.db", "/dev/null", "."];
    for file in files.iter().chain(&unwritable) {
        let (code, text) = give(&portal_dir, &["backup", file]);
        assert_eq!((code, text.lines().count()), (Some(1), 1), "{file}: {text}");
        assert!(text.contains(file) && text.contains("another"), "{file}: {text}");
    }
    assert_eq!(names_in(portal_dir.path()), before);
    assert_eq!(fs::read(portal_dir.path().join("notes")).unwrap(), b"kept");
    let empty = PortalDir::new();
    let (code, text) = give(&empty, &["backup", "copy.db"]);
    assert!(code == Some(1) && text.contains("portal.db does not exist"), "{text}");
    assert_eq!(names_in(empty.path()), Vec::<String>::new());
}

#[test]
fn a_symbolic_link_and_a_query_name_the_same_database() {
    let portal_dir = PortalDir::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let database = elsewhere.path().join("real.db");
    symlink(&database, portal_dir.path().join("portal.db")).unwrap();
    let portal = portal_dir.start(&[]);
    let alice = portal_dir.deploy_until("alice", "complete");
    let url = format!("sqlite://{}?mode=rwc", database.display());
    let given = |arguments: &[&str]| give_with(&portal_dir, &[("DATABASE_URL", &url)], arguments);
    assert_eq!(given(&["backup", "copy.db"]).0, Some(0));
    let (code, text) = given(&["restore", "copy.db"]);
    assert!(code == Some(1) && text.contains("in use"), "{text}");
    portal.kill();
    let (code, text) = given(&["restore", "portal.db"]);
    assert!(code == Some(1) && text.contains("own database"), "{text}");
    assert_eq!(given(&["restore", "./copy.db"]).0, Some(0));
    assert!(portal_dir.path().join("portal.db").is_symlink());
    let _portal = portal_dir.start(&[]);
    assert!(knows(&portal_dir, &alice));
}

#[test]
fn new_starts_with_an_empty_database_and_deletes_nothing() {
    let portal_dir = PortalDir::new();
    let portal = portal_dir.start(&[]);
    let alice = portal_dir.deploy_until("alice", "complete");
    assert_eq!(portal.end().0, Some(0));
    let mut command = portal_dir.command(&[]);
    let mut portal = Running::spawn(command.arg("--new"));
    portal.wait_until_ready();
    assert!(!knows(&portal_dir, &alice));
    // The portal does not know the stack any more, so nothing would remove it.
    portal_dir.deploy_until("alice", "complete");
    let (_, log) = portal.end_with_output();
    assert!(
        log.iter().any(
            |line| line.contains("Starting with an empty database") && line.contains(".aside-")
        )
    );
    let names = names_in(portal_dir.path());
    assert!(names.iter().any(|name| name.starts_with("sandbox.json.aside-")), "{names:?}");
    let (code, text) = give(&portal_dir, &["--new", "stuck", "list"]);
    assert!(code == Some(1) && text.contains("--new"), "{text}");
    // Without a database, `--new` has nothing to move aside.
    let empty = PortalDir::new();
    let mut command = empty.command(&[]);
    let mut portal = Running::spawn(command.arg("--new"));
    portal.wait_until_ready();
    assert!(!names_in(empty.path()).iter().any(|name| name.contains("aside")));
}

#[test]
fn with_postgres_each_command_names_the_alternative() {
    let (portal_dir, url) = (PortalDir::new(), Cluster::shared().database());
    let variables = [
        ("DATABASE_URL", url.as_str()),
        ("DOKPLOY_URL", "http://127.0.0.1:1"),
        ("DOKPLOY_API_TOKEN", "canary"),
        ("STACK_DOMAIN_SUFFIX", "localhost"),
        ("STACK_IMAGE", "a"),
    ];
    let ways: [(&[&str], &str); 3] = [
        (&["backup", "copy"], "pg_dump --format=custom"),
        (&["restore", "copy"], "pg_restore --no-owner"),
        (&["--new"], "make an empty database"),
    ];
    for (arguments, hint) in ways {
        let (code, text) = give_with(&portal_dir, &variables, arguments);
        assert!(code == Some(1) && text.contains(hint), "{text}");
        assert!(!text.contains(&url), "{text}");
    }
}
