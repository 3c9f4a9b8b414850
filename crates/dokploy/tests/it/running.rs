//! The calls for what runs, against the sandbox.

use std::time::Duration;

use dokploy::{
    AppName, Application, ContainerId, ContainerState, Exit, FailureAction, ServiceSettings,
    ServiceState, TaskId, TaskState, UpdateOrder, UpdateSettings, UpdateState,
};

use super::live::Live;

const REVISION: &str = "STACK_REVISION";

/// Watches an update for this long.
fn watched(monitor: Duration) -> ServiceSettings {
    let (order, on_failure) = (UpdateOrder::StartFirst, FailureAction::Rollback);
    let update = Some(UpdateSettings { order, monitor, on_failure });
    ServiceSettings { update, ..ServiceSettings::default() }
}

async fn service(live: &Live, application: &Application) -> ServiceState {
    live.client.service(&application.app_name, &[REVISION]).await.unwrap().unwrap()
}

fn revision(state: &ServiceState) -> &str {
    assert_eq!(state.spec.variables.len(), 1, "no other variable is kept");
    assert_eq!(state.spec.variables[REVISION], state.spec.labels["stack.revision"]);
    &state.spec.labels["stack.revision"]
}

#[tokio::test]
async fn a_change_is_followed_from_its_start_to_its_proof_or_its_way_back() {
    let live = Live::start().await;
    let stack = live.run("demo", "sandbox/revisions:1").await;
    let first = service(&live, &stack).await;
    assert_eq!(
        (revision(&first), first.update.as_ref(), first.previous.as_ref()),
        ("1", None, None)
    );
    live.change(&stack, 2, "sandbox/revisions:2", &watched(Duration::from_hours(1))).await;
    let second = service(&live, &stack).await;
    let update = second.update.clone().unwrap();
    assert_eq!((update.state, update.completed_at), (UpdateState::Updating, None));
    assert!(update.started_at.is_some());
    assert_eq!((revision(&second), second.spec.force_update), ("2", 1));
    assert_eq!(second.previous.as_ref().unwrap().image, "sandbox/revisions:1");
    assert!(second.version > first.version);
    live.change(&stack, 3, "sandbox/revisions:3", &watched(Duration::ZERO)).await;
    let third = service(&live, &stack).await;
    let update = third.update.clone().unwrap();
    assert_eq!(update.state, UpdateState::Completed);
    assert!(update.completed_at >= update.started_at);
    live.change(&stack, 4, "sandbox/revisions:crashloop", &watched(Duration::ZERO)).await;
    let back = service(&live, &stack).await;
    let update = back.update.clone().unwrap();
    assert!(
        matches!(update.state, UpdateState::RollbackStarted | UpdateState::RollbackCompleted),
        "{update:?}"
    );
    assert_eq!((revision(&back), back.previous.as_ref()), ("3", None));
    let gone = AppName("nothing".to_owned());
    assert_eq!(live.client.service(&gone, &[]).await.unwrap(), None);
}

#[tokio::test]
async fn a_stack_is_stopped_and_started_by_its_row() {
    let live = Live::start().await;
    let stack = live.run("demo", "sandbox/hello").await;
    for replicas in [0, 1] {
        live.client.set_replicas(&stack.id, replicas).await.unwrap();
        let before = service(&live, &stack).await;
        live.client.reload_application(&stack).await.unwrap();
        let after = service(&live, &stack).await;
        assert_ne!(before.spec.replicas, after.spec.replicas, "the row alone does nothing");
        assert_eq!(after.spec.replicas, Some(replicas.into()));
        assert_eq!(after.update, None, "the swarm would take nothing back");
        let running = live.client.running_containers(&stack.app_name).await.unwrap();
        assert_eq!(running.len(), usize::try_from(replicas).unwrap());
    }
}

#[tokio::test]
async fn two_calls_show_of_all_stacks_which_run_and_more_show_why_one_does_not() {
    let live = Live::start().await;
    let well = live.run("well", "sandbox/hello").await;
    let crashing = live.run("crashing", "sandbox/crashloop").await;
    let hungry = live.run("hungry", "sandbox/out-of-memory").await;
    let client = &live.client;
    let scales = client.scales().await.unwrap();
    let containers = client.node_containers().await.unwrap();
    for (stack, runs, state) in [
        (&well, true, ContainerState::Running),
        (&crashing, false, ContainerState::Exited { code: Some(1) }),
        (&hungry, false, ContainerState::Exited { code: Some(137) }),
    ] {
        let name = &stack.app_name;
        let (_, scale) = scales.iter().find(|(known, _)| known == name).unwrap();
        assert_eq!(scale.unwrap().runs(), runs, "{name}");
        let own = containers.iter().filter(|one| name.owns_container(&one.name));
        assert!(own.clone().any(|one| one.state == state && one.image.starts_with("sandbox/")));
        let tasks = client.tasks(name).await.unwrap();
        let failed = tasks.iter().find(|task| task.state == TaskState::Failed);
        assert_eq!(failed.is_none(), runs, "{name}");
        let Some(failed) = failed else { continue };
        assert!(!failed.is_wanted && tasks[0].is_wanted, "{tasks:?}");
        let inspected = client.inspect_task(&failed.id).await.unwrap().unwrap();
        assert_eq!((inspected.exit_code, inspected.state.as_str()), (failed.exit_code(), "failed"));
        assert_eq!(inspected.error, failed.error);
        let container = inspected.container.unwrap();
        let container = client.inspect_container(&container, &[REVISION]).await.unwrap().unwrap();
        let Exit { code, is_out_of_memory, at } = container.exit.unwrap();
        assert_eq!((Some(code), is_out_of_memory), (failed.exit_code(), code == 137));
        assert!(at >= container.started_at && !container.is_running);
        assert_eq!(container.variables.len(), 1);
    }
    let unknown = TaskId("nothing".to_owned());
    assert_eq!(client.inspect_task(&unknown).await.unwrap(), None);
    let unknown = ContainerId("abcdef012345".to_owned());
    assert_eq!(client.inspect_container(&unknown, &[]).await.unwrap(), None);
}

#[tokio::test]
async fn one_call_tells_what_every_container_uses() {
    let live = Live::start().await;
    let stack = live.run("demo", "sandbox/hello").await;
    let usage = live.client.usage().await.unwrap();
    let own: Vec<_> = usage.iter().filter(|one| stack.app_name.owns_container(&one.name)).collect();
    assert_eq!((own.len(), usage.len()), (1, 2), "the reverse proxy is no stack");
    assert_eq!(own[0].memory_limit, Some(64 * 1024 * 1024));
    assert!(own[0].memory < own[0].memory_limit && own[0].cpus.is_some_and(|cpus| cpus < 3.0));
    assert!(own[0].received.is_some() && own[0].sent.is_some());
}

#[tokio::test]
async fn while_docker_is_down_nothing_runs_and_nothing_is_known() {
    let live = Live::start().await;
    let stack = live.run("demo", "sandbox/hello").await;
    let now = clock::Clock::now(&clock::SystemClock);
    live.sandbox.core().lock().unwrap().stop_docker(now);
    assert_eq!(live.client.node_containers().await.unwrap(), []);
    assert_eq!(live.client.usage().await.unwrap(), []);
    assert_eq!(live.client.service(&stack.app_name, &[]).await.unwrap(), None);
    assert_eq!(live.client.own_node().await.unwrap(), None, "which tells it from absence");
}
