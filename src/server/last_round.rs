//! What the last comparison of records and platform left, for operators to read.
//!
//! The reconciler writes it, the use cases read it; neither knows the other. It is this
//! process's own: each portal on a database compares for itself.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// What a comparison left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// When it ended.
    pub at: Timestamp,
    /// What is still out of order, a sentence each.
    pub left: Vec<String>,
}

/// The last comparison, if there was one.
#[derive(Debug, Default)]
pub struct LastRound(Mutex<Option<Round>>);

impl LastRound {
    /// Keeps `round` in place of the one before.
    pub fn tell(&self, round: Round) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(round);
    }

    /// Returns the last comparison.
    pub fn get(&self) -> Option<Round> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
