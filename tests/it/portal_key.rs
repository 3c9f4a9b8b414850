//! The portal's key: created if that is allowed, rejected if it cannot be used, rotated while the
//! portal runs, and reported if it is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Output;

use crate::support::platform::Platform;
use crate::support::postgres::Cluster;
use crate::support::process::{PortalDir, Running, post_deploy};

const FIRST: &str = "first:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const SECOND: &str = "second:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
const TOKEN: (&str, &str) = ("STACK_ENV_TOKEN", "value-of-the-token");

fn key_file(portal_dir: &PortalDir) -> PathBuf {
    portal_dir.path().join("portal.key")
}

/// Ends a portal, and returns its log.
fn end(portal: Running) -> String {
    let (code, said) = portal.end_with_output();
    assert_eq!(code, Some(0), "{said:?}");
    said.join("\n")
}

/// Runs a command, and returns its exit code and its output.
fn give(portal_dir: &PortalDir, variables: &[(&str, &str)], arguments: &[&str]) -> (i32, String) {
    let Output { status, stdout, stderr } =
        portal_dir.command(variables).args(arguments).output().unwrap();
    let said = [stdout, stderr].concat();
    (status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[test]
fn with_sqlite_the_key_is_created_once_and_the_log_says_so() {
    let portal_dir = PortalDir::new();
    let log = end(portal_dir.start(&[TOKEN]));
    assert!(log.contains("Made the portal's key"), "{log}");
    let path = key_file(&portal_dir);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let key = fs::read_to_string(&path).unwrap();
    assert!(key.len() == 45 && !log.contains(key.trim()), "{log}");

    let portal = portal_dir.start(&[TOKEN]);
    portal_dir.deploy_until("alice", "complete");
    let log = end(portal);
    assert!(!log.contains("Made the portal's key"), "{log}");
    assert_eq!(fs::read_to_string(&path).unwrap(), key);
    let database = fs::read(portal_dir.path().join("portal.db")).unwrap();
    let holds = |text: &str| database.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(holds("env:TOKEN") && !holds(TOKEN.1), "the value is sealed");

    let copy = portal_dir.path().join("copy.db").display().to_string();
    for command in ["backup", "restore"] {
        let (code, said) = give(&portal_dir, &[], &[command, &copy]);
        assert!(code == 0 && said.contains("does not include the portal's key"), "{said}");
    }
    fs::remove_file(&path).unwrap();
    let (code, said) = give(&portal_dir, &[], &["backup", &path.display().to_string()]);
    assert!(code == 1 && said.contains("one of the database's own files"), "{said}");
    assert!(!path.exists());
}

#[test]
fn a_lost_key_is_reported_and_the_new_one_takes_the_old_one_behind_a_comma() {
    let portal_dir = PortalDir::new();
    let path = key_file(&portal_dir);
    let portal = portal_dir.start(&[TOKEN]);
    portal_dir.deploy_until("alice", "complete");
    end(portal);
    let old = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let leftover = portal_dir.path().join("portal.key.part-0badcafe");
    fs::write(&leftover, &old).unwrap();

    let log = end(portal_dir.start(&[TOKEN]));
    assert!(log.contains("since there was no key any more"), "{log}");
    assert!(log.contains("A key of the portal is missing: append the old key after a comma"));
    assert!(!log.contains("put it back"), "{log}");
    assert!(!leftover.exists(), "a crash left it, with a key");
    let new = fs::read_to_string(&path).unwrap();
    assert_ne!(new, old);
    fs::write(&path, format!("{},{old}", new.trim())).unwrap();
    let log = end(portal_dir.start(&[TOKEN]));
    assert!(!log.contains("A key of the portal is missing"), "{log}");
    let (code, said) = give(&portal_dir, &[], &["secrets", "rotate"]);
    assert!(code == 0 && said.contains("under the key") && said.contains(": 1."), "{said}");
}

#[test]
fn a_key_with_the_id_of_another_loses_nothing_and_every_part_says_so() {
    let portal_dir = PortalDir::new();
    let other = SECOND.replace("second", "first");
    let (old, new) = (("PORTAL_SECRET_KEY", FIRST), ("PORTAL_SECRET_KEY", other.as_str()));
    let portal = portal_dir.start(&[TOKEN, old]);
    portal_dir.deploy_until("alice", "complete");
    end(portal);
    let log = end(portal_dir.start(&[TOKEN, new]));
    assert!(log.contains("ERROR") && log.contains("another one than the one that sealed"), "{log}");
    assert!(log.contains("give the new key another id"), "{log}");
    let (code, said) = give(&portal_dir, &[new], &["secrets", "rotate"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("env:TOKEN of dep_") && said.contains("does not open"), "{said}");
    assert!(said.trim().lines().last().unwrap().contains("do not open: keep every key"), "{said}");
    let both = ("PORTAL_SECRET_KEY", &*format!("{SECOND},{FIRST}"));
    let (code, said) = give(&portal_dir, &[both], &["secrets", "rotate"]);
    assert!(code == 0 && said.contains("run this command again before you remove a key"), "{said}");
}

#[test]
fn a_bad_key_file_keeps_neither_the_other_verdicts_nor_the_reconciler_from_an_operator() {
    let portal_dir = PortalDir::new();
    let platform = Platform::start(&portal_dir);
    end(platform.portal(&portal_dir, &[]));
    fs::set_permissions(key_file(&portal_dir), fs::Permissions::from_mode(0o644)).unwrap();
    let give = |arguments: &[&str]| {
        let output = platform.command(&portal_dir, &[]).args(arguments).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = give(&["check"]);
    assert!(code == 1 && said.contains("answers and accepts the key"), "{said}");
    assert!(said.contains("its mode is 0644"), "{said}");
    let (code, said) = give(&["reconcile", "--dry-run"]);
    assert!(code == 0 && said.contains("agree"), "{said}");
}

#[test]
fn a_key_that_cannot_be_used_stops_the_start_and_the_sentence_says_what_to_do() {
    let portal_dir = PortalDir::new();
    let path = key_file(&portal_dir);
    let key = FIRST.split(':').nth(1).unwrap();
    let refused = |variables: &[(&str, &str)], expected: &[&str]| {
        for command in [&[][..], &["check"], &["secrets", "rotate"]] {
            let (code, said) = give(&portal_dir, variables, command);
            assert_eq!(code, 1, "{command:?}: {said}");
            assert!(expected.iter().all(|text| said.contains(text)), "{command:?}: {said}");
            assert!(!said.contains(&key[..20]), "{said}");
        }
    };
    fs::write(&path, key).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    refused(&[], &["portal.key", "its mode is 0644", "chmod 600"]);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, "half a key").unwrap();
    refused(&[], &["portal.key", "is not base64", "openssl rand -base64 32"]);
    fs::write(&path, FIRST).unwrap();
    let other = SECOND.replace("second", "first");
    let clash = ["PORTAL_SECRET_KEY", "portal.key", "two keys with the id first"];
    refused(&[("PORTAL_SECRET_KEY", &other)], &clash);
    let twice = format!("{FIRST},{other}");
    refused(&[("PORTAL_SECRET_KEY", &twice)], &["PORTAL_SECRET_KEY", "the id first"]);
    refused(&[("PORTAL_SECRET_KEY", "AQEB")], &["PORTAL_SECRET_KEY", "3 bytes"]);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    refused(&[], &["portal.key", "cannot be read"]);
}

#[test]
fn with_postgres_and_no_key_only_stacks_with_secrets_are_refused() {
    let (portal_dir, url) = (PortalDir::new(), Cluster::shared().database());
    let platform = Platform::start(&portal_dir);
    let variables =
        |more: &[(&'static str, &'static str)]| [&[("DATABASE_URL", url.as_str())], more].concat();
    let start = |more| platform.portal(&portal_dir, &variables(more));
    let check = |more| {
        let mut command = platform.command(&portal_dir, &variables(more));
        let output = command.arg("check").output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    // A check changes nothing: the tables may be those of replicas of an older version.
    assert_eq!(check(&[]).0, Some(0));
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(Cluster::ask(&url, tables), "0");
    let portal = start(&[TOKEN]);
    let answer = post_deploy(portal_dir.port, "alice");
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("SECRET_KEY_MISSING") && answer.contains("PORTAL_SECRET_KEY"));
    assert_eq!(Cluster::ask(&url, "SELECT count(*) FROM operations"), "0");
    assert!(end(portal).contains("PORTAL_SECRET_KEY is not set, so no stack can be started"));
    let (code, said) = check(&[TOKEN]);
    assert!(code == Some(1) && said.contains("PORTAL_SECRET_KEY is not set"), "{said}");

    // A stack without secrets needs no key.
    let portal = start(&[]);
    portal_dir.deploy_until("bobby", "complete");
    end(portal);
    assert_eq!(check(&[]).0, Some(0));

    let key = ("PORTAL_SECRET_KEY", FIRST);
    let portal = start(&[TOKEN, key]);
    portal_dir.deploy_until("carol", "complete");
    assert_eq!(Cluster::ask(&url, "SELECT DISTINCT key_id FROM sealed_secrets"), "first");
    end(portal);
    let (code, said) = check(&[TOKEN, key]);
    assert!(code == Some(0) && said.contains("the portal's key first"), "{said}");
}

#[test]
fn the_key_is_rotated_during_a_deployment_which_succeeds() {
    let portal_dir = PortalDir::new();
    let both = format!("{SECOND},{FIRST}");
    let (old, new) = (("PORTAL_SECRET_KEY", FIRST), ("PORTAL_SECRET_KEY", both.as_str()));
    let portal = portal_dir.start(&[TOKEN, old]);
    portal_dir.deploy_until("alice", "complete");
    end(portal);

    let portal = portal_dir.start(&[TOKEN, new, ("STACK_IMAGE", "sandbox/slow")]);
    let id = portal_dir.deploy("bobby");
    let (code, said) = give(&portal_dir, &[new], &["secrets", "rotate"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Secrets newly encrypted under the key second: 1."), "{said}");
    assert!(said.contains("Secrets that use the key second: 2."), "{said}");
    assert!(said.contains("No secret uses another key"), "{said}");
    assert!(portal_dir.events(&id).contains("event: complete"));
    end(portal);

    // With only the old key, the secrets cannot be opened, and every part says so.
    let (code, said) = give(&portal_dir, &[old], &["secrets", "rotate"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("the key second, which the portal does not have"), "{said}");
    assert!(said.contains("Some secrets still use other keys"), "{said}");
    let portal = portal_dir.start(&[old]);
    assert!(portal_dir.get("/api/stacks").contains("alice"), "stacks run on");
    let log = end(portal);
    assert!(log.contains("A key of the portal is missing") && log.contains("second"), "{log}");
}

#[test]
fn a_command_that_needs_a_key_says_so_where_there_is_none() {
    let portal_dir = PortalDir::new();
    let (code, said) = give(&portal_dir, &[], &["secrets", "rotate"]);
    assert!(code == 1 && said.contains("set PORTAL_SECRET_KEY"), "{said}");
    assert!(!key_file(&portal_dir).exists(), "only a portal makes one");
}
