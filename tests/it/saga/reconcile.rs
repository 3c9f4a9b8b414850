//! The reconciler's comparison of database and platform: late resources are found and removed, and
//! resources in use, unknown or of others are not changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ai_stack_deployer::server::operations::{OrphanRemover, RemoveOrphansError};
use ai_stack_deployer::server::reconciler::report::ReconcileReport;
use ai_stack_deployer::server::reconciler::{Finding, HandledFinding, Repair};
use ai_stack_deployer::server::store::{Leases, State, StepId};
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::kind::REMOVE;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::world::{STEPS_WITHOUT_VOLUMES, World};
use crate::support::core_platform::Moment;

const LEASE: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_hours(1);

async fn survey(world: &World) -> Vec<Finding> {
    world.reconciler().survey().await.unwrap()
}

async fn repair(world: &World) -> Vec<HandledFinding> {
    let reconciler = world.reconciler();
    let found = reconciler.survey().await.unwrap();
    reconciler.repair(found, &CancellationToken::new()).await
}

/// Asserts that `count` findings were handled, each with a repair that `is_right` accepts.
fn assert_outcome(handled: &[HandledFinding], count: usize, is_right: fn(&Repair) -> bool) {
    assert_eq!(handled.len(), count, "{handled:?}");
    assert!(handled.iter().all(|handled| is_right(&handled.outcome)), "{handled:?}");
}

/// Repairs, and checks that all findings are removed and nothing else changed.
async fn assert_all_removed(world: &World, expected: usize) {
    let events = world.events().await;
    let handled = repair(world).await;
    assert_outcome(&handled, expected, |outcome| matches!(outcome, Repair::Removed));
    assert!(survey(world).await.is_empty());
    assert_eq!(world.events().await, events, "there are no events after the end");
    world.assert_all_or_nothing("after the repair").await;
}

#[tokio::test]
async fn projects_that_appear_long_after_the_rollback_are_removed() {
    let world = World::driven("sandbox/hello", &["project.create:late=1h:6"]).await;
    assert_eq!(world.record().await.state, State::RolledBack);
    assert!(survey(&world).await.is_empty(), "nothing has come yet");
    world.clock.advance(HOUR);
    assert_eq!(world.count().await.0, 6);
    assert_all_removed(&world, 6).await;
}

#[tokio::test]
async fn late_duplicates_of_a_live_stack_are_removed_and_the_stack_stays() {
    for call in ["project.create", "application.create", "domain.create"] {
        let world = World::begin("sandbox/hello", &[]).await;
        world.inject(&format!("{call}:late=1h"));
        world.drive().await;
        world.assert_all_or_nothing(call).await;
        assert!(survey(&world).await.is_empty(), "{call}");
        world.clock.advance(HOUR);
        let (projects, applications, domains, services) = world.count().await;
        assert_eq!(projects + applications + domains + services, 5, "{call}: one is a duplicate");
        assert_all_removed(&world, 1).await;
    }
}

#[tokio::test]
async fn a_live_stack_and_operations_in_progress_or_stuck_are_no_findings() {
    let world = World::driven("sandbox/hello", &[]).await;
    assert!(survey(&world).await.is_empty());
    for step in STEPS_WITHOUT_VOLUMES {
        let world = World::begin("sandbox/hello", &[]).await;
        world.drive_until(step).await;
        assert!(survey(&world).await.is_empty(), "{step:?}");
    }
    let world = World::driven("sandbox/crashloop", &["domain.delete:error-before:always"]).await;
    assert_eq!(world.record().await.state, State::Stuck);
    assert!(survey(&world).await.is_empty());
}

/// What happens in the middle of a survey.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    /// A deployment begins and goes live.
    WholeLife,
    /// A deployment in progress goes live.
    GoesLive,
    /// A deployment in progress is rolled back.
    RollsBack,
    /// A live stack is removed.
    IsRemoved,
}

impl Meanwhile {
    async fn prepare(self) -> World {
        let image = match self {
            Self::RollsBack => "sandbox/crashloop",
            Self::WholeLife | Self::GoesLive | Self::IsRemoved => "sandbox/hello",
        };
        let world = World::begin(image, &[]).await;
        match self {
            Self::WholeLife => {}
            Self::GoesLive => world.drive_until(StepId::APPLICATION).await,
            Self::RollsBack => world.drive_until(StepId::HEALTH).await,
            Self::IsRemoved => _ = world.drive().await,
        }
        world
    }

    async fn happen(self, world: &World) {
        match self {
            Self::WholeLife | Self::GoesLive | Self::RollsBack => {}
            Self::IsRemoved => drop(world.begin_removal().await),
        }
        world.drive().await;
    }
}

#[tokio::test]
async fn an_operation_that_begins_or_ends_during_a_survey_is_never_taken_for_an_orphan() {
    let cases =
        [Meanwhile::WholeLife, Meanwhile::GoesLive, Meanwhile::RollsBack, Meanwhile::IsRemoved];
    let mut schedules = 0;
    for meanwhile in cases {
        for moment in [Moment::Before, Moment::After] {
            for call in 1.. {
                let world = Arc::new(meanwhile.prepare().await);
                let struck = Arc::new(AtomicBool::new(false));
                let (own, audit_entry) = (Arc::clone(&world), Arc::clone(&struck));
                world.platform.at_call(world.platform.calls() + call, moment, async move {
                    meanwhile.happen(&own).await;
                    audit_entry.store(true, Ordering::SeqCst);
                });
                let found = survey(&world).await;
                assert!(found.is_empty(), "{meanwhile:?} {moment:?} call {call}: {found:?}");
                if !struck.load(Ordering::SeqCst) {
                    break;
                }
                schedules += 1;
            }
        }
    }
    assert!(schedules > 20, "only {schedules}");
}

#[tokio::test]
async fn unknown_resources_are_reported_and_not_changed() {
    let world = World::driven("sandbox/hello", &[]).await;
    let lost = DeploymentId::from_random(7);
    let unknown = format!("ai-stack-deployer/test/{lost}");
    let elsewhere = format!("ai-stack-deployer/another-portal/{lost}");
    for description in [Value::from(unknown), Value::from(elsewhere), Value::Null] {
        world.make_project("ai-stack-bobby", description);
    }
    let before = world.platform.inventory().await;
    let handled = repair(&world).await;
    let [HandledFinding { finding, outcome: Repair::Reported }] = &handled[..] else {
        panic!("{handled:?}")
    };
    assert!(finding.to_string().contains(lost.as_str()), "{finding}");
    assert_eq!(world.platform.inventory().await, before);
}

#[tokio::test]
async fn a_service_without_its_application_is_reported_with_what_removes_it() {
    let world = World::driven("sandbox/hello", &[]).await;
    let id = world.first("applications", "applicationId").await;
    let service = world.first("services", "appName").await;
    // Removed manually while a job runs: its service is created afterwards, and stays for ever.
    world.platform.as_another_user("application.deploy", &json!({ "applicationId": id }));
    world.clock.advance(Duration::from_millis(100));
    world.platform.as_another_user("application.delete", &json!({ "applicationId": id }));
    assert_eq!(world.count().await, (1, 0, 0, 1));
    let found: Vec<String> = repair(&world).await.iter().map(|d| d.finding.to_string()).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("alice") && found[0].contains("is gone"), "{found:?}");
    assert!(found[1].contains(&format!("docker service rm {service}")), "{found:?}");
    assert_eq!(world.count().await, (1, 0, 0, 1));
}

#[tokio::test]
async fn a_host_that_routes_elsewhere_and_a_missing_stack_are_reported() {
    let world = World::driven("sandbox/hello", &[]).await;
    let inventory = world.platform.inventory().await;
    let environment = world.make_project("theirs", Value::Null);
    let application = world.make_application(["theirs", "theirs"], "", environment);
    let domain = json!({
        "host": "alice.localhost",
        "applicationId": application["applicationId"],
        "domainType": "application",
    });
    world.platform.as_another_user("domain.create", &domain);
    let own = json!({ "domainId": inventory["domains"][0]["domainId"] });
    world.platform.as_another_user("domain.delete", &own);
    let found = survey(&world).await;
    assert!(
        matches!(&found[..], [Finding::Unrouted { .. }, Finding::Contested { .. }]),
        "{found:?}"
    );
    let own = json!({ "projectId": inventory["projects"][0]["projectId"] });
    world.platform.as_another_user("project.remove", &own);
    let found = survey(&world).await;
    assert!(matches!(&found[..], [Finding::Lost { .. }, Finding::Service { .. }]), "{found:?}");
}

#[tokio::test]
async fn an_operation_of_another_worker_is_left_to_it() {
    let world = World::driven("sandbox/hello", &["project.create:late=1h:6"]).await;
    world.clock.advance(HOUR);
    let now = world.clock.now();
    let lease = world.store.claim_ended(&world.id, "another portal", now, HOUR).await.unwrap();
    for HandledFinding { outcome, .. } in repair(&world).await {
        let Repair::Failed(why) = outcome else { panic!("{outcome}") };
        assert_eq!(why, "another worker holds its lease");
    }
    assert_eq!(world.count().await.0, 6);
    world.store.release(&lease.unwrap()).await.unwrap();
    assert_all_removed(&world, 6).await;
}

#[tokio::test]
async fn removing_orphans_of_an_operation_without_any_or_in_progress_changes_nothing() {
    let world = World::begin("sandbox/hello", &[]).await;
    let orphan_remover = OrphanRemover::new(world.ports.clone(), String::from("sweeper"), LEASE);
    let remove_orphans =
        || async { orphan_remover.remove_orphans(&world.id, &CancellationToken::new()).await };
    world.drive_until(StepId::HEALTH).await;
    remove_orphans().await.unwrap_err();
    assert_eq!(world.count().await, (1, 1, 1, 1));
    world.drive().await;
    assert_eq!(remove_orphans().await.unwrap(), []);
    world.assert_all_or_nothing("after a sweep").await;
    world.begin_removal().await;
    remove_orphans().await.unwrap_err();
    world.inject("project.remove:error-before:always");
    world.drive().await;
    let (id, never) = (REMOVE.operation_id(43), CancellationToken::new());
    let swept = orphan_remover.remove_orphans(&id, &never).await;
    assert!(matches!(swept, Err(RemoveOrphansError::Busy)), "a worker cleans up stuck operations");
    assert_eq!(world.count().await, (1, 0, 0, 0));
}

#[tokio::test]
async fn an_address_that_somebody_attached_again_survives_the_removal_of_a_duplicate() {
    let world = World::driven("sandbox/hello", &["project.create:late=1h"]).await;
    world.clock.advance(HOUR);
    let domain = &world.platform.inventory().await["domains"][0];
    let anew = json!({
        "host": domain["host"],
        "applicationId": domain["applicationId"],
        "domainType": "application",
    });
    let id = json!({ "domainId": domain["domainId"] });
    world.platform.as_another_user("domain.delete", &id);
    let anew = world.platform.as_another_user("domain.create", &anew);
    let handled = repair(&world).await;
    assert_outcome(&handled, 1, |outcome| matches!(outcome, Repair::Removed));
    assert_eq!(world.count().await, (1, 1, 1, 1));
    let inventory = world.platform.inventory().await;
    assert_eq!(inventory["domains"][0]["domainId"], anew["domainId"]);
}

#[tokio::test]
async fn a_leftover_with_a_running_deploy_job_leaves_no_service() {
    let world = World::driven("sandbox/crashloop", &[]).await;
    let marker = format!("ai-stack-deployer/test/{}", world.id);
    let environment = world.make_project("ai-stack-alice", &*marker);
    let made = world.make_application(["alice", "alice"], &marker, environment);
    let id = &made["applicationId"];
    let update = json!({ "applicationId": id, "dockerImage": "sandbox/slow" });
    world.platform.as_another_user("application.update", &update);
    world.platform.as_another_user("application.deploy", &json!({ "applicationId": id }));
    world.clock.advance(Duration::from_millis(100));
    let handled = repair(&world).await;
    assert_outcome(&handled, 1, |outcome| matches!(outcome, Repair::Removed));
    world.clock.advance(HOUR);
    world.assert_all_or_nothing("a job under way").await;
}

#[tokio::test]
async fn a_permanent_difference_is_logged_only_once() {
    let world = World::driven("sandbox/crashloop", &["project.create:late=1h:6"]).await;
    world.clock.advance(HOUR);
    let reconcile_report = Arc::new(ReconcileReport::default());
    let mut reconciler = world.reconciler().with_report(Arc::clone(&reconcile_report));
    let left = || reconcile_report.get().map(|round| round.left);
    assert_eq!(left(), None);
    let stop = CancellationToken::new();
    world.inject("project.remove:error-before:always");
    for expected in [6, 0] {
        let found = reconciler.survey().await.unwrap();
        assert_eq!(found.len(), 6);
        assert_eq!(reconciler.news(&found).len(), expected);
        let handled = reconciler.repair(found, &stop).await;
        assert_outcome(&handled, 6, |outcome| matches!(outcome, Repair::Failed(_)));
        reconciler.conclude(handled);
        let left = left().unwrap();
        assert!(left.len() == 6 && left[0].contains(world.id.as_str()), "{left:?}");
    }
    world.platform.core().clear_faults();
    let found = reconciler.survey().await.unwrap();
    let handled = reconciler.repair(found, &stop).await;
    assert_outcome(&handled, 6, |outcome| matches!(outcome, Repair::Removed));
    reconciler.conclude(handled);
    assert_eq!(left(), Some(Vec::new()), "operators see that all is in order");
    world.assert_all_or_nothing("put in order").await;
}
