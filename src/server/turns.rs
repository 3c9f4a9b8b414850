//! Tasks that one of the portals that share a database does for all: a portal does a round of such a
//! task only while it has the task's lease.
//!
//! It must not know what the tasks do.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::store::{Result, Store, TaskHolder, TaskLease};
use clock::Clock;

/// The turns of one portal at one task.
pub(super) struct Turns {
    /// The name of the task.
    pub(super) task: &'static str,
    /// The portal.
    pub(super) owner: String,
    /// How long its lease lasts after the beginning of a round.
    pub(super) ttl: Duration,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    /// Cancelled when the portal ends.
    pub(super) shutdown: CancellationToken,
}

impl Turns {
    /// Waits for `pause`, and returns whether the next round is this portal's. Returns `None` once the
    /// portal ends: the lease is released then, so that the others need not wait for it.
    pub(super) async fn after(&self, pause: Duration) -> Option<Result<bool>> {
        let next = async {
            self.clock.sleep(pause).await;
            self.take(self.ttl).await.map(|holder| matches!(holder, TaskHolder::Ours(_)))
        };
        if let Some(is_ours) = self.shutdown.run_until_cancelled(next).await {
            return Some(is_ours);
        }
        if let Err(error) = self.take(Duration::ZERO).await {
            tracing::debug!(%error, task = self.task, "Could not release the lease of a task");
        }
        None
    }

    /// Does a round, until the portal ends. What a round records is one transaction each, so it can be
    /// dropped at any point.
    pub(super) async fn round(&self, round: impl Future<Output = ()>) {
        self.shutdown.run_until_cancelled(round).await;
    }

    async fn take(&self, ttl: Duration) -> Result<TaskHolder> {
        let (owner, now) = (self.owner.clone(), self.clock.now());
        let lease = TaskLease { task: self.task, owner, now, ttl, report: None };
        self.store.take_task_lease(&lease).await
    }
}
