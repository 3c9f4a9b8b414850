//! The situations of stacks that were changed after their deployment.

use serde_json::json;

use super::super::world::World;
use super::situations::live_with_one_domain;
use super::{Ids, ids};

pub(super) fn stopped_with_one_domain(world: &mut World) -> Ids {
    let ids = live_with_one_domain(world);
    world.post("/api/application.stop", json!({ "applicationId": ids["applicationId"] }));
    world.advance(100);
    ids
}

pub(super) fn deployed_at_zero(world: &mut World) -> Ids {
    let stack = world.deployed("d2zero", "sandbox/hello");
    world.domain(&stack, "d2zero.stacks.test");
    world.update(&stack, json!({ "replicas": 0 }));
    world.reload(&stack);
    world.deploy(&stack, "dep-at-0");
    world.advance(100);
    ids(&stack)
}

/// Three good updates, and one that was taken back.
pub(super) fn updated_three_times(world: &mut World) -> Ids {
    let stack = world.deployed("rec-a", "sandbox/hello");
    let check = json!({ "healthCheckSwarm": {
        "Test": ["CMD", "/srv", "probe"], "Interval": 1_000_000_000_u64, "Retries": 2,
    } });
    world.update(&stack, check);
    for image in ["sandbox/hello:2", "sandbox/crashloop", "sandbox/hello:1"] {
        world.update(&stack, json!({ "dockerImage": image }));
        world.reload(&stack);
        world.advance(100);
    }
    ids(&stack)
}

fn revisions(world: &mut World, tags: &[&str]) -> Ids {
    let stack = world.stack("d2proof", "sandbox/hello");
    world.update(
        &stack,
        json!({
            "healthCheckSwarm": {
                "Test": ["CMD", "/srv2", "probe"], "Interval": 1_000_000_000_u64,
                "Timeout": 2_000_000_000_u64, "StartPeriod": 20_000_000_000_u64, "Retries": 3,
            },
            "updateConfigSwarm": {
                "Parallelism": 1, "Order": "start-first", "Monitor": 6_000_000_000_u64,
            },
        }),
    );
    for (tag, number) in tags.iter().zip(1..) {
        world.update(
            &stack,
            json!({
                "dockerImage": format!("sandbox/revisions:{tag}"),
                "env": format!("STACK_REVISION={number}\nA={number}"),
                "labelsSwarm": { "portal.revision": number.to_string() },
            }),
        );
        world.deploy(&stack, tag);
        world.advance(100);
    }
    let mut ids = ids(&stack);
    ids.insert("containerId", stack.app_name);
    ids
}

pub(super) fn one_revision(world: &mut World) -> Ids {
    revisions(world, &["1"])
}

pub(super) fn two_revisions(world: &mut World) -> Ids {
    revisions(world, &["1", "2"])
}

pub(super) fn taken_back(world: &mut World) -> Ids {
    revisions(world, &["1", "2", "crashloop"])
}

/// Eleven stacks, and the reverse proxy.
pub(super) fn eleven(world: &mut World) -> Ids {
    for number in 1..=11 {
        world.deployed(&format!("rec-{number}"), "sandbox/hello");
    }
    Ids::new()
}
