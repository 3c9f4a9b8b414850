//! A 401 has many causes and two forms. None of them turns anything round by itself: the platform
//! is waited for, forward and back, within the deadline.

use std::time::Duration;

use ai_stack_deployer::server::store::{Lane, State};
use domain::{event::FailureCode, receipt::Outcome};

use super::world::World;

/// Describes how the platform comes to refuse a good key for a while.
const CAUSES: [&str; 3] = ["database-lost=50s", "database-down=50s", "key-limited=50s"];
/// The calls of a deployment that comes up.
const FORWARD: [&str; 8] = [
    "project.create",
    "application.create",
    "application.update",
    "domain.create",
    "application.deploy",
    "deployment.all",
    "deployment.queueList",
    "docker.getServiceContainersByAppName",
];
/// The calls of the rollback, after the end and in a removal.
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
async fn a_key_refused_for_a_while_holds_a_deployment_up_and_nothing_else() {
    for (cause, call) in CAUSES.iter().flat_map(|cause| FORWARD.map(|call| (cause, call))) {
        let world = World::driven("sandbox/hello", &[&format!("{call}:{cause}")]).await;
        let what = format!("{call}: {cause}");
        assert_eq!(world.record().await.state, State::Live, "{what}");
        world.assert_all_or_nothing(&what).await;
    }
}

#[tokio::test]
async fn a_key_refused_for_a_while_delays_the_rollback_and_leaves_nothing() {
    for (cause, call) in CAUSES.iter().flat_map(|cause| BACK.map(|call| (cause, call))) {
        let what = format!("{call}: {cause}");
        let world = World::driven("sandbox/crashloop", &[&format!("{call}:{cause}")]).await;
        assert_eq!(world.failure().await.code, FailureCode::CrashLoop, "{what}");
        assert_eq!(world.record().await.state, State::RolledBack, "{what}: at once");
        world.assert_all_or_nothing(&what).await;
    }
}

#[tokio::test]
async fn a_key_refused_for_a_while_holds_a_removal_and_a_comparison_up() {
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
    // Long after, the key is taken again, and what was left goes.
    world.clock.advance(Duration::from_hours(1));
    world.clean_up(1).await;
    world.assert_all_or_nothing("once the key is taken again").await;
}
