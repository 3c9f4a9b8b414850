//! A clock that moves only when the test advances it.

use std::time::Duration;

use async_trait::async_trait;
use clock::Clock;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// A clock that moves only when the test advances it.
#[derive(Debug)]
pub(crate) struct ManualClock {
    time: watch::Sender<Time>,
    sleepers: watch::Sender<usize>,
}

#[derive(Debug)]
struct Time {
    wall: Timestamp,
    /// The monotonic time that has passed.
    passed: Duration,
}

impl ManualClock {
    pub(crate) fn new() -> Self {
        Self::at("2026-11-23T09:55:24.515Z".parse().unwrap())
    }

    pub(crate) fn at(start: Timestamp) -> Self {
        let time = Time { wall: start, passed: Duration::ZERO };
        Self { time: watch::Sender::new(time), sleepers: watch::Sender::new(0) }
    }

    /// Advances the time, and wakes the sleepers whose time has come.
    pub(crate) fn advance(&self, duration: Duration) {
        self.time.send_modify(|time| {
            time.wall += duration;
            time.passed += duration;
        });
    }

    /// Sets the wall clock forward or back, while no time passes.
    pub(crate) fn set(&self, by: SignedDuration) {
        self.time.send_modify(|time| time.wall += by);
    }

    /// Waits until more than `before` sleepers have begun.
    pub(crate) async fn sleeper_after(&self, before: usize) {
        self.sleepers.subscribe().wait_for(|begun| *begun > before).await.unwrap();
    }

    /// Returns the number of sleeps that have begun so far.
    pub(crate) fn sleepers(&self) -> usize {
        *self.sleepers.borrow()
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.time.borrow().wall
    }

    fn monotonic(&self) -> Duration {
        self.time.borrow().passed
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.monotonic() + duration;
        let mut time = self.time.subscribe();
        self.sleepers.send_modify(|begun| *begun += 1);
        time.wait_for(|time| time.passed >= until).await.unwrap();
    }
}
