//! Several looks at one stack: three bad ones in a row mean that it does not work, two good ones that
//! it works again.

use super::{Look, Looked};
use domain::event::Seq;

/// The number of bad looks in a row after which a stack does not work.
const BAD: u32 = 3;
/// The number of good looks in a row after which it works again.
const GOOD: u32 = 2;

/// The last looks at a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Streak {
    /// The number of the stack's last event before the looks.
    seen: Seq,
    bad: u32,
    good: u32,
    /// The names of the containers that ran at the last look that saw one.
    running: Vec<String>,
}

/// What a look decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    AsBefore,
    /// The stack does not work any more.
    Unhealthy,
    /// It works again.
    Recovered,
}

impl Streak {
    /// Returns the names of the containers that ran at the last look that saw one, since the event
    /// `seen`.
    pub(super) fn ran_since(&self, seen: Seq) -> &[String] {
        if self.seen == seen { &self.running } else { &[] }
    }

    /// Adds a look at a stack whose last event was `seen` before it. Looks before that event do not
    /// count any more. An unknown look changes nothing.
    pub(super) fn take(&mut self, seen: Seq, is_unhealthy: bool, looked: &Looked) -> Verdict {
        if self.seen != seen {
            *self = Self { seen, ..Self::default() };
        }
        if !looked.running.is_empty() {
            self.running.clone_from(&looked.running);
        }
        match looked.look {
            Look::Unknown => return Verdict::AsBefore,
            Look::Good => (self.good, self.bad) = (self.good.saturating_add(1), 0),
            Look::Bad(_) => (self.bad, self.good) = (self.bad.saturating_add(1), 0),
        }
        match is_unhealthy {
            false if self.bad >= BAD => Verdict::Unhealthy,
            true if self.good >= GOOD => Verdict::Recovered,
            true | false => Verdict::AsBefore,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::stack_event::Problem;

    use super::*;

    const BAD: Look = Look::Bad(Problem::NoAnswer);

    fn looked(look: Look) -> Looked {
        Looked { look, ..Looked::UNKNOWN }
    }

    #[test]
    fn three_bad_looks_in_a_row_and_two_good_ones_decide() {
        let mut streak = Streak::default();
        let mut take = |look| streak.take(4, false, &looked(look));
        let looks = [BAD, BAD, Look::Good, BAD, Look::Unknown, BAD];
        assert!(looks.into_iter().all(|look| take(look) == Verdict::AsBefore));
        assert_eq!(take(BAD), Verdict::Unhealthy, "an unknown look changes nothing");

        let mut streak = Streak::default();
        let mut take = |look| streak.take(5, true, &looked(look));
        let looks = [Look::Good, BAD, Look::Good, Look::Unknown];
        assert!(looks.into_iter().all(|look| take(look) == Verdict::AsBefore));
        assert_eq!(take(Look::Good), Verdict::Recovered);
    }

    #[test]
    fn looks_before_an_event_do_not_count_after_it() {
        let mut streak = Streak::default();
        for seen in [4, 4, 6, 6] {
            assert_eq!(streak.take(seen, false, &looked(BAD)), Verdict::AsBefore);
        }
        assert_eq!(streak.take(6, false, &looked(BAD)), Verdict::Unhealthy);
    }
}
