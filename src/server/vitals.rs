//! Signs that this process is unhealthy: panics, and parts that ended unexpectedly.
//!
//! It must not know who reads them, or how the process reacts.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// Counts every panic of the process, wherever it is caught.
static PANICS: AtomicU64 = AtomicU64::new(0);

/// Counts a panic.
pub fn count_panic() {
    PANICS.fetch_add(1, Ordering::Relaxed);
}

/// Returns how many panics there were since the process started.
pub fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// The parts of a portal that ended unexpectedly.
#[derive(Debug, Default)]
pub struct Vitals(Mutex<Vec<&'static str>>);

impl Vitals {
    /// Records that the part called `name` has ended.
    pub fn lose(&self, name: &'static str) {
        self.0.lock().push(name);
    }

    /// Returns the parts that ended unexpectedly.
    pub fn lost(&self) -> Vec<&'static str> {
        self.0.lock().clone()
    }

    /// Returns whether no part ended unexpectedly.
    pub fn are_good(&self) -> bool {
        self.lost().is_empty()
    }
}
