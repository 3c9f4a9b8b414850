//! One portal and one platform, and the checks that they agree at the end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ai_stack_deployer::server::notifier::Notifier;
use ai_stack_deployer::server::operations;
use ai_stack_deployer::server::reconciler::Reconciler;
use ai_stack_deployer::server::saga::{Context, Ports, drive};
use ai_stack_deployer::server::settings::StackSettings;
use ai_stack_deployer::server::store::{
    Disposal, Journal, KeptVolume, Lane, Leases, NewKept, NewRemoval, Operations, Record,
    RemovalOutcome, Result, Stacks, State, StepId, Store,
};
use clock::Clock;
use dokploy_sandbox::Fault;
use domain::deployment::DeploymentId;
use domain::event::{Event, EventBody};
use domain::kind::Kinds;
use domain::phase::Phase;
use domain::receipt::Line;
use domain::stack_id::StackId;
use domain::stack_spec::StackSpec;
use domain::words;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::claim_one::{CLEAN_UP, ClaimOne as _};
use crate::support::clock::JumpingClock;
use crate::support::core_platform::{CorePlatform, Moment};
use crate::support::faulty_store::{Crash, FaultyStore};
use crate::support::memory_store::MemoryStore;
use crate::support::settings::{keyring, new_deployment, new_removal, stack_settings};

mod ends;
mod kept;

/// The calls of a deployment that change something.
pub(super) const CHANGING: [&str; 5] = [
    "project.create", "application.create", "application.update", "domain.create",
    "application.deploy",
];

/// The steps of a deployment of a stack without volumes.
pub(super) const STEPS_WITHOUT_VOLUMES: [StepId; 8] = [
    StepId::ADDRESS,
    StepId::PROJECT,
    StepId::ENVIRONMENT,
    StepId::APPLICATION,
    StepId::CONFIGURATION,
    StepId::DOMAIN,
    StepId::DEPLOY,
    StepId::HEALTH,
];

/// Returns what an operator reads about what is left.
pub(super) fn remedy(line: &Line) -> String {
    words::remedy::sentence(line.remedy.as_ref().unwrap())
}

/// A portal with one deployment, and the platform it drives.
pub(super) struct World {
    pub(super) store: Arc<FaultyStore>,
    pub(super) platform: CorePlatform,
    pub(super) id: DeploymentId,
    pub(super) clock: Arc<JumpingClock>,
    pub(super) ports: Ports,
    /// The number of volumes of the stack.
    volumes: usize,
    /// Whether it brought them back, so that they stay if it fails.
    is_brought_back: bool,
    /// The token by which the saga learns of a request to cancel, as from the worker.
    cancelled: Arc<Mutex<CancellationToken>>,
}

impl World {
    /// Begins the deployment of `alice` with `image`, on a platform with `faults`.
    pub(super) async fn begin(image: &str, faults: &[&str]) -> Self {
        Self::begin_in(Arc::new(MemoryStore::default()), image, faults).await
    }

    /// Begins it in `store`, which must be empty.
    pub(super) async fn begin_in(store: Arc<dyn Store>, image: &str, faults: &[&str]) -> Self {
        Self::begin_by(store, stack_settings(image), faults).await
    }

    /// Begins it with these settings.
    pub(super) async fn begin_by(
        store: Arc<dyn Store>,
        settings: StackSettings,
        faults: &[&str],
    ) -> Self {
        Self::begin_with(store, settings, |_| {}, faults).await
    }

    /// Begins it with these settings, after `change` changed the spec that they make.
    pub(super) async fn begin_with(
        store: Arc<dyn Store>,
        settings: StackSettings,
        change: impl FnOnce(&mut StackSpec),
        faults: &[&str],
    ) -> Self {
        let clock = Arc::new(JumpingClock::default());
        let platform = CorePlatform::new(Arc::clone(&clock) as _, 7);
        let store = Arc::new(FaultyStore::new(store));
        let ports = Ports {
            store: Arc::clone(&store) as _,
            platform: platform.client_without_breaker(),
            probe: Arc::new(platform.clone()),
            clock: Arc::clone(&clock) as _,
            notifier: Arc::new(Notifier::default()),
            settings: Arc::new(settings),
            keyring: Some(keyring()),
            kinds: Kinds::default(),
            polls: Arc::default(),
            call_gate: Arc::default(),
            outages: Arc::default(),
            retry: Arc::default(),
            metrics: Arc::default(),
            traces: Arc::default(),
        };
        let id = DeploymentId::from_random(42);
        let cancelled = Arc::default();
        let (volumes, is_brought_back) = (0, false);
        let mut world =
            Self { store, platform, id, clock, ports, volumes, is_brought_back, cancelled };
        world.volumes = world.reserve("alice", change).await;
        for fault in faults {
            world.inject(fault);
        }
        world
    }

    /// Begins a deployment with injected `faults` and runs it to its end.
    pub(super) async fn driven(image: &str, faults: &[&str]) -> Self {
        let world = Self::begin(image, faults).await;
        world.drive().await;
        world
    }

    /// Removes the stack and drives the removal to its end.
    pub(super) async fn run_removal(&mut self) {
        self.remove().await;
        self.drive().await;
    }

    /// Returns how long the operation took.
    pub(super) async fn took(&self) -> Duration {
        let record = self.record().await;
        let completed = record.metadata.completed.unwrap();
        completed.duration_since(record.deployment.started).unsigned_abs()
    }

    /// Returns a reconciler of the portal.
    pub(super) fn reconciler(&self) -> Reconciler {
        let lease = Duration::from_secs(30);
        Reconciler::new(self.ports.clone(), String::from("reconciler"), lease)
    }

    /// Returns the field `id` of the first resource in the platform's `list`, for example
    /// `projectId` in `projects`.
    pub(super) async fn first(&self, list: &str, id: &str) -> String {
        self.platform.inventory().await[list][0][id].as_str().unwrap().to_owned()
    }

    /// Creates a project as another user of the platform, and returns the id of its environment.
    pub(super) fn make_project(&self, name: &str, description: impl Into<Value>) -> Value {
        let description: Value = description.into();
        let project = json!({ "name": name, "description": description, "env": "" });
        let made = self.platform.as_another_user("project.create", &project);
        made["environment"]["environmentId"].clone()
    }

    /// Creates an application in `environment` as another user, and returns its row.
    pub(super) fn make_application(
        &self,
        [name, app_name]: [&str; 2],
        description: &str,
        environment: impl Into<Value>,
    ) -> Value {
        let environment: Value = environment.into();
        let application = json!({
            "name": name,
            "appName": app_name,
            "description": description,
            "environmentId": environment,
            "sourceType": "docker",
        });
        self.platform.as_another_user("application.create", &application)
    }

    /// Injects a fault into the platform.
    pub(super) fn inject(&self, fault: &str) {
        self.platform.core().inject(fault.parse::<Fault>().unwrap());
    }

    /// Reserves the name, and returns the number of volumes of the stack.
    async fn reserve(&self, name: &str, change: impl FnOnce(&mut StackSpec)) -> usize {
        let started = self.clock.now();
        let mut new = new_deployment(&self.ports.settings, self.id.clone(), name, started);
        change(&mut new.spec.spec);
        self.store.begin(&new, None).await.unwrap();
        new.spec.spec.volumes.len()
    }

    /// Drives the operation to its end, resumes it after every crash, and returns the number of
    /// crashes.
    pub(super) async fn drive(&self) -> u32 {
        self.drive_in(Lane::Forward).await
    }

    /// Runs clean-up after the end until nothing is left, at most `most` times, and resumes it
    /// after every crash. Returns the number of runs.
    pub(super) async fn clean_up(&self, most: u32) -> u32 {
        for tries in 0..=most {
            if self.record().await.state != State::Stuck {
                return tries;
            }
            self.clock.advance(Duration::from_mins(31));
            self.drive_in(CLEAN_UP).await;
        }
        panic!("something is still left after {most} tries: {:?}", self.record().await.metadata);
    }

    pub(super) async fn drive_in(&self, lane: Lane) -> u32 {
        let mut crashes = 0;
        loop {
            if self.drive_once(lane).await.is_ok() {
                return crashes;
            }
            crashes += 1;
            assert!(crashes < 10, "it crashes again and again");
        }
    }

    /// Drives the operation to its end, or to a crash, after which its lease expires.
    pub(super) async fn drive_once(&self, lane: Lane) -> Result<()> {
        let now = self.clock.now();
        let ttl = Duration::from_secs(30);
        let lease = self.store.claim_one(lane, "test", now, ttl).await.unwrap();
        let Some(lease) = lease else { return Ok(()) };
        let cancelled = CancellationToken::new();
        *self.cancelled.lock().unwrap() = cancelled.clone();
        let context = Context::open(&self.ports, lease.clone(), cancelled).await.unwrap();
        let result = Box::pin(drive(context, &operations::all())).await;
        if result.is_err() {
            self.clock.advance(Duration::from_secs(31));
        }
        self.store.release(&lease).await.unwrap();
        result
    }

    /// Cancels at the `call`-th call, and lets the worker learn of it.
    pub(super) fn cancel_at_call(&self, call: usize, moment: Moment) {
        let (store, id, now) = (Arc::clone(&self.store), self.id.clone(), self.clock.now());
        let cancelled = Arc::clone(&self.cancelled);
        self.platform.at_call(call, moment, async move {
            store.cancel(&id, now, None).await.unwrap();
            cancelled.lock().unwrap().cancel();
        });
    }

    /// Cancels now, and lets the worker learn of it.
    pub(super) async fn cancel_now(&self) {
        self.store.cancel(&self.id, self.clock.now(), None).await.unwrap();
        self.cancelled.lock().unwrap().cancel();
    }

    /// Returns whether the deployment has shown the message `sentence`.
    pub(super) async fn has_said(&self, sentence: &str) -> bool {
        let stored = self.store.events(&self.id, 0, u32::MAX).await.unwrap();
        let said = |body| matches!(body, EventBody::Progress(update) if update.message == sentence);
        stored.iter().any(|event| said(event.decode().unwrap().body))
    }

    /// Begins the removal of the live stack, which is the operation of this world from then on.
    pub(super) async fn remove(&mut self) {
        self.id = self.begin_removal().await;
    }

    /// Begins the removal of the live stack, which is the operation of this world from then on, and
    /// which does this with its data.
    pub(super) async fn remove_with(&mut self, disposal: Disposal) {
        let volumes = (self.volumes > 0).then(|| KeptVolume {
            key: String::from("data"),
            name: self.ports.settings.volume_prefix(StackId::of(&self.id)) + "data",
        });
        let until = self.clock.now() + Duration::from_hours(7 * 24);
        let kept = NewKept { volumes: volumes.into_iter().collect(), until, most: None };
        let kept = (disposal == Disposal::Keep).then_some(kept);
        // The former stack, whose data this one has, was removed by the operation 43.
        let number = if self.is_brought_back { 45 } else { 43 };
        let new = NewRemoval { disposal, kept, ..new_removal(number, self.clock.now()) };
        self.id = self.begin_new_removal(&new).await;
    }

    /// Says how many volumes the stack has by now.
    pub(super) fn set_volumes(&mut self, volumes: usize) {
        self.volumes = volumes;
    }

    /// Begins the removal of the live stack.
    pub(super) async fn begin_removal(&self) -> DeploymentId {
        self.begin_new_removal(&new_removal(43, self.clock.now())).await
    }

    async fn begin_new_removal(&self, new: &NewRemoval) -> DeploymentId {
        let name = self.record().await.deployment.name;
        match self.store.begin_removal(&name, new).await.unwrap() {
            RemovalOutcome::Accepted(id) | RemovalOutcome::Later(id) => id,
            refused @ (RemovalOutcome::DifferentStack
            | RemovalOutcome::NotLive
            | RemovalOutcome::KeptFull(_)
            | RemovalOutcome::UnderWay(_)) => {
                panic!("{refused:?}")
            }
        }
    }

    /// Drives the deployment until the journal has begun `step`, and crashes there.
    pub(super) async fn drive_until(&self, step: StepId) {
        let index = STEPS_WITHOUT_VOLUMES.iter().position(|one| *one == step).unwrap();
        // Each step writes twice: its intent and its result.
        self.store.crash_at(u32::try_from(2 * index).unwrap() + 1, Crash::Before);
        self.drive_once(Lane::Forward).await.unwrap_err();
        let begun = self.store.journal(&self.id).await.unwrap().records.len();
        assert_eq!(begun, index, "crashed before another step");
    }

    /// Changes the settings, as an operator does between two starts.
    pub(super) fn configure(&mut self, change: impl FnOnce(&mut StackSettings)) {
        change(Arc::make_mut(&mut self.ports.settings));
    }

    /// Returns the deployment's row.
    pub(super) async fn record(&self) -> Record {
        self.store.find(&self.id).await.unwrap().unwrap()
    }

    /// Returns the deployment's events, after checking that they are gap-free, that their phases
    /// change only by legal transitions, and that the progress never decreases (promises P12, P14).
    pub(super) async fn events(&self) -> Vec<Event> {
        let stored = self.store.events(&self.id, 0, u32::MAX).await.unwrap();
        let events: Vec<Event> = stored.iter().map(|event| event.decode().unwrap()).collect();
        let kind = self.ports.kinds.of(self.record().await.deployment.kind);
        let (mut phase, mut percent) = (Phase::INITIALIZING, 0);
        for (seq, event) in (1..).zip(&events) {
            assert_eq!(event.seq, seq, "a gap");
            if let EventBody::Progress(update) = &event.body {
                assert!(kind.may_become(phase, update.phase), "{phase:?} -> {:?}", update.phase);
                assert!(update.progress >= percent, "{percent} % -> {} %", update.progress);
                (phase, percent) = (update.phase, update.progress);
            }
        }
        let ends = events.iter().filter(|event| event.is_end()).count();
        assert!(ends == 1 && events.last().unwrap().is_end(), "one end, and it is the last");
        events
    }

    /// Returns the log that people see, as `level action: message`.
    pub(super) async fn log(&self) -> Vec<String> {
        let entry = |event: Event| match event.body {
            EventBody::Log(entry) => {
                let level = format!("{:?}", entry.level).to_lowercase();
                Some(format!("{level} {}: {}", entry.action, entry.message))
            }
            EventBody::Progress(_)
            | EventBody::Complete(_)
            | EventBody::Removed(_)
            | EventBody::Error(_) => None,
        };
        self.events().await.into_iter().filter_map(entry).collect()
    }

    /// Returns every announced message, with its phase.
    pub(super) async fn sentences(&self) -> Vec<(Phase, String)> {
        let sentence = |event: Event| match event.body {
            EventBody::Progress(update) => Some((update.phase, update.message)),
            EventBody::Log(_)
            | EventBody::Complete(_)
            | EventBody::Removed(_)
            | EventBody::Error(_) => None,
        };
        self.events().await.into_iter().filter_map(sentence).collect()
    }
}
