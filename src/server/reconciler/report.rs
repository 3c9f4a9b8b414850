//! The report of the last reconcile round, for operators to read.
//!
//! The reconciler writes the report and the use cases read it; neither knows the other. Of several
//! portals that share a database, one reconciles; the others read its report from the database.

use parking_lot::Mutex;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::server::platform::AppName;
use domain::deployment::DeploymentId;

/// The result of one reconcile round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileRound {
    /// The time at which it ended.
    pub at: Timestamp,
    /// The problems that are left, one sentence for each.
    pub left: Vec<String>,
    /// The live stacks that have no running container.
    #[serde(default)]
    pub not_running: Vec<NotRunning>,
    /// Whether the reverse proxy had the middleware by which visitors wait.
    #[serde(default)]
    pub has_retry: bool,
}

/// A live stack that has no running container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotRunning {
    /// The deployment that created the stack.
    pub deployment: DeploymentId,
    /// The time of the first round that found no running container.
    pub since: Timestamp,
    /// The service of the stack, which may no longer exist.
    pub service: AppName,
    /// The reason, as far as the platform shows it.
    pub why: Standstill,
}

/// The reason why a service runs no container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standstill {
    /// The service does not exist, for example after `docker service rm`.
    NoService,
    /// The service is scaled to zero containers.
    ScaledToNothing,
    /// Its containers exit or fail to start, one after the other.
    KeepsEnding,
    /// The service should have a container, but none has started.
    NotStarted,
}

impl ReconcileRound {
    /// Serializes the round for the other portals; `None` if that fails.
    pub fn to_text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// Parses the round of another portal; `None` if that portal's version writes another format.
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// The last reconcile round, if there was one.
#[derive(Debug, Default)]
pub struct ReconcileReport(Mutex<Option<ReconcileRound>>);

impl ReconcileReport {
    /// Replaces the last round by `round`.
    pub fn publish(&self, round: ReconcileRound) {
        *self.0.lock() = Some(round);
    }

    /// Replaces the last round by `round` if `round` is newer.
    pub fn publish_if_newer(&self, round: ReconcileRound) {
        let mut last = self.0.lock();
        if last.as_ref().is_none_or(|last| last.at < round.at) {
            *last = Some(round);
        }
    }

    /// Returns whether the reverse proxy had the middleware by which visitors wait, in the last round.
    pub fn has_retry(&self) -> bool {
        self.0.lock().as_ref().is_some_and(|round| round.has_retry)
    }

    /// Returns since when the live stack of `deployment` has no running container, and when the
    /// last round found that; `None` if the last round did not find that.
    pub fn not_running(&self, deployment: &DeploymentId) -> Option<(Timestamp, Timestamp)> {
        let round = self.get()?;
        let found = round.not_running.iter().find(|one| one.deployment == *deployment)?;
        Some((found.since, round.at))
    }

    /// Returns the last round, if there was one.
    pub fn get(&self) -> Option<ReconcileRound> {
        self.0.lock().clone()
    }
}
