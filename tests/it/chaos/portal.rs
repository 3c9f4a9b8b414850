//! One portal with its own platform, in virtual time.

use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::notifier::Notifier;
use ai_stack_deployer::server::operations;
use ai_stack_deployer::server::saga::{Ports, Worker};
use ai_stack_deployer::server::settings::StackSettings;
use ai_stack_deployer::server::store::{Record, Stacks, State};
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::kind::Kinds;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::clock::VirtualClock;
use super::simulation::LEASE;
use crate::support::core_platform::CorePlatform;
use crate::support::memory_store::MemoryStore;
use crate::support::settings::{keyring, new_deployment, stack_settings};

/// A portal whose worker drives one deployment at a time.
pub(super) struct Portal {
    pub(super) ports: Ports,
    pub(super) store: Arc<MemoryStore>,
    pub(super) platform: CorePlatform,
    pub(super) clock: VirtualClock,
}

impl Portal {
    /// Starts a portal on a platform with `fault`, and begins `count` deployments. The returned
    /// worker can be killed.
    pub(super) async fn begin(
        clock: VirtualClock,
        fault: &str,
        count: u64,
    ) -> (Self, JoinHandle<()>) {
        let portal = Self::new(clock, "sandbox/hello");
        portal.platform.core().inject(fault.parse().unwrap());
        for number in 0..count {
            portal.reserve(number).await;
        }
        let worker = portal.start("one");
        (portal, worker)
    }

    /// Creates a portal for stacks of `image`, without a worker.
    pub(super) fn new(clock: VirtualClock, image: &str) -> Self {
        Self::with(clock, stack_settings(image))
    }

    /// Creates a portal with these settings, without a worker.
    pub(super) fn with(clock: VirtualClock, settings: StackSettings) -> Self {
        let platform = CorePlatform::new(Arc::new(clock.clone()), 7);
        let store = Arc::new(MemoryStore::default());
        let ports = Ports {
            store: Arc::clone(&store) as _,
            platform: platform.client_without_breaker(),
            probe: Arc::new(platform.clone()),
            clock: Arc::new(clock.clone()),
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
        Self { ports, store, platform, clock }
    }

    /// Begins the deployment of `stack-<number>`.
    pub(super) async fn reserve(&self, number: u64) {
        let id = DeploymentId::from_random(u128::from(number));
        let (name, started) = (format!("stack-{number}"), self.clock.now());
        let new = new_deployment(&self.ports.settings, id, &name, started);
        self.store.begin(&new, None).await.unwrap();
    }

    /// Starts a worker called `owner`.
    pub(super) fn start(&self, owner: &str) -> JoinHandle<()> {
        let worker = Worker::new(self.ports.clone(), operations::all(), owner.to_owned(), LEASE, 1);
        tokio::spawn(worker.run(CancellationToken::new()))
    }

    /// Reads an operation's record at intervals of `pause`, at most `looks` times, until `is_so` is
    /// true for it.
    pub(super) async fn until(
        &self,
        operation: usize,
        pause: Duration,
        looks: u32,
        is_so: impl Fn(&Record) -> bool,
    ) -> Record {
        for _ in 0..looks {
            let record = self.store.records().swap_remove(operation);
            if is_so(&record) {
                return record;
            }
            self.clock.sleep(pause).await;
        }
        panic!("not within {looks} looks: {:#?}", self.store.records());
    }

    /// Waits until all operations have ended.
    pub(super) async fn ended(&self) -> Vec<Record> {
        loop {
            let records = self.store.records();
            if records.iter().all(|record| record.state != State::Active) {
                return records;
            }
            self.clock.sleep(Duration::from_secs(1)).await;
        }
    }
}

/// Runs `test` in virtual time.
pub(super) fn in_virtual_time(test: impl AsyncFnOnce(VirtualClock)) {
    let clock = VirtualClock::default();
    clock.clone().block_on(test(clock));
}
