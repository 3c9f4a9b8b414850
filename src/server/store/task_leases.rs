//! Leases of tasks that one replica does for all that share a database.

use std::time::Duration;

use jiff::Timestamp;

/// A request to take, extend or release the lease of a task.
#[derive(Clone, Debug)]
pub struct TaskLease {
    /// The task's name. Persisted: never rename.
    pub task: &'static str,
    /// The replica that requests it.
    pub owner: String,
    /// The time of the request.
    pub now: Timestamp,
    /// The duration of the lease. Zero releases it.
    pub ttl: Duration,
    /// The report of the last run of the task, if there is a new one.
    pub report: Option<String>,
}

/// The holder of the lease of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskHolder {
    /// The replica that requested it. Contains the last report, by any replica.
    Ours(Option<String>),
    /// Another replica. Contains the last report.
    Theirs(Option<String>),
}

impl TaskLease {
    /// Returns the time at which it expires.
    pub fn until(&self) -> Timestamp {
        self.now.saturating_add(self.ttl).unwrap_or(Timestamp::MAX)
    }

    /// Returns the time after which no other replica's lease can end, unless a clock was wrong:
    /// such a lease counts as expired.
    pub fn impossible(&self) -> Timestamp {
        if self.ttl.is_zero() {
            return Timestamp::MAX;
        }
        self.until().saturating_add(self.ttl).unwrap_or(Timestamp::MAX)
    }
}
