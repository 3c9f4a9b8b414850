//! Ends the time of stacks in rounds. One of the portals that share a database does it for all.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::server::stacks::Service;
use crate::server::store::{Result, TaskHolder, TaskLease};

/// The name of the task.
const WORK: &str = "expiry";
/// The pause between two rounds.
const INTERVAL: Duration = Duration::from_mins(1);

impl Service {
    /// Ends the time of stacks until `shutdown`, as `owner`, whose leases last `lease` beyond the
    /// interval.
    pub async fn end_stacks(&self, owner: String, lease: Duration, shutdown: CancellationToken) {
        let ttl = INTERVAL.saturating_add(lease);
        loop {
            // What a round begins is one transaction each.
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.round(&owner, ttl) => {}
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.parts.clock.sleep(INTERVAL) => {}
            }
        }
        if let Err(error) = self.take_lease(&owner, Duration::ZERO).await {
            tracing::debug!(%error, "Could not release the lease of the end of stacks");
        }
    }

    async fn round(&self, owner: &str, ttl: Duration) {
        let ended = match self.take_lease(owner, ttl).await {
            Ok(TaskHolder::Ours(_)) => self.end_expired().await,
            Ok(TaskHolder::Theirs(_)) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%error, source, "Could not end the stacks whose time is over");
        }
    }

    async fn take_lease(&self, owner: &str, ttl: Duration) -> Result<TaskHolder> {
        let (owner, now) = (owner.to_owned(), self.parts.clock.now());
        let lease = TaskLease { task: WORK, owner, now, ttl, report: None };
        self.parts.store.take_task_lease(&lease).await
    }
}
