//! A live stack of which no container runs is found; one of which that is not known is not.

use std::{sync::Arc, time::Duration};

use ai_stack_deployer::server::{
    last_round::LastRound,
    ports::{clock::Clock, store::StepId},
    reconciler::{Dealt, Finding, Reconciler, Repair, Standstill},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::world::World;
use crate::support::core_platform::Moment;

const LEASE: Duration = Duration::from_secs(30);
/// Until a container has stopped whose service no longer wants it, and until one has started.
const SOON: Duration = Duration::from_secs(20);

/// A live stack, and its service.
struct Live {
    world: World,
    application: serde_json::Value,
    service: String,
}

impl Live {
    async fn begin() -> Self {
        let world = World::begin("sandbox/hello", &[]).await;
        world.drive().await;
        let inventory = world.platform.inventory().await;
        let application = inventory["applications"][0]["applicationId"].clone();
        let service = inventory["services"][0]["appName"].as_str().unwrap().to_owned();
        let live = Self { world, application, service };
        assert!(live.survey().await.is_empty());
        live
    }

    fn reconciler(&self) -> Reconciler {
        Reconciler::new(self.world.ports.clone(), String::from("reconciler"), LEASE)
    }

    async fn survey(&self) -> Vec<Finding> {
        self.reconciler().survey().await.unwrap()
    }

    /// Tells why the stack does not run, if that is all that is found.
    async fn why(&self) -> Option<Standstill> {
        match &self.survey().await[..] {
            [] => None,
            [Finding::NotRunning { id, why, .. }] if *id == self.world.id => Some(*why),
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

    fn as_somebody_else(&self, call: &str, mut body: serde_json::Value) {
        body["applicationId"] = self.application.clone();
        self.world.platform.as_somebody_else(call, &body);
    }

    fn reload(&self) {
        self.as_somebody_else("application.reload", json!({ "appName": self.service }));
        self.world.clock.advance(SOON);
    }
}

#[tokio::test]
async fn a_stack_whose_service_is_gone_is_reported_until_it_is_back_and_nothing_is_done_to_it() {
    let live = Live::begin().await;
    live.remove_service();
    let before = live.world.platform.inventory().await;
    assert_eq!(before["routes"].as_array().unwrap().len(), 1, "the address still leads there");
    let found = live.survey().await;
    let dealt = live.reconciler().repair(found, &CancellationToken::new()).await;
    let [Dealt { finding, outcome: Repair::Reported }] = &dealt[..] else { panic!("{dealt:?}") };
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
async fn a_stack_scaled_to_nothing_is_reported_however_that_was_done() {
    let live = Live::begin().await;
    let by_docker = |live: &Live| live.scale(0);
    let by_stop = |live: &Live| live.as_somebody_else("application.stop", json!({}));
    let by_row = |live: &Live| {
        live.as_somebody_else("application.update", json!({ "replicas": 0 }));
        live.as_somebody_else("application.reload", json!({ "appName": live.service }));
    };
    for stop in [by_docker, by_stop, by_row] {
        stop(&live);
        assert_eq!(live.why().await, Some(Standstill::ScaledToNothing));
        live.as_somebody_else("application.update", json!({ "replicas": 1 }));
        live.reload();
        assert_eq!(live.why().await, None);
    }
}

#[tokio::test]
async fn a_container_that_ends_again_and_again_is_reported_with_where_to_look() {
    let live = Live::begin().await;
    let image = json!({ "dockerImage": "sandbox/crashloop" });
    live.as_somebody_else("application.update", image);
    live.reload();
    let found = live.survey().await;
    let [finding @ Finding::NotRunning { why: Standstill::KeepsEnding, .. }] = &found[..] else {
        panic!("{found:?}")
    };
    let text = finding.to_string();
    assert!(text.contains("docker service ps") && !text.contains("reload"), "{text}");
}

#[tokio::test]
async fn a_container_that_is_only_being_started_again_is_not_reported() {
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
    live.as_somebody_else("application.reload", json!({ "appName": live.service }));
    assert_eq!(live.why().await, None, "one goes, the next comes");
}

#[tokio::test]
async fn a_container_of_a_service_whose_name_begins_alike_is_not_taken_for_the_stacks() {
    let live = Live::begin().await;
    let platform = &live.world.platform;
    let project = json!({ "name": "theirs", "description": null, "env": "" });
    let made = platform.as_somebody_else("project.create", &project);
    let application = json!({
        "name": "theirs",
        "appName": live.service,
        "environmentId": made["environment"]["environmentId"],
        "sourceType": "docker",
    });
    let made = platform.as_somebody_else("application.create", &application);
    assert!(made["appName"].as_str().unwrap().starts_with(&live.service), "{made}");
    let id = &made["applicationId"];
    let image = json!({ "applicationId": id, "dockerImage": "sandbox/hello" });
    platform.as_somebody_else("application.update", &image);
    platform.as_somebody_else("application.deploy", &json!({ "applicationId": id }));
    live.world.clock.advance(SOON);
    assert_eq!(live.why().await, None);
    live.remove_service();
    assert_eq!(platform.inventory().await["containers"].as_array().unwrap().len(), 1, "theirs");
    assert_eq!(live.why().await, Some(Standstill::NoService));
}

#[tokio::test]
async fn what_the_platform_does_not_tell_concludes_nothing() {
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
        assert_eq!(live.why().await, Some(Standstill::NoService), "{call}");
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
async fn docker_that_goes_away_at_any_moment_of_a_survey_is_no_stack_that_stands_still() {
    for call in 1..40 {
        let live = Live::begin().await;
        let (core, clock) = (live.world.platform.clone(), Arc::clone(&live.world.clock));
        let begun = live.world.platform.calls();
        live.world.platform.at_call(begun + call, Moment::Before, async move {
            core.core().stop_docker(clock.now());
        });
        assert_eq!(live.why().await, None, "call {call}");
    }
}

#[tokio::test]
async fn a_stack_under_way_or_being_removed_is_not_reported() {
    for step in StepId::ALL {
        let world = World::begin("sandbox/hello", &[]).await;
        world.drive_until(step).await;
        let reconciler = Reconciler::new(world.ports.clone(), String::from("reconciler"), LEASE);
        assert!(reconciler.survey().await.unwrap().is_empty(), "{step:?}");
    }
    let live = Live::begin().await;
    live.remove_service();
    assert!(live.why().await.is_some());
    live.world.begin_removal().await;
    assert_eq!(live.why().await, None);
}

#[tokio::test]
async fn what_was_found_stands_while_nothing_is_known_and_goes_when_the_stack_is_back() {
    let live = Live::begin().await;
    let last_round = Arc::new(LastRound::default());
    let mut reconciler = live.reconciler().telling(Arc::clone(&last_round));
    let stop = CancellationToken::new();
    let mut round = async || {
        let found = reconciler.survey().await.unwrap();
        let news = reconciler.news(&found).len();
        let dealt = reconciler.repair(found, &stop).await;
        reconciler.conclude(dealt);
        (news, last_round.not_running(&live.world.id))
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
    let left = last_round.get().unwrap().left;
    assert!(left.is_empty(), "{left:?}");
}
