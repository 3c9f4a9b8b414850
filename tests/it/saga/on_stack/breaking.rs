//! What somebody else or Docker does to a stack around a stop, a start or a restart.

use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::platform::call_slots::{CallBounds, CallKind};
use ai_stack_deployer::server::platform::local_slots::LocalCallSlots;
use ai_stack_deployer::server::saga::CallGate;
use ai_stack_deployer::server::store::{Desired, State};
use clock::Clock;
use domain::event::{Failure, FailureCode};
use domain::kind::{Kind, RESTART, START, STOP};
use domain::progress::End;
use domain::receipt::Outcome;
use serde_json::json;

use super::{World, live};
use crate::support::core_platform::Moment;

impl World {
    /// Changes the columns of the application as another user of the platform.
    pub(in crate::saga) async fn change_application(&self, mut columns: serde_json::Value) {
        columns["applicationId"] = json!(self.first("applications", "applicationId").await);
        self.platform.as_another_user("application.update", &columns);
    }

    /// Applies the columns of the application as another user of the platform.
    async fn reload_as_another_user(&self) {
        let id = self.first("applications", "applicationId").await;
        let name = self.first("applications", "appName").await;
        let body = json!({ "applicationId": id, "appName": name });
        self.platform.as_another_user("application.reload", &body);
    }

    /// Lets nothing of the stack run, as another user of the platform.
    pub(in crate::saga) async fn scale_to_nothing(&self) {
        self.change_application(json!({ "replicas": 0 })).await;
        self.reload_as_another_user().await;
        self.platform.inventory().await;
        assert_eq!(self.answers().0, 502);
    }

    /// Runs an operation of `kind` that fails, and returns the failure.
    async fn fails(&mut self, kind: &'static Kind) -> Failure {
        self.run_on_stack(kind, 60).await;
        self.failure().await
    }
}

#[tokio::test]
async fn a_restart_is_not_proved_by_the_old_container_after_docker_was_down() {
    let mut world = live("sandbox/hello").await;
    // The new container never becomes healthy.
    world.change_application(json!({ "dockerImage": "sandbox/unhealthy" })).await;
    // While Docker is down, the platform shows no container at all.
    world.platform.core().stop_docker(world.clock.now());
    let (platform, clock) = (world.platform.clone(), Arc::clone(&world.clock));
    world.platform.at_call(world.platform.calls() + 3, Moment::Before, async move {
        platform.core().start_docker(clock.now());
    });
    let failure = world.fails(&RESTART).await;
    assert_eq!(failure.code, FailureCode::HealthTimeout, "{failure:?}");
    assert_eq!(world.desired().await, Desired::Running);
}

#[tokio::test]
async fn a_restart_runs_a_stack_that_somebody_has_scaled_to_nothing() {
    let mut world = live("sandbox/hello").await;
    world.scale_to_nothing().await;
    world.run_on_stack(&RESTART, 50).await;
    assert!(matches!(world.end().await, End::Live(_)), "{:?}", world.end().await);
    assert_eq!(world.answers().0, 200);
}

#[tokio::test]
async fn a_restart_whose_container_dies_again_and_again_fails_with_the_reason() {
    let mut world = live("sandbox/hello").await;
    world.scale_to_nothing().await;
    world.change_application(json!({ "dockerImage": "sandbox/crashloop" })).await;
    let failure = world.fails(&RESTART).await;
    assert_eq!(failure.code, FailureCode::CrashLoop, "{failure:?}");
    // It should run, and does not: that is for the health watch.
    assert_eq!(world.desired().await, Desired::Running);
    assert_eq!(world.record().await.state, State::RolledBack);
}

#[tokio::test]
async fn a_start_whose_container_dies_leaves_the_stack_stopped() {
    let mut world = live("sandbox/hello").await;
    world.run_on_stack(&STOP, 50).await;
    world.change_application(json!({ "dockerImage": "sandbox/crashloop" })).await;
    let failure = world.fails(&START).await;
    assert_eq!(failure.code, FailureCode::CrashLoop, "{failure:?}");
    assert!(failure.receipt.clean, "{failure:?}");
    assert_eq!(world.first_replicas().await, 0);
    assert_eq!(world.desired().await, Desired::Stopped);
}

#[tokio::test]
async fn a_start_whose_image_was_pruned_says_so() {
    let mut world = live("sandbox/hello").await;
    world.run_on_stack(&STOP, 50).await;
    world.change_application(json!({ "dockerImage": "sandbox/pruned" })).await;
    let failure = world.fails(&START).await;
    assert_eq!(failure.code, FailureCode::ImageNotFound, "{failure:?}");
    assert_eq!(world.desired().await, Desired::Stopped);
}

#[tokio::test]
async fn a_service_that_is_gone_is_made_again() {
    for kind in [&START, &RESTART, &STOP] {
        let mut world = live("sandbox/hello").await;
        if kind.name == START.name {
            world.run_on_stack(&STOP, 50).await;
        }
        let name = world.first("services", "appName").await;
        assert!(world.platform.core().remove_service(world.clock.now(), &name));
        world.run_on_stack(kind, 51).await;
        assert!(matches!(world.end().await, End::Live(_)), "{}", kind.noun);
        let status = if kind.name == STOP.name { 502 } else { 200 };
        assert_eq!(world.answers().0, status, "{}", kind.noun);
        assert_eq!(world.count().await, (1, 1, 1, 1), "{}", kind.noun);
    }
}

#[tokio::test]
async fn a_stop_of_an_application_that_is_gone_is_stuck_and_a_removal_takes_over() {
    let mut world = live("sandbox/hello").await;
    let id = world.first("applications", "applicationId").await;
    world.platform.as_another_user("application.delete", &json!({ "applicationId": id }));
    let failure = world.fails(&STOP).await;
    assert!(!failure.receipt.clean, "{failure:?}");
    assert!(failure.receipt.lines.iter().all(|line| line.outcome == Outcome::Left));
    assert_eq!(world.record().await.state, State::Stuck);
    world.run_removal().await;
    assert!(matches!(world.end().await, End::Removed(_)), "{:?}", world.end().await);
    assert_eq!(world.count().await, (0, 0, 0, 0));
}

#[tokio::test]
async fn what_the_swarm_refuses_leaves_a_stop_stuck_until_it_is_mended() {
    let mut world = live("sandbox/hello").await;
    let id = world.first("applications", "applicationId").await;
    let row = world.platform.read(&format!("/api/application.one?applicationId={id}"));
    let env = row["env"].clone();
    assert!(env.is_string(), "{row}");
    world.change_application(json!({ "env": "A=${{vault.nothing}}" })).await;
    let failure = world.fails(&STOP).await;
    assert_eq!(world.record().await.state, State::Stuck, "{failure:?}");
    assert_eq!((world.answers().0, world.desired().await), (200, Desired::Running));
    world.change_application(json!({ "env": env })).await;
    assert_eq!(world.clean_up(2).await, 1);
    assert_eq!((world.answers().0, world.desired().await), (200, Desired::Running));
}

#[tokio::test]
async fn a_stuck_stop_can_be_taken_over_by_each_kind() {
    for (kind, status) in [(&START, 200), (&STOP, 502), (&RESTART, 200)] {
        let mut world = live("sandbox/hello").await;
        world.inject("application.reload:docker-down=20m");
        let failure = world.fails(&STOP).await;
        assert_eq!(world.record().await.state, State::Stuck, "{failure:?}");
        world.platform.core().start_docker(world.clock.now());
        world.run_on_stack(kind, 61).await;
        let end = world.end().await;
        assert!(matches!(end, End::Live(_)), "{}: {end:?}", kind.noun);
        world.platform.inventory().await;
        assert_eq!(world.answers().0, status, "{}", kind.noun);
    }
}

#[tokio::test]
async fn a_stop_that_never_gets_its_turn_ends_at_its_deadline() {
    let mut world = live("sandbox/hello").await;
    let until = world.clock.now() + Duration::from_hours(1);
    let slots = Arc::new(LocalCallSlots::after(&[CallKind::Other; 8], until));
    let call_gate = CallGate::new(slots, CallBounds::default(), String::from("portal"));
    let free = std::mem::replace(&mut world.ports.call_gate, Arc::new(call_gate));
    let failure = world.fails(&STOP).await;
    assert_eq!(failure.code, FailureCode::Deadline, "{failure:?}");
    world.ports.call_gate = free;
    world.clean_up(2).await;
    assert_eq!((world.answers().0, world.desired().await), (200, Desired::Running));
}

impl World {
    /// Returns the number of containers that the service should have.
    async fn first_replicas(&self) -> u64 {
        self.platform.inventory().await["services"][0]["replicas"].as_u64().unwrap()
    }
}
