//! What stacks use: samples, and series of them.

use std::time::Duration;

use jiff::Timestamp;

/// What a stack used at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// The CPU time, in millionths of a CPU.
    pub cpu: u64,
    /// The memory, in bytes.
    pub memory: u64,
    /// What its container has received since its start, in bytes.
    pub received: u64,
    /// What its container has sent since its start, in bytes.
    pub sent: u64,
}

/// What a stack used in one step of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The beginning of the step.
    pub at: Timestamp,
    /// The mean of CPU time and memory, and the last of the rest.
    pub mean: Sample,
}

/// The length of the steps of a series. Each is kept for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SeriesStep {
    /// 15 seconds, for an hour.
    Seconds15,
    /// Five minutes, for seven days.
    Minutes5,
    /// An hour, for 90 days.
    Hour,
}

impl SeriesStep {
    /// All lengths.
    pub const ALL: [Self; 3] = [Self::Seconds15, Self::Minutes5, Self::Hour];

    /// Returns its length.
    pub fn length(self) -> Duration {
        match self {
            Self::Seconds15 => Duration::from_secs(15),
            Self::Minutes5 => Duration::from_mins(5),
            Self::Hour => Duration::from_hours(1),
        }
    }

    /// Returns how long its steps are kept.
    pub fn kept_for(self) -> Duration {
        match self {
            Self::Seconds15 => Duration::from_hours(1),
            Self::Minutes5 => Duration::from_hours(7 * 24),
            Self::Hour => Duration::from_hours(90 * 24),
        }
    }

    /// Returns its length in seconds.
    pub fn seconds(self) -> i64 {
        i64::try_from(self.length().as_secs()).unwrap_or(i64::MAX)
    }

    /// Returns the beginning of the step at that time, in seconds since 1970.
    pub fn begin_of(self, at: Timestamp) -> i64 {
        at.as_second().div_euclid(self.seconds()) * self.seconds()
    }
}
