//! What a container wrote last, and how it ended, is kept with the operation that stops it or that
//! undoes what crashed. It never changes how the operation ends.

use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::platform::PlatformError;
use ai_stack_deployer::server::store::{Journal as _, State, StepId};
use clock::Clock;
use domain::event::FailureCode;
use domain::kind::{RESTART, START, STOP};
use domain::last_log::{LastLog, LogState};
use serde_json::json;

use super::world::World;
use crate::support::memory_store::MemoryStore;
use crate::support::settings::stack_settings;

/// A secret of the stack.
const SECRET: &str = "correct-horse-battery";
const FATAL: &str = " fatal: cannot open model file";

impl World {
    async fn last_log(&self) -> Option<LastLog> {
        self.store.journal(&self.id).await.unwrap().last_log()
    }

    /// Lets the running container write these lines.
    async fn write(&self, lines: Vec<String>) {
        let service = self.first("services", "appName").await;
        assert!(self.platform.core().write_lines(self.clock.now(), &service, lines));
    }

    /// Changes the image to one that crashes, behind the portal's back.
    async fn spoil(&self) {
        self.scale_to_nothing().await;
        self.change_application(json!({ "dockerImage": "sandbox/crashloop" })).await;
    }
}

/// A live stack with a secret in its environment.
async fn with_secret(image: &str) -> World {
    let mut settings = stack_settings(image);
    settings.environment = vec![(String::from("TOKEN"), SECRET.into())];
    World::begin_by(Arc::new(MemoryStore::default()), settings, &[]).await
}

#[tokio::test]
async fn before_a_deployment_that_failed_is_undone_the_last_lines_are_kept() {
    for (image, code, line, exit) in [
        ("sandbox/crashloop", FailureCode::CrashLoop, FATAL, (Some(1), false)),
        ("sandbox/out-of-memory", FailureCode::CrashLoop, " starting", (Some(137), true)),
        ("sandbox/unhealthy", FailureCode::HealthTimeout, "", (None, false)),
    ] {
        let world = World::driven(image, &[]).await;
        assert_eq!(world.failure().await.code, code, "{image}");
        let last = world.last_log().await.unwrap();
        assert!(last.container.as_ref().unwrap().starts_with("stack-alice-"), "{last:?}");
        assert_eq!(last.log, LogState::Read, "{image}");
        assert!(last.lines.last().unwrap().ends_with(line), "{image}: {last:?}");
        assert_eq!((last.exit_code, last.out_of_memory), exit, "{image}");
        world.assert_all_or_nothing(image).await;
    }
}

#[tokio::test]
async fn before_a_change_is_taken_back_the_last_lines_of_the_new_revision_are_kept() {
    for (image, line, exit) in [
        ("sandbox/revisions:crashloop", FATAL, (Some(1), false)),
        ("sandbox/revisions:dying", "", (Some(1), false)),
        ("sandbox/revisions:out-of-memory", " starting", (Some(137), true)),
    ] {
        let mut world = World::driven("sandbox/revisions:1", &[]).await;
        world.ask_to_change(50, |spec| image.clone_into(&mut spec.image)).await;
        world.drive().await;
        assert_eq!(world.failure().await.code, FailureCode::CrashLoop, "{image}");
        let last = world.last_log().await.unwrap();
        assert!(last.lines.first().is_some_and(|line| line.contains(image)), "{image}: {last:?}");
        assert!(last.lines.last().unwrap().ends_with(line), "{last:?}");
        assert_eq!((last.exit_code, last.out_of_memory), exit, "{image}");
        assert_eq!(world.record().await.state, State::RolledBack, "{image}");
    }
}

#[tokio::test]
async fn when_a_start_or_a_restart_fails_the_last_lines_are_kept() {
    for kind in [&START, &RESTART] {
        let mut world = World::driven("sandbox/hello", &[]).await;
        if kind.name == START.name {
            world.run_on_stack(&STOP, 50).await;
        }
        world.spoil().await;
        world.run_on_stack(kind, 51).await;
        assert_eq!(world.failure().await.code, FailureCode::CrashLoop, "{}", kind.noun);
        let last = world.last_log().await.unwrap();
        assert!(last.lines[0].ends_with(" sandbox/crashloop starting"), "{last:?}");
        assert!(last.lines.last().unwrap().ends_with(FATAL), "{last:?}");
        assert_eq!(last.exit_code, Some(1), "{}", kind.noun);
    }
}

#[tokio::test]
async fn before_a_stack_is_stopped_its_last_lines_are_kept_without_secrets() {
    let mut world = with_secret("sandbox/hello").await;
    world.drive().await;
    assert_eq!(world.last_log().await, None, "it runs");
    world.write(vec![format!("the token is {SECRET}"), String::from("bye")]).await;
    world.run_on_stack(&STOP, 50).await;
    assert_eq!(world.record().await.state, State::RolledBack);
    let last = world.last_log().await.unwrap();
    let texts: Vec<_> =
        last.lines.iter().rev().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(texts[..2], ["bye", "the token is ***"]);
    assert!(texts.contains(&"listening"), "{texts:?}");
    assert_eq!((last.exit_code, last.log), (None, LogState::Read));
}

#[tokio::test]
async fn of_a_long_log_200_lines_of_32_kib_are_kept() {
    for (length, count) in [(10, 200), (1_000, 31), (20_000, 1)] {
        let mut world = World::driven("sandbox/hello", &[]).await;
        let line = |at: usize| format!("{at} {}", "x".repeat(length));
        world.write((0..300).map(line).collect()).await;
        world.run_on_stack(&STOP, 50).await;
        let lines = world.last_log().await.unwrap().lines;
        assert_eq!(lines.len(), count, "{length}");
        assert!(lines.last().unwrap().contains("Z 299 x"), "the newest");
        assert!(lines.iter().map(String::len).sum::<usize>() <= 32 << 10);
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_read_changes_nothing_but_is_said() {
    for fault in [
        "docker-container-logs:reset:always",
        "docker-container-logs:timeout:always",
        "docker-container-logs:unauthorized:always",
    ] {
        let world = World::driven("sandbox/crashloop", &[fault]).await;
        assert_eq!(world.failure().await.code, FailureCode::CrashLoop, "{fault}");
        world.assert_all_or_nothing(fault).await;
        let last = world.last_log().await.unwrap();
        assert_eq!((last.log, last.lines.len()), (LogState::Unavailable, 0), "{fault}");
    }
    let mut world = World::driven("sandbox/hello", &[]).await;
    let call = "docker.getContainersByAppNameMatch";
    let reason = String::from("connection reset");
    world.platform.plan(call, Some(PlatformError::Lost { call, reason }));
    world.run_on_stack(&STOP, 50).await;
    assert_eq!(world.record().await.state, State::RolledBack);
    assert_eq!(world.last_log().await.unwrap().log, LogState::Unavailable);
}

#[tokio::test]
async fn a_log_that_is_gone_with_its_container_is_said_to_be() {
    let mut world = World::driven("sandbox/hello", &[]).await;
    let name = world.first("services", "appName").await;
    assert!(world.platform.core().remove_service(world.clock.now(), &name));
    world.clock.advance(Duration::from_mins(10));
    world.run_on_stack(&STOP, 50).await;
    assert_eq!(world.record().await.state, State::RolledBack);
    assert_eq!(world.last_log().await, Some(LastLog::without(LogState::Gone)));
}

#[tokio::test]
async fn a_log_in_which_no_secret_could_be_masked_is_not_read() {
    for is_read in [true, false] {
        let mut world = with_secret("sandbox/crashloop").await;
        world.drive_until(StepId::DOMAIN).await;
        if !is_read {
            world.ports.keyring = None;
        }
        world.drive().await;
        assert_eq!(world.failure().await.code, FailureCode::CrashLoop);
        let last = world.last_log().await.unwrap();
        let expected = if is_read { LogState::Read } else { LogState::Unavailable };
        assert_eq!((last.log, last.lines.is_empty()), (expected, !is_read));
        assert_eq!(last.exit_code, Some(1), "which is no secret");
    }
}

#[tokio::test]
async fn an_operation_that_is_cancelled_or_fails_for_another_reason_keeps_none() {
    let world = World::driven("sandbox/denied", &[]).await;
    assert_eq!(world.failure().await.code, FailureCode::RegistryRefused);
    assert_eq!(world.last_log().await, None);
}
