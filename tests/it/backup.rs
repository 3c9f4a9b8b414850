//! Records that are copied and put back, by the real binary: `backup`, `restore` and `--new`.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use crate::support::{
    postgres::Cluster,
    process::{Place, Running},
};

mod damage;
mod lost;

/// Gives a command and returns its exit code and all that it says.
fn give(place: &Place, arguments: &[&str]) -> (Option<i32>, String) {
    give_with(place, &[], arguments)
}

fn give_with(
    place: &Place,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> (Option<i32>, String) {
    let output = place.command(variables).args(arguments).current_dir(place.path()).output();
    let output = output.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn succeed(place: &Place, arguments: &[&str]) -> String {
    let (code, text) = give(place, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {text}");
    text
}

/// Starts a portal that must not come up, and returns what it says.
fn refused(place: &Place) -> String {
    // Were it to start, it could not listen and would say so.
    let _taken = std::net::TcpListener::bind(("127.0.0.1", place.port)).unwrap();
    let output = place.command(&[]).output().unwrap();
    let (code, text) = (output.status.code(), String::from_utf8(output.stderr).unwrap());
    assert_eq!((code, text.lines().count()), (Some(1), 1), "{text}");
    text
}

/// Has a stack come up, and returns its deployment's id.
fn live(place: &Place, name: &str) -> String {
    let id = place.deploy(name);
    let stream = place.get(&format!("/api/status/{id}"));
    assert!(stream.contains("event: complete"), "{stream}");
    id
}

fn knows(place: &Place, id: &str) -> bool {
    place.get(&format!("/api/deployment/{id}")).starts_with("HTTP/1.1 200 ")
}

fn names_in(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_backup_of_a_running_portal_is_whole_and_is_put_back() {
    let place = Place::new();
    let portal = place.start(&[]);
    let alice = live(&place, "alice");
    let text = succeed(&place, &["backup", "copy.db"]);
    assert!(text.contains("copy.db") && text.contains("sandbox.json"), "{text}");
    let copy = place.path().join("copy.db");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let bobby = live(&place, "bobby");

    let (code, text) = give(&place, &["restore", "copy.db"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("is in use by another portal process"), "{text}");
    assert!(knows(&place, &bobby));
    assert_eq!(portal.end().0, Some(0));

    let text = succeed(&place, &["restore", "copy.db"]);
    assert!(text.contains("portal.db.aside-") && text.contains("sandbox.json"), "{text}");
    let portal = place.start(&[]);
    assert!(knows(&place, &alice) && !knows(&place, &bobby));
    assert_eq!(portal.end().0, Some(0));

    // What was set aside is not lost.
    let names = names_in(place.path());
    let is_aside = |name: &&String| name.contains(".aside-") && name.ends_with('Z');
    let aside = names.iter().find(is_aside).unwrap();
    succeed(&place, &["restore", aside]);
    let _portal = place.start(&[]);
    assert!(knows(&place, &alice) && knows(&place, &bobby));
}

#[test]
fn a_backup_after_a_kill_has_what_was_only_in_the_log_and_fits_an_empty_folder() {
    let (place, other) = (Place::new(), Place::new());
    let portal = place.start(&[]);
    let alice = live(&place, "alice");
    portal.kill();
    let copy = other.path().join("copy.db");
    succeed(&place, &["backup", copy.to_str().unwrap()]);
    succeed(&other, &["restore", copy.to_str().unwrap()]);
    let _portal = other.start(&[]);
    assert!(knows(&other, &alice));
    let _portal = place.start(&[]);
    assert!(knows(&place, &alice));
}

#[test]
fn a_backup_overwrites_nothing_and_leaves_no_part_of_itself() {
    let place = Place::new();
    let _portal = place.start(&[]);
    fs::write(place.path().join("notes"), "kept").unwrap();
    symlink("nowhere", place.path().join("link")).unwrap();
    let before = names_in(place.path());
    let files =
        ["notes", "link", "portal.db", "./portal.db", "portal.db-wal", "portal.db.identity"];
    let unwritable = ["missing/copy.db", "notes/copy.db", "/proc/copy.db", "/dev/null", "."];
    for file in files.iter().chain(&unwritable) {
        let (code, text) = give(&place, &["backup", file]);
        assert_eq!((code, text.lines().count()), (Some(1), 1), "{file}: {text}");
        assert!(text.contains(file) && text.contains("another"), "{file}: {text}");
    }
    assert_eq!(names_in(place.path()), before);
    assert_eq!(fs::read(place.path().join("notes")).unwrap(), b"kept");
    let empty = Place::new();
    let (code, text) = give(&empty, &["backup", "copy.db"]);
    assert!(code == Some(1) && text.contains("portal.db does not exist"), "{text}");
    assert_eq!(names_in(empty.path()), Vec::<String>::new());
}

#[test]
fn a_link_and_a_query_lead_to_the_same_database() {
    let place = Place::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let database = elsewhere.path().join("real.db");
    symlink(&database, place.path().join("portal.db")).unwrap();
    let portal = place.start(&[]);
    let alice = live(&place, "alice");
    let url = format!("sqlite://{}?mode=rwc", database.display());
    let given = |arguments: &[&str]| give_with(&place, &[("DATABASE_URL", &url)], arguments);
    assert_eq!(given(&["backup", "copy.db"]).0, Some(0));
    let (code, text) = given(&["restore", "copy.db"]);
    assert!(code == Some(1) && text.contains("in use"), "{text}");
    portal.kill();
    let (code, text) = given(&["restore", "portal.db"]);
    assert!(code == Some(1) && text.contains("own database"), "{text}");
    assert_eq!(given(&["restore", "./copy.db"]).0, Some(0));
    assert!(place.path().join("portal.db").is_symlink());
    let _portal = place.start(&[]);
    assert!(knows(&place, &alice));
}

#[test]
fn new_begins_afresh_and_deletes_nothing() {
    let place = Place::new();
    let portal = place.start(&[]);
    let alice = live(&place, "alice");
    assert_eq!(portal.end().0, Some(0));
    let mut command = place.command(&[]);
    let mut portal = Running::spawn(command.arg("--new"));
    portal.wait_until_ready();
    assert!(!knows(&place, &alice));
    // Its stack went as well: nobody would remove it.
    live(&place, "alice");
    let (_, log) = portal.end_and_tell();
    assert!(log.iter().any(|line| line.contains("Begins afresh") && line.contains(".aside-")));
    let names = names_in(place.path());
    assert!(names.iter().any(|name| name.starts_with("sandbox.json.aside-")), "{names:?}");
    let (code, text) = give(&place, &["--new", "stuck", "list"]);
    assert!(code == Some(1) && text.contains("--new"), "{text}");
    // Where nothing was, --new has nothing to set aside.
    let empty = Place::new();
    let mut command = empty.command(&[]);
    let mut portal = Running::spawn(command.arg("--new"));
    portal.wait_until_ready();
    assert!(!names_in(empty.path()).iter().any(|name| name.contains("aside")));
}

#[test]
fn with_postgres_each_says_what_to_use_instead() {
    let (place, url) = (Place::new(), Cluster::shared().database());
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
        let (code, text) = give_with(&place, &variables, arguments);
        assert!(code == Some(1) && text.contains(hint), "{text}");
        assert!(!text.contains(&url), "{text}");
    }
}
