//! The intake: what this process accepts and has room for is its own from the beginning.
//!
//! The lease is part of the transaction that accepts an operation, so no other replica can claim it
//! first, and then die with it. Where there is no room, whoever has some claims it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::store::{Claim, Lease, StoreError};
use domain::{deployment::DeploymentId, kind::Direction};

/// The fencing token of a lease that an operation begins with.
const FIRST_TOKEN: i64 = 1;

/// A lease to drive, and the slot that is kept for it.
pub type Accepted = (Lease, OwnedSemaphorePermit);

/// The channel by which a worker is handed what was accepted for it. Without a worker nothing is.
#[derive(Debug, Default)]
pub struct Intake {
    forward: Mutex<Option<WorkerSlots>>,
    back: Mutex<Option<WorkerSlots>>,
}

#[derive(Clone, Debug)]
struct WorkerSlots {
    owner: String,
    ttl: Duration,
    slots: Arc<Semaphore>,
    accepted: mpsc::UnboundedSender<Accepted>,
}

impl Intake {
    /// Opens it for operations that go that way: they are leased to `owner` for `ttl`, as long as
    /// there are `slots`, until the receiver has gone.
    pub fn open(
        &self,
        direction: Direction,
        owner: &str,
        ttl: Duration,
        slots: &Arc<Semaphore>,
    ) -> mpsc::UnboundedReceiver<Accepted> {
        let (accepted, receiver) = mpsc::unbounded_channel();
        let (owner, slots) = (owner.to_owned(), Arc::clone(slots));
        *self.of(direction) = Some(WorkerSlots { owner, ttl, slots, accepted });
        receiver
    }

    /// Keeps a slot for the operation `id` that is about to begin, if there is one.
    pub fn reserve(
        &self,
        id: &DeploymentId,
        direction: Direction,
        now: Timestamp,
    ) -> Option<SlotReservation> {
        let opening = self.of(direction).clone().filter(|one| !one.accepted.is_closed())?;
        let slot = Arc::clone(&opening.slots).try_acquire_owned().ok()?;
        let lease = Lease { id: id.clone(), owner: opening.owner, token: FIRST_TOKEN };
        let until = now.checked_add(opening.ttl).unwrap_or(now);
        Some(SlotReservation { accepted: Some((lease, slot)), until, to: opening.accepted })
    }

    fn of(&self, direction: Direction) -> MutexGuard<'_, Option<WorkerSlots>> {
        let opening = match direction {
            Direction::Forward => &self.forward,
            Direction::Back => &self.back,
        };
        opening.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A slot that is kept for an operation about to begin.
///
/// Dropped, it goes to the worker all the same: whoever waited for the operation's beginning may
/// have left in the middle of it.
#[derive(Debug)]
pub struct SlotReservation {
    accepted: Option<Accepted>,
    until: Timestamp,
    to: mpsc::UnboundedSender<Accepted>,
}

impl SlotReservation {
    /// Returns what the operation begins with.
    pub fn claim(&self) -> Option<Claim> {
        let (lease, _) = self.accepted.as_ref()?;
        Some(Claim { owner: lease.owner.clone(), token: lease.token, until: self.until })
    }

    /// Gives the slot back unless the operation may have begun in spite of `error`.
    pub fn fail(self, error: &StoreError) {
        match error {
            StoreError::Unavailable(_) => drop(self),
            _ => self.give_back(),
        }
    }

    /// Gives the slot back: the operation did not begin.
    pub fn give_back(mut self) {
        self.accepted = None;
    }
}

impl Drop for SlotReservation {
    fn drop(&mut self) {
        if let Some(accepted) = self.accepted.take()
            && self.to.send(accepted).is_err()
        {
            tracing::debug!("No worker took the accepted operation: its lease expires");
        }
    }
}
