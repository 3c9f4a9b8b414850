//! A clock that jumps: a sleeper wakes at once, and the time is later by its sleep.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use clock::Clock;
use jiff::Timestamp;

/// A clock for one sleeper at a time.
#[derive(Debug)]
pub(crate) struct JumpingClock(AtomicI64);

impl Default for JumpingClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_795_427_270_000))
    }
}

impl JumpingClock {
    /// Advances the time by `duration`.
    pub(crate) fn advance(&self, duration: Duration) {
        let ms = i64::try_from(duration.as_millis()).unwrap();
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for JumpingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst).unsigned_abs())
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(duration.max(Duration::from_millis(1)));
        tokio::task::yield_now().await;
    }
}
