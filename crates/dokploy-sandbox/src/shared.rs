//! The state that the listeners share: the core, and the platform's database connections.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::core::Core;
use super::persistence::Keeper;
use clock::Clock;

const CONNECTIONS: usize = 10;
/// The minimum time for which a transaction holds its connection before it requests another one.
const LEAST_HOLD: Duration = Duration::from_millis(20);

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

/// The platform's database connections since its last restart: ten, as the real platform has.
///
/// `domain.create` holds one connection while it requests another one. When concurrent calls hold
/// all of them, they and every other call that uses the database hang until a restart (recordings
/// day-two 91 and 500 to 503).
#[derive(Debug)]
pub(super) struct Pool(Mutex<Arc<Semaphore>>);

impl Default for Pool {
    fn default() -> Self {
        Self(Mutex::new(connections()))
    }
}

fn connections() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(CONNECTIONS))
}

/// The connections that a call holds while it is executed.
pub(super) type Held = Vec<OwnedSemaphorePermit>;

impl Pool {
    /// Waits for the connections that `call` needs.
    ///
    /// # Errors
    ///
    /// Returns an error if the platform is restarted meanwhile.
    pub(super) async fn hold(
        &self,
        call: &str,
        clock: &dyn Clock,
        latency: Duration,
    ) -> Result<Held, AcquireError> {
        let mut held = Held::new();
        let asks_nothing = call == "/sandbox" || call.starts_with("/sandbox/") || call == "health";
        if asks_nothing {
            return Ok(held);
        }
        let pool = Arc::clone(&lock(&self.0));
        held.push(Arc::clone(&pool).acquire_owned().await?);
        if call == "domain.create" {
            clock.sleep((latency / 2).max(LEAST_HOLD)).await;
            held.push(pool.acquire_owned().await?);
        }
        Ok(held)
    }

    /// Ends all calls in progress, as a restart does.
    pub(super) fn restart(&self) {
        let mut pool = lock(&self.0);
        std::mem::replace(&mut *pool, connections()).close();
    }
}
