//! The reconciler: compares the database with the platform, and removes resources that appeared
//! after their deployment had ended without them.
//!
//! [`findings`] compares, and [`OrphanRemover`] removes. The reconciler never changes a resource
//! without the portal's marker. It only reports a marker that is not in the database, and ignores
//! operations in progress or stuck, which their worker handles. It must not know which platform or
//! store it uses.

mod containers;
mod drift;
mod finding;
mod findings;
mod kept;
pub mod report;
mod retry;
mod row;
mod view;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use containers::Idle;
pub use drift::Drift;
pub use finding::{Finding, Resource};
pub use row::RowDrift;
use view::{PlatformView, StoreView};

use self::report::{NotRunning, ReconcileReport, ReconcileRound};
use self::retry::RetryRounds;
use super::operations::{OrphanRemover, RemoveOrphansError};
use super::saga::Ports;
use super::store::{Result, StoreError, TaskHolder, TaskLease};
use crate::server::platform::{AppName, BreakerState, PlatformError, Scale, retry_401};
use domain::receipt::{Line, Outcome};
use domain::words;

/// The time after the start at which the first round begins.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// The time between the two looks at a stack without a container. Docker restarts a container five
/// seconds after it stopped, so a container that is only being restarted runs again at the second
/// look.
const SECOND_LOOK_PAUSE: Duration = Duration::from_secs(10);

/// The time after which a stack that does not run is checked again.
const RECHECK_PAUSE: Duration = Duration::from_secs(30);

/// The name of the turn: one of the portals that share a database compares for all.
const WORK: &str = "compare";

/// The pauses between attempts to read a platform that answers 401.
const RETRY_401_AFTER: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// Compares the database with the platform.
pub struct Reconciler {
    ports: Ports,
    orphan_remover: OrphanRemover,
    owner: String,
    lease: Duration,
    /// The findings that the last round left open.
    known: Vec<Finding>,
    /// The report that operators read.
    reconcile_report: Arc<ReconcileReport>,
    /// What is known of the middleware by which visitors wait.
    retry: RetryRounds,
}

/// The two sides could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// The platform cannot be read.
    #[error("the platform cannot be read")]
    Platform(#[from] PlatformError),
    /// The database cannot be read.
    #[error("the database cannot be read")]
    Store(#[from] StoreError),
}

/// A finding, and the outcome of its repair.
#[derive(Debug)]
pub struct HandledFinding {
    /// The finding.
    pub finding: Finding,
    /// The outcome of its repair.
    pub outcome: Repair,
}

/// The first or the second look of a survey.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Its findings must be confirmed by the second look. Containers that are about to stop have
    /// stopped by then.
    First,
    /// Its findings count.
    Second,
}

/// The outcome of a repair.
#[derive(Debug)]
pub enum Repair {
    /// The resource was removed.
    Removed,
    /// It is as it should be again.
    Mended,
    /// The resource could not be removed yet, with the reason.
    Failed(String),
    /// The portal may not remove it.
    Reported,
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removed => f.write_str("removed"),
            Self::Mended => f.write_str("mended"),
            Self::Failed(why) => write!(f, "not removed: {why}"),
            Self::Reported => f.write_str("only reported"),
        }
    }
}

impl Reconciler {
    /// Makes a reconciler that works as `owner`, whose leases last `lease` without a heartbeat.
    pub fn new(ports: Ports, owner: String, lease: Duration) -> Self {
        Self {
            orphan_remover: OrphanRemover::new(ports.clone(), owner.clone(), lease),
            ports,
            owner,
            lease,
            known: Vec::new(),
            reconcile_report: Arc::default(),
            retry: RetryRounds::default(),
        }
    }

    /// Publishes each round to `reconcile_report`.
    #[must_use]
    pub fn with_report(self, reconcile_report: Arc<ReconcileReport>) -> Self {
        Self { reconcile_report, ..self }
    }

    /// Compares the two sides, without changing anything. A finding counts if two consecutive looks
    /// agree on it, each of which reads first the platform and then the database:
    ///
    /// - A deployment is in the database before a resource with its marker is on the platform. So a
    ///   resource whose marker is not in the database does not belong to a deployment that is just
    ///   starting.
    /// - If the first look found a deployment ended, and the second look still finds its resource
    ///   on the platform, then the resource existed after the end. If the deployment ended between
    ///   the two readings of the first look, its resources are gone by the second look.
    /// - A stack that has no container in either look, ten seconds apart, is not just being
    ///   restarted.
    /// - A stack that both looks found live was live in between, since a removal is final: so a
    ///   part that the platform did not show is missing. A stack that went live or was removed
    ///   meanwhile differs between the looks.
    ///
    /// # Errors
    ///
    /// Returns which side could not be read.
    pub async fn survey(&self) -> Result<Vec<Finding>, SurveyError> {
        let found = self.look(Look::First).await?;
        if found.is_empty() {
            return Ok(found);
        }
        if found.iter().any(|finding| finding.not_running().is_some()) {
            self.ports.clock.sleep(SECOND_LOOK_PAUSE).await;
        }
        let mut again = self.look(Look::Second).await?;
        again.retain(|finding| found.iter().any(|first| first.is_found_again(finding)));
        Ok(again)
    }

    async fn look(&self, look: Look) -> Result<Vec<Finding>, SurveyError> {
        let Ports { platform, clock, .. } = &self.ports;
        let read = || PlatformView::read(&**platform, &self.ports.settings);
        let mut platform = retry_401(&**platform, &**clock, &RETRY_401_AFTER, read).await?;
        if look == Look::Second {
            platform.idle.retain(|_, idle| !matches!(idle, Idle::Ending(_)));
        }
        let store = StoreView::read(&*self.ports.store, &platform).await?;
        let mut found = findings::findings(&store, &platform);
        let known = self.reconcile_report.get().map(|round| round.not_running).unwrap_or_default();
        found.extend(findings::undecided(&known, &store, &platform));
        Ok(found)
    }

    /// Removes the removable ones of `findings`, and returns the outcome of each. Before it removes
    /// anything, it searches again while it holds the deployment's lease.
    pub async fn repair(
        &self,
        findings: Vec<Finding>,
        stop: &CancellationToken,
    ) -> Vec<HandledFinding> {
        let mut removed = Vec::new();
        let mut handled = Vec::new();
        for finding in findings {
            let outcome = match finding.removable() {
                None => Repair::Reported,
                Some((id, resource)) => {
                    if !removed.iter().any(|(done, _)| done == id) {
                        removed
                            .push((id.clone(), self.orphan_remover.remove_orphans(id, stop).await));
                    }
                    let result = removed.iter().find(|(done, _)| done == id);
                    result.map_or(Repair::Reported, |(_, result)| repair_outcome(resource, result))
                }
            };
            handled.push(HandledFinding { finding, outcome });
        }
        handled
    }

    /// Compares and repairs every `interval` until `shutdown`, the first time after five seconds.
    /// One of the portals that share a database does this for all; if it has been silent for an
    /// interval and a lease, another one takes over. While a stack does not run, it is checked
    /// every 30 seconds.
    pub async fn run(mut self, interval: Duration, shutdown: CancellationToken) {
        self.rounds(interval, &shutdown).await;
        // Released, so that the other portals need not wait until the turn expires.
        if let Err(error) = self.take_task_lease(Duration::ZERO, None).await {
            tracing::debug!(%error, "Could not release the reconciler's lease");
        }
    }

    async fn rounds(&mut self, interval: Duration, shutdown: &CancellationToken) {
        let ttl = interval.saturating_add(self.lease);
        // The report of the previous portal remains valid until the first comparison.
        tokio::select! {
            () = shutdown.cancelled() => return,
            taken = self.take_task_lease(ttl, None) => if let Err(error) = taken {
                tracing::debug!(%error, "Could not read what was compared last");
            }
        }
        self.prepare_retry(shutdown).await;
        let (mut pause, mut due) = (FIRST_PAUSE, Duration::ZERO);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.ports.clock.sleep(pause) => {}
            }
            let is_due = self.ports.clock.monotonic() >= due;
            // A look only reads, so it can be dropped at any point.
            let found = tokio::select! {
                () = shutdown.cancelled() => return,
                found = self.search(ttl, is_due) => found,
            };
            if let Some(found) = found {
                self.handle(found, ttl, shutdown).await;
                due = self.ports.clock.monotonic().saturating_add(interval);
            } else {
                self.keep_retry(shutdown).await;
            }
            let is_one_down =
                self.reconcile_report.get().is_some_and(|one| !one.not_running.is_empty());
            pause = if is_one_down { RECHECK_PAUSE.min(interval) } else { interval };
        }
    }

    /// Repairs what was found, and publishes the report to operators and the other portals.
    async fn handle(&mut self, found: Vec<Finding>, ttl: Duration, shutdown: &CancellationToken) {
        for finding in self.news(&found) {
            tracing::warn!("The reconciler found a difference: {finding}");
        }
        if let Err(error) = self.mark_lost_data(&found).await {
            tracing::warn!(%error, "Could not record which kept data is lost");
        }
        let mut handled = self.repair(found, shutdown).await;
        handled.extend(self.look_at_retry(shutdown).await);
        self.conclude(handled);
        if let Err(error) = self.delete_due_data().await {
            tracing::warn!(%error, "Could not begin to delete kept data whose time is over");
        }
        let report = self.reconcile_report.get().and_then(|round| round.to_text());
        if let Err(error) = self.take_task_lease(ttl, report).await {
            tracing::warn!(%error, "Could not share the reconciler's report with the other replicas");
        }
    }

    /// Takes the lease of the task for `ttl`, and publishes the stored report of another portal
    /// that has the lease, or had it before.
    async fn take_task_lease(&self, ttl: Duration, report: Option<String>) -> Result<TaskHolder> {
        let (owner, now) = (self.owner.clone(), self.ports.clock.now());
        let lease = TaskLease { task: WORK, owner, now, ttl, report };
        let taken = self.ports.store.take_task_lease(&lease).await?;
        let (TaskHolder::Ours(report) | TaskHolder::Theirs(report)) = &taken;
        if let Some(round) = report.as_ref().and_then(|report| ReconcileRound::from_text(report)) {
            match taken {
                TaskHolder::Theirs(_) => self.reconcile_report.publish(round),
                // This portal's last report may not have been stored.
                TaskHolder::Ours(_) => self.reconcile_report.publish_if_newer(round),
            }
        }
        Ok(taken)
    }

    /// Surveys, unless the circuit breaker is open or another portal has the turn. If the next
    /// round is not due yet, surveys only if a stack may be running again.
    async fn search(&self, ttl: Duration, is_due: bool) -> Option<Vec<Finding>> {
        if self.ports.platform.breaker().state == BreakerState::Open {
            return None;
        }
        let found = match self.take_task_lease(ttl, None).await {
            Ok(TaskHolder::Ours(_)) if !is_due && !self.may_be_back().await => return None,
            Ok(TaskHolder::Ours(_)) => self.survey().await,
            Ok(TaskHolder::Theirs(_)) => return None,
            Err(error) => Err(error.into()),
        };
        found
            .inspect_err(|error| {
                let source = std::error::Error::source(error).map(ToString::to_string);
                tracing::warn!(%error, source, "Could not compare the database with the platform");
            })
            .ok()
    }

    /// Returns whether a stack that was found not to run may run again, with one call.
    async fn may_be_back(&self) -> bool {
        let Some(round) = self.reconcile_report.get() else { return false };
        let Ok(scales) = self.ports.platform.scales().await else { return false };
        let may_run = |scale: &Option<Scale>| scale.is_none_or(Scale::runs);
        let is_down = |name: &AppName| round.not_running.iter().any(|one| one.service == *name);
        scales.iter().any(|(name, scale)| is_down(name) && may_run(scale))
    }

    /// Returns the findings that the last round did not have.
    pub fn news<'a>(&self, found: &'a [Finding]) -> Vec<&'a Finding> {
        found.iter().filter(|finding| !self.known.contains(finding)).collect()
    }

    /// Logs what changed since the last round, keeps the open findings for the next one, and
    /// publishes the report.
    pub fn conclude(&mut self, handled: Vec<HandledFinding>) {
        for gone in &self.known {
            if !handled.iter().any(|HandledFinding { finding, .. }| gone.is_found_again(finding)) {
                tracing::info!("Difference resolved: {gone}");
            }
        }
        let (mut left, mut lines) = (Vec::new(), Vec::new());
        for HandledFinding { finding, outcome } in handled {
            let is_new = !self.known.contains(&finding);
            let line = match &outcome {
                Repair::Removed => None,
                Repair::Failed(_) => Some(format!("{finding} ({outcome})")),
                Repair::Mended | Repair::Reported => Some(finding.to_string()),
            };
            lines.extend(line);
            match (outcome, is_new) {
                (Repair::Removed, _) => {
                    tracing::info!("The reconciler removed an orphan: {finding}");
                    continue;
                }
                (Repair::Failed(why), true) => {
                    tracing::warn!(
                        "The reconciler could not remove an orphan yet and will retry: {finding}: \
                         {why}"
                    );
                }
                (Repair::Failed(_), false) | (Repair::Mended | Repair::Reported, _) => {}
            }
            left.push(finding);
        }
        let at = self.ports.clock.now();
        let not_running = |finding: &Finding| {
            let Finding::NotRunning { id, service, why, .. } = finding else { return None };
            let since = self.reconcile_report.not_running(id).map_or(at, |(since, _)| since);
            let (deployment, service) = (id.clone(), service.clone());
            Some(NotRunning { deployment, since, service, why: *why })
        };
        let not_running = left.iter().filter_map(not_running).collect();
        self.known = left;
        let has_retry = self.retry.has_it;
        self.reconcile_report.publish(ReconcileRound { at, left: lines, not_running, has_retry });
    }
}

/// Returns the outcome for `resource`, given the result of removing the orphans of its deployment.
fn repair_outcome(resource: &Resource, result: &Result<Vec<Line>, RemoveOrphansError>) -> Repair {
    let lines = match result {
        Ok(lines) => lines,
        Err(error) => return Repair::Failed(error.to_string()),
    };
    let left: Vec<_> = lines.iter().filter(|line| line.outcome == Outcome::Left).collect();
    let is_gone = |line: &&Line| {
        line.outcome != Outcome::Left && line.id.as_deref() == Some(resource.id.as_str())
    };
    if left.is_empty() || lines.iter().any(|line| is_gone(&line)) {
        return Repair::Removed;
    }
    let remedies = left.iter().filter_map(|line| line.remedy.as_ref());
    Repair::Failed(remedies.map(words::remedy::sentence).collect::<Vec<_>>().join("; "))
}
