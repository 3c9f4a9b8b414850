//! The call gate: which of a portal's operations may make the next call that changes something.
//!
//! The oldest operation comes first. What bounds the calls of all portals together is the port
//! [`CallSlots`].

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::{Notify, futures::Notified};

use crate::server::{
    local_fault::{self, LocalFault},
    platform::{
        Platform,
        call_slots::{CallBounds, CallKind, CallSlots, SlotId, SlotRequest},
        local_slots::LocalCallSlots,
    },
};
use clock::Clock;
use domain::progress::elapsed_ms;

/// The time for which an answer of the platform on its health is good.
const FRESH: Duration = Duration::from_secs(2);

/// The calls of one portal that change something, one after the other.
pub struct CallGate {
    pub(crate) slots: Arc<dyn CallSlots>,
    bounds: CallBounds,
    /// The name of this portal among those that share the slots.
    portal: String,
    queue: Mutex<BTreeSet<Key>>,
    next: AtomicU64,
    changed: Notify,
    /// The time at which the platform was last asked about its health, and what it said.
    health: tokio::sync::Mutex<Option<(Timestamp, Wellness)>>,
}

/// What the platform says of its health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wellness {
    /// It is well.
    Well,
    /// It is not, or does not say.
    Unwell,
    /// It could not be asked, for what the portal itself lacks.
    Unasked(LocalFault),
}

/// A place in the queue: the oldest operation of a kind comes first.
type Key = (CallKind, Timestamp, u64);

impl CallGate {
    /// Makes the gate of the portal called `portal`, which calls within `bounds`.
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

    /// Queues up for a call of `kind`, by the age of the operation.
    pub(crate) fn queue_up(self: &Arc<Self>, kind: CallKind, age: Timestamp) -> Place {
        let key = (kind, age, self.next.fetch_add(1, Ordering::Relaxed));
        self.queue().insert(key);
        Place { call_gate: Arc::clone(self), key }
    }

    /// Returns what tells that somebody's call has ended, or that somebody waits no longer.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Tells all who wait that there may be a slot.
    pub(crate) fn wake(&self) {
        self.changed.notify_waiters();
    }

    /// Asks the platform about its health after calls whose responses were lost. Whoever asks
    /// meanwhile waits for the same answer.
    pub(crate) async fn wellness(&self, platform: &dyn Platform, clock: &dyn Clock) -> Wellness {
        let mut last = self.health.lock().await;
        if let Some((at, wellness)) = *last
            && Duration::from_millis(elapsed_ms(at, clock.now())) < FRESH
        {
            return wellness;
        }
        let wellness = match platform.diagnose().await {
            Ok(()) => Wellness::Well,
            Err(error) => error
                .local_fault()
                .map_or(Wellness::Unwell, |fault| Wellness::Unasked(local_fault::classify(fault))),
        };
        *last = Some((clock.now(), wellness));
        wellness
    }

    fn queue(&self) -> MutexGuard<'_, BTreeSet<Key>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for CallGate {
    fn default() -> Self {
        let slots = Arc::new(LocalCallSlots::default());
        Self::new(slots, CallBounds::default(), String::from("portal"))
    }
}

/// A place in the queue, which is given up when it is dropped.
pub(crate) struct Place {
    call_gate: Arc<CallGate>,
    key: Key,
}

impl Place {
    /// Returns whether nobody older waits for such a call.
    pub(crate) fn is_first(&self) -> bool {
        let from = (self.key.0, Timestamp::MIN, 0);
        self.call_gate.queue().range(from..).next() == Some(&self.key)
    }

    /// Writes the request for a slot, whose call ends by `until`.
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
            is_well: None,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.call_gate.queue().remove(&self.key);
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
