//! Writes that are finished whoever gives up waiting for them: all of them or nothing, and never
//! by half.

use std::time::Duration;

use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::server::{run_to_completion::RunToCompletion, store::StoreError};

/// The writes that are under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Writes(TaskTracker);

impl Writes {
    /// Finishes `write`, whether or not somebody waits for it.
    pub(super) async fn finish<T: Send + 'static>(
        &self,
        write: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        RunToCompletion::new(&self.0, write).await
    }

    /// Waits until all are finished, but no longer than `patience`.
    pub(super) async fn finished(&self, patience: Duration) {
        self.0.close();
        if timeout(patience, self.0.wait()).await.is_err() {
            let count = self.0.len();
            tracing::error!(count, "Writes were interrupted: they may or may not be committed");
        }
    }
}
