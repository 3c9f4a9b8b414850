//! The limits that refuse a start or an operation.

use std::time::Duration;

/// A limit that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitReached {
    /// This number of stacks.
    Stacks(u32),
    /// This number of the owner's deployments in progress.
    UnderWay(u32),
    /// This number of deployments in progress in total.
    UnderWayInAll(u32),
    /// The number of deployments started within an hour.
    PerHour {
        /// The limit.
        max: u32,
        /// The time until the next start is possible.
        wait: Duration,
    },
    /// The number of operations begun within an hour.
    OperationsPerHour {
        /// The limit.
        max: u32,
        /// The time until the next one is possible.
        wait: Duration,
    },
}

impl LimitReached {
    /// Returns the time until it is no longer reached, if that is known.
    pub(super) fn wait(self) -> Option<Duration> {
        match self {
            Self::PerHour { wait, .. } | Self::OperationsPerHour { wait, .. } => Some(wait),
            Self::Stacks(_) | Self::UnderWay(_) | Self::UnderWayInAll(_) => None,
        }
    }
}
