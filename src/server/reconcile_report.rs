//! The report of the last reconcile round, for operators to read.
//!
//! The reconciler writes it, the use cases read it; neither knows the other. Of several portals
//! on the same records one compares; the others read in the records what it found.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::server::platform::AppName;
use domain::deployment::DeploymentId;

/// The result of one reconcile round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileRound {
    /// The time at which it ended.
    pub at: Timestamp,
    /// What is still out of order, a sentence each.
    pub left: Vec<String>,
    /// The live stacks of which no container runs.
    #[serde(default)]
    pub not_running: Vec<NotRunning>,
}

/// A live stack of which no container runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotRunning {
    /// The deployment that brought it up.
    pub deployment: DeploymentId,
    /// The time at which that was first found.
    pub since: Timestamp,
    /// Its service, which may be gone.
    pub service: AppName,
    /// Why, as far as the platform showed it.
    pub why: Standstill,
}

/// The reason why a service runs no container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standstill {
    /// There is no such service, as after `docker service rm`.
    NoService,
    /// It is to have no container.
    ScaledToNothing,
    /// Its container ends by itself, or cannot be started, and the next one does, too.
    KeepsEnding,
    /// It is to have a container, and none has come up.
    NotStarted,
}

impl ReconcileRound {
    /// Writes it down for the other portals.
    pub fn to_text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// Reads what another portal wrote; nothing where it is of another version.
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// The last reconcile round, if there was one.
#[derive(Debug, Default)]
pub struct ReconcileReport(Mutex<Option<ReconcileRound>>);

impl ReconcileReport {
    /// Publishes `round` in place of the one before.
    pub fn publish(&self, round: ReconcileRound) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(round);
    }

    /// Keeps `round` where it is newer than what is known.
    pub fn tell_newer(&self, round: ReconcileRound) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|last| last.at < round.at) {
            *last = Some(round);
        }
    }

    /// Returns since when no container of the live stack that `deployment` brought up runs, and
    /// when that was last found; `None` where one runs, as far as is known.
    pub fn not_running(&self, deployment: &DeploymentId) -> Option<(Timestamp, Timestamp)> {
        let round = self.get()?;
        let found = round.not_running.iter().find(|one| one.deployment == *deployment)?;
        Some((found.since, round.at))
    }

    /// Returns the last round.
    pub fn get(&self) -> Option<ReconcileRound> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
