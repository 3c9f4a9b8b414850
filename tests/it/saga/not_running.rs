//! Live stacks without a running container are reported, but only if the platform's answers prove
//! it.

mod docker;

use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::reconciler::{Finding, HandledFinding, Reconciler, Repair, report};
use clock::Clock;
use domain::kind::{START, STOP};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::world::{STEPS_WITHOUT_VOLUMES, World};
use crate::support::core_platform::Moment;

const LEASE: Duration = Duration::from_secs(30);
/// The time within which containers stop and start.
const SOON: Duration = Duration::from_secs(20);

/// A live stack, and its service.
struct Live {
    world: World,
    application: String,
    service: String,
}

impl Live {
    async fn begin() -> Self {
        let world = World::driven("sandbox/hello", &[]).await;
        let application = world.first("applications", "applicationId").await;
        let service = world.first("services", "appName").await;
        let live = Self { world, application, service };
        assert!(live.survey().await.is_empty());
        live
    }

    fn reconciler(&self) -> Reconciler {
        self.world.reconciler()
    }

    async fn survey(&self) -> Vec<Finding> {
        self.reconciler().survey().await.unwrap()
    }

    /// Returns why the stack does not run, if that is the only finding.
    async fn why(&self) -> Option<report::Standstill> {
        match &self.survey().await[..] {
            [] => None,
            // Somebody may have stopped it by its row.
            [Finding::NotRunning { id, why, .. }]
            | [Finding::NotRunning { id, why, .. }, Finding::RowDrift { .. }]
                if *id == self.world.id =>
            {
                Some(*why)
            }
            other => panic!("{other:?}"),
        }
    }

    fn remove_service(&self) {
        let now = self.world.clock.now();
        assert!(self.world.platform.core().remove_service(now, &self.service));
    }

    fn scale(&self, replicas: u64) {
        let now = self.world.clock.now();
        assert!(self.world.platform.core().scale_service(now, &self.service, replicas));
    }

    fn as_another_user(&self, call: &str, mut body: Value) {
        body["applicationId"] = self.application.clone().into();
        self.world.platform.as_another_user(call, &body);
    }

    fn reload(&self) {
        self.as_another_user("application.reload", json!({ "appName": self.service }));
        self.world.clock.advance(SOON);
    }
}

#[tokio::test]
async fn a_stack_without_its_service_is_reported_until_it_is_back_and_not_changed() {
    let live = Live::begin().await;
    live.remove_service();
    let before = live.world.platform.inventory().await;
    assert_eq!(before["routes"].as_array().unwrap().len(), 1, "the address still leads there");
    let found = live.survey().await;
    let handled = live.reconciler().repair(found, &CancellationToken::new()).await;
    let [HandledFinding { finding, outcome: Repair::Reported }] = &handled[..] else {
        panic!("{handled:?}")
    };
    let text = finding.to_string();
    for part in ["alice", "is not running", live.world.id.as_str(), &live.service, "reload it"] {
        assert!(text.contains(part), "no {part}: {text}");
    }
    for harm in ["docker service rm", "delete the", "remove the stack"] {
        assert!(!text.contains(harm), "{harm}: {text}");
    }
    assert_eq!(live.world.platform.inventory().await, before);
    live.reload();
    assert_eq!(live.why().await, None, "what helps has helped");
}

#[tokio::test]
async fn a_stack_scaled_to_zero_is_reported_however_it_was_scaled() {
    let live = Live::begin().await;
    let by_docker = |live: &Live| live.scale(0);
    let by_stop = |live: &Live| live.as_another_user("application.stop", json!({}));
    let by_row = |live: &Live| {
        live.as_another_user("application.update", json!({ "replicas": 0 }));
        live.as_another_user("application.reload", json!({ "appName": live.service }));
    };
    for stop in [by_docker, by_stop, by_row] {
        stop(&live);
        assert_eq!(live.why().await, Some(report::Standstill::ScaledToNothing));
        live.as_another_user("application.update", json!({ "replicas": 1 }));
        live.reload();
        assert_eq!(live.why().await, None);
    }
}

#[tokio::test]
async fn a_container_that_ends_repeatedly_is_reported_with_a_remedy() {
    let live = Live::begin().await;
    // An update that fails is taken back by Docker, but not the first container after none.
    live.as_another_user("application.update", json!({ "replicas": 0 }));
    live.reload();
    live.world.clock.advance(SOON);
    let image = json!({ "dockerImage": "sandbox/crashloop", "replicas": 1 });
    live.as_another_user("application.update", image);
    live.reload();
    let found = live.survey().await;
    let [
        finding @ Finding::NotRunning { why: report::Standstill::KeepsEnding, .. },
        Finding::Drift { .. },
        Finding::RowDrift { .. },
    ] = &found[..]
    else {
        panic!("{found:?}")
    };
    let text = finding.to_string();
    assert!(text.contains("docker service ps") && !text.contains("reload"), "{text}");
}

#[tokio::test]
async fn a_container_that_is_only_restarting_is_not_reported() {
    let live = Live::begin().await;
    live.scale(0);
    live.world.clock.advance(SOON);
    let platform = &live.world.platform;
    let before = platform.calls();
    assert!(live.why().await.is_some());
    let look = (platform.calls() - before) / 2;
    let (core, clock) = (platform.clone(), Arc::clone(&live.world.clock));
    let service = live.service.clone();
    platform.at_call(platform.calls() + look, Moment::After, async move {
        assert!(core.core().scale_service(clock.now(), &service, 1));
    });
    assert_eq!(live.why().await, None, "it is back by the second look");
    live.as_another_user("application.reload", json!({ "appName": live.service }));
    assert_eq!(live.why().await, None, "one goes, the next comes");
}

#[tokio::test]
async fn a_container_of_a_service_with_a_similar_name_does_not_count() {
    let live = Live::begin().await;
    let platform = &live.world.platform;
    let environment = live.world.make_project("theirs", Value::Null);
    let made = live.world.make_application(["theirs", &live.service], "", environment);
    assert!(made["appName"].as_str().unwrap().starts_with(&live.service), "{made}");
    let id = &made["applicationId"];
    let image = json!({ "applicationId": id, "dockerImage": "sandbox/hello" });
    platform.as_another_user("application.update", &image);
    platform.as_another_user("application.deploy", &json!({ "applicationId": id }));
    live.world.clock.advance(SOON);
    assert_eq!(live.why().await, None);
    live.remove_service();
    assert_eq!(platform.inventory().await["containers"].as_array().unwrap().len(), 1, "theirs");
    assert_eq!(live.why().await, Some(report::Standstill::NoService));
}

#[tokio::test]
async fn missing_answers_of_the_platform_prove_nothing() {
    for call in [
        "docker.getContainersByAppLabel:error-before:always",
        "docker.getContainersByAppLabel:timeout:always",
        "swarm.getNodes:error-before:always",
    ] {
        let live = Live::begin().await;
        live.remove_service();
        live.world.inject(call);
        assert_eq!(live.why().await, None, "{call}");
        live.world.platform.core().clear_faults();
        assert_eq!(live.why().await, Some(report::Standstill::NoService), "{call}");
        live.world.inject("project.all:error-before:always");
        live.reconciler().survey().await.unwrap_err();
    }
    let live = Live::begin().await;
    live.world.platform.core().stop_docker(live.world.clock.now());
    assert_eq!(live.why().await, None, "with Docker down there is no container of anybody");
    live.world.platform.core().start_docker(live.world.clock.now());
    assert_eq!(live.why().await, None);
}

#[tokio::test]
async fn a_stack_in_progress_or_being_removed_is_not_reported() {
    for step in STEPS_WITHOUT_VOLUMES {
        let world = World::begin("sandbox/hello", &[]).await;
        world.drive_until(step).await;
        assert!(world.reconciler().survey().await.unwrap().is_empty(), "{step:?}");
    }
    let live = Live::begin().await;
    live.remove_service();
    assert!(live.why().await.is_some());
    live.world.begin_removal().await;
    assert_eq!(live.why().await, None);
}

#[tokio::test]
async fn a_finding_stays_while_nothing_is_known_and_ends_when_the_stack_is_back() {
    let live = Live::begin().await;
    let reconcile_report = Arc::new(report::ReconcileReport::default());
    let mut reconciler = live.reconciler().with_report(Arc::clone(&reconcile_report));
    let stop = CancellationToken::new();
    let mut round = async || {
        let found = reconciler.survey().await.unwrap();
        let news = reconciler.news(&found).len();
        let handled = reconciler.repair(found, &stop).await;
        reconciler.conclude(handled);
        (news, reconcile_report.not_running(&live.world.id))
    };
    assert_eq!(round().await, (0, None));
    live.remove_service();
    let (news, since) = round().await;
    let (since, _) = since.unwrap();
    assert_eq!(news, 1);
    live.world.platform.core().stop_docker(live.world.clock.now());
    let (news, found) = round().await;
    assert_eq!((news, found.unwrap().0), (0, since), "it is not known to be back");
    live.world.platform.core().start_docker(live.world.clock.now());
    let (news, found) = round().await;
    assert_eq!((news, found.unwrap().0), (0, since), "it is no news, and since when is kept");
    live.reload();
    assert_eq!(round().await, (0, None));
    let left = reconcile_report.get().unwrap().left;
    assert!(left.is_empty(), "{left:?}");
}

const INTERVAL: Duration = Duration::from_mins(5);

impl Live {
    /// Runs a reconciler called `owner` every five minutes until `check` is done.
    async fn comparing(&self, owner: &str, check: impl AsyncFnOnce(&report::ReconcileReport)) {
        let (reconcile_report, stop) =
            (Arc::new(report::ReconcileReport::default()), CancellationToken::new());
        let reconciler = Reconciler::new(self.world.ports.clone(), owner.to_owned(), LEASE);
        let reconciler = reconciler.with_report(Arc::clone(&reconcile_report));
        let check = async {
            check(&reconcile_report).await;
            stop.cancel();
        };
        tokio::join!(reconciler.run(INTERVAL, stop.clone()), check);
    }

    /// Waits until a round reports that the stack is down or up again, and returns how long that
    /// took. It counts to the end of the round, since the next pause may have begun by the time
    /// that it is seen here.
    async fn until(&self, reconcile_report: &report::ReconcileReport, is_down: bool) -> Duration {
        let since = self.world.clock.now();
        for _ in 0..10_000 {
            let is_so = reconcile_report.not_running(&self.world.id).is_some() == is_down;
            if let Some(round) = reconcile_report.get().filter(|_| is_so) {
                let took = round.at.duration_since(since);
                return Duration::try_from(took).unwrap_or_default();
            }
            tokio::task::yield_now().await;
        }
        panic!("no round says so");
    }

    /// Lets the reconciler run for `duration`.
    async fn pass(&self, duration: Duration) {
        let until = self.world.clock.monotonic() + duration;
        while self.world.clock.monotonic() < until {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_stack_that_is_back_is_reported_soon() {
    let live = Live::begin().await;
    live.comparing("a", async |reconcile_report| {
        live.until(reconcile_report, false).await;
        live.remove_service();
        live.until(reconcile_report, true).await;
        let surveys = || live.world.platform.count("project.all");
        let before = surveys();
        live.pass(INTERVAL / 3 * 2).await;
        assert_eq!(surveys(), before, "what waits for it does not ask for everything");
        live.reload();
        let took = live.until(reconcile_report, false).await;
        assert!(took < Duration::from_mins(1), "{took:?}");

        // The report does not stay either if the platform could not be queried meanwhile.
        live.remove_service();
        live.until(reconcile_report, true).await;
        live.world.inject("project.all:error-before:always");
        live.reload();
        live.pass(INTERVAL * 3).await;
        assert!(reconcile_report.not_running(&live.world.id).is_some());
        live.world.platform.core().clear_faults();
        let took = live.until(reconcile_report, false).await;
        assert!(took < Duration::from_mins(1), "{took:?}");
    })
    .await;
}

#[tokio::test]
async fn findings_survive_a_restart_and_a_change_of_replica() {
    let live = Live::begin().await;
    live.remove_service();
    let mut since = None;
    live.comparing("a", async |reconcile_report| {
        live.until(reconcile_report, true).await;
        since = reconcile_report.not_running(&live.world.id);
    })
    .await;
    let (since, seen) = since.unwrap();
    let stands = |reconcile_report: &report::ReconcileReport| {
        reconcile_report.not_running(&live.world.id).is_some_and(|(at, _)| at == since)
    };
    live.world.platform.core().stop_docker(live.world.clock.now());
    live.comparing("b", async |reconcile_report| {
        tokio::task::yield_now().await;
        assert!(stands(reconcile_report), "from the start on");
        live.pass(INTERVAL * 2).await;
        assert!(stands(reconcile_report), "{:?}", reconcile_report.get());
        assert!(reconcile_report.get().unwrap().at > seen, "a round has ended meanwhile");
    })
    .await;
    live.world.inject("*:error-before:always");
    live.comparing("c", async |reconcile_report| {
        live.pass(INTERVAL * 2).await;
        assert!(stands(reconcile_report), "{:?}", reconcile_report.get());
        live.world.platform.core().clear_faults();
        live.world.platform.core().start_docker(live.world.clock.now());
        live.reload();
        live.until(reconcile_report, false).await;
    })
    .await;
}

#[tokio::test]
async fn a_stack_that_somebody_stopped_is_not_reported() {
    let mut live = Live::begin().await;
    live.world.run_on_stack(&STOP, 50).await;
    live.world.clock.advance(SOON);
    assert!(live.survey().await.is_empty());
    live.world.run_on_stack(&START, 51).await;
    live.world.clock.advance(SOON);
    assert!(live.survey().await.is_empty());
    live.remove_service();
    live.world.clock.advance(SOON);
    assert!(matches!(&live.survey().await[..], [Finding::NotRunning { .. }]), "it should run");
}
