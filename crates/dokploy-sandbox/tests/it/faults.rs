//! Faults: each kind has its effect, for the specified number of calls.

use std::time::Duration;

use dokploy_sandbox::{Disposition, Fault, FaultKind, Often, Request};
use serde_json::{Value, json};

use super::world::{KEY, World};

fn create(world: &mut World) -> dokploy_sandbox::Answer {
    world.send(Request::post("/api/project.create", &json!({ "name": "p" })))
}

#[test]
fn each_fault_has_its_answer_and_its_effect() {
    // Columns: fault, status, disposition, number of projects created immediately.
    for (fault, status, disposition, made) in [
        ("error-before", 500, Disposition::Send, 0),
        ("error-after", 500, Disposition::Send, 1),
        ("refused-after", 400, Disposition::Send, 1),
        ("timeout-before", 500, Disposition::Hang, 0),
        ("timeout", 200, Disposition::Hang, 1),
        ("late=2s", 500, Disposition::Hang, 0),
        ("reset-before", 500, Disposition::Reset, 0),
        ("reset", 200, Disposition::Reset, 1),
        ("unauthorized", 401, Disposition::Send, 0),
        ("throttled=1500ms", 429, Disposition::Send, 0),
        ("latency=300ms", 200, Disposition::Send, 1),
        ("restart", 200, Disposition::Send, 1),
        ("docker-down=10s", 200, Disposition::Send, 1),
        ("database-down=5s", 401, Disposition::Send, 0),
        ("unauthorized-within", 401, Disposition::Send, 0),
        ("database-lost=5s", 401, Disposition::Send, 0),
        ("key-limited=10s", 401, Disposition::Send, 0),
    ] {
        let mut world = World::new();
        world.fault(&format!("project.create:{fault}"));
        let answer = create(&mut world);
        assert_eq!((answer.status, answer.disposition), (status, disposition), "{fault}");
        assert_eq!(world.existing("projects").len(), made, "{fault}");
        assert!(answer.value().get("issues").is_none(), "{fault}");
    }
}

#[test]
fn a_fault_strikes_its_own_call_as_often_as_told() {
    let mut world = World::new();
    world.fault("project.create:error-before:2");
    world.get("/api/project.all");
    let statuses = [0; 3].map(|_| create(&mut world).status);
    assert_eq!(statuses, [500, 500, 200]);
}

#[test]
fn a_fault_with_a_chance_strikes_now_and_then() {
    let mut world = World::new();
    world.fault("*:error-before:50%");
    let struck = (0..200).filter(|_| create(&mut world).status == 500).count();
    assert!((50..150).contains(&struck), "{struck} of 200");
}

#[test]
fn a_late_effect_comes_after_its_caller_gave_up() {
    let mut world = World::new();
    world.fault("project.create:late=2s");
    create(&mut world);
    assert_eq!(world.get("/api/project.all"), json!([]));
    world.advance(2);
    assert_eq!(world.get("/api/project.all").as_array().unwrap().len(), 1);
}

#[test]
fn an_outage_ends_by_itself() {
    let mut world = World::new();
    world.fault("project.create:docker-down=10s");
    create(&mut world);
    assert_eq!(world.get("/api/swarm.getNodes"), Value::Null);
    world.advance(10);
    assert_eq!(world.get("/api/swarm.getNodes").as_array().unwrap().len(), 1);
}

#[test]
fn the_delays_of_a_fault_are_handed_on() {
    let mut world = World::new();
    world.fault("project.create:throttled=1500ms");
    world.fault("project.create:latency=300ms");
    assert_eq!(create(&mut world).retry_after, Some(2));
    assert_eq!(create(&mut world).delay, Duration::from_millis(300));
}

#[test]
fn faults_are_added_and_cleared_over_the_api() {
    let mut world = World::new();
    world.post("/sandbox/faults", json!({ "faults": ["*:error-before:always"] }));
    assert_eq!(create(&mut world).status, 500);
    let clear = Request { method: "DELETE".to_owned(), ..Request::get("/sandbox/faults") };
    assert_eq!(world.core.handle(world.now, &clear).status, 401);
    assert_eq!(world.core.handle(world.now, &clear.with_key(KEY)).status, 200);
    assert_eq!(create(&mut world).status, 200);
    assert_eq!(world.status("/sandbox/faults", json!({ "faults": ["*:no-such-fault"] })), 400);
}

#[test]
fn the_state_shows_what_really_exists() {
    let (mut world, stack) = World::with_deployed("demo", "sandbox/hello");
    world.domain(&stack, "demo.localhost");
    let state = world.get("/sandbox/state");
    assert_eq!(state["services"][0]["appName"], json!(stack.app_name));
    assert_eq!(state["routes"][0]["host"], "demo.localhost");
    assert_eq!(state["applications"][0]["applicationId"], json!(stack.application));
}

#[test]
fn a_restart_over_the_api_forgets_the_queue() {
    let (mut world, stack) = World::with_stack("demo", "sandbox/slow");
    world.deploy(&stack, "t");
    world.post("/sandbox/restart", json!({}));
    assert_eq!(world.get("/api/deployment.queueList"), json!([]));
}

#[test]
fn the_text_of_a_fault_parses_or_says_what_is_wrong() {
    let fault = "application.create:late=2s:25%".parse::<Fault>().unwrap();
    let kind = FaultKind::Late(Duration::from_secs(2));
    let call = "application.create".to_owned();
    assert_eq!(fault, Fault { call, kind, often: Often::Chance(0.25) });
    for (text, error) in [
        ("", "fault \"\" is not of the form call:kind[=duration][:how often]"),
        (
            "project.create",
            "fault \"project.create\" is not of the form call:kind[=duration][:how often]",
        ),
        ("*:late=soon", "duration \"soon\" of the fault is not one like 300ms or 2s"),
        (
            "*:reset:120%",
            "\"120%\" is neither a count such as 3, nor a chance such as 25%, nor \"always\"",
        ),
    ] {
        assert_eq!(text.parse::<Fault>().unwrap_err().to_string(), error);
    }
    let unknown = "*:explode".parse::<Fault>().unwrap_err().to_string();
    assert!(
        unknown.starts_with("unknown kind of fault \"explode\": use error-before"),
        "{unknown}"
    );
}
