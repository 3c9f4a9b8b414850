//! A kind of operation that only this test registers: two steps, of which one has an undo. Worker,
//! journal, stream, page and receipt support it without knowing it.

use std::{sync::Arc, time::Duration};

use ai_stack_deployer::server::{
    operations,
    saga::{Context, Halt, Operation, Operations, Ports, Saga, Step, StepError, Worker},
    store::{Cause, Journal as _, Stacks as _, StepId, StepRecord},
};
use async_trait::async_trait;
use clock::Clock as _;
use domain::{
    deployment::DeploymentId,
    event::{EventBody, FailureCode, ProgressUpdate, Resources},
    kind::{DEPLOY, Direction, Kind, KindName, KindStep, Kinds, REMOVE, StackState},
    message::MessageCode,
    phase::Phase,
    receipt::{Line, Outcome, ResourceKind},
    words::kind::StepWords,
};
use jiff::Timestamp;
use tokio::{sync::Notify, time::timeout};

use crate::{
    deployment_page::expect,
    support::{
        app::TestApp,
        core_platform::CorePlatform,
        settings::{keyring, new_deployment, stack_settings},
    },
};

const PREPARE: StepId = StepId::new("prepare");
const INSPECT: StepId = StepId::new("inspect");
/// The sentence with which its second step fails.
const SENTENCE: &str = "The platform could not start the container.";
const PATIENCE: Duration = Duration::from_mins(1);

static STEPS: [KindStep; 2] = [
    KindStep::new(PREPARE, Phase::new("preparing"), 30, PREPARING),
    KindStep::new(INSPECT, Phase::new("inspecting"), 60, INSPECTING),
];
const PREPARING: StepWords = StepWords { doing: "Putting up the scaffold", done: "Scaffold is up" };
const INSPECTING: StepWords = StepWords { doing: "Inspecting the stack", done: "Stack inspected" };

static INSPECTION: Kind = Kind {
    name: KindName::new("inspect"),
    noun: "inspection",
    prefix: "op_",
    direction: Direction::Forward,
    steps: &STEPS,
    starts_from: &[StackState::Gone],
    can_cancel: true,
    done: StackState::Live,
    undone: StackState::Gone,
    done_sentence: "The stack passed",
};

static KINDS: [&Kind; 3] = [&DEPLOY, &REMOVE, &INSPECTION];

/// Inspects a stack.
struct InspectStack {
    result: Result<(), Cause>,
    at: Timestamp,
    /// Notified when the second step runs, which continues when the test lets it.
    is_running: Arc<Notify>,
    go_on: Arc<Notify>,
}

#[async_trait]
impl Operation for InspectStack {
    fn kind(&self) -> &'static Kind {
        &INSPECTION
    }

    async fn run(&self, saga: &mut Saga) -> Result<(), Halt> {
        let scaffold = saga.step(Prepare { at: self.at }).await?;
        assert_eq!(scaffold, "scaffold-1");
        let (is_running, go_on) = (Arc::clone(&self.is_running), Arc::clone(&self.go_on));
        saga.step(Inspect { result: self.result.clone(), is_running, go_on }).await
    }
}

struct Prepare {
    at: Timestamp,
}

impl Step for Prepare {
    const ID: StepId = PREPARE;
    type Output = String;

    async fn run(&self, _: &Context) -> Result<String, StepError> {
        Ok(String::from("scaffold-1"))
    }

    async fn undo(&self, _: &Context, made: Option<&String>) -> Result<Vec<Line>, StepError> {
        let resource = ResourceKind::Application;
        let (name, outcome) = (String::from("the scaffold"), Outcome::VerifiedGone);
        Ok(vec![Line { resource, id: made.cloned(), name, outcome, at: self.at, remedy: None }])
    }
}

struct Inspect {
    result: Result<(), Cause>,
    is_running: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Step for Inspect {
    const ID: StepId = INSPECT;
    type Output = ();

    async fn run(&self, _: &Context) -> Result<(), StepError> {
        self.is_running.notify_one();
        self.go_on.notified().await;
        self.result.clone().map_err(StepError::Failed)
    }
}

/// A portal that knows the kind, and an inspection of `alice` that waits for a worker.
struct World {
    app: TestApp,
    id: DeploymentId,
    _site: tempfile::TempDir,
}

impl World {
    async fn begin() -> Self {
        let site = tempfile::tempdir().unwrap();
        let app = TestApp::with_kinds(&[], site.path(), Kinds::new(&KINDS));
        let (id, started) = (DeploymentId::new(&INSPECTION, 42), app.clock.now());
        let mut new = new_deployment(&stack_settings("any"), id.clone(), "alice", started);
        new.deployment.kind = INSPECTION.name;
        let (phase, resources) = (INSPECTION.first_phase(), Resources::default());
        new.first =
            EventBody::Progress(ProgressUpdate::new(&INSPECTION, phase, 0, resources, started));
        app.store.begin(&new, None).await.unwrap();
        Self { app, id, _site: site }
    }

    /// Starts a worker that drives `operations`.
    fn start_worker(&self, operations: Operations) {
        let platform = CorePlatform::new(Arc::clone(&self.app.clock) as _, 7);
        let ports = Ports {
            store: Arc::clone(&self.app.store) as _,
            platform: platform.client_without_breaker(),
            probe: Arc::new(platform),
            clock: Arc::clone(&self.app.clock) as _,
            notifier: Arc::clone(&self.app.notifier),
            settings: Arc::new(stack_settings("any")),
            keyring: Some(keyring()),
            kinds: Kinds::new(&KINDS),
            polls: Arc::default(),
            call_gate: Arc::default(),
            outages: Arc::default(),
        };
        let lease = Duration::from_secs(30);
        let worker = Worker::new(ports, operations, String::from("test"), lease, 4);
        tokio::spawn(worker.run(self.app.shutdown.clone()));
    }

    /// Drives the inspection to the end that `result` determines, and returns its event stream.
    async fn drive(&self, result: Result<(), Cause>) -> String {
        let (is_running, go_on) = (Arc::<Notify>::default(), Arc::<Notify>::default());
        let (at, running, tell) =
            (self.app.clock.now(), Arc::clone(&is_running), Arc::clone(&go_on));
        let inspect = InspectStack { result, at, is_running: running, go_on: tell };
        self.start_worker(Operations::new([Arc::new(inspect) as _]));
        timeout(PATIENCE, is_running.notified()).await.unwrap();
        expect(&self.page().await, &["Scaffold is up", "Inspecting the stack"], &["Creating"]);
        go_on.notify_one();
        let status = format!("/api/status/{}", self.id);
        timeout(PATIENCE, self.app.get(&status)).await.unwrap().body
    }

    async fn page(&self) -> crate::support::app::Reply {
        self.app.get(&format!("/deployments/{}", self.id)).await
    }

    async fn snapshot(&self) -> serde_json::Value {
        self.app.get(&format!("/api/deployment/{}", self.id)).await.json()["deployment"].clone()
    }

    async fn record(&self, step: StepId) -> StepRecord {
        self.app.store.journal(&self.id).await.unwrap().records[&step].clone()
    }
}

/// Checks that the stream contains these parts in this order.
fn expect_in_order(stream: &str, parts: &[&str]) {
    let mut rest = stream;
    for part in parts {
        (_, rest) = rest.split_once(part).unwrap_or_else(|| panic!("no {part} in {stream}"));
    }
}

#[tokio::test]
async fn a_third_kind_succeeds_without_any_part_knowing_it() {
    let world = World::begin().await;
    let stream = world.drive(Ok(())).await;
    let phases = ["\"initializing\"", "\"preparing\"", "\"inspecting\"", "event: complete"];
    expect_in_order(&stream, &phases);
    let snapshot = world.snapshot().await;
    assert_eq!(snapshot["kind"], "inspection");
    assert_eq!((&snapshot["progress"], &snapshot["status"]), (&100.into(), &"success".into()));
    assert_eq!(snapshot["message"], "The stack passed");
    expect(&world.page().await, &["alice is live", "Scaffold is up", "Stack inspected"], &[]);
    assert!(matches!(world.record(PREPARE).await, StepRecord::Succeeded { .. }));
}

#[tokio::test]
async fn a_third_kind_that_fails_is_undone_and_its_receipt_says_so() {
    let world = World::begin().await;
    let cause = Cause::new(FailureCode::HealthTimeout, MessageCode::StartFailed);
    let stream = world.drive(Err(cause)).await;
    let phases = ["\"preparing\"", "\"inspecting\"", "\"rolling_back\"", "event: error"];
    expect_in_order(&stream, &phases);
    let snapshot = world.snapshot().await;
    assert_eq!(snapshot["error"]["phase"], "inspecting");
    assert_eq!(snapshot["error"]["message"], SENTENCE);
    let receipt = &snapshot["receipt"];
    assert_eq!(receipt["clean"], true);
    let line = &receipt.as_object().unwrap().values().find_map(|lines| lines.get(0)).unwrap();
    assert_eq!((&line["id"], &line["outcome"]), (&"scaffold-1".into(), &"verified_gone".into()));
    let words = ["alice could not be started", SENTENCE, "the scaffold"];
    expect(&world.page().await, &words, &["is live"]);
    assert!(matches!(world.record(PREPARE).await, StepRecord::Undone { .. }));
}

#[tokio::test]
async fn a_worker_that_does_not_know_the_kind_leaves_it_to_others() {
    let world = World::begin().await;
    let before = world.app.clock.sleepers();
    world.start_worker(operations::all());
    timeout(PATIENCE, world.app.clock.sleeper_after(before + 1)).await.unwrap();
    assert!(world.app.store.journal(&world.id).await.unwrap().records.is_empty());
    world.drive(Ok(())).await;
}
