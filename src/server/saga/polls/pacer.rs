//! Pacer: a rate limiter that spreads calls over time, in the order of their requests.

use std::time::Duration;

use parking_lot::Mutex;

/// The interval between calls at the full rate: 25 calls a second.
const INTERVAL: Duration = Duration::from_millis(40);
/// The limit of the unused time that later calls may use up at once: 25 intervals.
const BURST: Duration = Duration::from_secs(1);

/// The turns of the calls, on a monotonic clock.
#[derive(Debug, Default)]
pub(crate) struct Pacer {
    /// The time of the next turn. It lies in the past while turns are unused.
    next: Mutex<Duration>,
}

impl Pacer {
    /// Reserves the next turn for `questions` calls, and returns how long the caller must wait for
    /// it.
    pub(crate) fn turn(&self, questions: u32, now: Duration) -> Duration {
        let mut next = self.next.lock();
        let turn = (*next).max(now.saturating_sub(BURST));
        *next = turn + INTERVAL * questions;
        turn.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use crate::server::saga::polls::pacer::*;

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
