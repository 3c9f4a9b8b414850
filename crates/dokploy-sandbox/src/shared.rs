//! The state that the listeners share.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{core::Core, persistence::Keeper, pool::Pool};
use clock::Clock;

/// The time that the platform took to answer one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallTime {
    /// The call, such as `project.create`.
    pub call: String,
    /// The time from the arrival of the request to its answer.
    pub duration: Duration,
}

/// The core, and what the layers around it need.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) core: Arc<Mutex<Core>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) latency: Duration,
    pub(super) shutdown: CancellationToken,
    pub(super) keeper: Keeper,
    pub(super) calls: Mutex<Vec<CallTime>>,
    pub(super) pool: Pool,
}

/// Locks `mutex`, even if a thread panicked while it held the lock: every change is a single step,
/// so the value is consistent.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
