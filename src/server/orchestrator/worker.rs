//! The worker: claims deployments that nobody drives, and drives each to its end.
//!
//! A claim is a lease, kept alive by a heartbeat. Dropping a saga at any `await` is as good
//! as a crash, so losing the lease and shutting down need no cooperation from it.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    context::{Context, Ports},
    saga,
};
use crate::server::ports::store::{Lease, StoreError};

/// How long a lease lasts without a heartbeat.
const LEASE: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often the store is asked for work without a nudge.
const TICK: Duration = Duration::from_secs(2);

/// Claims and drives deployments.
pub struct Worker {
    ports: Ports,
    owner: String,
    slots: Arc<Semaphore>,
}

impl Worker {
    /// Makes a worker called `owner` that drives at most `most` deployments at a time.
    pub fn new(ports: Ports, owner: String, most: usize) -> Self {
        Self { ports, owner, slots: Arc::new(Semaphore::new(most)) }
    }

    /// Works until `shutdown`, then hands every lease back.
    pub async fn run(self, shutdown: CancellationToken) {
        let worker = Arc::new(self);
        let driving = TaskTracker::new();
        loop {
            let slot = tokio::select! {
                () = shutdown.cancelled() => break,
                slot = Arc::clone(&worker.slots).acquire_owned() => slot,
            };
            let Ok(slot) = slot else { break };
            if let Some(lease) = worker.claim().await {
                let (worker, shutdown) = (Arc::clone(&worker), shutdown.clone());
                driving.spawn(async move { worker.hold(lease, slot, shutdown).await });
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = worker.ports.notifier.work() => {}
                () = worker.ports.clock.sleep(TICK) => {}
            }
        }
        driving.close();
        driving.wait().await;
    }

    async fn claim(&self) -> Option<Lease> {
        let now = self.ports.clock.now();
        match self.ports.store.claim(&self.owner, now, LEASE).await {
            Ok(lease) => lease,
            Err(error) => {
                tracing::error!(error = error_chain(&error), "Could not look for work");
                None
            }
        }
    }

    /// Drives the deployment for as long as the lease is ours.
    async fn hold(&self, lease: Lease, slot: OwnedSemaphorePermit, shutdown: CancellationToken) {
        let id = lease.id.clone();
        let result = tokio::select! {
            // The end of a saga comes before a heartbeat that misses the lease for it.
            biased;
            result = self.drive(lease.clone()) => result,
            error = self.keep(&lease) => Err(error),
            () = shutdown.cancelled() => Ok(()),
        };
        if let Err(error) = result {
            tracing::error!(
                deployment.id = %id,
                error = error_chain(&error),
                "Stopped driving; it resumes with the next lease"
            );
            // Not at once: what is wrong with the store may take a moment to pass.
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.ports.clock.sleep(TICK) => {}
            }
        }
        if let Err(error) = self.ports.store.release(&lease).await {
            tracing::warn!(error = error_chain(&error), "Could not hand a lease back");
        }
        drop(slot);
    }

    async fn drive(&self, lease: Lease) -> Result<(), StoreError> {
        let context = Context::open(&self.ports, lease).await?;
        Box::pin(saga::drive(context)).await
    }

    /// Renews the lease until that fails for good.
    async fn keep(&self, lease: &Lease) -> StoreError {
        loop {
            self.ports.clock.sleep(HEARTBEAT).await;
            let until = self.ports.clock.now() + LEASE;
            match self.ports.store.renew(lease, until).await {
                Ok(()) => {}
                Err(StoreError::LeaseLost) => return StoreError::LeaseLost,
                Err(error) => tracing::warn!(error = error_chain(&error), "Missed a heartbeat"),
            }
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
