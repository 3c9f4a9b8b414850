//! The log that people see: short sentences, in the order of the events.

use std::io;
use std::sync::{Arc, Mutex};

use ai_stack_deployer::server::platform::PlatformError;
use domain::event::FailureCode;

use super::world::World;
use crate::support::faulty_store::Crash;

/// The output of the operator's log.
#[derive(Clone, Default)]
struct OperatorLog(Arc<Mutex<Vec<u8>>>);

impl io::Write for OperatorLog {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn every_log_line_of_a_saga_has_the_reference_of_its_deployment() {
    let log = OperatorLog::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let world = World::begin("sandbox/hello", &["project.create:error-after"]).await;
    let guard = tracing::subscriber::set_default(subscriber);
    // With only one subscriber, tracing caches the interest of the thread that reaches a log line
    // first.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    world.drive().await;
    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = text.lines().find(|line| line.contains("A call is made")).unwrap();
    assert!(line.contains(&world.id.reference()), "{line}");
}

#[tokio::test]
async fn the_log_of_a_successful_deployment_lists_what_was_created() {
    let world = World::driven("sandbox/hello", &[]).await;
    assert_eq!(
        world.log().await,
        [
            "info project.create: Created the project",
            "info application.create: Created the application",
            "info application.update: Configured the application",
            "info domain.create: Attached alice.localhost",
            "info application.deploy: Asked the platform to start the container",
            "info container.start: The container is started",
            "info stack.verify: The stack answered at its own address, twice in a row",
        ]
    );
}

#[tokio::test]
async fn the_log_of_an_undo_lists_what_was_removed() {
    let world = World::driven("sandbox/crashloop", &[]).await;
    assert_eq!(
        world.log().await[6..],
        [
            "error deployment.fail: The container stopped right after starting: it ended with an error (exit code 1).",
            "info application.cleanQueues: Removed the waiting job from the platform's queue",
            "info domain.delete: Removed the address alice.localhost",
            "info application.delete: Removed the application",
            "info service.verify: Verified that no container is left",
            "info project.remove: Removed the project",
        ]
    );
}

#[tokio::test]
async fn the_log_of_a_failed_call_has_no_words_of_the_platform() {
    let world = World::driven("sandbox/hello", &["project.create:error-after"]).await;
    assert_eq!(
        world.log().await[..2],
        [
            "warn project.create: The platform is temporarily unavailable: trying again",
            "warn project.create: Adopted what an earlier attempt had created",
        ]
    );
}

#[tokio::test]
async fn waiting_log_entries_are_recorded_although_a_cancellation_precedes_the_end() {
    // The undo fails, which is logged, and the next write is the end.
    let faults = ["project.remove:error-before:always"];
    let calm = World::driven("sandbox/crashloop", &faults).await;
    let lines = calm.log().await;
    assert!(lines.last().unwrap().starts_with("warn step.undo: Could not undo"), "{lines:?}");

    let world = World::begin("sandbox/crashloop", &faults).await;
    world.store.cancel_at(calm.store.writes(), Crash::Before);
    world.drive().await;
    assert_eq!(world.failure().await.code, FailureCode::Cancelled);
    assert_eq!(world.log().await, lines);
}

#[tokio::test]
async fn waiting_log_entries_are_recorded_although_a_cancellation_precedes_the_live_end() {
    let faults = ["project.create:error-after", "project.all:latency=1ms"];
    let begin = async || {
        let world = World::begin("sandbox/hello", &faults).await;
        // One search finds what the lost call created; the next is the last one before the end.
        world.platform.plan("project.all", None);
        let away =
            PlatformError::Unavailable { call: "project.all", status: 500, retry_after: None };
        world.platform.plan("project.all", Some(away));
        world
    };
    let calm = begin().await;
    calm.drive().await;
    let last = calm.log().await.pop().unwrap();
    assert_eq!(last, "warn project.all: The platform is temporarily unavailable: trying again");

    let world = begin().await;
    world.store.cancel_at(calm.store.writes(), Crash::Before);
    world.drive().await;
    assert_eq!(world.failure().await.code, FailureCode::Cancelled);
    assert!(world.log().await.contains(&last), "{:?}", world.log().await);
}
