//! What a call makes whose portal was killed, long after the stack came up without it.

use std::{sync::Arc, time::Duration};

use ai_stack_deployer::{
    domain::{
        deployment::{DeploymentId, Kind},
        event::{EventBody, ProgressUpdate, Resources},
        phase::Phase,
        stack_name::StackName,
    },
    server::{
        notifier::{Notifier, Nudge},
        orchestrator::{Ports, Worker},
        ports::{
            clock::Clock,
            store::{NewRemoval, Record, Removing, State, Store},
        },
    },
};
use tokio_util::sync::CancellationToken;

use super::{clock::VirtualClock, simulation::LEASE};
use crate::support::{
    core_platform::CorePlatform,
    memory_store::MemoryStore,
    settings::{new_deployment, stack_settings},
};

/// How late the call is carried out: after the end, which takes six seconds.
const LATE: Duration = Duration::from_secs(19);

/// A portal that was killed in the middle of a call, and started again.
struct Portal {
    ports: Ports,
    store: Arc<MemoryStore>,
    platform: CorePlatform,
    clock: VirtualClock,
}

impl Portal {
    /// Begins a deployment, kills the portal a second into `call`, and brings the stack up.
    async fn live_after_a_kill(clock: VirtualClock, call: &str) -> Self {
        let platform = CorePlatform::new(Arc::new(clock.clone()), 7);
        let fault = format!("{call}:late={}s:1", LATE.as_secs());
        platform.core().inject(fault.parse().unwrap());
        let store = Arc::new(MemoryStore::default());
        let ports = Ports {
            store: Arc::clone(&store) as _,
            platform: Arc::new(platform.clone()),
            probe: Arc::new(platform.clone()),
            clock: Arc::new(clock.clone()),
            notifier: Arc::new(Notifier::default()),
            settings: Arc::new(stack_settings("sandbox/hello")),
        };
        let id = DeploymentId::from_random(1);
        let new = new_deployment(&ports.settings, id, "alice", clock.now());
        store.begin(&new, None).await.unwrap();
        let portal = Self { ports, store, platform, clock };

        let killed = portal.start("one");
        portal.clock.sleep(Duration::from_secs(1)).await;
        killed.abort();
        portal.store.void_leases();
        portal.start("two");
        let record = portal.until(0, |record| record.state != State::Active).await;
        assert_eq!(record.state, State::Live);
        portal
    }

    fn start(&self, owner: &str) -> tokio::task::JoinHandle<()> {
        let worker = Worker::new(self.ports.clone(), owner.to_owned(), LEASE, 1);
        tokio::spawn(worker.run(CancellationToken::new()))
    }

    /// Waits until it `is_so` of that operation.
    async fn until(&self, operation: usize, is_so: impl Fn(&Record) -> bool) -> Record {
        for _ in 0..600 {
            let record = self.store.records().swap_remove(operation);
            if is_so(&record) {
                return record;
            }
            self.clock.sleep(Duration::from_millis(100)).await;
        }
        panic!("not within a minute: {:#?}", self.store.records());
    }

    /// Removes the stack.
    async fn remove(&self) -> Record {
        let started = self.clock.now();
        let first = ProgressUpdate::new(Phase::Removing, 0, Resources::default(), started);
        let id = DeploymentId::new(Kind::Removal, 2);
        let first = EventBody::Progress(first);
        let new = NewRemoval { id: id.clone(), started, first, of: None };
        let name = StackName::parse("alice").unwrap();
        let begun = self.store.begin_removal(&name, &new).await.unwrap();
        assert_eq!(begun, Removing::Accepted(id));
        self.ports.notifier.nudge(&Nudge::Work);
        self.until(1, |record| record.state != State::Active).await
    }

    /// Counts what the platform holds of each kind.
    fn count(&self) -> [usize; 3] {
        let now = self.clock.now();
        let mut core = self.platform.core();
        core.tick(now);
        let inventory = core.inventory(now);
        ["projects", "applications", "domains"]
            .map(|list| inventory[list].as_array().unwrap().len())
    }
}

fn in_virtual_time(test: impl AsyncFnOnce(VirtualClock)) {
    let clock = VirtualClock::default();
    clock.clone().block_on(test(clock));
}

#[test]
fn what_comes_late_beside_a_live_stack_is_removed_within_a_minute() {
    let second = [
        ("project.create", [2, 1, 1]),
        ("application.create", [1, 2, 1]),
        ("domain.create", [1, 1, 2]),
    ];
    for (call, twice) in second {
        in_virtual_time(async |clock| {
            let portal = Portal::live_after_a_kill(clock, call).await;
            assert_eq!(portal.count(), [1, 1, 1], "{call} came before the end");
            portal.clock.sleep(LATE).await;
            assert_eq!(portal.count(), twice, "{call} never came");
            let record = portal.until(0, |record| record.clean_up.due.is_none()).await;
            assert_eq!(portal.count(), [1, 1, 1], "{call}");
            assert_eq!(record.state, State::Live);
            portal.clock.sleep(Duration::from_mins(1)).await;
            let tries = portal.store.records()[0].clean_up.tries;
            assert_eq!(tries, 1, "{call}: once was enough");
        });
    }
}

#[test]
fn a_stack_that_is_removed_at_once_leaves_nothing_that_comes_late() {
    in_virtual_time(async |clock| {
        let portal = Portal::live_after_a_kill(clock, "project.create").await;
        let removal = portal.remove().await;
        assert_eq!(removal.state, State::RolledBack);
        portal.clock.sleep(LATE * 3).await;
        assert_eq!(portal.count(), [0, 0, 0]);
    });
}

#[test]
fn a_platform_out_of_reach_only_puts_the_look_off() {
    in_virtual_time(async |clock| {
        let portal = Portal::live_after_a_kill(clock, "domain.create").await;
        portal.clock.sleep(LATE).await;
        portal.platform.core().inject("project.all:refused-after:2".parse().unwrap());
        let looked = |record: &Record| record.clean_up.tries > 0;
        let record = portal.until(0, looked).await;
        assert_eq!(portal.count(), [1, 1, 2]);
        assert!(record.clean_up.due.is_some(), "it will be looked at again");
        portal.until(0, |record| record.clean_up.due.is_none()).await;
        assert_eq!(portal.count(), [1, 1, 1]);
    });
}
