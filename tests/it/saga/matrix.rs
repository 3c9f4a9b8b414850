//! The matrix: every step × every fault × a crash at every write, before and after it.

use ai_stack_deployer::{domain::progress::End, server::ports::store::State};

use super::world::World;
use crate::support::memory_store::Crash;

/// The calls that change something on the way forward.
const FORWARD: [&str; 5] = [
    "project.create",
    "application.create",
    "application.update",
    "domain.create",
    "application.deploy",
];

/// The calls of the undo.
const BACKWARD: [&str; 4] =
    ["application.cleanQueues", "domain.delete", "application.delete", "project.remove"];

/// What goes wrong once: before the effect, after it, or somewhere in between.
const FAULTS: [&str; 11] = [
    "error-before",
    "error-after",
    "refused-after",
    "timeout-before",
    "timeout",
    "late=19s",
    "reset-before",
    "reset",
    "unauthorized",
    "throttled=3s",
    "docker-down=5s",
];

/// Runs the story that `image` and `faults` tell, without a crash and with one at every
/// write, and returns how many schedules that was.
async fn every_crash(image: &str, faults: &[&str], expected: &[State]) -> u32 {
    let what = format!("{image} {faults:?}");
    let calm = World::begin(image, faults).await;
    assert_eq!(calm.drive().await, 0);
    calm.assert_all_or_nothing(&what).await;
    assert!(expected.contains(&calm.record().await.state), "{what}");
    let writes = calm.store.writes();
    for write in 1..=writes {
        for crash in [Crash::Before, Crash::After] {
            let what = format!("{what}, crash {crash:?} write {write} of {writes}");
            let world = World::begin(image, faults).await;
            world.store.crash_at(write, crash);
            assert_eq!(world.drive().await, 1, "{what}: it went on as if nothing had happened");
            world.assert_all_or_nothing(&what).await;
        }
    }
    1 + 2 * writes
}

#[tokio::test]
async fn a_fault_on_the_way_forward_and_a_crash_anywhere_end_in_all() {
    let mut schedules = 0;
    for call in FORWARD {
        for fault in FAULTS {
            // With Docker down, a deploy job that begins meanwhile fails, and rightly so.
            let expected: &[State] = if fault.starts_with("docker-down") {
                &[State::Live, State::RolledBack]
            } else {
                &[State::Live]
            };
            let fault = format!("{call}:{fault}");
            schedules += every_crash("sandbox/hello", &[&fault], expected).await;
        }
    }
    println!("{schedules} schedules forward");
    assert!(schedules > 1_000);
}

#[tokio::test]
async fn a_fault_in_the_undo_and_a_crash_anywhere_end_in_nothing() {
    let mut schedules = 0;
    for call in BACKWARD {
        for fault in FAULTS {
            // Docker stopping in the very moment of the removal orphans the service for
            // ever: see `stories::a_service_that_nobody_can_see_is_left_and_not_called_gone`.
            if call == "application.delete" && fault.starts_with("docker-down") {
                continue;
            }
            let fault = format!("{call}:{fault}");
            schedules += every_crash("sandbox/crashloop", &[&fault], &[State::RolledBack]).await;
        }
    }
    println!("{schedules} schedules backward");
    assert!(schedules > 1_000);
}

/// Each step fails for good, once with its effect leaked and once without: its last call
/// fails, and so does every look for what the call left, until the step gives up.
#[tokio::test]
async fn a_step_that_fails_for_good_is_undone_whether_or_not_its_effect_leaked() {
    let looks = ["project.all:error-before:6", "project.one:error-before:6"];
    let mut schedules = 0;
    for (call, look) in [
        ("project.create", looks[0]),
        ("application.create", looks[1]),
        ("domain.create", "domain.byApplicationId:error-before:6"),
        ("application.deploy", "deployment.all:error-before:6"),
    ] {
        let leaked = format!("{call}:error-after:1");
        schedules += every_crash_of_failure(&[&leaked, look], call).await;
        let plain = format!("{call}:error-before:6");
        schedules += every_crash_of_failure(&[&plain], call).await;
    }
    schedules += every_crash_of_failure(&["application.update:error-before:6"], "update").await;
    println!("{schedules} schedules of a step that fails for good");
    assert!(schedules > 200);
}

async fn every_crash_of_failure(faults: &[&str], call: &str) -> u32 {
    let calm = World::begin("sandbox/hello", faults).await;
    calm.drive().await;
    calm.assert_all_or_nothing(call).await;
    assert!(matches!(calm.end().await, End::Failed(_)), "{faults:?} did not fail");
    let writes = calm.store.writes();
    for write in 1..=writes {
        for crash in [Crash::Before, Crash::After] {
            let world = World::begin("sandbox/hello", faults).await;
            world.store.crash_at(write, crash);
            let what = format!("{faults:?}, crash {crash:?} write {write} of {writes}");
            assert_eq!(world.drive().await, 1, "{what}: it went on as if nothing had happened");
            world.assert_all_or_nothing(&what).await;
        }
    }
    1 + 2 * writes
}
