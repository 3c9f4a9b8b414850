//! Volumes: who makes them, who holds them, and what removes them.

use std::time::Duration;

use dokploy_sandbox::{Answer, EdgeResponse, Request};
use serde_json::{Value, json};

use super::world::{Stack, World, observed, text};

const VOLUME: &str = "asd-portal-stk_1-data";

fn removal(world: &mut World) -> Answer {
    let body = json!({ "volumeName": VOLUME });
    world.send(Request::post("/api/dockerVolume.removeVolume", &body))
}

fn volumes(world: &mut World) -> Vec<String> {
    let rows = world.get("/api/dockerVolume.getVolumes");
    rows.as_array().unwrap().iter().map(|row| text(&row["Name"])).collect()
}

fn redeploy(world: &mut World, stack: &Stack) {
    world.deploy(stack, "t");
    world.advance(100);
}

/// Creates a world with a stack that has a volume and an address.
fn with_volume(image: &str) -> (World, Stack) {
    let (mut world, stack) = World::with_stack("demo", image);
    world.domain(&stack, "demo.localhost");
    world.mount(&stack, VOLUME, "/data");
    (world, stack)
}

fn live() -> (World, Stack) {
    let (mut world, stack) = with_volume("sandbox/hello");
    redeploy(&mut world, &stack);
    (world, stack)
}

#[test]
fn two_mounts_with_one_path_are_accepted_and_the_deployment_fails() {
    let (mut world, stack) = live();
    world.mount(&stack, "another", "/data");
    redeploy(&mut world, &stack);
    let row = world.deployments(&stack)[0].clone();
    assert_eq!(row["status"], "error");
    let id = text(&row["deploymentId"]);
    let log = text(&world.get(&format!("/api/deployment.readLogs?deploymentId={id}")));
    let recorded = text(&observed("107-deploy-with-duplicate-mount.json")["log"]);
    let end = |log: &str| log.split_once("✅").unwrap().1.to_owned();
    assert_eq!(end(&log), end(&recorded));
    assert_eq!(world.core.visit(world.now, "demo.localhost"), EdgeResponse::Healthy);
    assert_eq!(volumes(&mut world), [VOLUME], "nothing was made");
}

#[test]
fn a_task_makes_a_volume_which_outlives_application_and_project() {
    let (mut world, stack) = with_volume("sandbox/hello");
    assert_eq!(volumes(&mut world), Vec::<String>::new(), "a row makes none");
    world.deploy(&stack, "t");
    world.advance(2);
    assert_eq!(volumes(&mut world), [VOLUME]);
    let config = world.get(&format!("/api/dockerVolume.getVolumeConfig?volumeName={VOLUME}"));
    world.post("/api/application.delete", json!({ "applicationId": stack.application }));
    world.post("/api/project.remove", json!({ "projectId": stack.project }));
    world.advance(100);
    let second = world.stack("second", "sandbox/hello");
    world.mount(&second, VOLUME, "/elsewhere");
    redeploy(&mut world, &second);
    let same = world.get(&format!("/api/dockerVolume.getVolumeConfig?volumeName={VOLUME}"));
    assert_eq!(same, config, "it is the same volume");
    let list = format!("/api/mounts.listByServiceId?serviceId={}", stack.application);
    assert_eq!(world.get(&list), json!([]), "the rows are gone with the application");
}

#[test]
fn a_removed_application_holds_its_volume_for_six_more_seconds() {
    let (mut world, stack) = live();
    world.post("/api/application.delete", json!({ "applicationId": stack.application }));
    for second in 0..6 {
        let answer = removal(&mut world);
        assert_eq!(answer.status, 500, "after {second} s");
        assert!(text(&answer.value()["message"]).contains("volume is in use - ["));
        world.advance(1);
    }
    assert_eq!(removal(&mut world).status, 200);
    let again = removal(&mut world);
    assert!(text(&again.value()["message"]).contains("no such volume"), "{}", again.text());
    let recorded = observed("424-removeVolume-after-application.delete.json");
    let seen = recorded["seq"].as_array().unwrap();
    let (last, before) = seen.split_last().unwrap();
    assert!(before.iter().all(|look| look["seen"][0] == 500) && last["seen"][0] == 200);
}

#[test]
fn a_service_scaled_to_nothing_holds_its_volume_by_nothing() {
    let (mut world, stack) = live();
    world.update(&stack, json!({ "replicas": 0 }));
    world.reload(&stack);
    assert_eq!(removal(&mut world).status, 500, "its container is still leaving");
    world.advance(6);
    assert_eq!(removal(&mut world).status, 200);
    assert_eq!(volumes(&mut world), Vec::<String>::new());
    world.update(&stack, json!({ "replicas": 1 }));
    world.reload(&stack);
    assert_eq!(volumes(&mut world), [VOLUME], "its next container makes an empty one");
}

#[test]
fn a_container_keeps_a_volume_whose_mount_was_removed_until_the_next_reload() {
    let (mut world, stack) = live();
    let list = format!("/api/mounts.listByServiceId?serviceId={}", stack.application);
    let mount = world.get(&list)[0]["mountId"].clone();
    world.post("/api/mounts.remove", json!({ "mountId": mount }));
    world.advance(100);
    assert_eq!(removal(&mut world).status, 500);
    world.reload(&stack);
    world.advance(100);
    assert_eq!(removal(&mut world).status, 500, "the exited container of before still holds it");
    for _ in 0..5 {
        world.reload(&stack);
        world.advance(100);
    }
    assert_eq!(removal(&mut world).status, 200, "five newer tasks have pushed it out");
}

#[test]
fn exited_containers_hold_a_volume() {
    let (mut world, stack) = with_volume("sandbox/crashloop");
    redeploy(&mut world, &stack);
    assert_eq!(removal(&mut world).status, 500);
}

/// Returns state, word and node of each task.
fn tasks(world: &mut World, stack: &Stack) -> Vec<(String, String, bool, String)> {
    let row = |task: &Value| {
        let word = text(&task["currentState"]).split(' ').next().unwrap().to_owned();
        let has_node = !text(&task["node"]).is_empty();
        (text(&task["state"]), word, has_node, text(&task["error"]))
    };
    world.tasks(stack).iter().map(row).collect()
}

#[test]
fn a_task_that_no_node_can_run_waits_and_the_former_container_goes_on() {
    let (mut world, stack) = live();
    world.update(&stack, json!({ "placementSwarm": { "Constraints": ["node.hostname==vm"] } }));
    for _ in 0..2 {
        world.reload(&stack);
        world.advance(100);
        let now = tasks(&mut world, &stack);
        let recorded = observed("413-placement-impossible.json");
        let waiting = &recorded["tasks"][0];
        let error = text(&waiting["error"]);
        assert_eq!(now[0], ("running".to_owned(), "Pending".to_owned(), false, error));
        let running: Vec<_> = now.iter().filter(|task| task.1 == "Running").collect();
        assert_eq!((running.len(), running[0].2), (1, true));
        assert_eq!(world.core.visit(world.now, "demo.localhost"), EdgeResponse::Healthy);
        assert_eq!(removal(&mut world).status, 500);
        redeploy(&mut world, &stack);
        assert_eq!(world.deployments(&stack)[0]["status"], "done");
    }
    world
        .update(&stack, json!({ "placementSwarm": { "Constraints": ["node.hostname==sandbox"] } }));
    world.reload(&stack);
    world.advance(100);
    let now = tasks(&mut world, &stack);
    let is_wanted = |task: &&(String, String, bool, String)| task.0 == "running";
    assert_eq!(now.iter().filter(is_wanted).count(), 1, "{now:?}");
}

#[test]
fn a_first_task_that_no_node_can_run_has_no_container_and_makes_no_volume() {
    let (mut world, stack) = with_volume("sandbox/hello");
    let columns = json!({ "placementSwarm": { "Constraints": ["node.hostname==vm"] } });
    world.update(&stack, columns);
    redeploy(&mut world, &stack);
    assert_eq!(world.deployments(&stack)[0]["status"], "done");
    let now = tasks(&mut world, &stack);
    assert_eq!((now.len(), now[0].1.as_str()), (1, "Pending"));
    assert_eq!(world.existing("containers").len(), 0);
    assert_eq!(volumes(&mut world), Vec::<String>::new());
    assert_eq!(world.core.visit(world.now, "demo.localhost"), EdgeResponse::Down);
    world.update(&stack, json!({ "placementSwarm": null }));
    redeploy(&mut world, &stack);
    assert_eq!(world.core.visit(world.now, "demo.localhost"), EdgeResponse::Healthy);
}

#[test]
fn a_container_that_cannot_be_created_is_rejected_again_and_again() {
    let long = format!("A={}", "x".repeat(128 * 1024));
    for (volume, env) in [("bad name;rm", "A=1"), (VOLUME, long.as_str())] {
        let (mut world, stack) = World::with_stack("demo", "sandbox/hello");
        world.mount(&stack, volume, "/data");
        world.update(&stack, json!({ "env": env }));
        redeploy(&mut world, &stack);
        assert_eq!(world.deployments(&stack)[0]["status"], "done");
        assert!(tasks(&mut world, &stack).iter().any(|task| task.1 == "Rejected"));
        assert_eq!(world.existing("containers").len(), 0);
    }
}

#[test]
fn volumes_of_others_are_listed_and_can_be_kept_in_use_or_lost() {
    let (mut world, _) = live();
    let change = |world: &mut World, body: Value| world.status("/sandbox/volumes", body);
    assert_eq!(change(&mut world, json!({ "make": "another" })), 200);
    assert_eq!(volumes(&mut world), ["another", VOLUME]);
    let body = json!({ "volumeName": "another" });
    let remove = |world: &mut World| world.status("/api/dockerVolume.removeVolume", body.clone());
    assert_eq!(change(&mut world, json!({ "keep": "another", "seconds": 5 })), 200);
    assert_eq!(remove(&mut world), 500);
    world.advance(5);
    world.core.keep_volume_in_use(world.now, "another", Duration::from_mins(5));
    assert_eq!(remove(&mut world), 500);
    world.core.clear_faults();
    assert_eq!(remove(&mut world), 200);
    assert_eq!(change(&mut world, json!({ "lose": VOLUME })), 200, "although it is in use");
    assert_eq!(volumes(&mut world), Vec::<String>::new());
    assert_eq!(change(&mut world, json!({ "lose": VOLUME })), 400);
    assert_eq!(change(&mut world, json!({ "keep": VOLUME })), 400);
}

#[test]
fn without_docker_no_volume_is_listed_and_none_is_removed() {
    let (mut world, _) = live();
    world.core.stop_docker(world.now);
    assert_eq!(world.send(Request::get("/api/dockerVolume.getVolumes")).text(), "");
    let answer = removal(&mut world);
    assert_eq!(answer.status, 500);
    let message = text(&answer.value()["message"]);
    assert!(!message.contains("in use") && !message.contains("no such volume"), "{message}");
    world.core.start_docker(world.now);
    assert_eq!(volumes(&mut world), [VOLUME]);
}

#[test]
fn a_mount_of_an_unknown_application_is_refused() {
    let mut world = World::new();
    let mount = json!({ "type": "volume", "mountPath": "/data", "serviceId": "nope" });
    assert_eq!(world.status("/api/mounts.create", mount), 404);
    let unknown = json!({ "type": "tape", "mountPath": "", "serviceId": "nope" });
    assert_eq!(world.status("/api/mounts.create", unknown), 400);
}
