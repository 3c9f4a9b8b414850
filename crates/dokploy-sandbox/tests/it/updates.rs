//! Changes of a stack that runs, against what was observed of the real platform.

use std::time::Duration;

use dokploy_sandbox::{EdgeResponse, Request, Visit};
use serde_json::{Value, json};

use super::world::{Stack, World, observed, text};

const HOST: &str = "demo.localhost";
const TICK: Duration = Duration::from_millis(100);

/// A health check that succeeds in an image that is well, and the time for which an update is watched.
fn checked(order: &str) -> Value {
    json!({
        "healthCheckSwarm": {
            "Test": ["CMD", "/srv", "probe"], "Interval": 1_000_000_000_u64,
            "Timeout": 2_000_000_000_u64, "StartPeriod": 0, "Retries": 3,
        },
        "updateConfigSwarm": {
            "Parallelism": 1, "Order": order, "Monitor": 6_000_000_000_u64,
        },
    })
}

fn unchecked() -> Value {
    json!({ "updateConfigSwarm": null })
}

/// Returns the state of the last update; `null` if there is none.
fn update_state(world: &mut World, stack: &Stack) -> Value {
    world.inspect(&stack.app_name)["UpdateStatus"]["State"].clone()
}

/// Samples what is seen until `seconds` have passed, without repetitions.
fn watch<T: PartialEq>(
    world: &mut World,
    seconds: u64,
    mut look: impl FnMut(&mut World) -> T,
) -> Vec<T> {
    let mut seen = Vec::new();
    for _ in 0..seconds * 10 {
        world.wait(TICK);
        let now = look(world);
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    }
    seen
}

/// Returns the moments of an update: its state, and each task's desired state and word. Those in which
/// a task is only assigned to its node are too short for the sandbox.
fn recorded_moments(name: &str) -> Vec<(Value, Vec<String>)> {
    let recorded = observed(name);
    let moment = |one: &Value| {
        let task = |task: &Value| format!("{} {}", text(&task[1]), text(&task[2]));
        let tasks: Vec<_> = one["tasks"].as_array().unwrap().iter().map(task).collect();
        (one["UpdateStatus.State"].clone(), tasks)
    };
    let mut moments: Vec<_> = recorded["seq"].as_array().unwrap().iter().map(moment).collect();
    moments.retain(|(_, tasks)| {
        !tasks.iter().any(|task| task.ends_with("Assigned") || task.ends_with("Accepted"))
    });
    moments.dedup();
    moments
}

fn moments(world: &mut World, stack: &Stack) -> Vec<(Value, Vec<String>)> {
    watch(world, 30, |world| (update_state(world, stack), world.task_words(stack)))
}

#[test]
fn a_good_update_goes_as_recorded_and_a_bad_one_is_taken_back_as_recorded() {
    let (mut world, stack) = World::with_revision(checked("start-first"));
    world.write_revision(&stack, 2, "2");
    world.reload(&stack);
    assert_eq!(moments(&mut world, &stack), recorded_moments("373-proof-of-a-good-update.json"));
    assert_eq!(world.revision(HOST), "2");
    world.write_revision(&stack, 3, "crashloop");
    world.reload(&stack);
    let expected = recorded_moments("375-proof-of-a-rolled-back-update.json");
    assert_eq!(moments(&mut world, &stack), expected);
    assert_eq!(world.revision(HOST), "2");
    let service = world.inspect(&stack.app_name);
    assert_eq!(service["Spec"]["TaskTemplate"]["ContainerSpec"]["Labels"]["stack.revision"], "2");
    assert_eq!(service.get("PreviousSpec"), None);
    let row = world.get(&format!("/api/application.one?applicationId={}", stack.application));
    assert_eq!(row["dockerImage"], "sandbox/revisions:crashloop", "the row keeps what failed");
    assert_eq!(row["applicationStatus"], "done");
    world.reload(&stack);
    assert_eq!(update_state(&mut world, &stack), "updating", "a reload tries it again");
}

/// What answers while a stack goes from revision 1 to 2: each revision, or the status.
fn answers(columns: Value, tag: &str) -> Vec<String> {
    let (mut world, stack) = World::with_revision(columns);
    world.write_revision(&stack, 2, tag);
    world.deploy(&stack, "change");
    watch(&mut world, 40, |world| world.revision(HOST))
}

#[test]
fn with_a_health_check_and_start_first_some_revision_answers_at_every_moment() {
    let good = answers(checked("start-first"), "2");
    assert_eq!((good.first().unwrap().as_str(), good.last().unwrap().as_str()), ("1", "2"));
    assert!(good.len() > 4, "both answer by turns: {good:?}");
    assert!(good.iter().all(|one| one == "1" || one == "2"), "{good:?}");
    for tag in ["crashloop", "unhealthy", "silent", "sluggish", "out-of-memory"] {
        assert_eq!(answers(checked("start-first"), tag), ["1"], "{tag}");
    }
}

#[test]
fn without_a_health_check_requests_fail_until_the_new_program_listens() {
    let seen = answers(unchecked(), "2");
    let recorded = observed("330-close-update-good-no-healthcheck-slow-bind.json");
    let kinds = recorded["client"]["new"]["answers"].as_object().unwrap();
    assert!(kinds.contains_key("502 Bad Gateway"));
    assert!(seen.iter().any(|one| one == "502"), "{seen:?}");
    assert_eq!((seen.first().unwrap().as_str(), seen.last().unwrap().as_str()), ("1", "2"));
    // The old container was told to stop, so going back starts another one (recording day-two 33).
    let (mut world, stack) = World::with_revision(unchecked());
    let task = text(&world.tasks(&stack)[0]["containerId"]);
    world.write_revision(&stack, 2, "crashloop");
    world.deploy(&stack, "change");
    world.advance(40);
    assert_eq!(update_state(&mut world, &stack), "rollback_completed");
    assert_eq!(world.revision(HOST), "1");
    let tasks = world.tasks(&stack);
    assert_ne!(text(&tasks[0]["containerId"]), task, "it is another one");
    let words = world.task_words(&stack);
    assert_eq!(words, ["running Running", "shutdown Failed", "shutdown Shutdown"]);
}

#[test]
fn with_stop_first_nothing_answers_for_some_seconds() {
    let recorded = observed("332-close-update-stop-first-healthcheck.json");
    assert!(recorded["client"]["new"]["answers"]["502 Bad Gateway"]["n"].as_u64() > Some(0));
    assert_eq!(answers(checked("stop-first"), "2"), ["1", "502", "2"]);
    assert_eq!(answers(checked("stop-first"), "crashloop"), ["1", "502", "1"]);
}

#[test]
fn a_missing_image_leaves_the_container_alone() {
    let recorded = observed("30-deploy-missing-image-on-live.json");
    let (mut world, stack) = World::with_revision(unchecked());
    world.write_revision(&stack, 2, "4");
    world.deploy(&stack, "missing");
    assert_eq!(watch(&mut world, 10, |world| world.revision(HOST)), ["1"]);
    assert_eq!(recorded["edge"].as_array().unwrap().len(), 1);
    assert_eq!(world.deployments(&stack)[0]["status"], recorded["deployment row"]["status"]);
    assert_eq!(world.application_status(&stack), "error");
    assert_eq!(world.task_words(&stack), ["running Running"]);
}

#[test]
fn a_reload_pulls_nothing_and_what_the_swarm_refuses_is_an_error_without_a_reason() {
    let (mut world, stack) = World::with_revision(checked("start-first"));
    let body = json!({ "applicationId": stack.application, "appName": stack.app_name });
    let recorded = observed("391-env-references.json");
    let refused = recorded.as_array().unwrap().iter().find(|case| case.get("reload").is_some());
    let refused = refused.unwrap();
    world.update(&stack, json!({ "env": refused["env"] }));
    let answer = world.send(Request::post("/api/application.reload", &body));
    assert_eq!(json!([answer.status, answer.value()]), refused["reload"]);
    assert_eq!(world.application_status(&stack), refused["applicationStatus"]);
    world.write_revision(&stack, 2, "4");
    world.reload(&stack);
    world.advance(20);
    assert_eq!(update_state(&mut world, &stack), "rollback_completed", "there is no such image");
    assert_eq!(world.task_words(&stack)[1], "shutdown Rejected");
    assert_eq!(world.revision(HOST), "1");
    world.core.stop_docker(world.now);
    assert_eq!(world.status("/api/application.reload", body), 500);
}

/// Returns what Docker says of a service, in the terms of recording day-two 600.
fn facts(world: &mut World, stack: &Stack) -> Value {
    let service = world.inspect(&stack.app_name);
    let image = |spec: &Value| {
        let image = spec["TaskTemplate"]["ContainerSpec"]["Image"].as_str();
        let tag =
            image.map(|image| image.rsplit(':').next().unwrap().replace("crashloop", "crash"));
        json!(tag)
    };
    json!({
        "state": service["UpdateStatus"]["State"],
        "force": service["Spec"]["TaskTemplate"]["ForceUpdate"],
        "image": image(&service["Spec"]),
        "previous": image(&service["PreviousSpec"]),
        "replicas": service["Spec"]["Mode"]["Replicated"]["Replicas"],
    })
}

fn recorded_facts(one: &Value) -> Value {
    let tag = |image: &Value| json!(image.as_str().map(|image| image.rsplit(':').next().unwrap()));
    json!({
        "state": one["UpdateStatus"]["State"],
        "force": one["ForceUpdate"],
        "image": tag(&one["Spec.Image"]),
        "previous": tag(&one["PreviousSpec.Image"]),
        "replicas": one["Replicas"]["Replicated"]["Replicas"],
    })
}

#[test]
fn only_an_update_has_a_state_and_is_taken_back() {
    let recorded = observed("600-UpdateStatus-is-left-over-from-the-last-update.json");
    let (mut world, stack) = World::with_revision(checked("start-first"));
    let id = json!({ "applicationId": stack.application });
    let steps: [&dyn Fn(&mut World); 7] = [
        &|_| {},
        &|world| world.write_revision(&stack, 2, "2"),
        &|world| world.update(&stack, json!({ "replicas": 0 })),
        &|world| {
            world.update(&stack, json!({ "replicas": 1 }));
            world.write_revision(&stack, 3, "crashloop");
        },
        &|world| world.write_revision(&stack, 1, "1"),
        &|world| drop(world.post("/api/application.stop", id.clone())),
        &|world| drop(world.post("/api/application.start", id.clone())),
    ];
    for (number, (step, expected)) in steps.iter().zip(recorded.as_array().unwrap()).enumerate() {
        step(&mut world);
        if (1..5).contains(&number) {
            world.reload(&stack);
        }
        world.advance(20);
        assert_eq!(facts(&mut world, &stack), recorded_facts(&expected[1]), "{}", expected[0]);
    }
}

#[test]
fn a_stack_stops_as_recorded() {
    let recorded = observed("343-scale-to-nothing-by-reload-sequence.json");
    let (mut world, stack) = World::with_revision(unchecked());
    world.update(&stack, json!({ "replicas": 0 }));
    world.reload(&stack);
    let label =
        format!("/api/docker.getContainersByAppLabel?appName={}&type=swarm", stack.app_name);
    let seen = watch(&mut world, 10, |world| {
        let replicas = world.get("/api/swarm.getNodeApps")[0]["Replicas"].clone();
        let tasks: Vec<Value> = world
            .tasks(&stack)
            .iter()
            .map(|task| {
                let word = text(&task["currentState"]);
                json!([task["state"], word.split(' ').next()])
            })
            .collect();
        let running = world.get(&label).as_array().unwrap().len();
        let status = world.ask(HOST, "/health").status;
        json!([replicas, tasks, running, status])
    });
    let moments = recorded["seq"].as_array().unwrap();
    let first = &moments[0]["seen"].as_array().unwrap()[..4];
    let last = &moments[3]["seen"].as_array().unwrap()[..4];
    assert_eq!(seen, [json!(first), json!(last)]);
    let after = observed("344-after-scale-to-nothing.json");
    assert_eq!(world.application_status(&stack), after["application.one"]["applicationStatus"]);
    assert_eq!(world.inspect(&stack.app_name).get("UpdateStatus"), None);
}

#[test]
fn a_stack_that_was_changed_before_keeps_its_old_tasks_when_it_stops() {
    let (mut world, stack) = World::with_revision(unchecked());
    world.write_revision(&stack, 2, "2");
    world.reload(&stack);
    world.advance(100);
    world.update(&stack, json!({ "replicas": 0 }));
    world.reload(&stack);
    world.advance(100);
    assert_eq!(
        world.task_words(&stack),
        ["shutdown Shutdown"],
        "of the change (recording day-two 600)"
    );
}

#[test]
fn what_was_stopped_past_its_row_starts_again_with_the_next_deployment() {
    let recorded = observed("358-deploy-after-application.stop.json");
    let (mut world, stack) = World::with_revision(unchecked());
    world.post("/api/application.stop", json!({ "applicationId": stack.application }));
    world.advance(100);
    assert_eq!(world.core.visit(world.now, HOST), EdgeResponse::Down);
    world.deploy(&stack, "again");
    world.advance(100);
    let app = world.get("/api/swarm.getNodeApps")[0].clone();
    assert_eq!(app["Replicas"], recorded["swarm.getNodeApps"][0]["Replicas"]);
    assert_eq!(world.core.visit(world.now, HOST), EdgeResponse::Healthy);
}

#[test]
fn an_update_during_another_makes_what_was_never_proven_the_former_one() {
    let recorded = observed("621-second-update-while-the-first-is-under-way.json");
    let (mut world, stack) = World::with_revision(checked("start-first"));
    for (revision, tag) in [(2, "2"), (3, "3")] {
        world.write_revision(&stack, revision, tag);
        world.reload(&stack);
        world.wait(TICK * 5);
    }
    let service = world.inspect(&stack.app_name);
    let image = |spec: &Value| text(&spec["TaskTemplate"]["ContainerSpec"]["Image"]);
    assert!(image(&service["Spec"]).ends_with(":3"));
    assert!(image(&service["PreviousSpec"]).ends_with(":2"), "it is not 1");
    assert_eq!(recorded["seq"][0][1][1], "127.0.0.1:5000/day2:2");
    let seen = watch(&mut world, 20, |world| world.revision(HOST));
    assert!(seen.iter().all(|one| one == "1" || one == "3"), "nothing failed: {seen:?}");
    assert_eq!(update_state(&mut world, &stack), "completed");
    assert_eq!(
        world.task_words(&stack),
        ["running Running", "shutdown Shutdown", "shutdown Shutdown"]
    );
    // If the second one fails, the swarm goes to the one that was never proven.
    let (mut world, stack) = World::with_revision(checked("start-first"));
    for (revision, tag) in [(2, "2"), (3, "crashloop")] {
        world.write_revision(&stack, revision, tag);
        world.reload(&stack);
        world.wait(TICK * 5);
    }
    world.advance(100);
    assert_eq!(update_state(&mut world, &stack), "rollback_completed");
    assert_eq!(world.revision(HOST), "2");
}

#[test]
fn a_failed_update_is_left_or_ignored_where_the_row_says_so() {
    for (action, state) in [("pause", "paused"), ("continue", "completed")] {
        let columns = json!({ "updateConfigSwarm": { "Parallelism": 1, "FailureAction": action } });
        let (mut world, stack) = World::with_revision(columns);
        world.write_revision(&stack, 2, "crashloop");
        world.reload(&stack);
        world.advance(40);
        assert_eq!(update_state(&mut world, &stack), state);
        assert_eq!(world.core.visit(world.now, HOST), EdgeResponse::Down, "{action}");
    }
}

#[test]
fn a_volume_shows_the_same_counter_to_every_revision() {
    let (mut world, stack) = World::with_revision(unchecked());
    world.mount(&stack, "asd-portal-stk_1-data", "/data");
    world.reload(&stack);
    world.advance(100);
    let count = |world: &mut World| {
        let visit = Visit { method: "POST".to_owned(), ..Visit::get(HOST, "/count") };
        assert_eq!(world.core.answer_visit(world.now, &visit).status, 303);
    };
    count(&mut world);
    world.write_revision(&stack, 2, "2");
    world.deploy(&stack, "change");
    for _ in 0..20 {
        world.wait(TICK * 5);
        if world.revision(HOST) != "502" {
            let body = world.ask(HOST, "/").body;
            assert!(body.contains("<dt>Runs</dt><dd>1</dd>") || body == "Bad Gateway", "{body}");
        }
    }
    world.advance(10);
    count(&mut world);
    let body = world.ask(HOST, "/").body;
    assert!(body.contains("<dt>Runs</dt><dd>2</dd>") && body.contains("<dd>op_2</dd>"), "{body}");
}
