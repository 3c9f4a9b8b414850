//! Retries: each call has a budget, and an open breaker uses none of it (promise P16).

use std::time::Duration;

use ai_stack_deployer::server::platform::PlatformError;
use ai_stack_deployer::server::store::{Lane, State, StepId};
use domain::event::{EventBody, FailureCode};
use domain::phase::Phase;
use jiff::Timestamp;

use super::world::World;
use crate::support::faulty_store::Crash;

const WAITING: &str = "Waiting for the platform to answer again";

fn paused(seconds: u64) -> PlatformError {
    PlatformError::Paused { retry_after: Duration::from_secs(seconds) }
}

fn gaps(times: &[Timestamp]) -> Vec<Duration> {
    let gap = |pair: &[Timestamp]| Duration::try_from(pair[1].duration_since(pair[0])).unwrap();
    times.windows(2).map(gap).collect()
}

#[tokio::test]
async fn a_call_is_retried_five_times_after_1_2_4_8_and_16_seconds_and_no_more() {
    let world = World::driven("sandbox/hello", &["application.update:error-before:always"]).await;
    world.assert_all_or_nothing("retries").await;
    assert_eq!(world.failure().await.code, FailureCode::PlatformUnreachable);
    let gaps = gaps(&world.platform.times_of("application.update"));
    assert_eq!(gaps.len(), 5);
    for (gap, seconds) in gaps.iter().zip([1, 2, 4, 8, 16]) {
        let (least, most) = (Duration::from_secs(seconds), Duration::from_secs(2 * seconds));
        assert!(*gap >= least && *gap < most + Duration::from_millis(50), "{gap:?} of {gaps:?}");
    }
}

#[tokio::test]
async fn a_store_that_fails_during_the_last_search_stops_the_saga_until_it_is_resumed() {
    for crash in [Crash::Before, Crash::After] {
        let world = World::begin("sandbox/hello", &[]).await;
        let (call, detail) = ("project.create", String::from("what?"));
        for _ in 0..2 {
            let error = PlatformError::Unexplained { call, detail: detail.clone() };
            world.platform.plan(call, Some(error));
        }
        world.platform.plan("project.all", None);
        let error = PlatformError::Unavailable { call, status: 503, retry_after: None };
        world.platform.plan("project.all", Some(error));
        // The intent is the first write; the wait during the last search flushes the log.
        world.store.crash_at(2, crash);
        assert_eq!(world.drive().await, 1, "{crash:?}");
        world.assert_all_or_nothing("crash in the last look").await;
    }
}

#[tokio::test]
async fn a_retry_waits_as_long_as_the_platform_asks() {
    let world = World::driven("sandbox/hello", &["application.update:throttled=42s"]).await;
    assert_eq!(world.record().await.state, State::Live);
    let gaps = gaps(&world.platform.times_of("application.update"));
    assert_eq!(gaps.len(), 1);
    assert!(gaps[0] >= Duration::from_secs(42), "{gaps:?}");
    assert!(gaps[0] < Duration::from_secs(43), "{gaps:?}");
}

#[tokio::test]
async fn an_open_breaker_uses_no_retry_and_rolls_nothing_back() {
    let world = World::begin("sandbox/hello", &["application.update:error-before:5"]).await;
    // Within the step's own deadline.
    for _ in 0..3 {
        world.platform.plan("application.update", Some(paused(60)));
    }
    world.drive().await;
    world.assert_all_or_nothing("open breaker").await;
    assert_eq!(world.record().await.state, State::Live, "its five retries are still there");
    assert_eq!(world.platform.count("project.remove"), 0);
    let attempts = world.events().await.into_iter().filter_map(|event| match event.body {
        EventBody::Log(entry) if entry.action == "application.update" => entry.attempt,
        _ => None,
    });
    assert_eq!(attempts.collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn a_pause_during_the_undo_only_costs_time() {
    let world = World::begin("sandbox/crashloop", &[]).await;
    for call in ["domain.delete", "application.delete", "project.remove"] {
        world.platform.plan(call, Some(paused(60)));
    }
    world.drive().await;
    world.assert_all_or_nothing("open breaker in the undo").await;
    assert_eq!(world.record().await.state, State::RolledBack);
}

#[tokio::test]
async fn the_message_says_that_it_waits_until_calls_succeed_again() {
    let world = World::begin("sandbox/crashloop", &[]).await;
    for call in ["application.update", "domain.delete"] {
        world.platform.plan(call, Some(paused(60)));
        world.platform.plan(call, Some(paused(1)));
    }
    world.drive().await;
    let sentences = world.sentences().await;
    let of = |phase: Phase| -> Vec<&str> {
        sentences.iter().filter(|(of, _)| *of == phase).map(|(_, text)| text.as_str()).collect()
    };
    assert_eq!(of(Phase::CONFIGURING_APPLICATION), ["Configuring it", WAITING, "Configuring it"],);
    assert_eq!(
        of(Phase::ROLLING_BACK),
        ["Removing what was made", WAITING, "Removing what was made"],
    );
}

/// The steps that create a resource, with the call that creates it.
const CREATES: [(StepId, &str); 3] = [
    (StepId::PROJECT, "project.create"),
    (StepId::APPLICATION, "application.create"),
    (StepId::DOMAIN, "domain.create"),
];

#[tokio::test]
async fn a_resource_whose_response_was_lost_is_adopted_and_created_once() {
    for (_, call) in CREATES {
        let world = World::driven("sandbox/hello", &[&format!("{call}:reset")]).await;
        assert_kept(&world, call).await;
    }
}

#[tokio::test]
async fn a_resource_created_before_a_crash_is_adopted_and_created_once() {
    for (step, call) in CREATES {
        let world = World::begin("sandbox/hello", &[]).await;
        world.drive_until(step).await;
        // Its intent is written, and then the resource is created.
        world.store.crash_at(world.store.writes() + 2, Crash::Before);
        world.drive_once(Lane::Forward).await.unwrap_err();
        assert_eq!(world.platform.count(call), 1, "crashed before {call}");
        world.drive().await;
        assert_kept(&world, call).await;
    }
}

async fn assert_kept(world: &World, call: &str) {
    assert_eq!(world.record().await.state, State::Live, "{call}");
    world.assert_all_or_nothing(call).await;
    assert_eq!(world.platform.count(call), 1, "{call} was repeated");
    let log = world.log().await;
    let kept = format!("warn {call}: Adopted what an earlier attempt had created");
    assert!(log.contains(&kept), "{log:#?}");
}
