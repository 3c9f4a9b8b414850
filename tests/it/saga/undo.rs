//! The undo: what it waits for, and that it is idempotent (promises P6, P7).

use std::time::Duration;

use ai_stack_deployer::server::platform::PlatformError;
use ai_stack_deployer::server::store::State;
use clock::Clock;
use domain::event::FailureCode;
use domain::phase::Phase;
use domain::progress::End;
use domain::receipt::{Line, Outcome, ResourceKind};
use serde_json::{Value, json};

use super::world::World;
use crate::support::faulty_store::Crash;

#[tokio::test]
async fn a_running_job_ends_before_its_application_is_deleted() {
    let world = World::driven("sandbox/slow", &["deployment.all:error-before:6"]).await;
    assert_eq!(world.failure().await.phase, Phase::DEPLOYING);
    let enqueued = world.platform.times_of("application.deploy")[0];
    let deleted = world.platform.times_of("application.delete")[0];
    let waited = deleted.duration_since(enqueued).as_secs();
    assert!((120..130).contains(&waited), "deleted after {waited} s");
    world.assert_all_or_nothing("slow job").await;
}

#[tokio::test]
async fn a_container_is_reported_as_gone_only_once_it_is() {
    let mut world = World::driven("sandbox/hello", &[]).await;
    world.run_removal().await;
    let now = world.clock.now();
    assert_eq!(world.platform.core().inventory(now)["containers"], json!([]));
    let deleted = world.platform.times_of("application.delete")[0];
    let End::Removed(removal) = world.end().await else { panic!("not removed") };
    let of_service = |line: &&Line| line.resource == ResourceKind::Service;
    let line = removal.receipt.lines.iter().find(of_service).unwrap();
    let waited = line.at.duration_since(deleted).as_millis();
    assert!(waited >= 5_900, "called gone {waited} ms after its service");
    assert_eq!(line.outcome, Outcome::VerifiedGone);
}

#[tokio::test]
async fn a_queued_job_is_removed_from_the_queue_and_never_starts() {
    let world = World::begin("sandbox/hello", &["deployment.all:error-before:6"]).await;
    deploy_something_slow(&world);
    world.drive().await;
    assert_eq!(world.record().await.state, State::RolledBack);
    let took = world.took().await.as_secs();
    assert!(took < 120, "it did not wait for the other's job, but took {took} s");
    world.clock.advance(Duration::from_mins(3));
    let after = world.platform.inventory().await;
    assert_eq!(after["applications"].as_array().unwrap().len(), 1, "only the other's");
    assert_eq!(after["services"].as_array().unwrap().len(), 1, "only the other's");
}

#[tokio::test]
async fn a_queued_deploy_shows_its_place_in_the_queue() {
    let world = World::begin("sandbox/hello", &[]).await;
    deploy_something_slow(&world);
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
    let sentences = world.sentences().await.into_iter();
    let deploying: Vec<_> =
        sentences.filter(|(phase, _)| *phase == Phase::DEPLOYING).map(|(_, text)| text).collect();
    assert_eq!(
        deploying,
        ["Starting the container", "Starting the container: 2nd in the platform's queue",]
    );
}

/// Lets another user deploy an application that keeps the platform's queue busy for minutes.
fn deploy_something_slow(world: &World) {
    let act = |call: &str, body| world.platform.as_another_user(call, &body);
    let environment = world.make_project("theirs", Value::Null);
    let application = world.make_application(["theirs", "theirs"], "", environment);
    let application = application["applicationId"].clone();
    let image = json!({ "applicationId": application, "dockerImage": "sandbox/slow" });
    act("application.update", image);
    act("application.deploy", json!({ "applicationId": application, "title": "theirs" }));
}

/// Lists the lines of the receipt, without the times.
async fn receipt(world: &World) -> Vec<(ResourceKind, Option<String>, String)> {
    let lines = world.failure().await.receipt.lines;
    lines.into_iter().map(|line| (line.resource, line.id, line.name)).collect()
}

#[tokio::test]
async fn each_undo_done_twice_gives_the_same_receipt_as_done_once() {
    let calm = World::driven("sandbox/crashloop", &[]).await;
    let expected = receipt(&calm).await;
    assert_eq!(expected.len(), 4);
    for write in 1..=calm.store.writes() {
        for crash in [Crash::Before, Crash::After] {
            let world = World::begin("sandbox/crashloop", &[]).await;
            world.store.crash_at(write, crash);
            world.drive().await;
            assert_eq!(receipt(&world).await, expected, "crash {crash:?} write {write}");
        }
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_read_does_not_hide_that_the_job_failed() {
    let world = World::driven("sandbox/missing", &["deployment.readLogs:error-before:6"]).await;
    world.assert_all_or_nothing("unreadable log").await;
    assert_eq!(world.failure().await.code, FailureCode::DeployFailed);
}

#[tokio::test]
async fn a_lost_job_whose_second_enqueue_lost_its_response_is_not_enqueued_a_third_time() {
    let faults = ["application.deploy:restart", "application.deploy:reset"];
    let world = World::driven("sandbox/hello", &faults).await;
    world.assert_all_or_nothing("restart and reset").await;
    assert_eq!(world.platform.count("application.deploy"), 2);
}

#[tokio::test]
async fn a_duplicate_that_cannot_be_removed_is_warned_about() {
    let faults = ["application.create:late=19s", "project.all:docker-down=1h"];
    let world = World::driven("sandbox/hello", &faults).await;
    assert_eq!(world.record().await.state, State::Live);
    assert_eq!(world.count().await.1, 2, "Docker is down, so the duplicate stays");
    let log = world.log().await;
    let warning = "warn doubles.remove: Could not remove the application alice";
    assert!(log.iter().any(|line| line.starts_with(warning)), "{log:#?}");
}

#[tokio::test]
async fn a_lost_project_that_appears_during_the_undo_is_removed_by_a_second_look() {
    let faults = ["project.create:late=19s", "project.remove:latency=5s"];
    let world = World::begin("sandbox/hello", &faults).await;
    let (call, detail) = ("application.update", String::from("no"));
    world.platform.plan(call, Some(PlatformError::Refused { call, status: 400, detail }));
    world.drive().await;
    world.assert_all_or_nothing("late project").await;
    assert_eq!(world.platform.count("project.remove"), 2, "the second one came late");
}
