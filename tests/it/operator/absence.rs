//! What is reported as removed does not exist on the platform any more.

use super::world::World;

#[test]
fn a_removed_stack_has_no_container_left_when_its_removal_says_so() {
    // Its containers keep running for two seconds after their service is gone.
    let world = World::answering_after("22");
    let portal = world.portal("sandbox/hello");
    let live = world.deploy("alice", "complete");
    assert_eq!(world.existing("containers").len(), 1);
    let removal = world.remove("alice", &live);
    let stream = world.portal_dir.get(&format!("/api/status/{removal}"));
    let containers = world.existing("containers");
    assert!(containers.is_empty(), "called gone while they are there: {containers:?} {stream}");
    assert!(stream.contains("\"service\"") && stream.contains("\"verified_gone\""), "{stream}");
    assert_eq!(portal.end().0, Some(0));
}

#[test]
fn a_rolled_back_stack_has_no_container_left_when_its_end_says_so() {
    let world = World::answering_after("22");
    let portal = world.portal("sandbox/crashloop");
    world.deploy("alice", "error");
    let containers = world.existing("containers");
    assert!(containers.is_empty(), "called gone while they are there: {containers:?}");
    assert_eq!(portal.end().0, Some(0));
}
