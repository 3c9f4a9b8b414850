//! The worker: claims operations that no worker drives, and drives each to its end.
//!
//! A claim is a lease, which a heartbeat renews. Dropping a saga at any `await` is equivalent to a
//! crash, which it survives, so a lost lease and a shutdown simply drop it. Every `select!` is
//! biased, so that a seeded test runs the same way each time.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::context::Context;
use super::engine::{self, Operations};
use super::failure::error_chain;
use super::heartbeat::Heartbeat;
use super::panics;
use super::ports::Ports;
use crate::server::intake::Accepted;
use crate::server::store::{Lane, Lease, Result, State, StoreError};
use domain::kind::Direction;
use domain::time::{earlier, elapsed_ms};

/// The interval at which the store is queried for work without a notification.
const TICK: Duration = Duration::from_secs(1);
/// The number of slots for clean-ups, cancellations, removals and overdue deployments. Other
/// deployments have slots of their own.
const CLEAN_UPS: usize = 16;

/// The maximum number of slots that a claim leaves free for operations that this portal accepts
/// meanwhile.
const RESERVED_SLOTS: usize = 16;

/// Claims and drives deployments.
pub struct Worker {
    ports: Ports,
    operations: Operations,
    owner: String,
    /// The time after the last heartbeat when a lease expires.
    lease: Duration,
    max_concurrent: usize,
    heartbeat: Heartbeat,
}

impl Worker {
    /// Creates a worker called `owner` that drives `operations`, at most `max_concurrent`
    /// deployments at a time. A lease expires `lease` after its last heartbeat.
    pub fn new(
        ports: Ports,
        operations: Operations,
        owner: String,
        lease: Duration,
        max_concurrent: usize,
    ) -> Self {
        let heartbeat = Heartbeat::new(ports.clone(), lease);
        Self { ports, operations, owner, lease, max_concurrent, heartbeat }
    }

    /// Works until `shutdown`, then releases every lease. Dropping the future is equivalent to a
    /// crash.
    pub async fn run(self, shutdown: CancellationToken) {
        let worker = Arc::new(self);
        let whole = worker.ports.settings.deadlines.whole;
        let clean_up = move |now: Timestamp| Lane::CleanUp { overdue: earlier(now, whole) };
        let clean_up =
            Arc::clone(&worker).work(Direction::Back, clean_up, CLEAN_UPS, shutdown.clone());
        let forward = Arc::clone(&worker).work(
            Direction::Forward,
            |_| Lane::Forward,
            worker.max_concurrent,
            shutdown.clone(),
        );
        tokio::join!(forward, clean_up, worker.heartbeat.run(shutdown));
    }

    /// Drives operations of one lane, at most `max_concurrent` at a time: those that this portal
    /// accepts and whose direction is `accepted`, and those that it claims. `lane` returns the lane
    /// at a given time.
    ///
    /// One claim fills nearly all free slots: a store with many operations in progress is slow, and
    /// operations should not wait for one claim after the other.
    async fn work(
        self: Arc<Self>,
        accepted: Direction,
        lane: impl Fn(Timestamp) -> Lane,
        max_concurrent: usize,
        shutdown: CancellationToken,
    ) {
        let slots = Arc::new(Semaphore::new(max_concurrent.min(Semaphore::MAX_PERMITS)));
        let intake = self.ports.notifier.intake();
        let mut accepted = intake.open(accepted, &self.owner, self.lease, &slots);
        let mut driving = JoinSet::new();
        let mut work = self.ports.notifier.work();
        let start = |driving: &mut JoinSet<()>, (lease, slot): Accepted| {
            let (worker, shutdown) = (Arc::clone(&self), shutdown.clone());
            driving.spawn(async move {
                worker.drive_under_lease(lease, shutdown).await;
                drop(slot);
            });
        };
        let mut look_at = self.ports.clock.now();
        while !shutdown.is_cancelled() {
            while driving.try_join_next().is_some() {}
            let now = self.ports.clock.now();
            // If the clock was set back, `look_at` may be far in the future: query anyway.
            if now >= look_at || look_at > now + TICK {
                work.mark_unchanged();
                let free = reserve_slots(&slots);
                let wanted = free.len();
                let leases = self.claim(&lane, wanted, &shutdown).await;
                let may_be_more = wanted > 0 && leases.len() == wanted;
                leases.into_iter().zip(free).for_each(|one| start(&mut driving, one));
                look_at = self.ports.clock.now() + if may_be_more { Duration::ZERO } else { TICK };
            }
            let is_full = slots.available_permits() == 0;
            let pause = Duration::from_millis(elapsed_ms(self.ports.clock.now(), look_at));
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {}
                Some(one) = accepted.recv() => start(&mut driving, one),
                Some(_) = driving.join_next(), if is_full => look_at = self.ports.clock.now(),
                _ = work.changed(), if !is_full => look_at = self.ports.clock.now(),
                () = self.ports.clock.sleep(pause) => {}
            }
        }
        accepted.close();
        while let Ok(one) = accepted.try_recv() {
            start(&mut driving, one);
        }
        while driving.join_next().await.is_some() {}
    }

    /// Claims work. If a newer version of the portal has migrated the database, this process must
    /// not write any more: it shuts down.
    async fn claim(
        &self,
        lane: impl Fn(Timestamp) -> Lane,
        max_concurrent: usize,
        shutdown: &CancellationToken,
    ) -> Vec<Lease> {
        if max_concurrent == 0 {
            return Vec::new();
        }
        let now = self.ports.clock.now();
        let (kinds, owner) = (self.operations.names(), &self.owner);
        let claim =
            self.ports.store.claim(lane(now), &kinds, max_concurrent, owner, now, self.lease);
        let claimed = claim.await;
        self.ports.outages.note(&claimed, now, self.ports.clock.now());
        claimed.unwrap_or_else(|error| {
            let text = error_chain(&error);
            if let StoreError::OtherGeneration { .. } = error {
                tracing::warn!(error = text, "Stopping: another version of the portal takes over");
                shutdown.cancel();
            } else {
                tracing::error!(error = text, "Could not query for work");
            }
            Vec::new()
        })
    }

    /// Drives the operation while the lease is held.
    async fn drive_under_lease(&self, lease: Lease, shutdown: CancellationToken) {
        let id = lease.id.clone();
        let _held = self.ports.metrics.lease();
        let cancelled = CancellationToken::new();
        let held = async {
            tokio::select! {
                // A saga that has ended comes first: after its end, the heartbeat may no longer
                // find the lease.
                biased;
                result = self.drive(lease.clone(), &cancelled) => result,
                error = self.heartbeat.keep(&lease, &cancelled) => Err(error),
                () = shutdown.cancelled() => Ok(()),
            }
        };
        let Ok(result) = AssertUnwindSafe(held).catch_unwind().await else {
            if let Err(error) = panics::suspend(&self.ports, &lease).await {
                tracing::error!(error = error_chain(&error), "Could not record a panic");
            }
            return;
        };
        if let Err(error) = result {
            tracing::error!(
                deployment.id = %id,
                error = error_chain(&error),
                "Stopped executing; the next lease holder resumes"
            );
            // The lease is released after a pause: the store may have a fault that passes.
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {}
                () = self.ports.clock.sleep(TICK) => {}
            }
        }
        if let Err(error) = self.ports.store.release(&lease).await {
            tracing::warn!(error = error_chain(&error), "Could not release a lease");
        }
    }

    async fn drive(&self, lease: Lease, cancelled: &CancellationToken) -> Result<()> {
        let record = self.ports.store.find(&lease.id).await?;
        // The request that accepted it was dropped before it was recorded.
        let Some(record) = record else { return Ok(()) };
        if record.state == State::Active && record.panics > panics::LIMIT {
            return panics::end(&self.ports, &lease, &record).await;
        }
        let context = Context::open(&self.ports, lease.clone(), cancelled.clone()).await?;
        context.trace_takeover(&lease);
        Box::pin(engine::drive(context, &self.operations)).await
    }
}

/// Takes free slots for a claim. It leaves half of them, but at most [`RESERVED_SLOTS`], for
/// operations that are accepted meanwhile.
fn reserve_slots(slots: &Arc<Semaphore>) -> Vec<OwnedSemaphorePermit> {
    let room = slots.available_permits();
    let wanted = room - (room / 2).min(RESERVED_SLOTS);
    (0..wanted).map_while(|_| Arc::clone(slots).try_acquire_owned().ok()).collect()
}
