//! Answers at a stack's address: nothing is created if something else answers already, and a stack
//! is live only if its own container runs (promise P15).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ai_stack_deployer::server::platform::PlatformError;
use ai_stack_deployer::server::probe::{Health, Probe};
use ai_stack_deployer::server::store::{Fact, Journal, Lane, Leases, State, StepId, StepRecord};
use async_trait::async_trait;
use clock::Clock;
use domain::event::FailureCode;
use domain::phase::Phase;
use serde_json::json;

use super::world::World;
use crate::support::claim_one::ClaimOne as _;
use crate::support::clock::JumpingClock;
use crate::support::core_platform::CorePlatform;
use crate::support::faulty_store::Crash;

/// Something else that answers at the address of every stack, at times that the test chooses.
struct ForeignResponder {
    platform: CorePlatform,
    clock: Arc<JumpingClock>,
    answers: fn(u64, bool) -> bool,
    /// Decides from the milliseconds since the start, and whether the address is attached.
    asked: Mutex<Vec<(u64, bool)>>,
    began: i64,
}

#[async_trait]
impl Probe for ForeignResponder {
    async fn check(&self, _: &str, _: Duration) -> Health {
        let ms = u64::try_from(self.clock.now().as_millisecond() - self.began).unwrap();
        let is_attached = self.platform.count("domain.create") > 0;
        self.asked.lock().unwrap().push((ms, is_attached));
        self.clock.sleep(Duration::from_millis(5)).await;
        if (self.answers)(ms, is_attached) {
            Health::Answering(200)
        } else {
            Health::Answering(404)
        }
    }
}

/// Begins the deployment of `image`. Something else answers at its address when `answers` returns
/// `true` for the milliseconds since the start, and whether the stack's own address is attached.
async fn begin(image: &str, answers: fn(u64, bool) -> bool) -> (World, Arc<ForeignResponder>) {
    let mut world = World::begin(image, &[]).await;
    let foreign_responder = Arc::new(ForeignResponder {
        platform: world.platform.clone(),
        clock: Arc::clone(&world.clock),
        answers,
        asked: Mutex::default(),
        began: world.clock.now().as_millisecond(),
    });
    world.ports.probe = Arc::clone(&foreign_responder) as _;
    (world, foreign_responder)
}

async fn sentences(world: &World, phase: Phase) -> BTreeSet<String> {
    let all = world.sentences().await.into_iter();
    all.filter(|(shown, _)| *shown == phase).map(|(_, sentence)| sentence).collect()
}

/// Writes a record into the journal, as an older version of the portal did.
async fn record(world: &World, step: StepId, record: StepRecord) {
    let now = world.clock.now();
    let ttl = Duration::from_secs(30);
    let lease = world.store.claim_one(Lane::Forward, "old", now, ttl).await.unwrap().unwrap();
    let fact = Fact { step: Some((step, record)), ..Fact::default() };
    world.store.record(&lease, &fact).await.unwrap();
    world.store.release(&lease).await.unwrap();
}

#[tokio::test]
async fn nothing_is_created_if_something_else_answers_already() {
    for image in ["sandbox/hello", "sandbox/crashloop"] {
        let (world, foreign_responder) = begin(image, |_, _| true).await;
        world.drive().await;
        let failure = world.failure().await;
        assert_eq!(failure.code, FailureCode::AddressInUse);
        assert_eq!(failure.phase, Phase::INITIALIZING);
        assert!(failure.message.contains("alice.localhost"), "{}", failure.message);
        assert!(failure.receipt.clean && failure.receipt.lines.is_empty(), "{failure:?}");
        assert_eq!(world.platform.calls(), 0, "nothing was made, and nothing is to be undone");
        assert_eq!(world.record().await.state, State::RolledBack, "the name is free");
        let (last, _) = *foreign_responder.asked.lock().unwrap().last().unwrap();
        assert!((15_000..15_600).contains(&last), "{last} ms");
    }
}

#[tokio::test]
async fn the_route_of_a_stack_that_was_just_removed_has_15_seconds_to_go() {
    let (world, foreign_responder) =
        begin("sandbox/hello", |ms, attached| ms < 14_000 || attached).await;
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
    assert!(foreign_responder.asked.lock().unwrap().iter().any(|(ms, _)| *ms >= 14_000));
    let shown = sentences(&world, Phase::INITIALIZING).await;
    assert!(shown.contains("Waiting for the address to become free"), "{shown:?}");
    world.assert_all_or_nothing("after a wait for the address").await;
}

#[tokio::test]
async fn a_free_address_costs_one_probe() {
    let (world, foreign_responder) = begin("sandbox/hello", |_, attached| attached).await;
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
    let asked = foreign_responder.asked.lock().unwrap();
    assert_eq!(asked.iter().filter(|(_, attached)| !attached).count(), 1);
}

/// The record of the step decides, not the answer: the stack's own route answers once there is one.
#[tokio::test]
async fn after_a_crash_the_address_is_probed_again_only_before_anything_is_created() {
    for (write, questions) in [(1, 1), (2, 2), (3, 1), (4, 1), (11, 1)] {
        for crash in [Crash::Before, Crash::After] {
            let (world, foreign_responder) = begin("sandbox/hello", |_, attached| attached).await;
            world.store.crash_at(write, crash);
            assert_eq!(world.drive().await, 1);
            assert_eq!(world.record().await.state, State::Live, "{write} {crash:?}");
            let asked = foreign_responder.asked.lock().unwrap();
            let before = asked.iter().filter(|(_, attached)| !attached).count();
            let is_lost = write == 2 && crash == Crash::Before;
            let expected = if write == 2 && !is_lost { 1 } else { questions };
            assert_eq!(before, expected, "{write} {crash:?}");
        }
    }
}

#[tokio::test]
async fn a_deployment_of_an_older_version_continues_without_probing_the_address() {
    let (world, _) = begin("sandbox/hello", |_, _| true).await;
    record(&world, StepId::PROJECT, StepRecord::Started).await;
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
    assert!(!world.store.journal(&world.id).await.unwrap().records.contains_key(&StepId::ADDRESS));

    let (mut world, _) = begin("sandbox/hello", |_, _| true).await;
    record(&world, StepId::PROJECT, StepRecord::Started).await;
    world.drive().await;
    world.run_removal().await;
    assert_eq!(world.record().await.state, State::RolledBack);
    world.assert_all_or_nothing("removed, as an older version made it").await;
}

#[tokio::test]
async fn a_stack_that_never_runs_is_not_live_because_something_else_answers() {
    let (world, _) = begin("sandbox/crashloop", |_, attached| attached).await;
    world.drive().await;
    assert_eq!(world.failure().await.code, FailureCode::CrashLoop);
    let shown = sentences(&world, Phase::VERIFYING_HEALTH).await;
    let sentence = "The address answers already, but not yet from the stack's new container";
    assert!(shown.contains(sentence), "{shown:?}");
    world.assert_all_or_nothing("something else answered").await;
}

/// Changes the application's variables on the platform without the portal.
fn write_env(world: &World, env: &str) {
    let inventory = world.platform.core().inventory(world.clock.now());
    let application = &inventory["applications"][0]["applicationId"];
    let columns = json!({ "applicationId": application, "env": env });
    world.platform.as_another_user("application.update", &columns);
}

#[tokio::test]
async fn the_container_of_another_deployment_does_not_count() {
    for env in ["", "STACK_OPERATION=dep_00", "STACK_OPERATION_X=1"] {
        let (world, _) = begin("sandbox/hello", |_, attached| attached).await;
        world.drive_until(StepId::DEPLOY).await;
        write_env(&world, env);
        world.drive().await;
        let failure = world.failure().await;
        assert_eq!(failure.code, FailureCode::HealthTimeout, "{env}");
        assert!(failure.message.contains("container did not run"), "{}", failure.message);
        world.assert_all_or_nothing("another deployment's container").await;
    }
}

#[tokio::test]
async fn a_stack_that_an_older_version_configured_needs_a_running_container_alone() {
    for (image, state) in [("sandbox/hello", State::Live), ("sandbox/crashloop", State::RolledBack)]
    {
        let (world, _) = begin(image, |_, attached| attached).await;
        world.drive_until(StepId::DEPLOY).await;
        let output = serde_json::Value::Null;
        let old = StepRecord::Succeeded { output, response_lost: false };
        record(&world, StepId::CONFIGURATION, old).await;
        write_env(&world, "");
        world.drive().await;
        assert_eq!(world.record().await.state, state, "{image}");
    }
}

#[tokio::test]
async fn while_the_platform_shows_no_containers_nothing_is_live_and_nothing_is_undone() {
    for call in ["docker.getContainersByAppLabel", "docker.getConfig"] {
        let (world, _) = begin("sandbox/hello", |_, attached| attached).await;
        // Far longer than the limit for the stack's health.
        for _ in 0..400 {
            let (status, retry_after) = (503, None);
            world
                .platform
                .plan(call, Some(PlatformError::Unavailable { call, status, retry_after }));
        }
        world.drive().await;
        assert_eq!(world.record().await.state, State::Live, "{call}");
        let took = world.clock.now().duration_since(world.record().await.deployment.started);
        assert!(took.as_secs() > 90, "{call}: {took}");
        let shown = sentences(&world, Phase::VERIFYING_HEALTH).await;
        assert!(shown.iter().any(|sentence| sentence.contains("waiting for the platform")));
        world.assert_all_or_nothing(call).await;
    }
}

#[tokio::test]
async fn with_docker_down_nothing_is_live_until_it_is_back_or_the_deadline_passes() {
    for (minutes, expected) in [(3, State::Live), (60, State::RolledBack)] {
        let (world, _) = begin("sandbox/hello", |_, attached| attached).await;
        world.inject(&format!("docker.getContainersByAppLabel:docker-down={minutes}m"));
        world.drive().await;
        world.clean_up(9).await;
        assert_eq!(world.record().await.state, expected, "{minutes}");
        world.assert_all_or_nothing("docker was down").await;
    }
}
