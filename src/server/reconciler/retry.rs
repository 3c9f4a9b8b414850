//! Looks in each round whether the reverse proxy has the portal's middleware by which visitors wait.

use tokio_util::sync::CancellationToken;

use super::finding::Finding;
use super::{HandledFinding, Reconciler, Repair};
use crate::server::platform::{Domain, PlatformError, RetryFile};
use crate::server::saga::{NoRetry, RetryLook};

/// What the rounds know of the middleware.
#[derive(Debug, Default)]
pub(super) struct RetryRounds {
    /// Whether the proxy had it at the last look.
    pub(super) has_it: bool,
    /// Whether the proxy lost it, and domains may still name it.
    must_detach: bool,
    /// The look at the start that found it, until the first round, which needs no other one.
    at_start: Option<RetryLook>,
}

impl Reconciler {
    /// Looks whether the proxy has the middleware at the start, before the first operation needs it,
    /// and makes it if it does not. What is found is logged, and is good for the first round.
    pub(super) async fn prepare_retry(&mut self, shutdown: &CancellationToken) {
        let retry = self.ports.retry_middleware();
        self.retry.at_start = tokio::select! {
            () = shutdown.cancelled() => None,
            look = retry.look() => Some(look).filter(|look| look.found.is_ok()),
        };
    }

    /// Does what is left of a round where another replica does it: looks whether the proxy has the
    /// middleware, and makes it if it does not. What is found is logged.
    pub(super) async fn keep_retry(&mut self, shutdown: &CancellationToken) {
        drop(self.retry_look(shutdown).await);
    }

    /// Returns the look at the start in the first round, and looks anew in each later one; `None` at
    /// the shutdown.
    async fn retry_look(&mut self, shutdown: &CancellationToken) -> Option<RetryLook> {
        if let Some(look) = self.retry.at_start.take() {
            return Some(look);
        }
        let retry = self.ports.retry_middleware();
        tokio::select! {
            () = shutdown.cancelled() => None,
            look = retry.look() => Some(look),
        }
    }

    /// Looks whether the proxy has the middleware, and makes it anew if it does not. If it had it in
    /// the last round, that was a fault: every host that names it answered 404 meanwhile.
    pub(super) async fn look_at_retry(
        &mut self,
        shutdown: &CancellationToken,
    ) -> Option<HandledFinding> {
        let had_it = self.reconcile_report.has_retry();
        let Some(RetryLook { is_made, found }) = self.retry_look(shutdown).await else {
            self.retry.has_it = had_it;
            return None;
        };
        let file = self.ports.retry_middleware().file();
        let path = file.as_ref().map(RetryFile::path).unwrap_or_default();
        let (finding, outcome) = match found {
            Ok(_) => {
                self.retry = RetryRounds { has_it: true, ..RetryRounds::default() };
                if !is_made || !had_it {
                    return None;
                }
                (Finding::RetryLost { path }, Repair::Mended)
            }
            // It may be there as before.
            Err(NoRetry::Unknown(_)) if had_it => {
                self.retry.has_it = true;
                return None;
            }
            // It may be there as before, and only another key can tell.
            Err(NoRetry::NotAllowed(why)) => {
                self.retry.has_it = had_it;
                (Finding::NoRetry { path, why, detached: 0 }, Repair::Reported)
            }
            Err(NoRetry::Unknown(why)) => {
                self.retry.has_it = false;
                (Finding::NoRetry { path, why, detached: 0 }, Repair::Reported)
            }
            Err(NoRetry::Missing(why)) => {
                self.retry.has_it = false;
                self.retry.must_detach |= had_it;
                let detached = match &file {
                    Some(file) if self.retry.must_detach => self.detach(file).await,
                    Some(_) | None => 0,
                };
                (Finding::NoRetry { path, why, detached }, Repair::Reported)
            }
        };
        if !self.known.contains(&finding) {
            tracing::warn!("The reconciler found a difference: {finding}");
        }
        Some(HandledFinding { finding, outcome })
    }

    /// Takes the middleware out of the domains that name it, since their hosts answer 404. Returns their
    /// number. What fails is tried again in the next round.
    async fn detach(&mut self, file: &RetryFile) -> usize {
        let mut detached = 0;
        match self.detach_each(file, &mut detached).await {
            Ok(()) => self.retry.must_detach = false,
            Err(error) => tracing::warn!(
                %error,
                "Could not take the missing middleware out of each domain that names it"
            ),
        }
        detached
    }

    async fn detach_each(
        &self,
        file: &RetryFile,
        detached: &mut usize,
    ) -> Result<(), PlatformError> {
        let platform = &self.ports.platform;
        let name = file.middleware();
        let mut applications: Vec<_> =
            platform.hosts().await?.into_iter().filter_map(|host| host.leads_to).collect();
        applications.sort_by(|one, other| one.0.cmp(&other.0));
        applications.dedup();
        for application in &applications {
            let names_it = |domain: &Domain| domain.middlewares.contains(&name);
            for domain in platform.domains_of(application).await?.into_iter().filter(names_it) {
                let others = domain.middlewares.iter().filter(|one| **one != name);
                let others: Vec<_> = others.cloned().collect();
                platform.set_middlewares(&domain, &others).await?;
                *detached += 1;
            }
        }
        Ok(())
    }
}
