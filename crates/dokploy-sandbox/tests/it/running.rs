//! What runs, what has failed, and what it uses, in few calls.

use std::time::Duration;

use dokploy_sandbox::EdgeResponse;
use serde_json::{Value, json};

use super::world::{Stack, World, observed, text};

const HOST: &str = "demo.localhost";

/// Returns name and state of the containers of a service, as the list of the whole node has them.
fn on_node(world: &mut World, stack: &Stack) -> Vec<(String, String)> {
    let rows = world.get("/api/docker.getContainers");
    let own = rows.as_array().unwrap().iter();
    let own = own.filter(|row| text(&row["name"]).starts_with(&format!("{}.1.", stack.app_name)));
    own.map(|row| (text(&row["state"]), text(&row["status"]))).collect()
}

#[test]
fn a_program_that_dies_is_up_for_twenty_seconds_and_starts_again() {
    let (mut world, stack) = World::with_stack("demo", "sandbox/dying");
    world.domain(&stack, HOST);
    world.deploy(&stack, "t");
    world.advance(1);
    world.core.tick(world.now);
    for (seconds, expected) in [
        (10, EdgeResponse::Healthy),
        (19, EdgeResponse::Healthy),
        (20, EdgeResponse::Down),
        (22, EdgeResponse::Healthy),
        (40, EdgeResponse::Healthy),
        (41, EdgeResponse::Down),
    ] {
        let at = world.now + Duration::from_secs(seconds);
        assert_eq!(world.core.visit(at, HOST), expected, "after {seconds} s");
    }
    world.advance(25);
    let words = world.task_words(&stack);
    assert_eq!(words, ["running Running", "shutdown Failed"]);
    assert_eq!(on_node(&mut world, &stack)[1].1, "Exited (1) 5 seconds ago");
}

#[test]
fn an_update_to_what_dies_later_is_completed_and_one_that_is_watched_longer_is_taken_back() {
    for (monitor, state, revision) in
        [(5_000_000_000_u64, "completed", "2"), (30_000_000_000, "rollback_completed", "1")]
    {
        let columns = json!({ "updateConfigSwarm": { "Parallelism": 1, "Monitor": monitor } });
        let (mut world, stack) = World::with_revision(columns);
        world.write_revision(&stack, 2, "dying");
        world.reload(&stack);
        world.advance(35);
        let service = world.inspect(&stack.app_name);
        assert_eq!(service["UpdateStatus"]["State"], state);
        assert_eq!(world.revision(HOST), revision);
    }
}

#[test]
fn a_container_that_is_silent_never_answers_and_a_sluggish_one_late() {
    let (mut world, stack) = World::with_revision(json!({ "updateConfigSwarm": null }));
    world.write_revision(&stack, 2, "silent");
    world.reload(&stack);
    world.advance(100);
    assert_eq!(world.core.visit(world.now, HOST), EdgeResponse::Silent);
    assert_eq!(world.ask(HOST, "/health").delay, Duration::MAX);
    world.write_revision(&stack, 3, "sluggish");
    world.reload(&stack);
    world.advance(100);
    assert_eq!(world.core.visit(world.now, HOST), EdgeResponse::Healthy);
    let answer = world.ask(HOST, "/health");
    assert_eq!((answer.status, answer.delay), (200, Duration::from_secs(3)));
}

#[test]
fn the_node_shows_all_containers_with_their_exit_codes_at_once() {
    let mut world = World::new();
    let live = world.deployed("live", "sandbox/hello");
    let crashing = world.deployed("crashing", "sandbox/crashloop");
    let hungry = world.deployed("hungry", "sandbox/out-of-memory");
    let stopped = world.deployed("stopped", "sandbox/hello");
    world.update(&stopped, json!({ "replicas": 0 }));
    world.reload(&stopped);
    world.advance(100);
    let states = |world: &mut World, stack| -> Vec<String> {
        on_node(world, stack)
            .into_iter()
            .map(|(state, status)| {
                let status =
                    status.split(')').next().unwrap().split(' ').take(2).collect::<Vec<_>>();
                format!("{state}: {}", status.join(" "))
            })
            .collect()
    };
    assert_eq!(states(&mut world, &live), ["running: Up 8"]);
    assert_eq!(states(&mut world, &stopped), Vec::<String>::new());
    let crashed = states(&mut world, &crashing);
    assert_eq!(crashed[0], "created: Created", "the next one waits (recording day-two 381)");
    assert_eq!(crashed[1..], ["exited: Exited (1"; 4]);
    assert_eq!(states(&mut world, &hungry)[1..], ["exited: Exited (137"; 4]);
    let apps = world.get("/api/swarm.getNodeApps");
    let replicas: Vec<_> =
        apps.as_array().unwrap().iter().map(|app| text(&app["Replicas"])).collect();
    assert_eq!(replicas, ["1/1", "0/1", "0/1", "0/0"]);
    world.core.stop_docker(world.now);
    assert_eq!(world.get("/api/docker.getContainers"), json!([]));
}

#[test]
fn an_exited_container_and_its_task_say_why() {
    let recorded = observed("382-oom-kill.json");
    let (mut world, stack) = World::with_deployed("demo", "sandbox/out-of-memory");
    let task = world.tasks(&stack)[1].clone();
    assert_eq!(task["error"], "\"task: non-zero exit (137)\"");
    let id = text(&task["containerId"]);
    let container = world.inspect(&format!("{}.1.{id}", stack.app_name));
    for field in ["Status", "Running", "OOMKilled", "ExitCode", "Pid"] {
        assert_eq!(container["State"][field], recorded["container State by getConfig"][field]);
    }
    assert_eq!(container["Config"]["Image"], "sandbox/out-of-memory");
    let inspected = world.inspect(&id);
    assert_eq!(inspected["Status"]["State"], "failed");
    assert_eq!(inspected["Status"]["Err"], "task: non-zero exit (137)");
    assert_eq!(inspected["Status"]["ContainerStatus"]["ExitCode"], 137);
    assert_eq!(inspected["Status"]["ContainerStatus"]["ContainerID"], container["Id"]);
    // The one that waits has no container that has run (recording day-two 381).
    let crash = observed("381-crash-loop-tasks.json");
    let waiting = &crash["a task id given to getConfig"];
    let next = text(&world.tasks(&stack)[0]["containerId"]);
    let next = world.inspect(&next);
    assert_eq!(next["Status"]["State"], waiting["Status"]["State"]);
    assert_eq!(next["Status"]["Message"], waiting["Status"]["Message"]);
    assert_eq!(next["DesiredState"], waiting["DesiredState"]);
    assert_eq!(next["Slot"], waiting["Slot"]);
}

#[test]
fn usage_is_told_of_running_containers_only_and_stays_within_their_limits() {
    let mut world = World::new();
    let stack = world.stack("limited", "sandbox/hello");
    world.update(&stack, json!({ "memoryLimit": "67108864" }));
    world.deploy(&stack, "t");
    world.deployed("crashing", "sandbox/crashloop");
    let rows = world.get("/api/swarm.getContainerStats");
    let rows = rows.as_array().unwrap();
    let names: Vec<_> = rows.iter().map(|row| text(&row["Name"])).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0].starts_with("limited-") && names[1] == "dokploy-traefik");
    assert!(text(&rows[0]["MemUsage"]).ends_with(" / 64MiB"));
    let received = |world: &mut World| {
        let rows: Value = world.get("/api/swarm.getContainerStats");
        text(&rows[0]["NetIO"])
    };
    let before = received(&mut world);
    world.advance(60);
    assert_ne!(received(&mut world), before);
    world.core.stop_docker(world.now);
    assert_eq!(world.get("/api/swarm.getContainerStats"), json!([]));
}
