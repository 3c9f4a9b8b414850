//! The sandbox's behaviour beyond single answers: Dokploy's quirks that develop over time.

use dokploy_sandbox::{EdgeResponse, Request};
use serde_json::json;

use super::world::{Stack, World, text};

#[test]
fn jobs_run_one_at_a_time_in_the_order_of_their_calls() {
    let mut world = World::new();
    let first = world.stack("first", "sandbox/hello");
    let second = world.stack("second", "sandbox/hello");
    world.deploy(&first, "1");
    world.deploy(&second, "2");
    assert_eq!(world.deployments(&first)[0]["status"], "running");
    assert_eq!(world.deployments(&second), Vec::<serde_json::Value>::new());
    assert_eq!(world.application_status(&second), "idle");
    world.advance(1);
    assert_eq!(world.deployments(&first)[0]["status"], "done");
    assert_eq!(world.deployments(&second)[0]["status"], "running");
    world.advance(1);
    assert_eq!(world.deployments(&second)[0]["status"], "done");
}

#[test]
fn the_row_carries_the_title_of_its_call() {
    let (mut world, stack) = World::with_stack("demo", "sandbox/hello");
    world.deploy(&stack, "dep_42");
    assert_eq!(world.deployments(&stack)[0]["title"], "dep_42");
}

#[test]
fn a_row_is_done_before_its_stack_answers() {
    let (mut world, stack) = World::with_stack("demo", "sandbox/slow");
    world.domain(&stack, "demo.localhost");
    assert_eq!(world.core.visit(world.now, "demo.localhost:8081"), EdgeResponse::Down);
    world.deploy(&stack, "t");
    world.advance(10);
    assert_eq!(world.deployments(&stack)[0]["status"], "done");
    assert_eq!(world.core.visit(world.now, "demo.localhost"), EdgeResponse::Down);
    world.advance(10);
    assert_eq!(world.core.visit(world.now, "demo.localhost"), EdgeResponse::Healthy);
    assert_eq!(world.core.visit(world.now, "other.localhost"), EdgeResponse::UnknownHost);
}

#[test]
fn a_crash_loop_is_done_for_the_queue_and_failing_for_the_swarm() {
    let (mut world, stack) = World::with_stack("crash", "sandbox/crashloop");
    world.domain(&stack, "crash.localhost");
    world.deploy(&stack, "t");
    world.advance(4);
    assert_eq!(world.deployments(&stack)[0]["status"], "done");
    let tasks = world.tasks(&stack);
    let failed = tasks.iter().filter(|task| text(&task["currentState"]).starts_with("Failed"));
    assert_eq!(failed.clone().count(), 3);
    assert!(failed.clone().all(|task| task["error"] == "\"task: non-zero exit (1)\""));
    assert!(!tasks.iter().any(|task| task["state"] == "running"));
    assert_eq!(world.core.visit(world.now, "crash.localhost"), EdgeResponse::Down);
}

#[test]
fn deleting_while_the_job_runs_leaves_an_orphan_service() {
    let (mut world, stack) = World::with_stack("demo", "sandbox/hello");
    world.deploy(&stack, "t");
    world.deployments(&stack);
    world.post("/api/application.delete", json!({ "applicationId": stack.application }));
    assert_eq!(world.tasks(&stack).len(), 0);
    world.advance(2);
    assert_eq!(world.tasks(&stack).len(), 1);
    assert_eq!(world.existing("applications").len(), 0);
}

#[test]
fn removing_a_project_leaves_its_services_and_routes() {
    let (mut world, stack) = World::with_deployed("demo", "sandbox/hello");
    world.domain(&stack, "demo.localhost");
    world.post("/api/project.remove", json!({ "projectId": stack.project }));
    for rows in ["projects", "applications", "domains", "deployments"] {
        assert_eq!(world.existing(rows).len(), 0, "{rows}");
    }
    assert_eq!(world.existing("services").len(), 1);
    assert_eq!(world.core.visit(world.now, "demo.localhost"), EdgeResponse::Healthy);
}

#[test]
fn deleting_an_application_removes_everything_of_it() {
    let (mut world, stack) = World::with_deployed("demo", "sandbox/hello");
    world.domain(&stack, "demo.localhost");
    world.post("/api/application.delete", json!({ "applicationId": stack.application }));
    for rows in ["applications", "domains", "deployments", "services", "routes"] {
        assert_eq!(world.existing(rows).len(), 0, "{rows}");
    }
}

/// Returns what is shown of a service: its replicas, its tasks, the number of running containers,
/// and the answer of its address.
fn shown(world: &mut World, stack: &Stack) -> (Option<String>, Vec<String>, usize, EdgeResponse) {
    let apps = world.get("/api/swarm.getNodeApps");
    let mut apps = apps.as_array().unwrap().iter();
    let own = apps.find(|app| app["Name"] == stack.app_name.as_str());
    let replicas = own.map(|app| text(&app["Replicas"]));
    let word = |task: &serde_json::Value| {
        let state = text(&task["currentState"]);
        format!("{} {}", text(&task["state"]), state.split(' ').next().unwrap())
    };
    let tasks = world.tasks(stack).iter().map(word).collect();
    let label = format!("/api/docker.getContainersByAppLabel?appName={}", stack.app_name);
    let running = world.get(&format!("{label}&type=swarm")).as_array().unwrap().len();
    (replicas, tasks, running, world.core.visit(world.now, "demo.localhost"))
}

#[test]
fn a_service_scaled_to_nothing_stays_without_a_container_until_it_is_started_again() {
    let (mut world, stack) = World::with_deployed("demo", "sandbox/hello");
    world.domain(&stack, "demo.localhost");
    let runs = (Some("1/1".into()), vec!["running Running".to_owned()], 1, EdgeResponse::Healthy);
    let nothing = (Some("0/0".into()), vec![], 0, EdgeResponse::Down);
    assert_eq!(shown(&mut world, &stack), runs);
    assert!(world.core.scale_service(world.now, &stack.app_name, 0));
    let (replicas, tasks, running, _) = shown(&mut world, &stack);
    assert_eq!((replicas.unwrap().as_str(), running), ("1/0", 1), "it stops");
    assert_eq!(tasks, ["remove Running"]);
    world.advance(100);
    assert_eq!(shown(&mut world, &stack), nothing);
    assert_eq!(world.application_status(&stack), "done", "its row says nothing of that");

    let reload = json!({ "applicationId": stack.application, "appName": stack.app_name });
    world.post("/api/application.reload", reload.clone());
    world.advance(100);
    assert_eq!(shown(&mut world, &stack), runs, "the row asks for one");
    world.update(&stack, json!({ "replicas": 0 }));
    assert_eq!(shown(&mut world, &stack), runs, "a row alone does nothing");
    world.post("/api/application.reload", reload);
    world.advance(100);
    assert_eq!(shown(&mut world, &stack), nothing);
    world.deploy(&stack, "again");
    world.advance(100);
    assert_eq!(world.deployments(&stack)[0]["status"], "done", "a deploy runs nothing either");
    assert_eq!(shown(&mut world, &stack), nothing);
    world.post("/api/application.start", json!({ "applicationId": stack.application }));
    world.advance(100);
    assert_eq!(shown(&mut world, &stack), runs, "whatever the row says");
}

#[test]
fn a_service_that_is_removed_past_the_platform_comes_back_by_a_reload_and_not_by_a_start() {
    let (mut world, stack) = World::with_deployed("demo", "sandbox/hello");
    world.domain(&stack, "demo.localhost");
    let body = json!({ "remove": stack.app_name });
    assert_eq!(world.status("/sandbox/services", body.clone()), 200);
    assert_eq!(world.status("/sandbox/services", body), 400, "it is gone");
    world.advance(100);
    assert_eq!(shown(&mut world, &stack), (None, vec![], 0, EdgeResponse::Down));
    let id = json!({ "applicationId": stack.application });
    assert_eq!(world.status("/api/application.start", id.clone()), 500);
    assert_eq!(world.status("/api/application.stop", id), 200);
    let reload = json!({ "applicationId": stack.application, "appName": stack.app_name });
    world.post("/api/application.reload", reload);
    world.advance(100);
    let (replicas, _, running, visit) = shown(&mut world, &stack);
    assert_eq!((replicas.unwrap().as_str(), running, visit), ("1/1", 1, EdgeResponse::Healthy));
    let scale = json!({ "scale": stack.app_name, "to": 0 });
    assert_eq!(world.status("/sandbox/services", scale), 200);
    world.advance(100);
    assert_eq!(shown(&mut world, &stack).2, 0);
}

#[test]
fn one_file_that_the_proxy_cannot_read_freezes_every_host() {
    let (mut world, stack) = World::with_deployed("demo", "sandbox/hello");
    world.domain(&stack, "demo.localhost");
    let folder = "/etc/dokploy/traefik/dynamic";
    let write = |world: &mut World, name: &str, text: &str| {
        let body = json!({ "path": format!("{folder}/{name}.yml"), "traefikConfig": text });
        assert_eq!(world.post("/api/settings.updateTraefikFile", body), json!(true));
    };
    for bad in
        ["http: {}\n", "http:\n  middlewares: {}\n", "http:\n", "http: [unclosed\n", "x: 1\n"]
    {
        write(&mut world, "bad", bad);
        let new = world.domain(&stack, "new.localhost");
        assert_eq!(world.core.visit(world.now, "demo.localhost"), EdgeResponse::Healthy, "{bad}");
        assert_eq!(
            world.core.visit(world.now, "new.localhost"),
            EdgeResponse::UnknownHost,
            "{bad}"
        );
        write(&mut world, "bad", "http: {middlewares: {x: {redirectScheme: {scheme: https}}}}\n");
        assert_eq!(world.core.visit(world.now, "new.localhost"), EdgeResponse::Healthy, "{bad}");
        world.post("/api/domain.delete", json!({ "domainId": new }));
    }
    // The file is written as requested, so text without routes removes them.
    let harmless = "http:\n  middlewares:\n    x:\n      redirectScheme:\n        scheme: https\n";
    write(&mut world, &stack.app_name, harmless);
    assert_eq!(world.core.visit(world.now, "demo.localhost"), EdgeResponse::UnknownHost);
    write(&mut world, "../../elsewhere", "x: 1\n");
    world.domain(&stack, "again.localhost");
    assert_eq!(world.core.visit(world.now, "again.localhost"), EdgeResponse::Healthy);
    world.fault("settings.updateTraefikFile:ignored");
    write(&mut world, &stack.app_name, harmless);
    assert_eq!(
        world.core.visit(world.now, "again.localhost"),
        EdgeResponse::Healthy,
        "true, and not done"
    );
}

#[test]
fn a_container_outlives_its_service_by_some_seconds() {
    let (mut world, stack) = World::with_deployed("demo", "sandbox/hello");
    let other = world.deployed("demo", "sandbox/hello");
    let look = |world: &mut World| {
        let label = format!("/api/docker.getContainersByAppLabel?appName={}", stack.app_name);
        let running = world.get(&format!("{label}&type=swarm")).as_array().unwrap().len();
        let name = format!("/api/docker.getContainersByAppNameMatch?appName={}", stack.app_name);
        (world.tasks(&stack).len(), running, world.get(&name).as_array().unwrap().len())
    };
    assert_eq!(look(&mut world), (1, 1, 1));
    world.post("/api/application.delete", json!({ "applicationId": stack.application }));
    assert_eq!(look(&mut world), (0, 1, 1), "its tasks are gone at once, its container is not");
    world.advance(4);
    assert_eq!(look(&mut world), (0, 0, 1), "it has stopped");
    world.advance(2);
    assert_eq!(look(&mut world), (0, 0, 0));
    assert_eq!(world.tasks(&other).len(), 1);
    assert_eq!(world.existing("containers").len(), 1, "those of others stay");
}

#[test]
fn with_docker_down_a_deletion_says_success_and_leaves_the_service() {
    let (mut world, stack) = World::with_deployed("demo", "sandbox/hello");
    world.core.stop_docker(world.now);
    world.post("/api/application.delete", json!({ "applicationId": stack.application }));
    assert_eq!(world.tasks(&stack).len(), 0);
    world.core.start_docker(world.now);
    assert_eq!(world.tasks(&stack).len(), 1);
}

#[test]
fn a_restart_forgets_waiting_jobs_and_keeps_services() {
    let mut world = World::new();
    let live = world.deployed("live", "sandbox/hello");
    let running = world.stack("running", "sandbox/slow");
    let waiting = world.stack("waiting", "sandbox/hello");
    world.deploy(&running, "r");
    world.deploy(&waiting, "w");
    world.core.tick(world.now);
    world.core.restart(world.now);
    world.advance(100);
    assert_eq!(world.get("/api/deployment.queueList"), json!([]));
    assert_eq!(world.deployments(&running)[0]["status"], "cancelled");
    assert_eq!(world.application_status(&running), "idle");
    assert_eq!(world.deployments(&waiting).len(), 0);
    assert_eq!(world.tasks(&running).len(), 0);
    assert_eq!(world.tasks(&live).len(), 1);
}

#[test]
fn cleaning_the_queue_removes_waiting_jobs_of_that_application_only() {
    let mut world = World::new();
    let active = world.stack("active", "sandbox/slow");
    let first = world.stack("first", "sandbox/hello");
    let second = world.stack("second", "sandbox/hello");
    for stack in [&active, &first, &second] {
        world.deploy(stack, "t");
        world.post("/api/application.cleanQueues", json!({ "applicationId": active.application }));
    }
    world.post("/api/application.cleanQueues", json!({ "applicationId": first.application }));
    let queue = world.get("/api/deployment.queueList");
    let states: Vec<_> = queue.as_array().unwrap().iter().map(|job| &job["state"]).collect();
    assert_eq!(states, ["waiting", "active"]);
    assert_eq!(queue[0]["data"]["applicationId"], json!(second.application));
}

#[test]
fn nothing_is_unique_but_the_ids() {
    let mut world = World::new();
    let stacks = [world.stack("demo", "sandbox/hello"), world.stack("demo", "sandbox/hello")];
    for stack in &stacks {
        world.domain(stack, "demo.localhost");
    }
    assert_ne!(stacks[0].project, stacks[1].project);
    assert_ne!(stacks[0].app_name, stacks[1].app_name);
    assert!(stacks[0].app_name.starts_with("demo-"));
    assert_eq!(world.get("/api/overview.domains").as_array().unwrap().len(), 2);
}

#[test]
fn the_same_seed_gives_the_same_ids() {
    let names = || World::new().stack("demo", "sandbox/hello").app_name;
    assert_eq!(names(), names());
}

#[test]
fn only_the_newest_ten_deployments_are_kept() {
    let (mut world, stack) = World::with_stack("demo", "sandbox/hello");
    for title in 0..12 {
        world.deploy(&stack, &title.to_string());
        world.advance(10);
    }
    let rows = world.deployments(&stack);
    let titles: Vec<_> = rows.iter().map(|row| text(&row["title"])).collect();
    assert_eq!(titles, ["11", "10", "9", "8", "7", "6", "5", "4", "3", "2"]);
}

#[test]
fn a_head_request_checks_the_key() {
    let mut world = World::new();
    let head = Request { method: "HEAD".to_owned(), ..Request::get("/api/anything") };
    assert_eq!(world.core.handle(world.now, &head).status, 401);
    assert_eq!(world.send(head).status, 204);
}

#[test]
fn the_last_lines_of_a_log_can_be_asked_for() {
    let (mut world, stack) = World::with_deployed("demo", "sandbox/missing");
    let row = text(&world.deployments(&stack)[0]["deploymentId"]);
    let log = world.get(&format!("/api/deployment.readLogs?deploymentId={row}&tail=1"));
    assert_eq!(log, "Error occurred ❌, check the logs for details.\n");
    let whole = text(&world.get(&format!("/api/deployment.readLogs?deploymentId={row}")));
    assert!(whole.contains("manifest for sandbox/missing not found: manifest unknown"), "{whole}");
}
