//! Turns: work that one portal does for all of them on the same records.

use std::time::Duration;

use jiff::Timestamp;

/// A portal that wants to do, or go on with, work that one does for all.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The work's name. Persisted: never rename.
    pub work: &'static str,
    /// The portal.
    pub owner: String,
    /// The time at which it asks.
    pub now: Timestamp,
    /// The time for which the turn lasts unless it is taken again; zero hands it back.
    pub ttl: Duration,
    /// The report of its work, if it did any.
    pub report: Option<String>,
}

/// The owner of the turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnHolder {
    /// Theirs who asked, and what the work last came to, whoever did it.
    Ours(Option<String>),
    /// Another portal's, and what the work last came to.
    Theirs(Option<String>),
}

impl Turn {
    /// Returns when it lapses.
    pub fn until(&self) -> Timestamp {
        self.now.saturating_add(self.ttl).unwrap_or(Timestamp::MAX)
    }

    /// Returns from when on no other portal's turn can end, unless somebody has set a clock: such
    /// a turn has lapsed.
    pub fn impossible(&self) -> Timestamp {
        if self.ttl.is_zero() {
            return Timestamp::MAX;
        }
        self.until().saturating_add(self.ttl).unwrap_or(Timestamp::MAX)
    }
}
