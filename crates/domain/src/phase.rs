//! Phases and statuses: where an operation is, as the wire names it.
//!
//! The phases here are those of every kind of operation; the others are in the table of kinds.

use serde::{Deserialize, Serialize};

use crate::short_name::named;

named! {
    /// The phase of an operation.
    Phase
}

impl Phase {
    /// Accepted, not yet begun.
    pub const INITIALIZING: Self = Self::new("initializing");
    /// Ended: done.
    pub const COMPLETED: Self = Self::new("completed");
    /// What was made is being removed.
    pub const ROLLING_BACK: Self = Self::new("rolling_back");
    /// Ended: not done, on a failure.
    pub const FAILED: Self = Self::new("failed");
    /// Ended: not done, on request.
    pub const CANCELLED: Self = Self::new("cancelled");
    /// What an earlier operation made is being removed.
    pub const REMOVING: Self = Self::new("removing");
    /// Ended: what an earlier operation made is removed.
    pub const REMOVED: Self = Self::new("removed");

    /// Returns the status that goes with the phase.
    pub fn status(self) -> Status {
        match self {
            Self::COMPLETED | Self::REMOVED => Status::Success,
            Self::FAILED | Self::CANCELLED => Status::Failure,
            _ => Status::InProgress,
        }
    }

    /// Returns whether the operation has ended.
    pub fn is_end(self) -> bool {
        self.status() != Status::InProgress
    }

    /// Returns whether the phase is one of a kind's own steps.
    pub fn is_step(self) -> bool {
        let others = [Self::INITIALIZING, Self::ROLLING_BACK, Self::REMOVING];
        !self.is_end() && !others.contains(&self)
    }
}

/// True if an operation goes on, and how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Neither done nor given up.
    InProgress,
    /// Done and verified.
    Success,
    /// Not done.
    Failure,
}
