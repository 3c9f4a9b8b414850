//! The circuit breaker: pauses the calls to a platform that fails.
//!
//! A number of consecutive failures, usually five, opens it for a minute. Then it is half-open: one
//! call goes through, and its outcome closes the breaker or opens it again. It must not know what a
//! call is, or read a clock: callers pass in the monotonic time.

use std::time::Duration;

use parking_lot::Mutex;

use crate::{Breaker as Snapshot, BreakerState};

/// The default number of consecutive failures that open the breaker.
pub(super) const FAILURES_TO_OPEN: u32 = 5;
/// The time for which it stays open.
const OPEN_FOR: Duration = Duration::from_mins(1);
/// The pause for other callers while the one call of a half-open breaker is in progress.
const PROBE_PAUSE: Duration = Duration::from_secs(1);

/// The verdict of an ended call on the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The platform works: it answered, possibly with an error.
    Well,
    /// The platform fails: no answer, an unreadable one, or that it is unavailable.
    Unwell,
}

/// The state machine. Times are on the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Closed: all calls go through.
    Closed { failures: u32 },
    /// Open: no call goes through until `OPEN_FOR` after `since`.
    Open { failures: u32, since: Duration },
    /// Half-open: one call is in progress.
    Probing { failures: u32, since: Duration },
}

impl State {
    /// Admits a call, or returns how long to wait.
    fn admit(self, now: Duration) -> (Self, Result<(), Duration>) {
        match self {
            Self::Closed { .. } => (self, Ok(())),
            Self::Open { failures, since } => match left(since, now) {
                Some(pause) => (self, Err(pause)),
                None => (Self::Probing { failures, since }, Ok(())),
            },
            Self::Probing { .. } => (self, Err(PROBE_PAUSE)),
        }
    }

    /// Records the verdict of a call that was admitted in this state.
    fn conclude(self, verdict: Verdict, now: Duration, failures_to_open: u32) -> Self {
        match (self, verdict) {
            (Self::Closed { .. } | Self::Probing { .. }, Verdict::Well) => {
                Self::Closed { failures: 0 }
            }
            (Self::Closed { failures }, Verdict::Unwell)
                if failures.saturating_add(1) < failures_to_open =>
            {
                Self::Closed { failures: failures + 1 }
            }
            (Self::Closed { failures } | Self::Probing { failures, .. }, Verdict::Unwell) => {
                Self::Open { failures: failures.saturating_add(1), since: now }
            }
            (Self::Open { .. }, Verdict::Well | Verdict::Unwell) => self,
        }
    }

    /// Records that a call was dropped before it ended: the next one may test the platform.
    fn abandon(self) -> Self {
        match self {
            Self::Probing { failures, since } => Self::Open { failures, since },
            Self::Closed { .. } | Self::Open { .. } => self,
        }
    }

    /// Returns a description of the state at `now`.
    fn snapshot(self, now: Duration) -> Snapshot {
        let (state, consecutive_failures, retry_after) = match self {
            Self::Closed { failures } => (BreakerState::Closed, failures, None),
            Self::Probing { failures, .. } => (BreakerState::HalfOpen, failures, None),
            Self::Open { failures, since } => match left(since, now) {
                Some(pause) => (BreakerState::Open, failures, Some(pause)),
                None => (BreakerState::HalfOpen, failures, None),
            },
        };
        Snapshot { state, consecutive_failures, retry_after }
    }
}

/// Returns what is left at `now` of the pause that began at `since`.
fn left(since: Duration, now: Duration) -> Option<Duration> {
    let passed = now.checked_sub(since)?;
    OPEN_FOR.checked_sub(passed).filter(|pause| !pause.is_zero())
}

/// The circuit breaker that all calls share.
#[derive(Debug)]
pub(super) struct Breaker {
    inner: Mutex<Inner>,
    failures_to_open: u32,
}

/// The state, and how often its variant has changed.
#[derive(Clone, Copy, Debug)]
struct Inner {
    state: State,
    generation: u64,
}

impl Inner {
    /// Moves to `next`. Calls admitted before a change of the variant no longer count.
    fn move_to(&mut self, next: State) {
        if std::mem::discriminant(&self.state) != std::mem::discriminant(&next) {
            self.generation += 1;
        }
        self.state = next;
    }
}

impl Breaker {
    /// Creates a closed breaker, which `failures_to_open` consecutive failures open.
    pub(super) fn new(failures_to_open: u32) -> Self {
        let inner = Inner { state: State::Closed { failures: 0 }, generation: 0 };
        Self { inner: Mutex::new(inner), failures_to_open }
    }

    /// Admits a call.
    ///
    /// # Errors
    /// Returns how long to wait, if no call may go through.
    pub(super) fn admit(&self, now: Duration) -> Result<Permit<'_>, Duration> {
        let mut inner = self.inner.lock();
        let (next, admission) = inner.state.admit(now);
        inner.move_to(next);
        admission.map(|()| Permit { breaker: self, generation: inner.generation, open: true })
    }

    /// Returns a description of the state at `now`.
    pub(super) fn snapshot(&self, now: Duration) -> Snapshot {
        self.inner.lock().state.snapshot(now)
    }
}

/// The permission for one call. If it is dropped without a verdict, another call may take its
/// place.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    breaker: &'a Breaker,
    generation: u64,
    open: bool,
}

impl Permit<'_> {
    /// Records the verdict of the call.
    pub(super) fn conclude(mut self, verdict: Verdict, now: Duration) {
        self.open = false;
        self.change(|state| state.conclude(verdict, now, self.breaker.failures_to_open));
    }

    /// Changes the state, unless its variant has changed since the call was admitted.
    fn change(&self, next: impl FnOnce(State) -> State) {
        let mut inner = self.breaker.inner.lock();
        if inner.generation == self.generation {
            let next = next(inner.state);
            inner.move_to(next);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.open {
            self.change(State::abandon);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Duration {
        Duration::from_secs(u64::try_from(1_000_000 + seconds).unwrap())
    }

    fn fail(breaker: &Breaker, times: u32, now: Duration) {
        for _ in 0..times {
            breaker.admit(now).unwrap().conclude(Verdict::Unwell, now);
        }
    }

    fn opened() -> Breaker {
        let breaker = Breaker::new(FAILURES_TO_OPEN);
        fail(&breaker, 5, at(0));
        breaker
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_four_do_not() {
        let breaker = Breaker::new(FAILURES_TO_OPEN);
        fail(&breaker, 4, at(0));
        assert_eq!(breaker.snapshot(at(0)).state, BreakerState::Closed);
        breaker.admit(at(0)).unwrap().conclude(Verdict::Well, at(0));
        assert_eq!(breaker.snapshot(at(0)).consecutive_failures, 0);
        fail(&breaker, 5, at(0));
        let snapshot = breaker.snapshot(at(0));
        assert_eq!(snapshot.state, BreakerState::Open);
        assert_eq!(snapshot.consecutive_failures, 5);
        assert_eq!(snapshot.retry_after, Some(OPEN_FOR));
    }

    #[test]
    fn while_open_it_says_how_long_to_wait_and_after_a_minute_lets_one_call_through() {
        let breaker = opened();
        assert_eq!(breaker.admit(at(20)).unwrap_err(), Duration::from_secs(40));
        assert_eq!(breaker.snapshot(at(60)).state, BreakerState::HalfOpen);
        let probe = breaker.admit(at(60)).unwrap();
        assert_eq!(breaker.admit(at(60)).unwrap_err(), PROBE_PAUSE);
        probe.conclude(Verdict::Well, at(61));
        assert_eq!(breaker.snapshot(at(61)).state, BreakerState::Closed);
    }

    #[test]
    fn a_failed_probe_opens_it_for_another_minute() {
        let breaker = opened();
        breaker.admit(at(60)).unwrap().conclude(Verdict::Unwell, at(70));
        assert_eq!(breaker.admit(at(71)).unwrap_err(), Duration::from_secs(59));
        assert_eq!(breaker.snapshot(at(71)).consecutive_failures, 6);
    }

    #[test]
    fn a_dropped_probe_lets_the_next_call_see() {
        let breaker = opened();
        drop(breaker.admit(at(60)).unwrap());
        assert!(breaker.admit(at(61)).is_ok());
    }

    #[test]
    fn what_was_let_through_before_it_opened_no_longer_counts() {
        let breaker = Breaker::new(FAILURES_TO_OPEN);
        let slow = breaker.admit(at(0)).unwrap();
        let lost = breaker.admit(at(0)).unwrap();
        fail(&breaker, 5, at(0));
        slow.conclude(Verdict::Well, at(1));
        drop(lost);
        assert_eq!(breaker.snapshot(at(1)).state, BreakerState::Open);
    }

    #[test]
    fn a_clock_set_back_does_not_keep_it_open() {
        assert!(opened().admit(at(-3600)).is_ok());
    }

    #[derive(Clone, Debug)]
    enum Move {
        Call(Verdict),
        GiveUp,
        Wait(i64),
    }

    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let one = prop_oneof![
            3 => Just(Move::Call(Verdict::Unwell)),
            1 => Just(Move::Call(Verdict::Well)),
            1 => Just(Move::GiveUp),
            1 => (0_i64..90).prop_map(Move::Wait),
        ];
        proptest::collection::vec(one, 0..60)
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn it_refuses_only_within_a_minute_of_five_failures_and_never_for_ever(moves in moves()) {
            let breaker = Breaker::new(FAILURES_TO_OPEN);
            let (mut now, mut in_a_row) = (0, 0);
            for one in moves {
                match (one, breaker.admit(at(now))) {
                    (Move::Wait(seconds), admission) => {
                        drop(admission);
                        now += seconds;
                    }
                    (Move::GiveUp, admission) => drop(admission),
                    (Move::Call(verdict), Ok(permit)) => {
                        permit.conclude(verdict, at(now));
                        in_a_row = if verdict == Verdict::Well { 0 } else { in_a_row + 1 };
                    }
                    (Move::Call(_), Err(pause)) => {
                        prop_assert!(in_a_row >= FAILURES_TO_OPEN);
                        prop_assert!(pause <= OPEN_FOR);
                    }
                }
                prop_assert_eq!(breaker.snapshot(at(now)).consecutive_failures, in_a_row);
            }
            prop_assert!(breaker.admit(at(now + 60)).is_ok());
        }
    }
}
