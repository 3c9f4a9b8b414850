//! What the last comparison of records and platform left, for operators to read.
//!
//! The reconciler writes it, the use cases read it; neither knows the other. Of several portals
//! on the same records one compares; the others read in the records what it found.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::deployment::DeploymentId;

/// What a comparison left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// When it ended.
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
    /// When that was first found.
    pub since: Timestamp,
}

impl Round {
    /// Writes it down for the other portals.
    pub fn to_text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// Reads what another portal wrote; nothing where it is of another version.
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// The last comparison, if there was one.
#[derive(Debug, Default)]
pub struct LastRound(Mutex<Option<Round>>);

impl LastRound {
    /// Keeps `round` in place of the one before.
    pub fn tell(&self, round: Round) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(round);
    }

    /// Tells since when no container of the live stack that `deployment` brought up runs, and when
    /// that was last found; `None` where one runs, as far as is known.
    pub fn not_running(&self, deployment: &DeploymentId) -> Option<(Timestamp, Timestamp)> {
        let round = self.get()?;
        let found = round.not_running.iter().find(|one| one.deployment == *deployment)?;
        Some((found.since, round.at))
    }

    /// Returns the last comparison.
    pub fn get(&self) -> Option<Round> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
