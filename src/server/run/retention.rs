//! Retention: deletes old deployments in the background.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::server::store::{Operations, earlier};
use clock::Clock;

/// The interval between two purges.
const INTERVAL: Duration = Duration::from_hours(1);

/// Purges deployments that ended or were removed more than `days` days ago, every hour until
/// `shutdown`.
pub(super) async fn run(
    operations: Arc<dyn Operations>,
    clock: Arc<dyn Clock>,
    days: u32,
    shutdown: CancellationToken,
) {
    let age = Duration::from_hours(u64::from(days) * 24);
    loop {
        match operations.purge(earlier(clock.now(), age)).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "Purged old deployments"),
            Err(error) => tracing::warn!(%error, "Could not purge old deployments"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = clock.sleep(INTERVAL) => {}
        }
    }
}
