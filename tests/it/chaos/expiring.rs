//! The end of a stack's time as portals bring it about by themselves, in virtual time: nobody calls
//! anything.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ai_stack_deployer::server::settings::{Quotas, StackSettings};
use ai_stack_deployer::server::store::{
    Desired, Kept as _, KeptFilter, KeptState, Stack, StackEvents as _, Stacks as _,
};
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::kind::{KindName, REMOVE, STOP};
use domain::stack_event::{Reason, StackEventBody};
use domain::stack_id::StackId;
use domain::template::Volume;
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::clock::VirtualClock;
use super::portal::{Portal, in_virtual_time};
use super::simulation::LEASE;
use crate::support::service::service;
use crate::support::settings::{new_deployment, stack_settings};

const LIFETIME: Duration = Duration::from_hours(2);
const GRACE: Duration = Duration::from_hours(3);
/// The longest time until a round begins what is due, and its operation has ended.
const SOON: Duration = Duration::from_mins(2);
const SECOND: Duration = Duration::from_secs(1);

/// The number of the next operation.
static NEXT: AtomicU64 = AtomicU64::new(70_000);

/// A portal whose stack expires and has a volume.
struct Expiring {
    portal: Portal,
}

impl Expiring {
    /// Starts it without anything that ends stacks, and waits until the stack is live.
    async fn live(clock: VirtualClock) -> Self {
        let settings =
            StackSettings { lifetime_max: Some(LIFETIME), ..stack_settings("sandbox/hello") };
        let portal = Portal::with(clock, settings);
        let (id, now) = (DeploymentId::from_random(0), portal.clock.now());
        let mut new = new_deployment(&portal.ports.settings, id, "alice", now);
        let (key, path) = (String::from("data"), String::from("/data"));
        new.spec.spec.volumes.push(Volume { key, path, exclusive: false });
        portal.store.begin(&new, None).await.unwrap();
        portal.start("worker");
        portal.ended().await;
        Self { portal }
    }

    /// Starts what ends stacks, as the replica called `owner`.
    fn start(&self, owner: &str, shutdown: &CancellationToken) -> JoinHandle<()> {
        let quotas = Quotas { removal_grace: GRACE, ..Quotas::default() };
        let random = || NEXT.fetch_add(1, Ordering::SeqCst).into();
        let service = service(&self.portal.ports, &self.portal.store, quotas, random);
        let (owner, shutdown) = (owner.to_owned(), shutdown.clone());
        tokio::spawn(async move { service.end_stacks(owner, LEASE, shutdown).await })
    }

    async fn stack(&self) -> Option<Stack> {
        self.portal.store.stacks(None).await.unwrap().pop()
    }

    /// Lets the time pass until `at`.
    async fn until(&self, at: Timestamp) {
        let pause = at.duration_since(self.portal.clock.now()).unsigned_abs();
        self.portal.clock.sleep(pause).await;
    }

    /// Returns the kinds of the operations that the portal began because the time was over.
    async fn begun(&self) -> Vec<KindName> {
        let stack = StackId::of(&DeploymentId::from_random(0));
        let events = self.portal.store.stack_events(stack, 0, 100).await.unwrap();
        let begun = events.into_iter().filter_map(|event| match event.body {
            StackEventBody::OperationBegun { kind, reason: Some(Reason::Expired), .. } => {
                Some(kind)
            }
            _ => None,
        });
        begun.collect()
    }
}

#[test]
fn replicas_stop_a_stack_when_its_time_is_over_and_remove_it_after_the_grace_with_its_data_kept() {
    in_virtual_time(async |clock| {
        let it = Expiring::live(clock).await;
        let shutdown = CancellationToken::new();
        let replicas = [it.start("one", &shutdown), it.start("other", &shutdown)];
        let expires = it.stack().await.unwrap().expires.unwrap();
        it.until(expires - SECOND).await;
        assert_eq!(it.begun().await, [], "not before its time");
        it.until(expires + SOON).await;
        assert_eq!(it.begun().await, [STOP.name], "once, although there are two replicas");
        let stopped = it.stack().await.unwrap();
        assert_eq!((stopped.desired, stopped.operation), (Desired::Stopped, None));

        // The replica whose turn it is dies, and the other one goes on.
        let [one, other] = replicas;
        one.abort();
        it.until(stopped.since.max(expires) + GRACE - SECOND).await;
        assert_eq!(it.begun().await, [STOP.name], "it can still be kept");
        it.until(expires + SOON + GRACE + SOON).await;
        assert_eq!(it.begun().await, [STOP.name, REMOVE.name]);
        assert!(it.stack().await.is_none(), "it is removed");
        let kept = it.portal.store.kept_data(&KeptFilter::All).await.unwrap();
        assert_eq!(kept.iter().map(|data| &data.state).collect::<Vec<_>>(), [&KeptState::Kept]);
        let inventory = it.portal.platform.inventory().await;
        let volumes = inventory["volumes"].as_array().unwrap();
        assert_eq!(volumes.len(), 1, "the data is there: {inventory}");
        assert_eq!(inventory["applications"].as_array().unwrap().len(), 0, "{inventory}");

        shutdown.cancel();
        other.await.unwrap();
    });
}

#[test]
fn the_turn_of_a_replica_that_ends_is_taken_by_another_one_in_its_next_round() {
    in_virtual_time(async |clock| {
        let it = Expiring::live(clock).await;
        let [one, other] = [CancellationToken::new(), CancellationToken::new()];
        let ended = it.start("one", &one);
        let expires = it.stack().await.unwrap().expires.unwrap();
        it.until(expires - SECOND * 90).await;
        let ends = it.start("other", &other);
        it.until(expires - SECOND * 45).await;
        one.cancel();
        ended.await.unwrap();
        // Without the release, the lease lasts beyond the next round, which is after half a minute.
        it.until(expires + SECOND * 75).await;
        assert_eq!(it.begun().await, [STOP.name]);
        other.cancel();
        ends.await.unwrap();
    });
}
