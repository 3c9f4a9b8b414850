//! Deadlines, which count from recorded times (promise P13), and clean-up after the end.

use std::time::Duration;

use ai_stack_deployer::server::store::{Lane, Operations, State, StepId};
use clock::Clock;
use domain::event::FailureCode;
use domain::kind::DEPLOY;
use domain::phase::Phase;
use domain::receipt::ResourceKind;
use domain::remedy::Remedy;

use super::world::{STEPS_WITHOUT_VOLUMES, World};
use crate::support::claim_one::CLEAN_UP;
use crate::support::faulty_store::Crash;

#[tokio::test]
async fn a_step_that_takes_too_long_ends_at_its_own_deadline_and_is_undone() {
    let mut world = World::begin("sandbox/slow", &[]).await;
    world.configure(|settings| settings.deadlines.deploy = Duration::from_mins(1));
    world.drive().await;
    let failure = world.failure().await;
    assert_eq!((failure.code, failure.phase), (FailureCode::Deadline, Phase::DEPLOYING));
    world.assert_all_or_nothing("its own deadline").await;
}

#[tokio::test]
async fn a_restart_does_not_extend_the_deadline_of_a_step() {
    let mut world = World::begin("sandbox/slow", &[]).await;
    world.configure(|settings| settings.deadlines.deploy = Duration::from_secs(40));
    world.drive_until(StepId::DEPLOY).await;
    // The intent is recorded, and no worker drives it until long after its deadline.
    world.store.crash_at(world.store.writes() + 2, Crash::Before);
    world.drive_once(Lane::Forward).await.unwrap_err();
    world.clock.advance(Duration::from_secs(20));
    world.drive().await;
    assert_eq!(world.failure().await.code, FailureCode::Deadline);
    world.assert_all_or_nothing("a deadline across a restart").await;
}

#[tokio::test]
async fn an_overdue_deployment_without_a_worker_is_claimed_for_clean_up_and_ends_without_a_call() {
    let world = World::begin("sandbox/hello", &[]).await;
    let whole = world.ports.settings.deadlines.whole;
    let begun = world.clock.now();
    let lane = Lane::CleanUp { overdue: begun - Duration::from_millis(1) };
    world.drive_once(lane).await.unwrap();
    assert_eq!(world.record().await.state, State::Active, "its time is not up");

    world.clock.advance(whole);
    world.drive_once(Lane::CleanUp { overdue: begun }).await.unwrap();
    let failure = world.failure().await;
    assert_eq!(failure.code, FailureCode::Deadline);
    assert_eq!(world.platform.calls(), 0);
    assert!(world.log().await.iter().any(|line| line.contains("It took too long")));
    world.assert_all_or_nothing("never driven").await;
}

#[tokio::test]
async fn a_deployment_past_its_deadline_begins_no_further_step() {
    for step in STEPS_WITHOUT_VOLUMES {
        let world = World::begin("sandbox/hello", &[]).await;
        world.drive_until(step).await;
        world.clock.advance(world.ports.settings.deadlines.whole);
        world.drive().await;
        assert_eq!(world.failure().await.code, FailureCode::Deadline, "{step:?}");
        assert_eq!(world.failure().await.phase, DEPLOY.phase_of(step), "{step:?}");
        world.assert_all_or_nothing("overdue between two steps").await;
    }
}

#[tokio::test]
async fn if_the_platform_hangs_for_ever_the_deployment_ends_with_everything_left() {
    let world = World::begin("sandbox/hello", &["application.update:latency=1ms"]).await;
    world.inject("*:timeout-before:always");
    world.drive().await;
    let limits = world.ports.settings.deadlines;
    // A hang extends the deadline, but at most by its own length.
    let longest = limits.whole * 2 + limits.drain + Duration::from_mins(1);
    let took = world.took().await;
    assert!(took <= longest, "{took:?}");
    assert_eq!(world.record().await.state, State::Stuck);
    assert!(!world.failure().await.receipt.clean);

    world.platform.core().clear_faults();
    world.clean_up(1).await;
    world.assert_all_or_nothing("cleaned up after the end").await;
    assert!(world.store.stuck().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_service_without_a_row_is_freed_once_the_operator_has_removed_it() {
    let world = World::driven("sandbox/crashloop", &["application.delete:docker-down=1h"]).await;
    let events = world.events().await;
    world.platform.core().start_docker(world.ports.clock.now());
    for _ in 0..3 {
        world.clock.advance(Duration::from_mins(31));
        world.drive_once(CLEAN_UP).await.unwrap();
        assert_eq!(world.record().await.state, State::Stuck, "nobody has removed it yet");
    }
    let record = world.record().await;
    assert_eq!(record.clean_up.tries, 3);
    let receipt = record.metadata.receipt.unwrap();
    let service = receipt.leftovers().find(|line| line.resource == ResourceKind::Service).unwrap();
    assert_eq!(service.remedy, Some(Remedy::RemoveService { service: service.name.clone() }));
    assert!(world.platform.core().remove_service(world.clock.now(), &service.name));
    world.clean_up(1).await;
    world.assert_all_or_nothing("with an operator's help").await;
    assert_eq!(world.events().await, events, "events never change after the end");
}
