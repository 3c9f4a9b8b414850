//! Manual changes in Dokploy, and their consequences.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::world::World;
use crate::support::process::exchange;

fn visit(world: &World, host: &str) -> String {
    let ask = format!("GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    exchange(world.portal_dir.edge, &ask).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_manually_deleted_project_is_reported_and_its_address_does_not_answer_after_the_removal() {
    let world = World::start();
    let portal = world.portal("sandbox/hello");
    let live = world.deploy("alice", "complete");
    let project = json!({ "projectId": world.existing("projects")[0]["projectId"] });
    world.as_another_user("POST", "/api/project.remove", &project);
    assert!(visit(&world, "alice.localhost").contains(" 200 "), "its container lives on");

    let service = world.existing("services")[0]["appName"].as_str().unwrap().to_owned();
    let (code, text) = world.give(&["reconcile", "--dry-run"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains(&format!("docker service rm {service}")), "{text}");

    world.remove("alice", &live);
    let mut looks = 0..100;
    while visit(&world, "alice.localhost").contains(" 200 ") {
        assert!(looks.next().is_some(), "the address leads to it still");
        thread::sleep(Duration::from_millis(100));
    }
    let path = format!("%2Fetc%2Fdokploy%2Ftraefik%2Fdynamic%2F{service}.yml");
    let file = format!("/api/settings.readTraefikFile?path={path}");
    let text = format!(
        "http: {{middlewares: {{removed-{service}: {{redirectScheme: {{scheme: https}}}}}}}}\n"
    );
    assert_eq!(world.as_another_user("GET", &file, &Value::Null), json!(text));

    // The proxy applies later changes.
    world.deploy("bobby", "complete");
    assert!(visit(&world, "bobby.localhost").contains(" 200 "));
    assert_eq!(portal.end().0, Some(0));
}
