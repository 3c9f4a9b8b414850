//! What must happen in time though everybody is busy waiting, in virtual time.

use std::{sync::Arc, time::Duration};

use ai_stack_deployer::{
    domain::deployment::DeploymentId,
    server::{
        notifier::{Notifier, Nudge},
        orchestrator::{Ports, Worker},
        ports::{
            clock::Clock,
            store::{Record, State, Store},
        },
    },
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{clock::VirtualClock, simulation::LEASE};
use crate::support::{
    core_platform::CorePlatform,
    memory_store::MemoryStore,
    settings::{new_deployment, stack_settings},
};

/// A portal whose worker drives one deployment at a time.
struct Portal {
    ports: Ports,
    store: Arc<MemoryStore>,
    clock: VirtualClock,
}

impl Portal {
    /// Starts it, on a platform with `fault`, and begins `count` deployments.
    async fn begin(clock: VirtualClock, fault: &str, count: u64) -> Self {
        let platform = CorePlatform::new(Arc::new(clock.clone()), 7);
        platform.core().inject(fault.parse().unwrap());
        let store = Arc::new(MemoryStore::default());
        let ports = Ports {
            store: Arc::clone(&store) as _,
            platform: Arc::new(platform.clone()),
            probe: Arc::new(platform),
            clock: Arc::new(clock.clone()),
            notifier: Arc::new(Notifier::default()),
            settings: Arc::new(stack_settings("sandbox/hello")),
        };
        let portal = Self { ports, store, clock };
        for number in 0..count {
            portal.reserve(number).await;
        }
        portal.start();
        portal
    }

    fn start(&self) -> JoinHandle<()> {
        let worker = Worker::new(self.ports.clone(), String::from("one"), LEASE, 1);
        tokio::spawn(worker.run(CancellationToken::new()))
    }

    async fn reserve(&self, number: u64) {
        let id = DeploymentId::from_random(u128::from(number));
        let (name, started) = (format!("stack-{number}"), self.clock.now());
        let new = new_deployment(&self.ports.settings, id, &name, started);
        self.store.begin(&new, None).await.unwrap();
    }

    /// Waits until everything has ended.
    async fn ended(&self) -> Vec<Record> {
        loop {
            let records = self.store.records();
            if records.iter().all(|record| record.state != State::Active) {
                return records;
            }
            self.clock.sleep(Duration::from_secs(1)).await;
        }
    }
}

fn in_virtual_time(test: impl AsyncFnOnce(VirtualClock)) {
    let clock = VirtualClock::default();
    clock.clone().block_on(test(clock));
}

fn seconds_taken(record: &Record) -> u64 {
    let took = record.standing.completed.unwrap().duration_since(record.deployment.started);
    took.as_secs().try_into().unwrap()
}

#[test]
fn what_waits_for_a_slot_ends_within_its_deadline_though_the_platform_hangs() {
    in_virtual_time(async |clock| {
        let portal = Portal::begin(clock, "*:timeout-before:always", 5).await;
        let limits = portal.ports.settings.deadlines;
        let longest = (limits.whole + limits.drain).as_secs() + 60;
        let records = portal.ended().await;
        assert_eq!(records.len(), 5);
        for record in &records {
            let took = seconds_taken(record);
            assert!(took <= longest, "{} took {took} s", record.deployment.name);
        }
        let is_clean = |record: &Record| record.state == State::RolledBack;
        assert!(records.iter().any(is_clean), "one that never had a slot made nothing");
    });
}

#[test]
fn what_waits_for_a_slot_ends_at_its_deadline_though_the_slot_is_taken() {
    in_virtual_time(async |clock| {
        // Each that has the slot keeps it for minutes, the fourth past everybody's deadline.
        let portal = Portal::begin(clock, "deployment.queueList:timeout-before:always", 5).await;
        let whole = portal.ports.settings.deadlines.whole.as_secs();
        let mut took: Vec<u64> = portal.ended().await.iter().map(seconds_taken).collect();
        took.sort_unstable();
        let [.., waited, held] = took[..] else { panic!("{took:?}") };
        assert!((whole..whole + 5).contains(&waited), "{took:?}");
        assert!(held > whole + 30, "nobody had the slot then: {took:?}");
    });
}

#[test]
fn a_cancellation_is_heard_though_the_platform_asks_for_more_time_than_there_is() {
    in_virtual_time(async |clock| {
        let portal = Portal::begin(clock, "project.create:throttled=900s", 1).await;
        portal.clock.sleep(Duration::from_secs(5)).await;
        let id = DeploymentId::from_random(0);
        portal.store.cancel(&id, portal.clock.now()).await.unwrap();
        portal.ports.notifier.nudge(&Nudge::Wish(id));
        let records = portal.ended().await;
        assert_eq!(records[0].state, State::RolledBack);
        let took = seconds_taken(&records[0]);
        assert!((5..60).contains(&took), "{took} s, where the step's deadline is 300 s");
    });
}
