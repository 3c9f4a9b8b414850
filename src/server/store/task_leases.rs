//! Leases of tasks that one portal does for all of them on the same records.

use std::time::Duration;

use jiff::Timestamp;

/// The lease of a task that a portal wants to do, or to go on with.
#[derive(Clone, Debug)]
pub struct TaskLease {
    /// The task's name. Persisted: never rename.
    pub task: &'static str,
    /// The portal.
    pub owner: String,
    /// The time at which it asks.
    pub now: Timestamp,
    /// The time for which it lasts unless it is taken again; zero hands it back.
    pub ttl: Duration,
    /// The report of what it did, if it did any.
    pub report: Option<String>,
}

/// The holder of the lease of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskHolder {
    /// Theirs who asked, and what the work last came to, whoever did it.
    Ours(Option<String>),
    /// Another portal's, and what the work last came to.
    Theirs(Option<String>),
}

impl TaskLease {
    /// Returns when it lapses.
    pub fn until(&self) -> Timestamp {
        self.now.saturating_add(self.ttl).unwrap_or(Timestamp::MAX)
    }

    /// Returns from when on no other portal's lease can end, unless somebody has set a clock: such
    /// a lease has lapsed.
    pub fn impossible(&self) -> Timestamp {
        if self.ttl.is_zero() {
            return Timestamp::MAX;
        }
        self.until().saturating_add(self.ttl).unwrap_or(Timestamp::MAX)
    }
}
