//! A start that is stuck, as the operator's commands show it and end it.

use super::world::World;
use crate::support::process::{exchange, id_in, request};

/// Asks for `action` on the stack alice, and returns the events of the operation.
fn act(world: &World, action: &str, of: &str) -> (String, String) {
    let line = format!("POST /api/stacks/alice/{action}?id={of}");
    let id = id_in(&exchange(world.portal_dir.port, &request(&line, "", "")), "op_");
    let id = id[..35].to_owned();
    let events = world.portal_dir.events(&id);
    (id, events)
}

#[test]
fn a_stuck_start_is_listed_and_retried_and_a_stopped_stack_is_no_difference() {
    let world = World::start();
    let mut portal = world.portal("sandbox/hello");
    let live = world.deploy("alice", "complete");
    let (_, events) = act(&world, "stop", &live);
    assert!(events.contains("event: complete"), "{events}");
    assert_eq!(world.give(&["stuck", "list"]), (Some(0), String::from("Nothing is stuck.\n")));
    let (code, text) = world.give(&["reconcile"]);
    assert_eq!((code, text.lines().count()), (Some(0), 1), "{text}");
    assert_eq!(world.existing("services").len(), 1);

    // Neither the start nor its undo can change the application.
    world.inject("application.update:refused-after:4");
    let (id, events) = act(&world, "start", &live);
    assert!(events.contains("event: error"), "{events}");
    let (code, text) = world.give(&["stuck", "list"]);
    assert_eq!(code, Some(0), "{text}");
    for part in ["alice: start", &id, "stuck since 20", "next attempt 20", "container"] {
        assert!(text.contains(part), "no {part}:\n{text}");
    }
    assert_eq!(world.give(&["reconcile"]).0, Some(0), "its clean-up handles it");
    let (code, text) = world.give(&["stuck", "retry", "alice"]);
    assert!(code == Some(0) && text.contains("within two seconds"), "{text}");
    portal.wait_for("Clean-up is finished");
    assert_eq!(world.give(&["stuck", "list"]), (Some(0), String::from("Nothing is stuck.\n")));
    assert_eq!(world.existing("services")[0]["replicas"], 0);
    assert_eq!(world.give(&["reconcile"]).0, Some(0));

    let (code, text) = world.give(&["audit"]);
    assert_eq!(code, Some(0), "{text}");
    for act in ["\"stop_stack\"", "\"start_stack\"", "\"retry_clean_up\""] {
        assert!(text.contains(act), "no {act}:\n{text}");
    }
    assert_eq!(portal.end().0, Some(0));
}
