//! Problems of the whole server, derived from its responses.
//!
//! It must not make calls or read the clock: the caller reports responses and times.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::Mutex;

use jiff::Timestamp;

/// The time after the first refusal of the key from which another one is a problem. A single
/// refusal proves nothing: a platform whose database fails for a moment also refuses a valid key,
/// and reports itself well right afterwards.
const LASTING: Duration = Duration::from_secs(1);

/// The number of hangs that are remembered; the oldest are dropped.
const MOST_HANGS: usize = 1_000;

/// A problem of the whole server that only its operators can solve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It refuses the key repeatedly although it is well: the key is wrong, expired, or over its
    /// rate limit.
    KeyRefused,
    /// It answers neither mutating calls nor queries for its health.
    Hangs,
}

impl Problem {
    /// Logs the problem as an error, with what an operator can do.
    pub fn log(self) {
        match self {
            Self::KeyRefused => tracing::error!(
                "Dokploy refuses the key: it is wrong, expired, or over its rate limit"
            ),
            Self::Hangs => tracing::error!(
                "Dokploy hangs: it answers no call any more, though its /api/health says ok. End \
                 its database sessions, or restart it"
            ),
        }
    }
}

/// The problems that all calls share.
#[derive(Debug)]
pub(super) struct Problems {
    known: Mutex<Known>,
    /// Called once with each problem when it begins.
    report: fn(Problem),
}

#[derive(Debug, Default)]
struct Known {
    refusal: Refusal,
    /// The hangs, oldest first. Only the last one may still have no end.
    hangs: VecDeque<Hang>,
}

/// A period in which the platform hung.
#[derive(Clone, Copy, Debug)]
struct Hang {
    since: Timestamp,
    until: Option<Timestamp>,
}

/// The state of the platform's refusals of the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Refusal {
    /// No refusal is known.
    #[default]
    None,
    /// The platform has refused the key since then, although it was well.
    Since(Timestamp),
    /// The platform has refused the key for at least [`LASTING`], which is a problem.
    Lasting,
}

impl Problems {
    /// Returns a state without problems. `report` is called once with each problem that begins.
    pub(super) fn new(report: fn(Problem)) -> Self {
        Self { known: Mutex::default(), report }
    }

    /// Returns the present problem, if there is one. A hang comes before a refused key.
    pub(super) fn current(&self) -> Option<Problem> {
        let known = self.known.lock();
        let is_hanging = known.hangs.back().is_some_and(|hang| hang.until.is_none());
        let is_refused = known.refusal == Refusal::Lasting;
        let wedged = is_hanging.then_some(Problem::Hangs);
        wedged.or(is_refused.then_some(Problem::KeyRefused))
    }

    /// Records that the platform refused the key at `now` although it is well.
    pub(super) fn refused(&self, now: Timestamp) {
        let mut known = self.known.lock();
        let next = match known.refusal {
            Refusal::None => Refusal::Since(now),
            // The clock was set back.
            Refusal::Since(since) if now < since => Refusal::Since(now),
            Refusal::Since(since) if now.duration_since(since).unsigned_abs() < LASTING => return,
            Refusal::Since(_) => {
                (self.report)(Problem::KeyRefused);
                Refusal::Lasting
            }
            Refusal::Lasting => return,
        };
        known.refusal = next;
    }

    /// Records that the platform accepted the key.
    pub(super) fn accepted(&self) {
        if std::mem::take(&mut self.known.lock().refusal) == Refusal::Lasting {
            tracing::info!("The platform accepts the key again");
        }
    }

    /// Records that the platform hangs since `since`: it answered neither a mutating call nor the
    /// query for its health.
    pub(super) fn hangs(&self, since: Timestamp) {
        let mut known = self.known.lock();
        if known.hangs.back().is_none_or(|hang| hang.until.is_some()) {
            known.hangs.push_back(Hang { since, until: None });
            if known.hangs.len() > MOST_HANGS {
                known.hangs.pop_front();
            }
            (self.report)(Problem::Hangs);
        }
    }

    /// Records that the platform reported itself healthy at `now`, which ends a hang.
    pub(super) fn record_healthy(&self, now: Timestamp) {
        if let Some(hang) = self.known.lock().hangs.back_mut()
            && hang.until.is_none()
        {
            hang.until = Some(now);
            tracing::info!("The platform answers again: operations continue");
        }
    }

    /// Returns for how long the platform hung between `from` and `now`.
    pub(super) fn hung_for(&self, from: Timestamp, now: Timestamp) -> Duration {
        let known = self.known.lock();
        let within = |hang: &Hang| {
            let (since, until) = (hang.since.max(from), hang.until.unwrap_or(now).min(now));
            Duration::try_from(until.duration_since(since)).unwrap_or_default()
        };
        known.hangs.iter().map(within).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_795_427_270_000 + ms).unwrap()
    }

    #[test]
    fn only_a_refusal_that_lasts_is_a_problem_until_the_key_is_taken_again() {
        let problems = Problems::new(Problem::log);
        for (ms, expected) in [
            (0, None),
            (999, None),
            (1_000, Some(Problem::KeyRefused)),
            (1_001, Some(Problem::KeyRefused)),
        ] {
            problems.refused(at(ms));
            assert_eq!(problems.current(), expected, "{ms}");
        }
        problems.accepted();
        problems.refused(at(90_000));
        assert_eq!(problems.current(), None, "what was before does not count");
    }

    #[test]
    fn the_time_in_which_it_hung_is_added_up() {
        let problems = Problems::new(Problem::log);
        problems.hangs(at(10_000));
        problems.hangs(at(12_000));
        assert_eq!(problems.current(), Some(Problem::Hangs));
        assert_eq!(problems.hung_for(at(0), at(15_000)), Duration::from_secs(5));
        problems.record_healthy(at(20_000));
        problems.record_healthy(at(25_000));
        assert_eq!(problems.current(), None);
        problems.hangs(at(30_000));
        problems.record_healthy(at(31_000));
        for (from, now, seconds) in [(0, 40, 11), (15, 40, 6), (0, 12, 2), (22, 29, 0), (50, 60, 0)]
        {
            let hung = problems.hung_for(at(from * 1_000), at(now * 1_000));
            assert_eq!(hung, Duration::from_secs(seconds), "{from} to {now}");
        }
    }

    #[test]
    fn a_clock_set_back_makes_no_refusal_last() {
        let problems = Problems::new(Problem::log);
        problems.refused(at(0));
        problems.refused(at(-3_600_000));
        assert_eq!(problems.current(), None);
        problems.refused(at(-3_599_000));
        assert_eq!(problems.current(), Some(Problem::KeyRefused));
    }
}
