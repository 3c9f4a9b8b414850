//! A live stack without a running container, as operators, programs and people see it.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::world::World;

fn service_of(world: &World, name: &str) -> Value {
    let applications = world.existing("applications");
    applications.iter().find(|one| one["name"] == name).unwrap().clone()
}

/// Returns a stack as `GET /api/stacks` lists it.
fn listed(world: &World, name: &str) -> Value {
    let answer = world.portal_dir.get("/api/stacks");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    body["stacks"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone()
}

#[test]
fn a_live_stack_without_a_container_is_reported_everywhere_until_it_runs_again() {
    let world = World::start();
    let portal = world.portal("sandbox/hello");
    let names = ["alice", "bobby", "carol"];
    let ids = names.map(|name| world.deploy(name, "complete"));
    portal.end();
    let [alice, bobby, _] = names.map(|name| service_of(&world, name));
    let remove = json!({ "remove": alice["appName"] });
    world.as_another_user("POST", "/sandbox/services", &remove);
    let scale = json!({ "scale": bobby["appName"], "to": 0 });
    world.as_another_user("POST", "/sandbox/services", &scale);

    let (code, text) = world.give(&["reconcile"]);
    assert_eq!((code, text.lines().count()), (Some(2), 2), "{text}");
    for (name, words) in [("alice", "is gone from Docker"), ("bobby", "is scaled to 0 replicas")] {
        let is_meant = |line: &&str| line.contains(&format!("the stack {name} ("));
        let line = text.lines().find(is_meant).unwrap();
        assert!(line.starts_with("only reported: ") && line.contains(words), "{line}");
        assert!(line.contains("is not running") && line.contains("reload it"), "{line}");
    }
    assert_eq!(world.existing("applications").len(), 3, "nothing is removed");

    let mut portal = world.portal_with(&[("RECONCILE_INTERVAL", "1s")]);
    portal.wait_for("The reconciler found a difference: the stack alice");
    portal.wait_for("The reconciler found a difference: the stack bobby");
    let mut looks = 0..100;
    while listed(&world, "bobby")["health"].is_null() {
        assert!(looks.next().is_some(), "it is not told");
        thread::sleep(Duration::from_millis(50));
    }
    for (name, id) in names.iter().zip(&ids) {
        let (stack, page) =
            (listed(&world, name), world.portal_dir.get(&format!("/deployments/{id}")));
        assert_eq!(stack["state"], "live", "{stack}");
        let runs = *name == "carol";
        assert_eq!(stack["health"]["state"] == "not_running", !runs, "{stack}");
        assert_eq!(page.contains(&format!("{name} is not running")), !runs, "{page}");
        assert_eq!(page.contains(&format!("{name} is live")), runs, "{page}");
        assert!(runs || stack["health"]["since"].as_str().unwrap().starts_with("20"), "{stack}");
    }
    for application in [&alice, &bobby] {
        let body = json!({
            "applicationId": application["applicationId"],
            "appName": application["appName"],
        });
        world.as_another_user("POST", "/api/application.reload", &body);
    }
    portal.wait_for("Difference resolved: the stack alice");
    portal.wait_for("Difference resolved: the stack bobby");
    assert_eq!(portal.end().0, Some(0));
    let (code, text) = world.give(&["reconcile"]);
    assert_eq!((code, text.lines().count()), (Some(0), 1), "{text}");
}
