//! A clock that only moves when told.

use std::time::Duration;

use ai_stack_deployer::server::ports::clock::Clock;
use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::watch;

/// A clock that only moves when told.
#[derive(Debug)]
pub(crate) struct ManualClock {
    now: watch::Sender<Timestamp>,
    sleepers: watch::Sender<usize>,
}

impl ManualClock {
    pub(crate) fn new() -> Self {
        Self::at("2026-11-23T09:55:24.515Z".parse().unwrap())
    }

    pub(crate) fn at(start: Timestamp) -> Self {
        Self { now: watch::Sender::new(start), sleepers: watch::Sender::new(0) }
    }

    /// Moves on, and wakes whose time has come.
    pub(crate) fn advance(&self, duration: Duration) {
        self.now.send_modify(|now| *now += duration);
    }

    /// Waits until somebody has begun to sleep after `before` others.
    pub(crate) async fn sleeper_after(&self, before: usize) {
        self.sleepers.subscribe().wait_for(|begun| *begun > before).await.unwrap();
    }

    /// Counts those who have begun to sleep so far.
    pub(crate) fn sleepers(&self) -> usize {
        *self.sleepers.borrow()
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.now() + duration;
        let mut now = self.now.subscribe();
        self.sleepers.send_modify(|begun| *begun += 1);
        now.wait_for(|now| *now >= until).await.unwrap();
    }
}
