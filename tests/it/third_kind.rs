//! A kind of operation that only this test registers: two steps, of which one has an undo. Worker,
//! journal, stream, page and receipt support it without knowing it, once the portal is started with
//! it.

use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::run::{Portal, open_for_cli};
use ai_stack_deployer::server::operations;
use ai_stack_deployer::server::saga::{
    Context, Halt, Operation, Operations, Saga, Step, StepError,
};
use ai_stack_deployer::server::settings::Settings;
use ai_stack_deployer::server::store::sqlite::SqliteStore;
use ai_stack_deployer::server::store::{Cause, Stacks as _, StepId, StepRecord, Store as _};
use async_trait::async_trait;
use axum::http::{HeaderMap, StatusCode};
use clock::{Clock as _, SystemClock};
use domain::deployment::DeploymentId;
use domain::event::{EventBody, FailureCode, ProgressUpdate};
use domain::kind::{
    DEPLOY, Direction, Kind, KindName, KindStep, Kinds, REMOVE, StackState, StackStatus,
};
use domain::message::MessageCode;
use domain::phase::Phase;
use domain::receipt::{Line, Outcome, ResourceKind};
use domain::words::kind::StepWords;
use leptos::config::LeptosOptions;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::deployment_page::expect;
use crate::support::app::{Reply, settings};
use crate::support::process::{PortalDir, exchange};
use crate::support::settings::{new_deployment, stack_settings};

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
    status: StackStatus::Deploying,
    done_sentence: "The stack passed",
    undo_sentence: "Taking the scaffold down",
};

static KINDS: [&Kind; 3] = [&DEPLOY, &REMOVE, &INSPECTION];

/// Inspects a stack.
struct InspectStack {
    result: Result<(), Cause>,
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
        let scaffold = saga.step(Prepare).await?;
        assert_eq!(scaffold, "scaffold-1");
        let (is_running, go_on) = (Arc::clone(&self.is_running), Arc::clone(&self.go_on));
        saga.step(Inspect { result: self.result.clone(), is_running, go_on }).await
    }
}

struct Prepare;

impl Step for Prepare {
    const ID: StepId = PREPARE;
    type Output = String;

    async fn run(&self, _: &Context) -> Result<String, StepError> {
        Ok(String::from("scaffold-1"))
    }

    async fn undo(&self, _: &Context, made: Option<&String>) -> Result<Vec<Line>, StepError> {
        let resource = ResourceKind::Application;
        let (name, outcome) = (String::from("the scaffold"), Outcome::VerifiedGone);
        let (id, at) = (made.cloned(), SystemClock.now());
        Ok(vec![Line { resource, id, name, outcome, at, remedy: None }])
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

/// A folder for portals, and an inspection of `alice` in its database that waits for a worker.
struct World {
    portal_dir: PortalDir,
    settings: Settings,
    id: DeploymentId,
}

/// A running portal.
struct Started {
    portal: Portal,
    shutdown: CancellationToken,
}

impl World {
    async fn begin() -> Self {
        let portal_dir = PortalDir::new();
        let path = portal_dir.path().join("portal.db");
        let settings = settings(&[
            ("DATABASE_URL", &format!("sqlite://{}", path.display())),
            ("PORT", &portal_dir.port.to_string()),
            ("SANDBOX_EDGE_PORT", &portal_dir.edge.to_string()),
        ]);
        let (id, started) = (INSPECTION.operation_id(42), SystemClock.now());
        let mut new = new_deployment(&stack_settings("any"), id.clone(), "alice", started);
        new.deployment.kind = INSPECTION.name;
        new.first = EventBody::Progress(ProgressUpdate::first(&INSPECTION, started));
        let store = SqliteStore::open(&path).await.unwrap();
        store.begin(&new, None).await.unwrap();
        store.close().await;
        Self { portal_dir, settings, id }
    }

    /// Starts a portal like the binary, with these kinds of operations.
    async fn start(&self, kinds: Kinds, operations: Operations) -> Started {
        let site = self.portal_dir.path().to_str().unwrap().to_owned();
        let site =
            LeptosOptions::builder().output_name("ai-stack-deployer").site_root(site).build();
        let (settings, shutdown) = (self.settings.clone(), CancellationToken::new());
        let portal = Portal::start(settings, kinds, operations, site, shutdown.clone());
        Started { portal: portal.await.unwrap(), shutdown }
    }

    /// Drives the inspection to the end that `result` determines, by a portal that knows the kind.
    /// Returns the portal and the inspection's event stream.
    async fn drive(&self, result: Result<(), Cause>) -> (Started, String) {
        let (is_running, go_on) = (Arc::<Notify>::default(), Arc::<Notify>::default());
        let (running, tell) = (Arc::clone(&is_running), Arc::clone(&go_on));
        let inspect = InspectStack { result, is_running: running, go_on: tell };
        let operations = Operations::new([Arc::new(inspect) as _]);
        let started = self.start(Kinds::new(&KINDS), operations).await;
        timeout(PATIENCE, is_running.notified()).await.unwrap();
        expect(&self.page(), &["Scaffold is up", "Inspecting the stack"], &["Creating"]);
        go_on.notify_one();
        (started, self.get("/api/status/").body)
    }

    /// Requests what is at `path` about the inspection.
    fn get(&self, path: &str) -> Reply {
        let request = format!("GET {path}{} HTTP/1.0\r\nHost: x\r\n\r\n", self.id);
        let answer = exchange(self.portal_dir.port, &request);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{head}");
        Reply { status: StatusCode::OK, headers: HeaderMap::new(), body: body.to_owned() }
    }

    fn page(&self) -> Reply {
        self.get("/deployments/")
    }

    fn snapshot(&self) -> serde_json::Value {
        self.get("/api/deployment/").json()["deployment"].clone()
    }

    async fn record(&self, step: StepId) -> Option<StepRecord> {
        let store = open_for_cli(&self.settings.store).await.unwrap().store;
        store.journal(&self.id).await.unwrap().records.remove(&step)
    }
}

impl Started {
    async fn stop(self) {
        self.shutdown.cancel();
        self.portal.stopped().await;
    }
}

/// Checks that the stream contains these parts in this order.
fn expect_in_order(stream: &str, parts: &[&str]) {
    let mut rest = stream;
    for part in parts {
        (_, rest) = rest.split_once(part).unwrap_or_else(|| panic!("no {part} in {stream}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_kind_succeeds_without_any_part_knowing_it() {
    let world = World::begin().await;
    let (portal, stream) = world.drive(Ok(())).await;
    let phases = ["\"initializing\"", "\"preparing\"", "\"inspecting\"", "event: complete"];
    expect_in_order(&stream, &phases);
    let snapshot = world.snapshot();
    assert_eq!(snapshot["kind"], "inspection");
    assert_eq!((&snapshot["progress"], &snapshot["status"]), (&100.into(), &"success".into()));
    assert_eq!(snapshot["message"], "The stack passed");
    expect(&world.page(), &["alice is live", "Scaffold is up", "Stack inspected"], &[]);
    assert!(matches!(world.record(PREPARE).await, Some(StepRecord::Succeeded { .. })));
    portal.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_kind_that_fails_is_undone_and_its_receipt_says_so() {
    let world = World::begin().await;
    let cause = Cause::new(FailureCode::HealthTimeout, MessageCode::StartFailed);
    let (portal, stream) = world.drive(Err(cause)).await;
    let phases = ["\"preparing\"", "\"inspecting\"", "\"rolling_back\"", "event: error"];
    expect_in_order(&stream, &phases);
    let snapshot = world.snapshot();
    assert_eq!(snapshot["error"]["phase"], "inspecting");
    assert_eq!(snapshot["error"]["message"], SENTENCE);
    let receipt = &snapshot["receipt"];
    assert_eq!(receipt["clean"], true);
    let line = &receipt.as_object().unwrap().values().find_map(|lines| lines.get(0)).unwrap();
    assert_eq!((&line["id"], &line["outcome"]), (&"scaffold-1".into(), &"verified_gone".into()));
    let words = ["alice could not be started", SENTENCE, "the scaffold"];
    expect(&world.page(), &words, &["is live"]);
    assert!(matches!(world.record(PREPARE).await, Some(StepRecord::Undone { .. })));
    portal.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_does_not_know_the_kind_leaves_it_to_others() {
    let world = World::begin().await;
    let portal = world.start(Kinds::default(), operations::all()).await;
    // Meanwhile its worker looks for work again and again.
    world.portal_dir.deploy_until("bobby", "complete");
    portal.stop().await;
    assert_eq!(world.record(PREPARE).await, None);
    world.drive(Ok(())).await.0.stop().await;
}
