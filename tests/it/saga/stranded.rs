//! Jobs whose end the platform could not record: its list shows them as running for ever.

use std::time::Duration;

use ai_stack_deployer::server::platform::{ApplicationId, JobStatus};
use ai_stack_deployer::server::store::State;
use clock::Clock;
use domain::event::FailureCode;
use domain::phase::Phase;
use serde_json::json;

use super::world::World;

/// The platform's database stops at the first query after the job was enqueued, and returns long
/// after the job's end.
const OUTAGE: &str = "deployment.all:database-down=10s";

#[tokio::test]
async fn a_stranded_job_is_enqueued_again() {
    let world = World::driven("sandbox/hello", &[OUTAGE]).await;
    assert_eq!(statuses(&world).await, [JobStatus::Done, JobStatus::Running]);
    assert_eq!(world.record().await.state, State::Live);
    assert_eq!(world.platform.count("application.deploy"), 2);
    world.assert_all_or_nothing("a stranded job").await;
}

#[tokio::test]
async fn a_rollback_does_not_wait_for_a_stranded_job() {
    let mut world = World::begin("sandbox/hello", &[OUTAGE]).await;
    world.configure(|settings| settings.deadlines.deploy = Duration::from_secs(20));
    world.drive().await;
    let failure = world.failure().await;
    assert_eq!((failure.code, failure.phase), (FailureCode::Deadline, Phase::DEPLOYING));
    assert_eq!(world.platform.count("application.deploy"), 1);
    world.assert_all_or_nothing("a stranded job, undone").await;
}

#[tokio::test]
async fn a_removal_does_not_wait_for_a_stranded_job() {
    let mut world = World::driven("sandbox/hello", &[]).await;
    let inventory = world.platform.inventory().await;
    let application = &inventory["applications"][0]["applicationId"];
    let again = json!({ "applicationId": application, "title": "Rebuild" });
    world.platform.as_another_user("application.deploy", &again);
    world.platform.core().tick(world.clock.now());
    world.platform.core().stop_database(world.clock.now());
    world.clock.advance(Duration::from_secs(10));
    world.platform.core().start_database(world.clock.now());
    assert_eq!(statuses(&world).await, [JobStatus::Running, JobStatus::Done]);

    world.run_removal().await;
    assert_eq!(world.record().await.state, State::RolledBack);
    world.assert_all_or_nothing("removed in spite of a stranded job").await;
}

#[tokio::test]
async fn a_job_that_takes_long_is_not_stranded() {
    let world = World::driven("sandbox/slow", &[]).await;
    assert_eq!(world.record().await.state, State::Live);
    assert_eq!(world.platform.count("application.deploy"), 1);
}

/// Lists the statuses of the platform's jobs, newest first.
async fn statuses(world: &World) -> Vec<JobStatus> {
    let inventory = world.platform.inventory().await;
    let id = inventory["applications"][0]["applicationId"].as_str().unwrap().to_owned();
    let jobs = world.platform.client().jobs(&ApplicationId(id)).await.unwrap();
    jobs.into_iter().map(|job| job.status).collect()
}
