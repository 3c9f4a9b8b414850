//! Pacer: spreads calls over time when many ask, first come, first served.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// The interval between turns while many ask.
const INTERVAL: Duration = Duration::from_millis(40);
/// How much of that a while without questions makes up for: twenty-five turns.
const BURST: Duration = Duration::from_secs(1);

/// Turns to ask, on a clock that only goes forward.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    /// The time at which the next turn would be, if none had been unused.
    next: Mutex<Duration>,
}

impl Pacer {
    /// Takes the next turn for so many `questions`, and returns how long after `now` it is.
    pub(super) fn turn(&self, questions: u32, now: Duration) -> Duration {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = (*next).max(now.saturating_sub(BURST));
        *next = turn + INTERVAL * questions;
        turn.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_now_and_then_never_waits_and_many_come_one_after_the_other() {
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
