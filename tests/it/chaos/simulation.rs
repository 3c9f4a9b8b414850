//! One schedule: a platform, one or two portals, and their history.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ai_stack_deployer::server::notifier::Notifier;
use ai_stack_deployer::server::operations;
use ai_stack_deployer::server::saga::{Ports, Worker};
use ai_stack_deployer::server::settings::Quotas;
use ai_stack_deployer::server::stacks::Service;
use ai_stack_deployer::server::store::{Disposal, Operations, State};
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::kind::Kinds;
use domain::remedy::Remedy;
use domain::template::Volume;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::clock::VirtualClock;
use crate::support::core_platform::CorePlatform;
use crate::support::faulty_store::FaultyStore;
use crate::support::memory_store::MemoryStore;
use crate::support::service::service;
use crate::support::settings::{keyring, stack_settings};

/// The duration of a lease.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// The images that a schedule chooses from.
const IMAGES: [&str; 6] = [
    "sandbox/hello", "sandbox/hello", "sandbox/crashloop", "sandbox/slow", "sandbox/unhealthy",
    "sandbox/missing",
];

/// The state of a schedule.
pub(super) struct Simulation {
    pub(super) platform: CorePlatform,
    pub(super) store: Arc<MemoryStore>,
    pub(super) clock: Arc<dyn Clock>,
    /// The portals, which share the store.
    pub(super) portals: Vec<Portal>,
    /// The history, which a failing schedule prints.
    diary: Mutex<Vec<String>>,
    /// What the actors know of each other's actions.
    pub(super) begun: Mutex<Vec<DeploymentId>>,
    /// The cancellations that were accepted.
    pub(super) cancelled: Mutex<Vec<DeploymentId>>,
    /// Whether the stacks have a volume.
    pub(super) has_volume: bool,
    /// The removals that were accepted, each with what the requests said about the data.
    pub(super) removals: Mutex<BTreeMap<DeploymentId, Vec<Disposal>>>,
    /// The number of deployments that brought data back.
    pub(super) brought_back: AtomicU64,
}

/// One portal. Its use cases keep working while its worker is down, like those of another replica.
pub(super) struct Portal {
    pub(super) service: Arc<Service>,
    ports: Ports,
    /// Its connection to the store.
    pub(super) line: Arc<FaultyStore>,
    worker: Mutex<Option<JoinHandle<()>>>,
    name: usize,
    /// The number of workers it has had.
    starts: Mutex<u32>,
}

impl Simulation {
    /// Creates a random schedule.
    pub(super) fn new(clock: VirtualClock, rng: &mut StdRng) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let platform = CorePlatform::new(Arc::clone(&clock), rng.random())
            .answering_after(Duration::from_millis(5));
        let store = Arc::new(MemoryStore::default());
        let has_volume = rng.random_bool(0.25);
        if has_volume {
            let (key, path) = (String::from("data"), String::from("/data"));
            store.give_volume(Volume { key, path, exclusive: false });
        }
        let settings = Arc::new(stack_settings(IMAGES[rng.random_range(0..IMAGES.len())]));
        let count = rng.random_range(1..=2);
        let portal = |name| {
            let line = FaultyStore::slow(Arc::clone(&store) as _, Arc::clone(&clock));
            let line = Arc::new(line);
            let ports = Ports {
                store: Arc::clone(&line) as _,
                platform: platform.client(),
                probe: Arc::new(platform.clone()),
                clock: Arc::clone(&clock),
                // Each portal has its own, so notifications from the other one are lost.
                notifier: Arc::new(Notifier::default()),
                settings: Arc::clone(&settings),
                keyring: Some(keyring()),
                kinds: Kinds::default(),
                polls: Arc::default(),
                call_gate: Arc::default(),
                outages: Arc::default(),
                retry: Arc::default(),
                metrics: Arc::default(),
                traces: Arc::default(),
            };
            Portal::new(name, ports, line, rng.random())
        };
        let portals = (0..count).map(portal).collect();
        Self {
            platform,
            store,
            clock,
            portals,
            diary: Mutex::default(),
            begun: Mutex::default(),
            cancelled: Mutex::default(),
            has_volume,
            removals: Mutex::default(),
            brought_back: AtomicU64::default(),
        }
    }

    /// Adds to the history.
    pub(super) fn note(&self, what: impl AsRef<str>) {
        let line = format!("{} {}", self.clock.now(), what.as_ref());
        self.diary.lock().unwrap().push(line);
    }

    /// Returns the history.
    pub(super) fn diary(&self) -> String {
        self.diary.lock().unwrap().join("\n")
    }

    /// Waits for a random time up to `longest`.
    pub(super) async fn pause(&self, rng: &mut StdRng, longest: Duration) {
        let ms = u64::try_from(longest.as_millis()).unwrap();
        self.clock.sleep(Duration::from_millis(rng.random_range(0..=ms))).await;
    }

    /// Repairs the platform, and runs everything to its end. It helps like an operator where only
    /// that helps.
    pub(super) async fn run_to_end(&self) {
        self.platform.core().clear_faults();
        for portal in &self.portals {
            portal.line.set_down(false);
            portal.start();
        }
        for _ in 0..200 {
            if self.has_ended() {
                return;
            }
            self.clock.sleep(Duration::from_mins(1)).await;
            self.help().await;
        }
        let open = |record: &ai_stack_deployer::server::store::Record| {
            record.clean_up.due.is_some() || record.state == State::Active
        };
        let open: Vec<_> = self.store.records().into_iter().filter(open).collect();
        panic!("not settled after hours: {open:#?}");
    }

    fn has_ended(&self) -> bool {
        let records = self.store.records();
        records.iter().all(|record| match record.state {
            State::Live => record.clean_up.due.is_none(),
            State::RolledBack => true,
            State::Active | State::Stuck => false,
        })
    }

    /// Applies the remedies of the receipts.
    async fn help(&self) {
        for record in self.store.stuck().await.unwrap() {
            let Some(receipt) = &record.metadata.receipt else { continue };
            for remedy in receipt.leftovers().filter_map(|line| line.remedy.as_ref()) {
                if let Remedy::RemoveService { service } = remedy {
                    let removed = self.platform.core().remove_service(self.clock.now(), service);
                    self.note(format!("operator: remove {service} ({removed})"));
                }
            }
        }
    }
}

impl Portal {
    fn new(name: usize, ports: Ports, line: Arc<FaultyStore>, seed: u64) -> Self {
        let random = Mutex::new(StdRng::seed_from_u64(seed));
        let random = move || random.lock().unwrap().random();
        let service = service(&ports, &Arc::default(), Quotas::default(), random);
        let (worker, starts) = (Mutex::default(), Mutex::default());
        Self { service: Arc::new(service), ports, line, worker, name, starts }
    }

    /// Returns its ports.
    pub(super) fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Starts its worker, unless one runs.
    pub(super) fn start(&self) {
        let mut running = self.worker.lock().unwrap();
        if running.is_some() {
            return;
        }
        let mut starts = self.starts.lock().unwrap();
        *starts += 1;
        let owner = format!("{} {starts}", self.name);
        let worker = Worker::new(self.ports.clone(), operations::all(), owner, LEASE, 64);
        *running = Some(tokio::spawn(worker.run(CancellationToken::new())));
    }

    /// Kills its worker at whatever it is doing.
    pub(super) fn kill(&self) {
        if let Some(worker) = self.worker.lock().unwrap().take() {
            worker.abort();
        }
    }
}
