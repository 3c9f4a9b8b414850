//! The worker: claims operations that nobody drives, and drives each to its end.
//!
//! A claim is a lease, kept alive by a heartbeat. Dropping a saga at any `await` is as good
//! as a crash, so losing the lease and shutting down need no cooperation from it. Every choice
//! is biased, so that a seeded test runs the same way each time.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    context::{Context, Ports},
    panics, saga,
};
use crate::{
    domain::progress::elapsed_ms,
    server::ports::store::{Lane, Lease, State, StoreError, Wish, earlier},
};

/// How often the store is asked for work without a nudge.
const TICK: Duration = Duration::from_secs(1);
/// How many clean-ups, cancellations, removals and deployments whose time is up go on at once,
/// besides the other deployments.
const CLEAN_UPS: usize = 16;

/// Claims and drives deployments.
pub struct Worker {
    ports: Ports,
    owner: String,
    /// How long a lease lasts without a heartbeat.
    lease: Duration,
    most: usize,
}

impl Worker {
    /// Makes a worker called `owner` that drives at most `most` deployments at a time. Its
    /// leases last `lease` without a heartbeat.
    pub fn new(ports: Ports, owner: String, lease: Duration, most: usize) -> Self {
        Self { ports, owner, lease, most }
    }

    /// Works until `shutdown`, then hands every lease back. Dropping it is as good as a crash.
    pub async fn run(self, shutdown: CancellationToken) {
        let worker = Arc::new(self);
        let whole = worker.ports.settings.deadlines.whole;
        let clean_up = move |now: Timestamp| Lane::CleanUp { overdue: earlier(now, whole) };
        let clean_up = Arc::clone(&worker).work(clean_up, CLEAN_UPS, shutdown.clone());
        let forward = Arc::clone(&worker).work(|_| Lane::Forward, worker.most, shutdown);
        tokio::join!(forward, clean_up);
    }

    /// Claims what there is in the lane that is `lane` by then, and drives `most` at a time.
    ///
    /// All that it has room for is claimed at once: a store with many under way answers late,
    /// and what waits should not wait for one answer after the other.
    async fn work(
        self: Arc<Self>,
        lane: impl Fn(Timestamp) -> Lane,
        most: usize,
        shutdown: CancellationToken,
    ) {
        let mut driving = JoinSet::new();
        let mut work = self.ports.notifier.work();
        while !shutdown.is_cancelled() {
            while driving.try_join_next().is_some() {}
            work.mark_unchanged();
            for lease in self.claim(&lane, most - driving.len(), &shutdown).await {
                let (worker, shutdown) = (Arc::clone(&self), shutdown.clone());
                driving.spawn(async move { worker.hold(lease, shutdown).await });
            }
            let is_full = driving.len() == most;
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {}
                _ = driving.join_next(), if is_full => {}
                _ = work.changed(), if !is_full => {}
                () = self.ports.clock.sleep(TICK), if !is_full => {}
            }
        }
        while driving.join_next().await.is_some() {}
    }

    /// Claims work. Where a newer portal has the database there is none for this one: it ends.
    async fn claim(
        &self,
        lane: impl Fn(Timestamp) -> Lane,
        most: usize,
        shutdown: &CancellationToken,
    ) -> Vec<Lease> {
        let now = self.ports.clock.now();
        let claimed = self.ports.store.claim(lane(now), most, &self.owner, now, self.lease).await;
        claimed.unwrap_or_else(|error| {
            let text = error_chain(&error);
            if let StoreError::OtherGeneration { .. } = error {
                tracing::warn!(error = text, "Stopping: another version of the portal takes over");
                shutdown.cancel();
            } else {
                tracing::error!(error = text, "Could not look for work");
            }
            Vec::new()
        })
    }

    /// Drives the operation for as long as the lease is ours.
    async fn hold(&self, lease: Lease, shutdown: CancellationToken) {
        let id = lease.id.clone();
        let cancelled = CancellationToken::new();
        let held = async {
            tokio::select! {
                // The end of a saga comes before a heartbeat that misses the lease for it.
                biased;
                result = self.drive(lease.clone(), &cancelled) => result,
                error = keep(&self.ports, self.lease, &lease, &cancelled) => Err(error),
                () = shutdown.cancelled() => Ok(()),
            }
        };
        let Ok(result) = AssertUnwindSafe(held).catch_unwind().await else {
            if let Err(error) = panics::suspend(&self.ports, &lease).await {
                tracing::error!(error = error_chain(&error), "Could not note a panic");
            }
            return;
        };
        if let Err(error) = result {
            tracing::error!(
                deployment.id = %id,
                error = error_chain(&error),
                "Stopped driving; it resumes with the next lease"
            );
            // Not at once: what is wrong with the store may take a moment to pass.
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {}
                () = self.ports.clock.sleep(TICK) => {}
            }
        }
        if let Err(error) = self.ports.store.release(&lease).await {
            tracing::warn!(error = error_chain(&error), "Could not hand a lease back");
        }
    }

    async fn drive(&self, lease: Lease, cancelled: &CancellationToken) -> Result<(), StoreError> {
        if let Some(record) = self.ports.store.find(&lease.id).await?
            && record.state == State::Active
            && record.panics > panics::LIMIT
        {
            return panics::end(&self.ports, &lease, &record).await;
        }
        let context = Context::open(&self.ports, lease, cancelled.clone()).await?;
        Box::pin(saga::drive(context)).await
    }
}

/// Renews the lease until it is lost, and passes on a wish to cancel. A lease that could
/// not be renewed in time is lost, whether or not somebody else has it by now.
pub(super) async fn keep(
    ports: &Ports,
    lasting: Duration,
    lease: &Lease,
    cancelled: &CancellationToken,
) -> StoreError {
    let heartbeat = lasting / 3;
    let mut wishes = ports.notifier.wishes(&lease.id);
    let mut held_until = ports.clock.now() + lasting;
    let left =
        |held_until: Timestamp| Duration::from_millis(elapsed_ms(ports.clock.now(), held_until));
    loop {
        tokio::select! {
            biased;
            _ = wishes.changed() => {}
            () = ports.clock.sleep(heartbeat.min(left(held_until))) => {}
        }
        let until = ports.clock.now() + lasting;
        // A store that hangs must not keep the lease alive beyond its end.
        let renewed = tokio::select! {
            biased;
            renewed = ports.store.renew(lease, until) => renewed,
            () = ports.clock.sleep(left(held_until)) => return StoreError::LeaseLost,
        };
        match renewed {
            Ok(wish) => {
                held_until = until;
                if wish == Wish::Cancel {
                    cancelled.cancel();
                }
            }
            Err(StoreError::LeaseLost) => return StoreError::LeaseLost,
            Err(_) if ports.clock.now() >= held_until => return StoreError::LeaseLost,
            Err(error) => tracing::warn!(error = error_chain(&error), "Missed a heartbeat"),
        }
    }
}

/// Writes an error with all its sources on one line.
fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
