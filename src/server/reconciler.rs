//! The reconciler: compares the portal's records with the platform, and removes what turned up
//! after a deployment had ended without it.
//!
//! It plans in [`findings`] and acts in [`OrphanRemover`]. What carries no marker of ours it never
//! changes, what the records do not know it only reports, and what is under way or stuck is
//! its worker's business. It must not know which platform or store there is.

mod containers;
mod finding;
mod findings;
pub mod report;
mod view;

use std::{fmt, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use containers::Idle;
pub use finding::{Finding, Resource};
use view::{PlatformView, StoreView};

use self::report::{NotRunning, ReconcileReport, ReconcileRound};
use super::{
    operations::{OrphanRemover, RemoveOrphansError},
    saga::Ports,
    store::{Store, StoreError, TaskHolder, TaskLease},
};
use crate::server::platform::{AppName, BreakerState, Platform, PlatformError, Scale};
use clock::Clock;
use domain::receipt::{Line, Outcome};

/// The time after the start at which the first round begins.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// The time after a first look that saw no container of a stack the second one is: a container that
/// is being started again is back by then, with five seconds between its end and its start.
const RESTART: Duration = Duration::from_secs(10);

/// Describes how soon it is looked again whether a stack is back that was found not to run.
const SOON: Duration = Duration::from_secs(30);

/// The name of the comparison, at which one portal does the work of all on the same records.
const WORK: &str = "compare";

/// The number of seconds after which each the platform is read again that answered with a 401: a
/// moment without its database brings it, too.
const RETRY_401_AFTER: [u64; 4] = [1, 2, 4, 8];

/// Compares the records with the platform.
pub struct Reconciler {
    store: Arc<dyn Store>,
    platform: Arc<dyn Platform>,
    clock: Arc<dyn Clock>,
    /// Describes how this portal's markers begin.
    prefix: String,
    orphan_remover: OrphanRemover,
    owner: String,
    lease: Duration,
    /// The findings that the last round left open.
    known: Vec<Finding>,
    /// The report that operators read.
    reconcile_report: Arc<ReconcileReport>,
}

/// The two sides could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// The platform does not tell what it has.
    #[error("the platform cannot be read")]
    Platform(#[from] PlatformError),
    /// The records cannot be read.
    #[error("the database cannot be read")]
    Store(#[from] StoreError),
}

/// A finding, and the outcome of its repair.
#[derive(Debug)]
pub struct HandledFinding {
    /// The finding.
    pub finding: Finding,
    /// The outcome of it.
    pub outcome: Repair,
}

/// The look that it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// What it finds is looked at again: a container that is about to end has by then.
    First,
    /// What it finds counts.
    Second,
}

/// The outcome of a repair.
#[derive(Debug)]
pub enum Repair {
    /// It is removed.
    Removed,
    /// It could not be removed yet, and this is why.
    Failed(String),
    /// It is not for the portal to remove.
    Reported,
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removed => f.write_str("removed"),
            Self::Failed(why) => write!(f, "not removed: {why}"),
            Self::Reported => f.write_str("only reported"),
        }
    }
}

impl Reconciler {
    /// Makes a reconciler that works as `owner`, whose leases last `lease` without a heartbeat.
    pub fn new(ports: Ports, owner: String, lease: Duration) -> Self {
        Self {
            store: Arc::clone(&ports.store),
            platform: Arc::clone(&ports.platform),
            clock: Arc::clone(&ports.clock),
            prefix: ports.settings.marker_prefix(),
            orphan_remover: OrphanRemover::new(ports, owner.clone(), lease),
            owner,
            lease,
            known: Vec::new(),
            reconcile_report: Arc::default(),
        }
    }

    /// Publishes each round to `reconcile_report`, too.
    #[must_use]
    pub fn with_report(self, reconcile_report: Arc<ReconcileReport>) -> Self {
        Self { reconcile_report, ..self }
    }

    /// Compares the two sides, without changing anything. What counts is what two looks in a
    /// row agree on, each at the platform first and then at the records:
    ///
    /// - A row is in the records before anything with its marker is on the platform. So what
    ///   the platform shows and the records do not know is not just beginning.
    /// - What the first look found ended, and the second still saw on the platform, was there
    ///   after the end; what ended between platform and records is gone by the second look.
    /// - A stack that has no container in either look, some seconds apart, is not only being
    ///   started again.
    /// - A stack that both looks found live was live in between, when the platform did not
    ///   show part of it: there is no way back from a removal. One that came up or was taken
    ///   down meanwhile differs between the looks.
    ///
    /// # Errors
    ///
    /// Returns why the sides could not be compared.
    pub async fn survey(&self) -> Result<Vec<Finding>, SurveyError> {
        let found = self.look(Look::First).await?;
        if found.is_empty() {
            return Ok(found);
        }
        if found.iter().any(|finding| finding.not_running().is_some()) {
            self.clock.sleep(RESTART).await;
        }
        let mut again = self.look(Look::Second).await?;
        again.retain(|finding| found.iter().any(|first| first.is_found_again(finding)));
        Ok(again)
    }

    async fn look(&self, look: Look) -> Result<Vec<Finding>, SurveyError> {
        let mut platform = self.read_retrying_401().await?;
        if look == Look::Second {
            platform.idle.retain(|_, idle| !matches!(idle, Idle::Ending(_)));
        }
        let store = StoreView::read(&*self.store, &platform).await?;
        let mut found = findings::findings(&store, &platform);
        let known = self.reconcile_report.get().map(|round| round.not_running).unwrap_or_default();
        found.extend(findings::undecided(&known, &store, &platform));
        Ok(found)
    }

    async fn read_retrying_401(&self) -> Result<PlatformView, SurveyError> {
        let read = || PlatformView::read(&*self.platform, &self.prefix);
        for pause in RETRY_401_AFTER {
            match read().await {
                Err(SurveyError::Platform(error))
                    if error.is_unauthorized() && self.platform.problem().is_none() =>
                {
                    self.clock.sleep(Duration::from_secs(pause)).await;
                }
                result => return result,
            }
        }
        read().await
    }

    /// Removes what can be removed of `findings`, and tells what became of each. Before it
    /// removes anything it looks again, with the deployment's lease in hand.
    pub async fn repair(
        &self,
        findings: Vec<Finding>,
        stop: &CancellationToken,
    ) -> Vec<HandledFinding> {
        let mut swept = Vec::new();
        let mut handled = Vec::new();
        for finding in findings {
            let outcome = match finding.removable() {
                None => Repair::Reported,
                Some((id, resource)) => {
                    if !swept.iter().any(|(done, _)| done == id) {
                        swept
                            .push((id.clone(), self.orphan_remover.remove_orphans(id, stop).await));
                    }
                    let result = swept.iter().find(|(done, _)| done == id);
                    result.map_or(Repair::Reported, |(_, result)| repair_outcome(resource, result))
                }
            };
            handled.push(HandledFinding { finding, outcome });
        }
        handled
    }

    /// Compares and repairs every `interval`, the first time soon, until `shutdown`. Of several
    /// portals on the same records one does it, and when that one has been silent for an interval
    /// and a lease, another. While a stack is known not to run, it is looked more often whether it
    /// is back.
    pub async fn run(mut self, interval: Duration, shutdown: CancellationToken) {
        self.rounds(interval, &shutdown).await;
        // The others need not wait until it lapses.
        if let Err(error) = self.take_task_lease(Duration::ZERO, None).await {
            tracing::debug!(%error, "Could not release the reconciler's lease");
        }
    }

    async fn rounds(&mut self, interval: Duration, shutdown: &CancellationToken) {
        let ttl = interval.saturating_add(self.lease);
        // What the portal before this one found stands until something else is known.
        tokio::select! {
            () = shutdown.cancelled() => return,
            taken = self.take_task_lease(ttl, None) => if let Err(error) = taken {
                tracing::debug!(%error, "Could not read what was compared last");
            }
        }
        let (mut pause, mut due) = (FIRST_PAUSE, Duration::ZERO);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.clock.sleep(pause) => {}
            }
            let is_due = self.clock.monotonic() >= due;
            // An end in the middle of a look leaves nothing behind.
            let found = tokio::select! {
                () = shutdown.cancelled() => return,
                found = self.search(ttl, is_due) => found,
            };
            if let Some(found) = found {
                self.deal(found, ttl, shutdown).await;
                due = self.clock.monotonic().saturating_add(interval);
            }
            let is_one_down =
                self.reconcile_report.get().is_some_and(|one| !one.not_running.is_empty());
            pause = if is_one_down { SOON.min(interval) } else { interval };
        }
    }

    /// Repairs what was found, and tells it to operators and to the other portals.
    async fn deal(&mut self, found: Vec<Finding>, ttl: Duration, shutdown: &CancellationToken) {
        for finding in self.news(&found) {
            tracing::warn!("The reconciler found a difference: {finding}");
        }
        let handled = self.repair(found, shutdown).await;
        self.conclude(handled);
        let report = self.reconcile_report.get().and_then(|round| round.to_text());
        if let Err(error) = self.take_task_lease(ttl, report).await {
            tracing::warn!(%error, "Could not share the reconciler's report with the other replicas");
        }
    }

    /// Takes the lease of the task for `ttl`, and tells operators what another portal found where
    /// that one has it, or had it before.
    async fn take_task_lease(
        &self,
        ttl: Duration,
        report: Option<String>,
    ) -> Result<TaskHolder, StoreError> {
        let (owner, now) = (self.owner.clone(), self.clock.now());
        let lease = TaskLease { task: WORK, owner, now, ttl, report };
        let taken = self.store.take_task_lease(&lease).await?;
        let (TaskHolder::Ours(report) | TaskHolder::Theirs(report)) = &taken;
        if let Some(round) = report.as_ref().and_then(|report| ReconcileRound::from_text(report)) {
            match taken {
                TaskHolder::Theirs(_) => self.reconcile_report.publish(round),
                // Its own last round may not have reached the records.
                TaskHolder::Ours(_) => self.reconcile_report.tell_newer(round),
            }
        }
        Ok(taken)
    }

    /// Surveys, unless the platform is known to be out of reach, or another portal does it; before
    /// the next round `is_due` only where a stack may be back.
    async fn search(&self, ttl: Duration, is_due: bool) -> Option<Vec<Finding>> {
        if self.platform.breaker().state == BreakerState::Open {
            return None;
        }
        let found = match self.take_task_lease(ttl, None).await {
            Ok(TaskHolder::Ours(_)) if !is_due && !self.may_be_back().await => return None,
            Ok(TaskHolder::Ours(_)) => self.survey().await,
            Ok(TaskHolder::Theirs(_)) => return None,
            Err(error) => Err(error.into()),
        };
        match found {
            Ok(found) => Some(found),
            Err(error) => {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, source, "Could not compare the database with the platform");
                None
            }
        }
    }

    /// Tells in one call whether a stack that was found not to run may run again.
    async fn may_be_back(&self) -> bool {
        let Some(round) = self.reconcile_report.get() else { return false };
        let Ok(scales) = self.platform.scales().await else { return false };
        let may_run = |scale: &Option<Scale>| scale.is_none_or(Scale::runs);
        let is_down = |name: &AppName| round.not_running.iter().any(|one| one.service == *name);
        scales.iter().any(|(name, scale)| is_down(name) && may_run(scale))
    }

    /// Returns what the last round did not know of.
    pub fn news<'a>(&self, found: &'a [Finding]) -> Vec<&'a Finding> {
        found.iter().filter(|finding| !self.known.contains(finding)).collect()
    }

    /// Logs what is new about a round, and keeps what is left for the next, and for operators.
    pub fn conclude(&mut self, handled: Vec<HandledFinding>) {
        for gone in &self.known {
            if !handled.iter().any(|HandledFinding { finding, .. }| gone.is_found_again(finding)) {
                tracing::info!("Difference resolved: {gone}");
            }
        }
        let (mut left, mut told) = (Vec::new(), Vec::new());
        for HandledFinding { finding, outcome } in handled {
            let is_new = !self.known.contains(&finding);
            let line = match &outcome {
                Repair::Removed => None,
                Repair::Failed(_) => Some(format!("{finding} ({outcome})")),
                Repair::Reported => Some(finding.to_string()),
            };
            told.extend(line);
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
                (Repair::Failed(_), false) | (Repair::Reported, _) => {}
            }
            left.push(finding);
        }
        let at = self.clock.now();
        let not_running = |finding: &Finding| {
            let Finding::NotRunning { id, service, why, .. } = finding else { return None };
            let since = self.reconcile_report.not_running(id).map_or(at, |(since, _)| since);
            let (deployment, service) = (id.clone(), service.clone());
            Some(NotRunning { deployment, since, service, why: *why })
        };
        let not_running = left.iter().filter_map(not_running).collect();
        self.known = left;
        self.reconcile_report.publish(ReconcileRound { at, left: told, not_running });
    }
}

/// Returns the outcome for `resource` from the result of removing orphans.
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
    let remedies = left.iter().filter_map(|line| line.remedy.clone()).collect::<Vec<_>>();
    Repair::Failed(remedies.join("; "))
}
