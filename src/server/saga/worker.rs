//! The worker: claims operations that nobody drives, and drives each to its end.
//!
//! A claim is a lease, kept alive by a heartbeat. Dropping a saga at any `await` is as good
//! as a crash, so losing the lease and shutting down need no cooperation from it. Every choice
//! is biased, so that a seeded test runs the same way each time.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use jiff::Timestamp;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{
    context::Context,
    engine::{self, Operations},
    failure::error_chain,
    heartbeat::Heartbeat,
    panics,
    ports::Ports,
};
use crate::server::{
    intake::Accepted,
    store::{Lane, Lease, State, StoreError, earlier},
};
use domain::{kind::Direction, progress::elapsed_ms};

/// The interval at which the store is asked for work without a nudge.
const TICK: Duration = Duration::from_secs(1);
/// The number of clean-ups, cancellations, removals and deployments whose time is up that go on at
/// once, besides the other deployments.
const CLEAN_UPS: usize = 16;

/// The number of slots that stay free for what is accepted here while others' work is claimed.
const RESERVED_SLOTS: usize = 16;

/// Claims and drives deployments.
pub struct Worker {
    ports: Ports,
    operations: Operations,
    owner: String,
    /// The time for which a lease lasts without a heartbeat.
    lease: Duration,
    max_concurrent: usize,
    heartbeat: Heartbeat,
}

impl Worker {
    /// Makes a worker called `owner` that drives `operations`, at most `max_concurrent` at a time.
    /// Its leases last `lease` without a heartbeat.
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

    /// Works until `shutdown`, then hands every lease back. Dropping it is as good as a crash.
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

    /// Drives what is accepted here that goes that way, and claims what there is in the lane that is
    /// `lane` by then: `max_concurrent` at a time.
    ///
    /// Nearly all that it has room for is claimed at once: a store with many under way answers
    /// late, and what waits should not wait for one answer after the other.
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
            // A clock that was set back must not keep it from looking.
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

    /// Claims work. Where a newer portal has the database there is none for this one: it ends.
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

    /// Drives the operation for as long as the lease is ours.
    async fn drive_under_lease(&self, lease: Lease, shutdown: CancellationToken) {
        let id = lease.id.clone();
        let cancelled = CancellationToken::new();
        let held = async {
            tokio::select! {
                // The end of a saga comes before a heartbeat that misses the lease for it.
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
            // Not at once: what is wrong with the store may take a moment to pass.
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

    async fn drive(&self, lease: Lease, cancelled: &CancellationToken) -> Result<(), StoreError> {
        let record = self.ports.store.find(&lease.id).await?;
        // Whoever accepted it gave it up in the middle.
        let Some(record) = record else { return Ok(()) };
        if record.state == State::Active && record.panics > panics::LIMIT {
            return panics::end(&self.ports, &lease, &record).await;
        }
        let context = Context::open(&self.ports, lease, cancelled.clone()).await?;
        Box::pin(engine::drive(context, &self.operations)).await
    }
}

/// Takes free slots for what is to be claimed. Some stay for what is accepted meanwhile.
fn reserve_slots(slots: &Arc<Semaphore>) -> Vec<OwnedSemaphorePermit> {
    let room = slots.available_permits();
    let wanted = room - (room / 2).min(RESERVED_SLOTS);
    (0..wanted).map_while(|_| Arc::clone(slots).try_acquire_owned().ok()).collect()
}
