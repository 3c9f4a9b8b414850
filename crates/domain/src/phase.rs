//! The phases and statuses of operations, with their names on the wire.
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
    /// The end: success.
    pub const COMPLETED: Self = Self::new("completed");
    /// The created resources are being removed.
    pub const ROLLING_BACK: Self = Self::new("rolling_back");
    /// The end: failure.
    pub const FAILED: Self = Self::new("failed");
    /// The end: cancelled by a person.
    pub const CANCELLED: Self = Self::new("cancelled");
    /// The resources of an earlier operation are being removed.
    pub const REMOVING: Self = Self::new("removing");
    /// The end: the resources of an earlier operation were removed.
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

/// Whether an operation is in progress, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It has not ended.
    InProgress,
    /// It ended successfully.
    Success,
    /// It failed or was cancelled.
    Failure,
}
