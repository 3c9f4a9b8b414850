//! Single scenarios: each a promise to the person or the operator.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::store::{Journal, Operations, State, StepId};
use clock::Clock;
use domain::event::FailureCode;
use domain::kind::DEPLOY;
use domain::phase::Phase;
use domain::progress::{Progress, StepProgress, StepState};
use domain::receipt::{Outcome, ResourceKind};
use domain::remedy::Remedy;

use super::world::{CHANGING, STEPS_WITHOUT_VOLUMES, World};
use crate::support::claim_one::CLEAN_UP;
use crate::support::core_platform::Moment;
use crate::support::memory_store::MemoryStore;
use crate::support::settings::stack_settings;

/// The resources of a receipt, newest first.
const NEWEST_FIRST: [ResourceKind; 4] =
    [ResourceKind::Domain, ResourceKind::Service, ResourceKind::Application, ResourceKind::Project];

#[tokio::test]
async fn a_successful_deployment_makes_each_call_once_without_searches() {
    let world = World::driven("sandbox/hello", &[]).await;
    world.assert_all_or_nothing("clean run").await;
    for call in CHANGING {
        assert_eq!(world.platform.count(call), 1, "{call}");
    }
    for call in ["project.all", "project.one", "domain.byApplicationId"] {
        assert_eq!(world.platform.count(call), 0, "{call}");
    }
}

#[tokio::test]
async fn the_phases_of_a_successful_deployment_are_announced_in_order() {
    let world = World::driven("sandbox/hello", &[]).await;
    let sentences = world.sentences().await.into_iter();
    let mut unique: Vec<Phase> = sentences.map(|(phase, _)| phase).collect();
    unique.dedup();
    let expected: Vec<Phase> =
        std::iter::once(Phase::INITIALIZING).chain(DEPLOY.listed()).collect();
    assert_eq!(unique, expected);
}

#[tokio::test]
async fn each_failing_image_ends_clean_with_its_own_cause() {
    let cases = [
        ("sandbox/crashloop", FailureCode::CrashLoop, Phase::VERIFYING_HEALTH),
        ("sandbox/unhealthy", FailureCode::HealthTimeout, Phase::VERIFYING_HEALTH),
        ("sandbox/missing", FailureCode::ImageNotFound, Phase::DEPLOYING),
        ("sandbox/denied", FailureCode::RegistryRefused, Phase::DEPLOYING),
        ("no-such-registry.invalid/x:1", FailureCode::RegistryUnreachable, Phase::DEPLOYING),
    ];
    for (image, code, phase) in cases {
        let world = World::driven(image, &[]).await;
        world.assert_all_or_nothing(image).await;
        let failure = world.failure().await;
        assert_eq!((failure.code, failure.phase), (code, phase), "{image}");
    }
}

#[tokio::test]
async fn from_the_rollback_on_a_watcher_sees_whether_the_step_failed_or_was_stopped() {
    let failing = World::begin("sandbox/crashloop", &[]).await;
    let cancelled = World::begin("sandbox/hello", &[]).await;
    cancelled.cancel_at_call(6, Moment::Before);
    for (world, expected) in [(failing, StepState::Failed), (cancelled, StepState::Stopped)] {
        world.drive().await;
        let mut progress = Progress::default();
        for event in world.events().await.into_iter().filter(|event| !event.is_end()) {
            progress.apply(event);
        }
        assert_eq!(progress.phase, Phase::ROLLING_BACK);
        let halted = progress.steps.iter().map(|step| &step.state);
        let halted: Vec<_> = halted
            .filter(|state| !matches!(state, StepState::Done(_) | StepState::Waiting))
            .collect();
        assert_eq!(halted, [&expected]);
    }
}

#[tokio::test]
async fn a_cancel_request_between_two_steps_stops_the_one_that_was_next() {
    // The step that starts the container is not over before the container is known to run.
    let steps = STEPS_WITHOUT_VOLUMES.into_iter().filter(|step| *step != StepId::HEALTH);
    // Before the first step, watchers see that nothing has begun.
    for (next, step) in steps.skip(1).enumerate().skip(1) {
        let world = World::begin("sandbox/hello", &[]).await;
        world.drive_until(step).await;
        world.store.cancel(&world.id, world.clock.now(), None).await.unwrap();
        world.drive().await;
        world.assert_all_or_nothing("cancelled between two steps").await;
        let steps = Progress::of(world.events().await).steps;
        for (index, StepProgress { state, .. }) in steps.iter().enumerate() {
            let is_right = match index.cmp(&next) {
                Ordering::Less => matches!(state, StepState::Done(_)),
                Ordering::Equal => *state == StepState::Stopped,
                Ordering::Greater => false,
            };
            assert!(is_right, "before {step:?}: {steps:?}");
        }
        assert_eq!(steps.len(), next + 1, "before {step:?}: {steps:?}");
    }
}

#[tokio::test]
async fn the_receipt_goes_newest_first_and_names_every_resource() {
    let world = World::driven("sandbox/crashloop", &[]).await;
    let receipt = world.failure().await.receipt;
    let kinds: Vec<_> = receipt.lines.iter().map(|line| line.resource).collect();
    assert_eq!(kinds, NEWEST_FIRST);
}

#[tokio::test]
async fn a_service_that_the_platform_cannot_show_is_left_and_not_reported_as_gone() {
    let faults = ["application.delete:docker-down=1h"];
    let world = World::driven("sandbox/crashloop", &faults).await;
    assert_eq!(world.record().await.state, State::Stuck);
    let receipt = world.failure().await.receipt;
    assert!(!receipt.clean);
    let service = receipt.leftovers().find(|line| line.resource == ResourceKind::Service).unwrap();
    assert_eq!(service.remedy, Some(Remedy::AwaitDocker), "none of its commands helps");
    let project = receipt.lines.iter().find(|line| line.resource == ResourceKind::Project);
    assert_eq!(project.unwrap().outcome, Outcome::Left);

    // Once Docker answers, the existing containers are known.
    world.clock.advance(Duration::from_hours(1));
    world.drive_once(CLEAN_UP).await.unwrap();
    let receipt = world.record().await.metadata.receipt.unwrap();
    let service = receipt.leftovers().find(|line| line.resource == ResourceKind::Service).unwrap();
    assert_eq!(service.remedy, Some(Remedy::RemoveService { service: service.name.clone() }));
}

#[tokio::test]
async fn a_platform_out_of_reach_during_the_undo_leaves_everything_listed() {
    let faults = ["domain.delete:error-before:always"];
    let world = World::driven("sandbox/crashloop", &faults).await;
    assert_eq!(world.record().await.state, State::Stuck);
    let left: Vec<_> =
        world.failure().await.receipt.leftovers().map(|line| line.resource).collect();
    assert_eq!(left, NEWEST_FIRST);
}

#[tokio::test]
async fn an_application_is_not_deleted_while_docker_is_down() {
    let faults = ["domain.delete:docker-down=20s"];
    let world = World::driven("sandbox/crashloop", &faults).await;
    world.assert_all_or_nothing("Docker down before the removal").await;
    assert_eq!(world.record().await.state, State::RolledBack);
}

#[tokio::test]
async fn a_restart_of_the_platform_that_forgets_the_job_only_costs_time() {
    let world = World::driven("sandbox/hello", &["application.deploy:restart"]).await;
    world.assert_all_or_nothing("restart").await;
    assert_eq!(world.record().await.state, State::Live);
    assert_eq!(world.platform.count("application.deploy"), 2);
}

#[tokio::test]
async fn an_outage_longer_than_every_retry_ends_at_the_deadline_with_everything_listed() {
    let faults = ["application.update:database-down=2h"];
    let world = World::driven("sandbox/hello", &faults).await;
    let failure = world.failure().await;
    assert_eq!(failure.code, FailureCode::PlatformUnreachable);
    assert_eq!(world.record().await.state, State::Stuck);
    assert!(!failure.receipt.clean);
    assert!(world.took().await <= Duration::from_mins(20));
}

#[tokio::test]
async fn a_failed_job_reports_its_cause_and_operators_keep_its_log() {
    let world = World::driven("sandbox/hello", &["application.deploy:docker-down=5s"]).await;
    let failure = world.failure().await;
    assert_eq!(failure.code, FailureCode::DockerUnreachable);
    world.assert_all_or_nothing("with Docker down during the job").await;
    let logs = world.store.platform_logs(std::slice::from_ref(&world.id)).await.unwrap();
    let log = &logs[&world.id];
    assert!(log.contains("Cannot connect to the Docker daemon"), "{log}");
    let told = format!("{:?}{failure:?}", world.log().await);
    assert!(!told.contains("unix:"), "nobody else is told more than the kind: {told}");
}

#[tokio::test]
async fn a_log_in_which_no_secret_could_be_masked_is_not_kept() {
    for is_kept in [true, false] {
        let mut settings = stack_settings("sandbox/denied");
        settings.environment = vec![(String::from("TOKEN"), "value".into())];
        let store = Arc::new(MemoryStore::default());
        let mut world = World::begin_by(store, settings, &[]).await;
        world.drive_until(StepId::DOMAIN).await;
        if !is_kept {
            world.ports.keyring = None;
        }
        world.drive().await;
        assert_eq!(world.failure().await.code, FailureCode::RegistryRefused);
        let logs = world.store.platform_logs(std::slice::from_ref(&world.id)).await.unwrap();
        assert_eq!(logs.contains_key(&world.id), is_kept);
    }
}
