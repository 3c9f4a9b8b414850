//! The operator's commands of the real binary, beside a running portal and its platform.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use self::world::{World, said};
use crate::support::postgres::Cluster;
use crate::support::process::{PortalDir, exchange};

mod absence;
mod acting;
mod by_hand;
mod downtime;
mod world;

#[test]
fn reconcile_reports_differences_and_removes_late_resources() {
    let world = World::start();
    let portal = world.portal("sandbox/hello");
    let live = world.deploy("alice", "complete");
    let (code, text) = world.give(&["reconcile"]);
    assert_eq!((code, text.lines().count()), (Some(0), 1), "{text}");
    portal.end();
    let portal = world.portal("sandbox/nothing-such");
    let ended = world.deploy("bobby", "error");
    portal.end();

    // Like a create call that took effect late.
    let marker = |id: &str| format!("ai-stack-deployer/default/{id}");
    world.make_project("bobby", &marker(&ended));
    world.make_project("alice", &marker(&live));
    let unknown = world.make_project("lost", &marker(&format!("dep_{}", "0".repeat(32))));
    world.make_project("theirs", "theirs");
    let (code, text) = world.give(&["reconcile", "--dry-run"]);
    assert_eq!((code, world.project_count()), (Some(2), 5), "{text}");
    assert_eq!(text.matches("would be removed: ").count(), 2, "{text}");
    let (code, text) = world.give(&["reconcile"]);
    assert_eq!((code, world.project_count()), (Some(2), 3), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("removed: ")).count(), 2, "{text}");
    assert!(text.contains(&ended) && text.contains(&live), "{text}");
    assert!(text.contains("only reported: ") && text.contains("is not in the database"), "{text}");

    let id = json!({ "projectId": unknown["project"]["projectId"] });
    world.as_another_user("POST", "/api/project.remove", &id);
    assert_eq!(world.give(&["reconcile"]).0, Some(0));
    world.make_project("bobby", &marker(&ended));
    let mut portal = world.portal("sandbox/hello");
    portal.wait_for("The reconciler removed an orphan");
    assert_eq!(world.project_count(), 2, "alice's and theirs");
    assert_eq!(portal.end().0, Some(0));
}

#[test]
fn stuck_operations_are_listed_with_a_remedy_and_retried_on_demand() {
    let world = World::start();
    let mut portal = world.portal("sandbox/hello");
    let live = world.deploy("alice", "complete");
    assert_eq!(world.give(&["stuck", "list"]), (Some(0), String::from("Nothing is stuck.\n")));

    // Somebody has added a resource to our project, so it cannot be removed.
    let state = world.as_another_user("GET", "/sandbox/state", &Value::Null);
    let project = state["projects"][0]["projectId"].as_str().unwrap();
    let project = format!("/api/project.one?projectId={project}");
    let project = world.as_another_user("GET", &project, &Value::Null);
    let environment = &project["environments"][0]["environmentId"];
    let theirs = json!({ "name": "theirs", "environmentId": environment, "sourceType": "docker" });
    let theirs = world.as_another_user("POST", "/api/application.create", &theirs);
    let id = &*world.remove("alice", &live);
    assert!(world.portal_dir.events(id).contains("event: error"));

    let reference = format!("{}-{}", &id[4..8], &id[8..12]).to_uppercase();
    let (code, text) = world.give(&["stuck", "list"]);
    assert_eq!(code, Some(0), "{text}");
    for part in
        ["alice: removal", id, &reference, "stuck since 20", "next attempt 20", "did not create"]
    {
        assert!(text.contains(part), "no {part}:\n{text}");
    }
    // Each failed attempt doubles the pause, so in the end only the command causes a quick retry.
    for which in ["alice", id, &reference] {
        let before = world.tries();
        let (code, text) = world.give(&["stuck", "retry", which]);
        assert!(code == Some(0) && text.contains("within two seconds"), "{text}");
        let mut looks = 0..100;
        while world.tries() == before {
            assert!(looks.next().is_some(), "nobody tries {which} again");
            thread::sleep(Duration::from_millis(100));
        }
    }
    let theirs = json!({ "applicationId": theirs["applicationId"] });
    world.as_another_user("POST", "/api/application.delete", &theirs);
    assert_eq!(world.give(&["stuck", "retry", "--all"]).0, Some(0));
    portal.wait_for("Clean-up is finished");
    assert_eq!(world.give(&["stuck", "list"]), (Some(0), String::from("Nothing is stuck.\n")));
    let (code, text) = world.give(&["stuck", "retry", "alice"]);
    assert!(code == Some(1) && text.contains("no stuck operation is called \"alice\""), "{text}");
    assert_eq!(portal.end().0, Some(0));
}

#[test]
fn audit_prints_entries_as_json_beside_a_running_portal() {
    let world = World::start();
    let portal = world.portal("sandbox/hello");
    let id = world.deploy("alice", "complete");
    world.deploy("bobby", "complete");
    let cancel = format!("POST /api/deployment/{id}/cancel HTTP/1.0\r\nHost: x\r\n\r\n");
    assert!(exchange(world.portal_dir.port, &cancel).contains("ALREADY_ENDED"));
    let lines = |arguments: &[&str]| {
        let (code, text) = world.give(&[&["audit"], arguments].concat());
        assert_eq!(code, Some(0), "{text}");
        let read = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        text.lines().map(read).collect::<Vec<_>>()
    };
    let all = lines(&[]);
    let of = |key: &str| all.iter().map(|line| line[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("number"), [3, 2, 1], "newest first");
    assert_eq!(of("act"), ["cancel", "start", "start"]);
    assert_eq!(of("target"), [&id, "bobby", "alice"]);
    assert_eq!(of("outcome"), ["ALREADY_ENDED", "done", "done"]);
    assert_eq!((&all[0]["who"], &all[0]["from"]), (&json!("guest"), &json!("127.0.0.1")));
    let at = all[0]["at"].as_str().unwrap();
    assert!(at.starts_with("20") && at.ends_with('Z'), "{at}");

    assert_eq!(lines(&["--act", "start", "--limit", "1"]), [all[1].clone()]);
    assert_eq!(lines(&["--target", "alice", "--who", "guest"]), [all[2].clone()]);
    assert_eq!(lines(&["--since", at]), [all[0].clone()]);
    assert!(lines(&["--since", "2999-01-01"]).is_empty());
    for arguments in [["--act", "fly"], ["--since", "yesterday"]] {
        let (code, text) = world.give(&[&["audit"], &arguments[..]].concat());
        assert!(code == Some(2) && text.contains(arguments[1]), "{text}");
    }
    assert_eq!(portal.end().0, Some(0));
}

#[test]
fn audit_prints_nothing_that_a_terminal_carries_out_or_hides() {
    let world = World::start();
    let portal = world.portal("sandbox/hello");
    let name = "\u{202e}x\u{9b}2J\u{3164}\u{1b}]0;y\u{7}\u{e0041}\u{2028}";
    let body = json!({ "name": name }).to_string();
    let length = body.len();
    let deploy =
        format!("POST /api/deploy HTTP/1.0\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}");
    assert!(exchange(world.portal_dir.port, &deploy).contains("INVALID_NAME"));
    let (code, text) = world.give(&["audit"]);
    assert_eq!((code, text.lines().count()), (Some(0), 1), "{text:?}");
    assert!(text.trim_end().is_ascii() && !text.contains('\u{1b}'), "{text:?}");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["target"], name);
    assert_eq!(portal.end().0, Some(0));
}

#[test]
fn a_command_without_a_database_says_so_in_a_sentence() {
    let portal_dir = PortalDir::new();
    let give =
        |arguments: &[&str]| said(&portal_dir.command(&[]).args(arguments).output().unwrap());
    let (code, text) = give(&["reconcile"]);
    assert_eq!((code, text.lines().count()), (Some(1), 1), "{text}");
    assert!(text.contains("DOKPLOY_URL") && text.contains("no platform"), "{text}");
    for arguments in [&["stuck", "list"][..], &["stuck", "retry", "--all"], &["audit"]] {
        let (code, text) = give(arguments);
        assert_eq!((code, text.lines().count()), (Some(1), 1), "{text}");
        assert!(text.contains("DATABASE_URL") && text.contains("does not exist"), "{text}");
    }
    for arguments in [&["stuck", "retry"][..], &["stuck", "retry", "--all", "alice"], &["stuck"]] {
        assert_eq!(give(arguments).0, Some(2), "{arguments:?}");
    }
    assert!(!portal_dir.path().join("portal.db").exists(), "a command makes no database");
}

#[test]
fn the_help_lists_the_operators_commands() {
    let portal_dir = PortalDir::new();
    let help = |arguments: &[&str]| {
        let (code, text) = said(&portal_dir.command(&[]).args(arguments).output().unwrap());
        assert_eq!(code, Some(0), "{text}");
        text
    };
    let text = help(&["--help"]);
    for command in
        ["check", "reconcile", "stuck", "audit", "backup", "restore", "sandbox", "healthcheck"]
    {
        assert!(text.contains(&format!("\n  {command} ")), "no {command}:\n{text}");
    }
    assert!(help(&["reconcile", "--help"]).contains("--dry-run"));
    assert!(help(&["stuck", "--help"]).contains("retry"));
    let text = help(&["stuck", "retry", "--help"]);
    assert!(text.contains("--all") && text.contains("ID|NAME"), "{text}");
}

#[test]
fn audit_reads_a_database_of_postgres_too() {
    let (world, url) = (World::start(), Cluster::shared().database());
    let in_postgres = [("DATABASE_URL", &*url)];
    let portal = world.portal_with(&in_postgres);
    world.deploy("alice", "complete");
    let (code, text) = world.give_with(&in_postgres, &["audit", "--act", "start"]);
    assert_eq!((code, text.lines().count()), (Some(0), 1), "{text}");
    let entry: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&entry["act"], &entry["target"]), (&json!("start"), &json!("alice")), "{text}");
    assert_eq!(portal.end().0, Some(0));
}
