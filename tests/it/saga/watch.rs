//! The health watch: three bad looks make a stack unhealthy, two good ones let it recover, and what
//! is not the stack's fault changes nothing.

use std::time::Duration;

use ai_stack_deployer::server::platform::PlatformError;
use ai_stack_deployer::server::store::{Stack, StackEvents as _, Stacks as _};
use ai_stack_deployer::server::watch::Watch;
use clock::Clock;
use domain::kind::{Kinds, RESTART, STOP, StackStatus};
use domain::stack_event::{Problem, StackEventBody, StackHistory};
use domain::stack_name::StackName;
use serde_json::json;

use super::world::World;

/// The time within which containers stop and start.
const SOON: Duration = Duration::from_secs(20);

impl World {
    fn watch(&self) -> Watch {
        Watch::new(self.ports.clone(), String::from("watch"), Duration::from_secs(30))
    }

    async fn alice(&self) -> Stack {
        let name = StackName::parse("alice").unwrap();
        self.store.stacks(Some(&name)).await.unwrap().remove(0)
    }

    async fn history(&self) -> Vec<StackEventBody> {
        let stack = self.alice().await.revision.stack;
        let events = self.store.stack_events(stack, 0, 100).await.unwrap();
        events.into_iter().map(|event| event.body).collect()
    }

    async fn scale_to(&self, replicas: u64) {
        let service = self.first("services", "appName").await;
        assert!(self.platform.core().scale_service(self.clock.now(), &service, replicas));
        self.clock.advance(SOON);
    }
}

/// Looks this many times.
async fn look(world: &World, watch: &mut Watch, times: u32) {
    for _ in 0..times {
        watch.round().await.unwrap();
        world.clock.advance(Duration::from_mins(1));
    }
}

#[tokio::test]
async fn three_bad_looks_make_a_stack_unhealthy_and_two_good_ones_let_it_recover() {
    let world = World::driven("sandbox/hello", &[]).await;
    let mut watch = world.watch();
    look(&world, &mut watch, 5).await;
    assert_eq!(world.history().await.len(), 3, "it works");

    world.scale_to(0).await;
    look(&world, &mut watch, 2).await;
    assert!(world.alice().await.unhealthy.is_none(), "not after two");
    look(&world, &mut watch, 4).await;
    let unhealthy = world.alice().await.unhealthy.unwrap();
    assert_eq!(unhealthy.why.problem, Problem::NotRunning);
    let after = unhealthy.why.after.unwrap();
    assert_eq!((after.event, after.operation), (2, world.id.clone()), "what changed before");
    let history = world.history().await;
    assert!(matches!(history[..], [_, _, _, StackEventBody::Unhealthy { .. }]), "{history:?}");

    world.scale_to(1).await;
    look(&world, &mut watch, 1).await;
    assert!(world.alice().await.unhealthy.is_some(), "not after one");
    look(&world, &mut watch, 3).await;
    assert!(world.alice().await.unhealthy.is_none());
    assert_eq!(world.history().await.last(), Some(&StackEventBody::Recovered));
}

#[tokio::test]
async fn looks_at_a_platform_or_from_a_machine_with_a_fault_change_nothing() {
    let world = World::driven("sandbox/hello", &[]).await;
    let mut watch = world.watch();
    world.scale_to(0).await;
    look(&world, &mut watch, 2).await;
    for _ in 0..4 {
        world.platform.core().stop_docker(world.clock.now());
        look(&world, &mut watch, 1).await;
        world.platform.core().start_docker(world.clock.now());
        let (call, status, detail) = ("swarm.getNodeApps", 400, String::new());
        world.platform.plan(call, Some(PlatformError::Refused { call, status, detail }));
        look(&world, &mut watch, 1).await;
    }
    assert!(world.alice().await.unhealthy.is_none(), "the platform was at fault");
    look(&world, &mut watch, 1).await;
    assert!(world.alice().await.unhealthy.is_some(), "the third that counts");
}

#[tokio::test]
async fn a_stopped_stack_is_not_looked_at_and_an_operation_begins_anew() {
    let mut world = World::driven("sandbox/hello", &[]).await;
    let mut watch = world.watch();
    world.scale_to(0).await;
    look(&world, &mut watch, 2).await;
    world.run_on_stack(&RESTART, 7).await;
    world.scale_to(0).await;
    look(&world, &mut watch, 2).await;
    assert!(world.alice().await.unhealthy.is_none(), "looks before an operation do not count");
    look(&world, &mut watch, 1).await;
    assert!(world.alice().await.unhealthy.is_some());
    world.run_on_stack(&STOP, 8).await;
    look(&world, &mut watch, 5).await;
    let stack = world.alice().await.revision.stack;
    let events = world.store.stack_events(stack, 0, 100).await.unwrap();
    let history = StackHistory::of(events);
    assert_eq!(history.status(Kinds::default()), StackStatus::Stopped);
    assert!(history.unhealthy.is_none(), "it need not work");
}

/// Between two looks such a container has ended and another one has started, which answers.
#[tokio::test]
async fn a_container_that_ends_between_the_looks_makes_its_stack_unhealthy() {
    let world = World::driven("sandbox/hello", &[]).await;
    let mut watch = world.watch();
    let crash = async || {
        world.scale_to(0).await;
        world.scale_to(1).await;
    };
    look(&world, &mut watch, 1).await;
    crash().await;
    look(&world, &mut watch, 2).await;
    for _ in 0..2 {
        crash().await;
        look(&world, &mut watch, 1).await;
    }
    assert!(world.alice().await.unhealthy.is_none(), "one look between was good");
    crash().await;
    look(&world, &mut watch, 1).await;
    let unhealthy = world.alice().await.unhealthy.unwrap();
    assert_eq!(unhealthy.why.problem, Problem::Restarting);
    for _ in 0..3 {
        crash().await;
        look(&world, &mut watch, 1).await;
    }
    assert!(world.alice().await.unhealthy.is_some(), "it still ends again and again");
    look(&world, &mut watch, 2).await;
    assert!(world.alice().await.unhealthy.is_none(), "the same container ran all the time");
}

#[tokio::test]
async fn a_stack_that_crashes_says_how_its_containers_ended() {
    let world = World::driven("sandbox/hello", &[]).await;
    let mut watch = world.watch();
    let id = world.first("applications", "applicationId").await;
    let service = world.first("services", "appName").await;
    world.scale_to(0).await;
    let image = json!({ "applicationId": id, "dockerImage": "sandbox/crashloop", "replicas": 1 });
    world.platform.as_another_user("application.update", &image);
    let reload = json!({ "applicationId": id, "appName": service });
    world.platform.as_another_user("application.reload", &reload);
    world.clock.advance(SOON);
    look(&world, &mut watch, 3).await;
    let why = world.alice().await.unhealthy.unwrap().why;
    assert!(matches!(why.problem, Problem::NotRunning | Problem::Restarting), "{why:?}");
    assert!(why.exits[0].code.is_some(), "{why:?}");
    assert!(why.exits.len() <= 3, "{why:?}");
}
