//! The clock port: the only source of time.
//!
//! Tests use a clock that jumps to the time of the next sleeper. So minutes of back-off take no
//! time, and calls over real sockets are still awaited.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;

/// A source of time that can also wait.
///
/// It has two times. Wall-clock time is for records and display; somebody may set it back or
/// forward. Monotonic time is for measuring durations within this process.
#[async_trait]
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Returns the wall-clock time, rounded down to whole milliseconds.
    fn now(&self) -> Timestamp;

    /// Returns the monotonic time: the time since a moment that is fixed for the whole process. It
    /// never goes back, even if the wall clock is set.
    fn monotonic(&self) -> Duration;

    /// Waits until `duration` has passed on this clock.
    async fn sleep(&self, duration: Duration);
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that the others ask")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock that the others ask")]
    fn monotonic(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
