//! The clock port: the only source of time.
//!
//! Tests drive sagas with a clock that jumps to the next sleeper, so that minutes of
//! back-off take no time and real sockets are never cut short.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use jiff::Timestamp;

/// Tells the time and waits.
///
/// Two times are told. The wall clock's is for what is recorded or shown; somebody may set it back
/// or forward. What measures a duration within this process takes the one that only goes forward.
#[async_trait]
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Tells the current time, rounded down to whole milliseconds.
    fn now(&self) -> Timestamp;

    /// Returns how much time has passed since some moment, the same for the whole process. It only
    /// goes forward, whatever becomes of the wall clock.
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
