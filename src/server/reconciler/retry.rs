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
}

impl Reconciler {
    /// Looks whether the proxy has the middleware, and makes it if it does not: before the first
    /// operation needs it, and where another replica does the rounds. What is found is logged.
    pub(super) async fn prepare_retry(&self, shutdown: &CancellationToken) {
        let retry = self.ports.retry_middleware();
        tokio::select! {
            () = shutdown.cancelled() => {}
            look = retry.look() => drop(look),
        }
    }

    /// Looks whether the proxy has the middleware, and makes it anew if it does not. If it had it in
    /// the last round, that was a fault: every host that names it answered 404 meanwhile.
    pub(super) async fn look_at_retry(
        &mut self,
        shutdown: &CancellationToken,
    ) -> Option<HandledFinding> {
        let retry = self.ports.retry_middleware();
        let had_it = self.reconcile_report.has_retry();
        let RetryLook { is_made, found } = tokio::select! {
            () = shutdown.cancelled() => {
                self.retry.has_it = had_it;
                return None;
            }
            look = retry.look() => look,
        };
        let file = retry.file();
        let path = file.as_ref().map(RetryFile::path).unwrap_or_default();
        let (finding, outcome) = match found {
            Ok(_) => {
                self.retry = RetryRounds { has_it: true, must_detach: false };
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
