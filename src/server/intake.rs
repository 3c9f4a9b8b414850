//! The intake: an operation that this process accepts is leased to its own worker from the
//! beginning, if the worker has a free slot.
//!
//! The lease is part of the transaction that accepts the operation, so no other replica can claim
//! it first, and then die with it. Without a free slot, any replica with one claims the operation.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::server::lease::{Claim, Lease};
use crate::server::store_error::StoreError;
use domain::deployment::DeploymentId;
use domain::kind::Direction;
use domain::time::later;

/// The fencing token of the first lease of an operation.
const FIRST_TOKEN: i64 = 1;

/// A lease on an accepted operation, and the worker's slot that is reserved for it.
pub type Accepted = (Lease, OwnedSemaphorePermit);

/// The channels that hand accepted operations to the worker of this process. Without a worker
/// nothing is reserved.
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
        *self.of(direction).lock() = Some(WorkerSlots { owner, ttl, slots, accepted });
        receiver
    }

    /// Reserves a slot for the operation `id` that is about to begin; `None` if none is free.
    pub fn reserve(
        &self,
        id: &DeploymentId,
        direction: Direction,
        now: Timestamp,
    ) -> Option<SlotReservation> {
        let opening = self.of(direction).lock().clone().filter(|one| !one.accepted.is_closed())?;
        let slot = Arc::clone(&opening.slots).try_acquire_owned().ok()?;
        let lease =
            Lease { id: id.clone(), owner: opening.owner, token: FIRST_TOKEN, former: None };
        let until = later(now, opening.ttl);
        Some(SlotReservation { accepted: Some((lease, slot)), until, to: opening.accepted })
    }

    fn of(&self, direction: Direction) -> &Mutex<Option<WorkerSlots>> {
        match direction {
            Direction::Forward => &self.forward,
            Direction::Back => &self.back,
        }
    }
}

/// A slot that is reserved for an operation about to begin.
///
/// If it is dropped, the lease is still handed to the worker: the caller may be cancelled after the
/// operation has begun.
#[derive(Debug)]
pub struct SlotReservation {
    accepted: Option<Accepted>,
    until: Timestamp,
    to: mpsc::UnboundedSender<Accepted>,
}

impl SlotReservation {
    /// Returns the claim to store with the operation.
    pub fn claim(&self) -> Option<Claim> {
        let (lease, _) = self.accepted.as_ref()?;
        Some(Claim { owner: lease.owner.clone(), token: lease.token, until: self.until })
    }

    /// Releases the slot, unless the operation may have begun in spite of `error`.
    pub fn fail(self, error: &StoreError) {
        match error {
            StoreError::Unavailable(_) => drop(self),
            _ => self.give_back(),
        }
    }

    /// Releases the slot: the operation did not begin.
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
