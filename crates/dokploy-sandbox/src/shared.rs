//! What the listeners share.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{core::Core, http::CallTime, persistence::Keeper, pool::Pool};
use clock::Clock;

/// The core with what its layers need.
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

/// Locks what a panic cannot leave half-done: the core changes in single steps.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
