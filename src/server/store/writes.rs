//! Writes that are finished whoever gives up waiting for them.
//!
//! A person hangs up, a saga is dropped with its lease: what they were writing is written all
//! the same, or not at all, and never by half.

use std::{panic, time::Duration};

use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::unavailable_for;
use crate::server::ports::store::StoreError;

/// The writes that are under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Writes(TaskTracker);

impl Writes {
    /// Finishes `write`, whether or not somebody waits for it.
    pub(super) async fn finish<T: Send + 'static>(
        &self,
        write: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.0.spawn(write.in_current_span()).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => panic::resume_unwind(error.into_panic()),
            Err(error) => Err(unavailable_for(error.into())),
        }
    }

    /// Waits until all are finished, but no longer than `patience`.
    pub(super) async fn finished(&self, patience: Duration) {
        self.0.close();
        if timeout(patience, self.0.wait()).await.is_err() {
            tracing::error!(
                count = self.0.len(),
                "Writes were cut short: the database has them or not"
            );
        }
    }
}
