//! Looks in each round whether the reverse proxy has the portal's middleware by which visitors wait.

use super::finding::Finding;
use super::{HandledFinding, Reconciler, Repair};
use crate::server::saga::RetryLook;

impl Reconciler {
    /// Makes the middleware once for this process, before the first operation needs it.
    pub(super) async fn prepare_retry(&self) {
        // The reason is logged where it is found, and the rounds report it.
        drop(self.ports.retry_middleware().ensure().await);
    }

    /// Looks whether the proxy has the middleware, and makes it anew if it does not. If it had it in
    /// the last round, that was a fault: every host that names it answered 404 meanwhile.
    pub(super) async fn look_at_retry(&mut self) -> Option<HandledFinding> {
        let retry = self.ports.retry_middleware();
        let had_it = self.reconcile_report.has_retry();
        let RetryLook { is_written, found } = retry.look().await;
        self.has_retry = found.is_ok();
        let path = retry.file().map(|file| file.path()).unwrap_or_default();
        let (finding, outcome) = match found {
            Ok(_) if is_written && had_it => (Finding::RetryLost { path }, Repair::Mended),
            Ok(_) => return None,
            Err(why) => (Finding::NoRetry { path, why }, Repair::Reported),
        };
        if !self.known.contains(&finding) {
            tracing::warn!("The reconciler found a difference: {finding}");
        }
        Some(HandledFinding { finding, outcome })
    }
}
