//! Ends the time of stacks in rounds. One of the portals that share a database does it for all.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::server::stacks::Service;
use crate::server::store::Result;
use crate::server::turns::Turns;

/// The name of the task.
const WORK: &str = "expiry";
/// The pause between two rounds.
const INTERVAL: Duration = Duration::from_mins(1);

impl Service {
    /// Ends the time of stacks until `shutdown`, as `owner`, whose leases last `lease` beyond the
    /// interval.
    pub async fn end_stacks(&self, owner: String, lease: Duration, shutdown: CancellationToken) {
        let (store, clock) = (Arc::clone(&self.parts.store), Arc::clone(&self.parts.clock));
        let ttl = INTERVAL.saturating_add(lease);
        let turns = Turns { task: WORK, owner, ttl, store, clock, shutdown };
        let mut pause = Duration::ZERO;
        while let Some(is_ours) = turns.after(pause).await {
            turns.round(self.turn(is_ours)).await;
            pause = INTERVAL;
        }
    }

    async fn turn(&self, is_ours: Result<bool>) {
        let ended = match is_ours {
            Ok(true) => self.end_expired().await,
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%error, source, "Could not end the stacks whose time is over");
        }
    }
}
