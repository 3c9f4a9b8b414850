//! A 401 has many causes and two forms. None of them causes a rollback by itself: steps and undo
//! wait for the platform until the deadline.

use std::time::Duration;

use ai_stack_deployer::server::store::{Lane, State};
use domain::event::FailureCode;
use domain::receipt::Outcome;

use super::world::{CHANGING, World};

/// The faults because of which the platform refuses a valid key for a while.
const CAUSES: [&str; 3] = ["database-lost=50s", "database-down=50s", "key-limited=50s"];
/// The calls of a successful deployment that read.
const READING: [&str; 3] =
    ["deployment.all", "deployment.queueList", "docker.getServiceContainersByAppName"];
/// The calls of a rollback, of clean-up and of a removal.
const BACK: [&str; 9] = [
    "project.all",
    "project.one",
    "application.cleanQueues",
    "deployment.queueList",
    "domain.byApplicationId",
    "domain.delete",
    "application.delete",
    "swarm.getNodes",
    "project.remove",
];

#[tokio::test]
async fn a_temporarily_refused_key_only_delays_a_deployment() {
    let calls = || CHANGING.into_iter().chain(READING);
    for (cause, call) in CAUSES.iter().flat_map(|cause| calls().map(move |call| (cause, call))) {
        let world = World::driven("sandbox/hello", &[&format!("{call}:{cause}")]).await;
        let what = format!("{call}: {cause}");
        assert_eq!(world.record().await.state, State::Live, "{what}");
        world.assert_all_or_nothing(&what).await;
    }
}

#[tokio::test]
async fn a_temporarily_refused_key_delays_the_rollback_and_leaves_nothing() {
    for (cause, call) in CAUSES.iter().flat_map(|cause| BACK.map(|call| (cause, call))) {
        let what = format!("{call}: {cause}");
        let world = World::driven("sandbox/crashloop", &[&format!("{call}:{cause}")]).await;
        assert_eq!(world.failure().await.code, FailureCode::CrashLoop, "{what}");
        assert_eq!(world.record().await.state, State::RolledBack, "{what}: at once");
        world.assert_all_or_nothing(&what).await;
    }
}

#[tokio::test]
async fn a_temporarily_refused_key_delays_a_removal_and_a_comparison() {
    for (cause, call) in CAUSES.iter().flat_map(|cause| BACK.map(|call| (cause, call))) {
        let what = format!("{call}: {cause}");
        let mut world = World::driven("sandbox/hello", &[]).await;
        world.inject("project.all:database-lost=5s");
        let found = world.reconciler().survey().await.unwrap();
        assert!(found.is_empty(), "{what}: compared all the same");
        world.inject(&format!("{call}:{cause}"));
        world.remove().await;
        world.drive_once(Lane::CleanUp { overdue: jiff::Timestamp::UNIX_EPOCH }).await.unwrap();
        assert_eq!(world.record().await.state, State::RolledBack, "{what}: at once");
        world.assert_all_or_nothing(&what).await;
    }
}

#[tokio::test]
async fn a_key_that_stays_refused_ends_a_deployment_at_its_deadline_with_everything_left() {
    let world = World::driven("sandbox/hello", &["domain.create:key-limited=1h"]).await;
    let failure = world.failure().await;
    assert_eq!(failure.code, FailureCode::PlatformKeyRefused);
    assert_eq!(world.record().await.state, State::Stuck);
    assert!(failure.receipt.lines.iter().all(|line| line.outcome == Outcome::Left), "{failure:?}");
    let waited = "Waiting for the platform to accept the portal's key again";
    let sentences = world.sentences().await;
    assert!(sentences.iter().any(|(_, sentence)| sentence == waited), "{sentences:?}");
    assert!(world.platform.count("domain.create") < 20, "it is not asked without a pause");
    // Long after, the key is accepted again, and the leftovers are removed.
    world.clock.advance(Duration::from_hours(1));
    world.clean_up(1).await;
    world.assert_all_or_nothing("once the key is taken again").await;
}
