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
    /// When it asks.
    pub now: Timestamp,
    /// How long the turn lasts unless it is taken again; zero hands it back.
    pub lasting: Duration,
    /// What its work came to, if it did any.
    pub report: Option<String>,
}

/// Whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Theirs who asked, and what the work last came to, whoever did it.
    Ours(Option<String>),
    /// Another portal's, and what the work last came to.
    Theirs(Option<String>),
}

impl Turn {
    /// Returns when it lapses.
    pub fn until(&self) -> Timestamp {
        self.now.saturating_add(self.lasting).unwrap_or(Timestamp::MAX)
    }

    /// Returns from when on no other portal's turn can end, unless somebody has set a clock: such
    /// a turn has lapsed.
    pub fn impossible(&self) -> Timestamp {
        if self.lasting.is_zero() {
            return Timestamp::MAX;
        }
        self.until().saturating_add(self.lasting).unwrap_or(Timestamp::MAX)
    }
}
