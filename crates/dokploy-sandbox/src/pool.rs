//! The platform's database connections: ten, as the real platform has.
//!
//! `domain.create` holds one connection while it requests another one. When concurrent calls hold
//! all of them, they and every other call that uses the database hang until a restart (recordings
//! day-two 91 and 500 to 503).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use clock::Clock;

const CONNECTIONS: usize = 10;
/// The minimum time for which a transaction holds its connection before it requests another one.
const LEAST_HOLD: Duration = Duration::from_millis(20);

/// The connections since the platform's last restart.
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
        let pool = Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        held.push(Arc::clone(&pool).acquire_owned().await?);
        if call == "domain.create" {
            clock.sleep((latency / 2).max(LEAST_HOLD)).await;
            held.push(pool.acquire_owned().await?);
        }
        Ok(held)
    }

    /// Ends all calls in progress, as a restart does.
    pub(super) fn restart(&self) {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *pool, connections()).close();
    }
}
