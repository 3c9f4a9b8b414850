//! Volumes: what a container writes survives it, and what removes it (promise P24).

use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::settings::StackSettings;
use ai_stack_deployer::server::store::{Disposal, Journal as _, Lane, Leases as _, State, StepId};
use clock::Clock;
use dokploy_sandbox::Visit;
use domain::event::FailureCode;
use domain::kind::DEPLOY;
use domain::message::MessageCode;
use domain::phase::Phase;
use domain::progress::End;
use domain::receipt::{Line, Outcome, Receipt, ResourceKind};
use domain::remedy::Remedy;
use domain::template::Volume;
use serde_json::{Value, json};

use super::matrix;
use super::scenario::{Data, Perturbation, Scenario};
use super::world::{STEPS_WITHOUT_VOLUMES, World, remedy};
use crate::support::claim_one::{CLEAN_UP, ClaimOne as _};
use crate::support::core_platform::{CorePlatform, Moment};
use crate::support::memory_store::MemoryStore;
use crate::support::settings::stack_settings;

pub(super) const VOLUME: &str = "asd-test-stk_0000000000000000000000000000002a-data";
/// `user:a long password` for Basic authentication.
const CREDENTIALS: &str = "Basic dXNlcjphIGxvbmcgcGFzc3dvcmQ=";

/// Returns the volume of a template.
pub(super) fn volume() -> Volume {
    Volume { key: String::from("data"), path: String::from("/data"), exclusive: false }
}

/// Returns the settings of a stack that counts its runs in a file.
pub(super) fn counting() -> StackSettings {
    let password = "a long password".into();
    StackSettings {
        port: 5678,
        environment: vec![(String::from("WORKFLOW_OWNER_PASSWORD"), password)],
        health_path: String::from("/healthz"),
        ..stack_settings("sandbox/workflow:1.0.0")
    }
}

async fn begin(settings: StackSettings) -> World {
    World::begin_with(
        Arc::new(MemoryStore::default()),
        settings,
        |spec| spec.volumes.push(volume()),
        &[],
    )
    .await
}

/// Begins a deployment with a volume and injected `faults` and runs it to its end.
async fn driven(image: &str, faults: &[&str]) -> World {
    let world = begin(stack_settings(image)).await;
    for fault in faults {
        world.inject(fault);
    }
    world.drive().await;
    world
}

/// Sends a request to the stack, and returns status and body.
pub(super) fn ask(world: &World, name: &str, method: &str, path: &str) -> (u16, String) {
    let headers = vec![(String::from("Authorization"), CREDENTIALS.to_owned())];
    let get = Visit::get(&format!("{name}.localhost"), path);
    let visit = Visit { method: method.to_owned(), headers, ..get };
    let now = world.clock.now();
    let answer = world.platform.core().answer_visit(now, &visit);
    (answer.status, answer.body)
}

/// Returns how often the stack says that it has run.
pub(super) fn runs(world: &World, name: &str) -> String {
    let (status, page) = ask(world, name, "GET", "/");
    assert_eq!(status, 200, "{page}");
    let (_, after) = page.split_once("Runs").unwrap();
    after.chars().skip_while(|one| !one.is_ascii_digit()).take_while(char::is_ascii_digit).collect()
}

pub(super) async fn volumes(platform: &CorePlatform) -> Vec<String> {
    let inventory = platform.inventory().await;
    let rows = inventory["volumes"].as_array().unwrap().iter();
    rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

/// Returns the last receipt.
pub(super) async fn receipt(world: &World) -> Receipt {
    match (world.record().await.metadata.receipt, world.end().await) {
        (Some(receipt), _) => receipt,
        (None, End::Removed(removal)) => removal.receipt,
        (None, End::Failed(failure)) => failure.receipt,
        (None, live @ End::Live(_)) => panic!("it was not removed: {live:?}"),
    }
}

/// Returns the line about the volume.
async fn line(world: &World) -> Line {
    let lines = receipt(world).await.lines;
    lines.into_iter().find(|line| line.resource == ResourceKind::Volume).unwrap()
}

#[tokio::test]
async fn what_a_container_writes_survives_it_and_is_gone_after_the_removal() {
    let mut world = begin(counting()).await;
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
    assert_eq!(ask(&world, "alice", "POST", "/count").0, 303);
    assert_eq!(ask(&world, "alice", "POST", "/count").0, 303);
    let application = world.first("applications", "applicationId").await;
    let again = json!({ "applicationId": application, "title": "again" });
    world.platform.as_another_user("application.deploy", &again);
    world.clock.advance(Duration::from_mins(2));
    assert_eq!(runs(&world, "alice"), "2", "another container has the file");
    world.run_removal().await;
    world.assert_all_or_nothing("removed").await;
    let line = line(&world).await;
    assert_eq!((line.name.as_str(), line.outcome), (VOLUME, Outcome::VerifiedGone));
}

#[tokio::test]
async fn a_removal_that_keeps_the_data_removes_everything_else() {
    let mut world = begin(counting()).await;
    world.drive().await;
    assert_eq!(ask(&world, "alice", "POST", "/count").0, 303);
    world.remove_with(Disposal::Keep).await;
    world.drive().await;
    world.assert_all_or_nothing("kept").await;
    assert_eq!(line(&world).await.outcome, Outcome::Kept);
    assert!(receipt(&world).await.clean);
    let kept = world.platform.inventory().await["volumes"].clone();
    assert_eq!(kept, json!([{ "name": VOLUME, "files": ["runs"], "isInUse": false }]));
    assert_eq!(world.platform.count("dockerVolume.removeVolume"), 0);
}

#[tokio::test]
async fn it_is_mounted_before_the_container_starts_on_the_node_that_has_it() {
    let world = driven("sandbox/hello", &[]).await;
    let mounted = world.platform.times_of("mounts.create");
    assert_eq!(mounted.len(), 1);
    assert!(mounted < world.platform.times_of("application.update"));
    let inventory = world.platform.inventory().await;
    assert_eq!(inventory["mounts"][0]["volumeName"], VOLUME);
    assert_eq!(inventory["mounts"][0]["mountPath"], "/data");
    let id = inventory["applications"][0]["applicationId"].as_str().unwrap();
    let row = world.platform.read(&format!("/api/application.one?applicationId={id}"));
    assert_eq!(row["placementSwarm"], json!({ "Constraints": ["node.hostname==sandbox"] }));
}

#[tokio::test]
async fn a_stack_without_volumes_is_configured_as_before() {
    let world = World::driven("sandbox/hello", &[]).await;
    let id = world.first("applications", "applicationId").await;
    let row = world.platform.read(&format!("/api/application.one?applicationId={id}"));
    assert_eq!(row["placementSwarm"], Value::Null);
    let records = world.store.journal(&world.id).await.unwrap().records;
    assert!(records.keys().copied().all(|step| STEPS_WITHOUT_VOLUMES.contains(&step)));
    assert_eq!(world.platform.count("swarm.getNodes"), 0);
}

#[tokio::test]
async fn a_mount_that_a_lost_call_makes_late_does_not_fail_the_deployment() {
    let world = driven("sandbox/hello", &["mounts.create:late=19s"]).await;
    assert_eq!(world.record().await.state, State::Live);
    assert_eq!(world.platform.count("mounts.create"), 2);
    assert_eq!(world.platform.inventory().await["mounts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_volume_in_use_is_tried_again_for_ten_seconds() {
    for (seconds, outcome) in [(8, Outcome::VerifiedGone), (120, Outcome::Left)] {
        let mut world = driven("sandbox/hello", &[]).await;
        world.remove().await;
        let (platform, clock) = (world.platform.clone(), Arc::clone(&world.clock));
        // From the first attempt on, a container of others holds it.
        let call = platform.calls() + 1;
        hold_at(&platform, clock, call, seconds);
        world.drive().await;
        let line = line(&world).await;
        assert_eq!(line.outcome, outcome, "in use for {seconds} s");
        if outcome == Outcome::Left {
            assert_eq!(remedy(&line), format!("docker volume rm {VOLUME}"));
            assert_eq!(world.record().await.state, State::Stuck);
            let kinds = receipt(&world).await.lines.into_iter();
            let left: Vec<_> = kinds.filter(|line| line.outcome == Outcome::Left).collect();
            assert!(left.iter().any(|line| line.resource == ResourceKind::Project), "{left:?}");
            world.clock.advance(Duration::from_mins(3));
            world.clean_up(1).await;
        }
        world.assert_all_or_nothing("in the end").await;
    }
}

/// Holds the volume for some seconds from the first attempt to remove it on.
fn hold_at(platform: &CorePlatform, clock: Arc<impl Clock + 'static>, call: usize, seconds: u64) {
    let next = platform.clone();
    platform.at_call(call, Moment::Before, async move {
        if next.count("dockerVolume.removeVolume") == 0 {
            hold_at(&next, clock, call + 1, seconds);
        } else {
            let held = Duration::from_secs(seconds);
            next.core().keep_volume_in_use(clock.now(), VOLUME, held);
        }
    });
}

#[tokio::test]
async fn with_docker_down_nothing_is_concluded() {
    // Docker stops before the volume is removed, after that, or before the list is read.
    for call in ["dockerVolume.removeVolume", "dockerVolume.getVolumes"] {
        let mut world = driven("sandbox/hello", &[]).await;
        world.remove().await;
        world.inject(&format!("{call}:docker-down=20m"));
        world.drive().await;
        assert_eq!(world.record().await.state, State::Stuck, "{call}");
        assert_eq!(line(&world).await.outcome, Outcome::Left, "{call}");
        world.clean_up(3).await;
        world.assert_all_or_nothing(call).await;
        assert_eq!(line(&world).await.outcome, Outcome::VerifiedGone, "{call}");
    }
}

#[tokio::test]
async fn a_start_waits_until_docker_names_the_node() {
    let world = begin(stack_settings("sandbox/hello")).await;
    world.inject("swarm.getNodes:docker-down=20s");
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
    assert!(world.took().await >= Duration::from_secs(20));
}

#[tokio::test]
async fn a_volume_of_somebody_else_is_never_touched() {
    let mut world = begin(counting()).await;
    let theirs = [format!("{VOLUME}-2"), String::from("asd-test-other"), String::from("pgdata")];
    for name in &theirs {
        world.platform.core().make_volume(world.clock.now(), name);
    }
    world.drive().await;
    world.run_removal().await;
    assert_eq!(world.record().await.state, State::RolledBack);
    let mut left = volumes(&world.platform).await;
    left.sort();
    let mut expected = theirs.to_vec();
    expected.sort();
    assert_eq!(left, expected);
}

#[tokio::test]
async fn a_volume_that_was_lost_is_reported_as_gone() {
    let mut world = driven("sandbox/hello", &[]).await;
    let now = world.clock.now();
    assert!(world.platform.core().lose_volume(now, VOLUME));
    world.run_removal().await;
    assert_eq!(line(&world).await.outcome, Outcome::VerifiedGone);
}

#[tokio::test]
async fn a_start_that_fails_leaves_no_volume() {
    let world = driven("sandbox/crashloop", &[]).await;
    assert_eq!(world.failure().await.code, FailureCode::CrashLoop);
    world.assert_all_or_nothing("failed").await;
    let kinds: Vec<_> = receipt(&world).await.lines.into_iter().map(|line| line.resource).collect();
    let expected = [
        ResourceKind::Domain,
        ResourceKind::Service,
        ResourceKind::Application,
        ResourceKind::Volume,
        ResourceKind::Project,
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn a_volume_of_an_application_that_is_left_is_removed_with_it() {
    let mut world = driven("sandbox/hello", &[]).await;
    world.remove().await;
    world.inject("swarm.getNodes:docker-down=10m");
    world.drive().await;
    let line = line(&world).await;
    assert_eq!(line.outcome, Outcome::Left);
    assert_eq!(line.remedy, Some(Remedy::AwaitDocker));
    world.clean_up(2).await;
    world.assert_all_or_nothing("removed").await;
}

#[tokio::test]
async fn its_steps_belong_to_the_phases_of_others() {
    let world = driven("sandbox/hello", &[]).await;
    let announced: Vec<_> = world.sentences().await.into_iter().map(|(phase, _)| phase).collect();
    let expected: Vec<_> = std::iter::once(Phase::INITIALIZING).chain(DEPLOY.listed()).collect();
    assert_eq!(announced, expected);
}

/// Lets the operation panic five times now.
async fn panic_five_times(world: &World) {
    for _ in 0..5 {
        let (now, ttl) = (world.clock.now(), Duration::from_secs(30));
        let lease = world.store.claim_one(Lane::Forward, "test", now, ttl).await.unwrap().unwrap();
        world.store.suspend(&lease, now).await.unwrap();
    }
}

#[tokio::test]
async fn a_stack_without_volumes_that_gives_up_at_any_step_is_undone_as_a_whole() {
    for step in STEPS_WITHOUT_VOLUMES {
        let world = World::begin("sandbox/hello", &[]).await;
        world.drive_until(step).await;
        panic_five_times(&world).await;
        world.drive().await;
        let failure = world.failure().await;
        assert_eq!(failure.reason, Some(MessageCode::Panicked), "{step:?}");
        // The step before the last one writes more than twice.
        let last = if step == StepId::HEALTH { StepId::DEPLOY } else { step };
        assert_eq!(failure.phase, DEPLOY.phase_of(last), "{step:?}");
        let has_application = world.count().await.1 > 0;
        let is_told = |line: &Line| line.resource == ResourceKind::Application;
        assert_eq!(failure.receipt.lines.iter().any(is_told), has_application, "{step:?}");
        world.clean_up(3).await;
        world.assert_all_or_nothing("undone").await;
    }
}

#[tokio::test]
async fn a_lost_spec_does_not_hide_the_volumes() {
    let store = Arc::new(MemoryStore::default());
    let settings = stack_settings("sandbox/hello");
    let mut world = World::begin_with(
        Arc::clone(&store) as _,
        settings,
        |spec| spec.volumes.push(volume()),
        &[],
    )
    .await;
    world.drive().await;
    // As if the spec had been replaced by one that is assumed.
    store.forget_specs();
    world.remove().await;
    world.drive().await;
    world.assert_all_or_nothing("removed").await;
    assert_eq!(line(&world).await.outcome, Outcome::VerifiedGone);
}

/// Returns the scenarios with a volume: each fault of the calls about volumes, and some of others.
fn scenarios() -> Vec<Scenario> {
    let with = |image, fault: &str, expected| Scenario {
        data: Data::Own(Disposal::Delete),
        ..Scenario::new(image, &[fault], expected)
    };
    let mut scenarios = Vec::new();
    for fault in crate::support::fake_platform::TRANSIENT {
        let mounts = format!("mounts.create:{fault}");
        scenarios.push(with("sandbox/hello", &mounts, &[State::Live]));
        let removal = format!("dockerVolume.removeVolume:{fault}");
        let undone = with("sandbox/crashloop", &removal, &[State::RolledBack]);
        scenarios.push(Scenario { image: "sandbox/hello", is_removed: true, ..undone.clone() });
        scenarios.push(undone);
    }
    scenarios.push(with("sandbox/hello", "mounts.create:error-before:6", &[State::RolledBack]));
    scenarios
}

fn coarse(scenario: &Scenario, calm: &super::scenario::Ended) -> Vec<Perturbation> {
    let crashes = calm.crashes().into_iter().step_by(3);
    let cancellations = calm.cancellations().into_iter().step_by(7);
    let cancellations = cancellations.filter(|_| !scenario.is_removed);
    crashes.chain(cancellations).collect()
}

#[tokio::test]
async fn a_fault_with_a_volume_and_a_crash_or_a_cancel_request_end_in_all_or_nothing() {
    let tally = matrix::run(scenarios(), coarse).await;
    assert!(tally.total() > 500, "{tally}");
}

#[tokio::test]
async fn a_crash_anywhere_in_a_removal_that_keeps_the_data_keeps_it() {
    let mut write = 0;
    loop {
        write += 1;
        let mut world = driven("sandbox/hello", &[]).await;
        let first = world.store.writes();
        world.remove_with(Disposal::Keep).await;
        world.store.crash_at(first + write, crate::support::faulty_store::Crash::After);
        let crashes = world.drive_in(CLEAN_UP).await;
        world.assert_all_or_nothing("kept").await;
        assert_eq!(volumes(&world.platform).await, [VOLUME]);
        if crashes == 0 {
            break;
        }
    }
    assert!(write > 5, "{write}");
}
