//! The end of a stack's time: it is stopped, and removed later with its data kept, unless somebody
//! keeps it in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ai_stack_deployer::server::audit::{AuditFilter, AuditLog as _};
use ai_stack_deployer::server::settings::{Quotas, StackSettings};
use ai_stack_deployer::server::stacks::{NewExpiry, Service};
use ai_stack_deployer::server::store::{
    Desired, Kept as _, KeptFilter, KeptState, Stack, StackEvents as _, Stacks as _,
};
use domain::deployment::DeploymentId;
use domain::kind::{KindName, REMOVE, START, STOP};
use domain::stack_event::{Reason, StackEventBody};
use domain::stack_id::StackId;
use domain::stack_spec::StackSpec;

use super::on_stack::alice;
use super::volumes::volume;
use super::world::World;
use crate::support::caller;
use crate::support::claim_one::CLEAN_UP;
use crate::support::memory_store::MemoryStore;
use crate::support::service::service;
use crate::support::settings::stack_settings;

const HOUR: Duration = Duration::from_hours(1);
const LIFETIME: Duration = Duration::from_hours(48);
const GRACE: Duration = Duration::from_hours(72);

/// The number of the next operation.
static NEXT: AtomicU64 = AtomicU64::new(9_000);

/// A portal with a live stack that expires, and whose data is kept.
struct Expiring {
    world: World,
    store: Arc<MemoryStore>,
    /// Two replicas.
    portals: [Service; 2],
}

impl Expiring {
    async fn new() -> Self {
        let store = Arc::new(MemoryStore::default());
        let settings =
            StackSettings { lifetime_max: Some(LIFETIME), ..stack_settings("sandbox/hello") };
        let change = |spec: &mut StackSpec| spec.volumes.push(volume());
        let world = World::begin_with(Arc::clone(&store) as _, settings, change, &[]).await;
        world.drive().await;
        let portals = [portal(&world, &store), portal(&world, &store)];
        Self { world, store, portals }
    }

    async fn stack(&self) -> Stack {
        self.store.stacks(Some(&alice())).await.unwrap().remove(0)
    }

    /// Lets both replicas look at the same time, and drives what they begin.
    async fn look(&mut self) {
        let [one, other] = &self.portals;
        let (first, second) = tokio::join!(one.end_expired(), other.end_expired());
        first.unwrap();
        second.unwrap();
        let held = self.store.stacks(None).await.unwrap().pop().and_then(|stack| stack.operation);
        if let Some(held) = held {
            self.world.id = held.id;
            self.world.drive_in(CLEAN_UP).await;
        }
    }

    async fn keep(&self) -> Result<bool, u16> {
        let made = DeploymentId::from_random(42);
        let service = &self.portals[0];
        let kept = service.set_expiry(&caller(), "alice", Some(&made), NewExpiry::Later).await;
        kept.map_err(|error| error.status())
    }

    /// Returns how often the portal began an operation of this kind because the time was over.
    async fn ended_by(&self, kind: KindName) -> usize {
        let stack = StackId::of(&DeploymentId::from_random(42));
        let events = self.store.stack_events(stack, 0, 100).await.unwrap();
        let begun = events.into_iter().filter_map(|event| {
            let StackEventBody::OperationBegun { kind, reason, .. } = event.body else {
                return None;
            };
            Some((kind, reason))
        });
        begun.filter(|begun| *begun == (kind, Some(Reason::Expired))).count()
    }

    async fn audit(&self) -> Vec<(String, &'static str)> {
        let filter = AuditFilter { limit: 100, ..AuditFilter::default() };
        let entries = self.store.entries(&filter).await.unwrap();
        entries.into_iter().rev().map(|(_, entry)| (entry.who, entry.act.as_str())).collect()
    }
}

fn portal(world: &World, store: &Arc<MemoryStore>) -> Service {
    // No limit counts what the portal does.
    let quotas = Quotas {
        kept: Some(0),
        operations_per_hour: Some(0),
        removal_grace: GRACE,
        ..Quotas::default()
    };
    service(&world.ports, store, quotas, || NEXT.fetch_add(1, Ordering::SeqCst).into())
}

#[tokio::test]
async fn a_stack_whose_time_is_over_is_stopped_once_and_removed_later_with_its_data_kept() {
    let mut it = Expiring::new().await;
    let stack = it.stack().await;
    assert_eq!(stack.expires, Some(stack.since + LIFETIME), "from when it became live");

    it.world.clock.advance(LIFETIME.saturating_sub(HOUR));
    it.look().await;
    assert_eq!(it.stack().await.desired, Desired::Running, "not before its time");
    it.world.clock.advance(HOUR);
    it.look().await;
    assert_eq!((it.stack().await.desired, it.ended_by(STOP.name).await), (Desired::Stopped, 1));

    it.world.clock.advance(GRACE.saturating_sub(HOUR));
    it.look().await;
    assert_eq!(it.ended_by(REMOVE.name).await, 0, "it can still be kept");
    it.world.clock.advance(HOUR + HOUR);
    it.look().await;
    assert_eq!((it.ended_by(STOP.name).await, it.ended_by(REMOVE.name).await), (1, 1));
    assert!(it.store.stacks(None).await.unwrap().is_empty());
    let kept = it.store.kept_data(&KeptFilter::All).await.unwrap();
    assert_eq!(kept.iter().map(|data| &data.state).collect::<Vec<_>>(), [&KeptState::Kept]);
    let portal = |act| (String::from("portal"), act);
    assert_eq!(it.audit().await, [portal("stop_stack"), portal("remove")]);
}

#[tokio::test]
async fn a_stack_that_is_kept_in_time_goes_on_and_one_that_was_stopped_stays() {
    let mut it = Expiring::new().await;
    it.world.clock.advance(LIFETIME.saturating_sub(HOUR));
    assert_eq!(it.keep().await, Ok(true));
    it.world.clock.advance(LIFETIME.saturating_sub(HOUR));
    it.look().await;
    assert_eq!((it.stack().await.desired, it.ended_by(STOP.name).await), (Desired::Running, 0));

    it.world.clock.advance(HOUR);
    it.look().await;
    assert_eq!(it.stack().await.desired, Desired::Stopped);
    it.world.clock.advance(GRACE.saturating_sub(HOUR));
    assert_eq!(it.keep().await, Ok(true), "until it is removed");
    it.world.clock.advance(LIFETIME.saturating_sub(HOUR));
    it.look().await;
    assert_eq!(it.ended_by(REMOVE.name).await, 0);
    it.world.run_on_stack(&START, 77).await;
    it.look().await;
    assert_eq!(it.stack().await.desired, Desired::Running, "it can be started again");
}

#[tokio::test]
async fn an_operation_that_is_under_way_is_waited_for() {
    let mut it = Expiring::new().await;
    it.world.run_on_stack(&STOP, 70).await;
    it.world.clock.advance(LIFETIME + HOUR);
    it.world.ask_for(&START, 71).await;
    for portal in &it.portals {
        portal.end_expired().await.unwrap();
    }
    assert_eq!(it.ended_by(STOP.name).await, 0, "it is being started");
    it.world.drive().await;
    it.look().await;
    assert_eq!(it.stack().await.desired, Desired::Running, "a person has just started it");
    it.world.clock.advance(HOUR);
    it.look().await;
    assert_eq!((it.stack().await.desired, it.ended_by(STOP.name).await), (Desired::Stopped, 1));
}
