//! Stops, starts and restarts: each ends with the stack as it was asked for, or as it was before.

use std::sync::Arc;

use ai_stack_deployer::server::platform::PlatformError;
use ai_stack_deployer::server::store::{
    Desired, NewOperation, OperationOutcome, Stacks as _, State,
};
use clock::Clock;
use dokploy_sandbox::Visit;
use domain::event::{EventBody, ProgressUpdate, Ready};
use domain::kind::{Kind, RESTART, START, STOP};
use domain::progress::End;
use domain::receipt::Outcome;
use domain::stack_name::StackName;

use super::volumes::{ask, counting, runs, volume};
use super::world::World;
use crate::support::memory_store::MemoryStore;

mod breaking;
mod matrix;

pub(super) fn alice() -> StackName {
    StackName::parse("alice").unwrap()
}

impl World {
    /// Begins an operation of `kind` on the live stack, which is that of this world from then on.
    pub(super) async fn ask_for(&mut self, kind: &'static Kind, number: u128) {
        let started = self.clock.now();
        let new = NewOperation {
            id: kind.operation_id(number),
            kind,
            started,
            first: EventBody::Progress(ProgressUpdate::first(kind, started)),
            of: None,
            expired: None,
            limit: None,
            revision: None,
            audit_entry: None,
            claim: None,
        };
        let begun = self.store.begin_operation(&alice(), &new).await.unwrap();
        assert_eq!(begun, OperationOutcome::Accepted(new.id.clone()));
        self.id = new.id;
    }

    /// Does the same, and drives it to its end.
    pub(super) async fn run_on_stack(&mut self, kind: &'static Kind, number: u128) {
        self.ask_for(kind, number).await;
        self.drive().await;
    }

    /// Lets the platform refuse the next reload.
    fn refuse_reload(&self) {
        let (call, status, detail) = ("application.reload", 400, String::new());
        self.platform.plan(call, Some(PlatformError::Refused { call, status, detail }));
    }

    async fn desired(&self) -> Desired {
        self.store.stacks(Some(&alice())).await.unwrap()[0].desired
    }

    /// Returns the status and the task that answer at the address of the stack.
    fn answers(&self) -> (u16, Option<String>) {
        let (now, visit) = (self.clock.now(), Visit::get("alice.localhost", "/"));
        let answer = self.platform.core().answer_visit(now, &visit);
        let task = answer.headers.iter().find(|(name, _)| *name == "x-sandbox-task");
        (answer.status, task.map(|(_, task)| task.clone()))
    }
}

async fn live(image: &str) -> World {
    World::driven(image, &[]).await
}

#[tokio::test]
async fn a_stack_that_is_stopped_runs_nothing_and_keeps_address_and_data() {
    let change = |spec: &mut domain::stack_spec::StackSpec| spec.volumes.push(volume());
    let store = Arc::new(MemoryStore::default());
    let mut world = World::begin_with(store as _, counting(), change, &[]).await;
    world.drive().await;
    let before = world.count().await;
    assert_eq!(ask(&world, "alice", "POST", "/count").0, 303);
    let counted = runs(&world, "alice");

    world.run_on_stack(&STOP, 50).await;
    let End::Live(completion) = world.end().await else { panic!("{:?}", world.end().await) };
    assert_eq!(completion.status, Ready::Stopped);
    assert_eq!(
        (world.record().await.state, world.desired().await),
        (State::RolledBack, Desired::Stopped)
    );
    assert_eq!(world.answers().0, 502);
    assert_eq!(world.count().await, before, "application, address and service stay");

    world.run_on_stack(&START, 51).await;
    let End::Live(completion) = world.end().await else { panic!("{:?}", world.end().await) };
    assert_eq!(completion.status, Ready::Ready);
    assert!(
        completion.resources.application_id.is_some() && completion.resources.domain_id.is_some()
    );
    assert_eq!(world.desired().await, Desired::Running);
    assert_eq!(runs(&world, "alice"), counted, "with its data");

    world.run_removal().await;
    assert_eq!(world.count().await, (0, 0, 0, 0));
}

#[tokio::test]
async fn a_restart_ends_once_another_container_answers() {
    let mut world = live("sandbox/hello").await;
    let (status, before) = world.answers();
    assert_eq!(status, 200);
    world.run_on_stack(&RESTART, 50).await;
    assert!(matches!(world.end().await, End::Live(_)), "{:?}", world.end().await);
    let (status, after) = world.answers();
    assert_eq!(status, 200);
    assert_ne!(before, after);
    assert_eq!(world.desired().await, Desired::Running);
}

#[tokio::test]
async fn a_stopped_stack_can_be_removed() {
    let mut world = live("sandbox/hello").await;
    world.run_on_stack(&STOP, 50).await;
    world.run_removal().await;
    assert!(matches!(world.end().await, End::Removed(_)));
    assert_eq!(world.count().await, (0, 0, 0, 0));
}

#[tokio::test]
async fn a_stop_that_fails_leaves_the_stack_running_and_says_so() {
    let mut world = live("sandbox/hello").await;
    world.ask_for(&STOP, 50).await;
    world.refuse_reload();
    world.drive().await;
    let failure = world.failure().await;
    let lines: Vec<_> = failure.receipt.lines.iter().map(|line| line.outcome).collect();
    assert_eq!(lines, [Outcome::Restored], "{failure:?}");
    assert!(failure.receipt.clean);
    assert_eq!((world.answers().0, world.desired().await), (200, Desired::Running));
}

#[tokio::test]
async fn a_start_that_fails_leaves_the_stack_stopped() {
    let mut world = live("sandbox/hello").await;
    world.run_on_stack(&STOP, 50).await;
    world.refuse_reload();
    world.run_on_stack(&START, 51).await;
    let failure = world.failure().await;
    assert!(failure.receipt.clean, "{failure:?}");
    assert_eq!((world.answers().0, world.desired().await), (502, Desired::Stopped));
}

#[tokio::test]
async fn a_cancelled_stop_leaves_the_stack_running() {
    let mut world = live("sandbox/hello").await;
    world.ask_for(&STOP, 50).await;
    let call = world.platform.calls() + 2;
    world.cancel_at_call(call, crate::support::core_platform::Moment::After);
    world.drive().await;
    assert!(world.failure().await.was_requested());
    assert_eq!((world.answers().0, world.desired().await), (200, Desired::Running));
}

#[tokio::test]
async fn an_operation_that_is_killed_anywhere_ends_as_if_it_had_not_been() {
    for (kind, status, desired) in
        [(&STOP, 502, Desired::Stopped), (&RESTART, 200, Desired::Running)]
    {
        for write in 1..6 {
            for crash in [
                crate::support::faulty_store::Crash::Before,
                crate::support::faulty_store::Crash::After,
            ] {
                let mut world = live("sandbox/hello").await;
                world.ask_for(kind, 50).await;
                world.store.crash_at(write, crash);
                world.drive().await;
                let what = format!("{} {write} {crash:?}", kind.noun);
                assert!(matches!(world.end().await, End::Live(_)), "{what}");
                assert_eq!((world.answers().0, world.desired().await), (status, desired), "{what}");
            }
        }
    }
}
