//! What keeps the whole platform from working for the portal, as its answers tell.
//!
//! It must not know a call, nor the time: it is told both.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::domain::platform_problem::PlatformProblem;

/// How long after the first one a refusal counts as one that lasts. A platform whose database
/// comes and goes refuses a good key, too, and is well when it is asked right afterwards.
const LASTING: Duration = Duration::from_secs(1);

/// The problems that all calls share.
#[derive(Debug, Default)]
pub(super) struct Problems(Mutex<Refusal>);

/// How the platform takes the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Refusal {
    /// It does, as far as is known.
    #[default]
    None,
    /// It has refused it since then, and was well.
    Since(Timestamp),
    /// It has refused it again and again.
    Lasting,
}

impl Problems {
    /// Tells the problem that there is, if there is one.
    pub(super) fn current(&self) -> Option<PlatformProblem> {
        (*self.lock() == Refusal::Lasting).then_some(PlatformProblem::KeyRefused)
    }

    /// Takes in that the key was refused at `now` by a platform that is well.
    pub(super) fn refused(&self, now: Timestamp) {
        let mut refusal = self.lock();
        let next = match *refusal {
            Refusal::None => Refusal::Since(now),
            Refusal::Since(since) if now < since => Refusal::Since(now),
            Refusal::Since(since) if now.duration_since(since).unsigned_abs() < LASTING => return,
            Refusal::Since(_) => {
                let problem = PlatformProblem::KeyRefused;
                tracing::error!(code = problem.code(), "{}", problem.remedy());
                Refusal::Lasting
            }
            Refusal::Lasting => return,
        };
        *refusal = next;
    }

    /// Takes in that the platform took the key.
    pub(super) fn accepted(&self) {
        if std::mem::take(&mut *self.lock()) == Refusal::Lasting {
            tracing::info!("The platform takes the key again");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Refusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let problems = Problems::default();
        for (ms, expected) in [
            (0, None),
            (999, None),
            (1_000, Some(PlatformProblem::KeyRefused)),
            (1_001, Some(PlatformProblem::KeyRefused)),
        ] {
            problems.refused(at(ms));
            assert_eq!(problems.current(), expected, "{ms}");
        }
        problems.accepted();
        problems.refused(at(90_000));
        assert_eq!(problems.current(), None, "what was before does not count");
    }

    #[test]
    fn a_clock_set_back_makes_no_refusal_last() {
        let problems = Problems::default();
        problems.refused(at(0));
        problems.refused(at(-3_600_000));
        assert_eq!(problems.current(), None);
        problems.refused(at(-3_599_000));
        assert_eq!(problems.current(), Some(PlatformProblem::KeyRefused));
    }
}
