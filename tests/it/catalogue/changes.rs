//! The folder changes while the portal runs.

use std::time::Duration;

use serde_json::json;

use super::{NOTES, json_of, post, put, status_and_body};
use crate::support::process::PortalDir;

/// The pause between two looks at the templates.
const PAUSE: Duration = Duration::from_millis(50);
/// The number of looks within which a changed file counts: 30 seconds.
const MOST_LOOKS: u32 = 600;

fn templates(portal_dir: &PortalDir) -> Vec<String> {
    let (_, body) = status_and_body(&portal_dir.get("/api/templates"));
    let all = json_of(&body)["templates"].as_array().unwrap().clone();
    all.iter().map(|one| format!("{} {}", one["id"], one["version"]).replace('"', "")).collect()
}

fn wait_for(portal_dir: &PortalDir, expected: &[&str]) {
    for _ in 0..MOST_LOOKS {
        if templates(portal_dir) == expected {
            return;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("{:?} are not {expected:?}", templates(portal_dir));
}

#[test]
fn a_changed_file_counts_and_one_with_a_fault_leaves_the_template_as_it_was() {
    let portal_dir = PortalDir::new();
    let folder = portal_dir.path().join("catalogue");
    put(&folder, "notes", NOTES);
    let mut portal = portal_dir.start(&[("CATALOGUE", folder.to_str().unwrap())]);
    let (status, answer) = post(portal_dir.port, "/api/deploy", &json!({ "name": "alice" }));
    assert_eq!(status, 201, "{answer}");

    put(&folder, "other", &NOTES.replace("\"notes\"", "\"other\""));
    wait_for(&portal_dir, &["notes 1.0.0", "other 1.0.0"]);
    put(&folder, "notes", &NOTES.replace("1.0.0", "1.1.0"));
    wait_for(&portal_dir, &["notes 1.1.0", "other 1.0.0"]);

    // The version that a stack has cannot become another one.
    put(&folder, "notes", &NOTES.replace("Write things down.", "Changed."));
    portal.wait_for("version 1.0.0 of notes was something else before");
    assert_eq!(templates(&portal_dir), ["notes 1.1.0", "other 1.0.0"]);
    put(&folder, "notes", "[template");
    portal.wait_for("notes/template.toml:1");
    assert_eq!(templates(&portal_dir), ["notes 1.1.0", "other 1.0.0"]);
    drop(portal);

    // Another portal on the same database knows it as well.
    put(&folder, "notes", &NOTES.replace("Write things down.", "Changed."));
    let command =
        portal_dir.command(&[("CATALOGUE", folder.to_str().unwrap())]).arg("check").output();
    let output = command.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("notes/template.toml: version 1.0.0 of notes was something else"),
        "{said}"
    );
    assert!(said.contains("The templates have 1 fault: mend it."), "{said}");
}

#[test]
fn a_signal_reads_the_folder_at_once_and_never_ends_the_portal() {
    let portal_dir = PortalDir::new();
    let folder = portal_dir.path().join("catalogue");
    put(&folder, "notes", NOTES);
    let mut portal = portal_dir.start(&[("CATALOGUE", folder.to_str().unwrap())]);
    for _ in 0..2 {
        let id = portal.id().to_string();
        let sent = std::process::Command::new("kill").args(["-USR1", &id]).status().unwrap();
        assert!(sent.success());
        portal.wait_for("Read the catalogue again");
    }
    assert_eq!(templates(&portal_dir), ["notes 1.0.0"]);
}

#[test]
fn a_folder_that_is_missing_says_so_and_the_portal_runs() {
    let portal_dir = PortalDir::new();
    let folder = portal_dir.path().join("catalogue");
    let mut command = portal_dir.command(&[("CATALOGUE", folder.to_str().unwrap())]);
    let mut portal = crate::support::process::Running::spawn(&mut command);
    portal.wait_for("the catalogue's folder cannot be read");
    portal.wait_until_ready();
    let (status, answer) = post(portal_dir.port, "/api/deploy", &json!({ "name": "alice" }));
    assert_eq!((status, &json_of(&answer)["code"]), (422, &json!("TEMPLATE_REQUIRED")));
    put(&folder, "notes", NOTES);
    wait_for(&portal_dir, &["notes 1.0.0"]);
}
