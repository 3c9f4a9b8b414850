//! Writes that run to their end even if their callers are dropped, so that none is interrupted
//! halfway.

use std::time::Duration;

use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::server::{run_to_completion::RunToCompletion, store::Result};

/// The writes in progress.
#[derive(Clone, Debug, Default)]
pub(super) struct Writes(TaskTracker);

impl Writes {
    /// Runs `write` to its end, even if the caller is dropped.
    pub(super) async fn finish<T: Send + 'static>(
        &self,
        write: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        RunToCompletion::new(&self.0, write).await
    }

    /// Waits until all writes are finished, but no longer than `patience`.
    pub(super) async fn finished(&self, patience: Duration) {
        self.0.close();
        if timeout(patience, self.0.wait()).await.is_err() {
            let count = self.0.len();
            tracing::error!(count, "Writes were interrupted: they may or may not be committed");
        }
    }
}
