//! The call gate: decides which of a portal's operations may make the next mutating call.
//!
//! The oldest operation comes first. The port [`CallSlots`] limits the calls of all portals that
//! share a platform.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::server::local_fault::{self, LocalFault};
use crate::server::platform::Platform;
use crate::server::platform::call_slots::{CallBounds, CallKind, CallSlots, SlotId, SlotRequest};
use crate::server::platform::local_slots::LocalCallSlots;
use clock::Clock;
use domain::time::elapsed_ms;

/// The time for which a result of the platform's health check is reused.
const FRESH: Duration = Duration::from_secs(2);

/// Orders the mutating calls of one portal.
pub struct CallGate {
    pub(crate) slots: Arc<dyn CallSlots>,
    bounds: CallBounds,
    /// The name of this portal among those that share the slots.
    portal: String,
    queue: Mutex<BTreeSet<Key>>,
    next: AtomicU64,
    changed: Notify,
    /// The last health check of the platform: its time and its result.
    health: tokio::sync::Mutex<Option<(Timestamp, PlatformHealth)>>,
}

/// The result of the platform's health check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlatformHealth {
    /// The platform is healthy.
    Healthy,
    /// The platform is unhealthy, or does not answer.
    Unhealthy,
    /// A local fault of the portal prevented the check.
    NotChecked(LocalFault),
}

/// The order in the queue: within a kind of call, the oldest operation comes first. The number
/// makes the key unique.
type Key = (CallKind, Timestamp, u64);

impl CallGate {
    /// Creates the gate of the portal called `portal`. Its calls stay within `bounds`.
    pub fn new(slots: Arc<dyn CallSlots>, bounds: CallBounds, portal: String) -> Self {
        Self {
            slots,
            bounds,
            portal,
            queue: Mutex::default(),
            next: AtomicU64::new(0),
            changed: Notify::new(),
            health: tokio::sync::Mutex::default(),
        }
    }

    /// Queues an operation that began at `age` for a call of `kind`.
    pub(crate) fn queue_up(self: &Arc<Self>, kind: CallKind, age: Timestamp) -> Place {
        let key = (kind, age, self.next.fetch_add(1, Ordering::Relaxed));
        self.queue.lock().insert(key);
        Place { call_gate: Arc::clone(self), key }
    }

    /// Returns a future that completes when a call of this portal ends, or when an operation leaves
    /// the queue.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Wakes all waiting operations: a slot may be free.
    pub(crate) fn wake(&self) {
        self.changed.notify_waiters();
    }

    /// Checks the platform's health after calls whose responses were lost. Concurrent callers share
    /// one check.
    pub(crate) async fn platform_health(
        &self,
        platform: &dyn Platform,
        clock: &dyn Clock,
    ) -> PlatformHealth {
        let mut last = self.health.lock().await;
        if let Some((at, health)) = *last
            && Duration::from_millis(elapsed_ms(at, clock.now())) < FRESH
        {
            return health;
        }
        let health = match platform.diagnose().await {
            Ok(()) => PlatformHealth::Healthy,
            Err(error) => error.local_fault().map_or(PlatformHealth::Unhealthy, |fault| {
                PlatformHealth::NotChecked(local_fault::classify(fault))
            }),
        };
        *last = Some((clock.now(), health));
        health
    }
}

impl Default for CallGate {
    fn default() -> Self {
        let slots = Arc::new(LocalCallSlots::default());
        Self::new(slots, CallBounds::default(), String::from("portal"))
    }
}

/// A place in the queue. Dropping it leaves the queue.
pub(crate) struct Place {
    call_gate: Arc<CallGate>,
    key: Key,
}

impl Place {
    /// Returns whether no older operation waits for the same kind of call.
    pub(crate) fn is_first(&self) -> bool {
        let from = (self.key.0, Timestamp::MIN, 0);
        self.call_gate.queue.lock().range(from..).next() == Some(&self.key)
    }

    /// Returns the request for a slot, whose call has no effect any more after `until`.
    pub(crate) fn request(&self, now: Timestamp, until: Timestamp) -> SlotRequest {
        let (kind, age, number) = self.key;
        SlotRequest {
            id: SlotId(format!("{}-{number}", self.call_gate.portal)),
            kind,
            portal: self.call_gate.portal.clone(),
            age,
            now,
            until,
            bounds: self.call_gate.bounds,
            is_healthy: None,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.call_gate.queue.lock().remove(&self.key);
        self.call_gate.wake();
    }
}

#[cfg(test)]
mod tests {
    use crate::server::saga::call_gate::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_427_270 + second).unwrap()
    }

    #[test]
    fn the_oldest_operation_is_first_for_each_kind_of_call() {
        let call_gate = Arc::new(CallGate::default());
        let young = call_gate.queue_up(CallKind::Other, at(2));
        let old = call_gate.queue_up(CallKind::Other, at(1));
        let domain = call_gate.queue_up(CallKind::Domain, at(3));
        assert!(old.is_first() && domain.is_first() && !young.is_first());
        drop(old);
        assert!(young.is_first());
    }
}
