//! Polls: the calls that many operations repeat while they wait.
//!
//! The platform answers about twenty calls per second. So operations share the calls for lists that
//! are the same for all, and calls about one application are spread over time if there are many. It
//! must not know what a result means.

mod single_flight;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use self::single_flight::SingleFlight;
pub(crate) use single_flight::ReadCursor;

use crate::server::platform::{AppName, QueuedJob};

/// The maximum number of followed deploy jobs with which each operation reads its own list of jobs
/// at every check.
const FEW_FOLLOWERS: usize = 4;

/// The interval between calls at the full rate: 25 calls a second.
const INTERVAL: Duration = Duration::from_millis(40);
/// The limit of the unused time that later calls may use up at once: 25 intervals.
const BURST: Duration = Duration::from_secs(1);

/// The polls of the platform that all operations of a portal share.
#[derive(Debug, Default)]
pub struct Polls {
    pub(super) queue: SingleFlight<Vec<QueuedJob>>,
    pub(super) services: SingleFlight<Vec<AppName>>,
    pub(super) nodes: SingleFlight<usize>,
    pub(super) pacer: Pacer,
    following: AtomicUsize,
}

/// Counts as a follower of a deploy job until it is dropped.
pub(crate) struct Following<'a>(&'a AtomicUsize);

impl Polls {
    /// Registers a follower of a deploy job.
    pub(crate) fn follow(&self) -> Following<'_> {
        self.following.fetch_add(1, Ordering::Relaxed);
        Following(&self.following)
    }

    /// Returns whether at most [`FEW_FOLLOWERS`] deploy jobs are followed.
    pub(crate) fn has_few_followers(&self) -> bool {
        self.following.load(Ordering::Relaxed) <= FEW_FOLLOWERS
    }

    /// Returns the position of the queue's readings so far. A reading after it begins later than
    /// now.
    pub(crate) fn queue_cursor(&self) -> ReadCursor {
        self.queue.cursor()
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A rate limiter that spreads calls over time, in the order of their requests, on a monotonic clock.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    /// The time of the next turn. It lies in the past while turns are unused.
    next: Mutex<Duration>,
}

impl Pacer {
    /// Reserves the next turn for `questions` calls, and returns how long the caller must wait for
    /// it.
    pub(super) fn turn(&self, questions: u32, now: Duration) -> Duration {
        let mut next = self.next.lock();
        let turn = (*next).max(now.saturating_sub(BURST));
        *next = turn + INTERVAL * questions;
        turn.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn occasional_calls_never_wait_and_many_are_spread_over_time() {
        let pacer = Pacer::default();
        for second in 10..20 {
            for _ in 0..20 {
                assert_eq!(pacer.turn(1, Duration::from_secs(second)), Duration::ZERO);
            }
        }
        let now = Duration::from_secs(100);
        let turns: Vec<Duration> = (0..256).map(|_| pacer.turn(1, now)).collect();
        let at_once = turns.iter().filter(|turn| turn.is_zero()).count();
        assert_eq!(at_once, 26, "as many as the second before made up for");
        assert_eq!(turns[255], INTERVAL * 230);
        assert!(turns.is_sorted(), "first come, first served");
    }
}
