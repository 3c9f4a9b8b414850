//! What was noted lately: what goes on and on is noted once an hour.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How long a note stands for what comes after it.
const LASTING: Duration = Duration::from_hours(1);
/// How many notes are remembered.
const MOST: usize = 1_000;

/// What is noted already.
#[derive(Debug)]
pub(super) struct Lately<K> {
    noted: Mutex<HashMap<K, Duration>>,
    beyond: Beyond,
}

/// What becomes of news once as many as are remembered were noted within the hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beyond {
    /// It is noted, and what was noted may be noted twice.
    Note,
    /// It is not noted: whoever sends it would write as much as they like.
    Drop,
}

impl<K: Eq + Hash> Lately<K> {
    /// Remembers nothing yet.
    pub(super) fn new(beyond: Beyond) -> Self {
        Self { noted: Mutex::default(), beyond }
    }

    /// Tells whether `what` is to be noted at `now`, which is monotonic, and remembers that it is.
    pub(super) fn is_news(&self, what: K, now: Duration) -> bool {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |at: &Duration| now.saturating_sub(*at) < LASTING;
        if noted.get(&what).is_some_and(is_fresh) {
            return false;
        }
        if noted.len() >= MOST {
            noted.retain(|_, at| is_fresh(at));
        }
        if noted.len() >= MOST {
            match self.beyond {
                Beyond::Note => noted.clear(),
                Beyond::Drop => return false,
            }
        }
        noted.insert(what, now);
        true
    }

    /// Forgets that `what` was noted: it could not be.
    pub(super) fn forget(&self, what: &K) {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).remove(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_795_427_270);

    #[test]
    fn what_goes_on_is_noted_once_an_hour() {
        for beyond in [Beyond::Note, Beyond::Drop] {
            let lately = Lately::new(beyond);
            assert!(lately.is_news(("ann", 1), NOW));
            assert!(!lately.is_news(("ann", 1), NOW));
            assert!(lately.is_news(("bob", 1), NOW));
            assert!(lately.is_news(("ann", 2), NOW));
            assert!(!lately.is_news(("ann", 1), NOW + LASTING.mul_f32(0.99)));
            assert!(lately.is_news(("ann", 1), NOW + LASTING));
        }
    }

    #[test]
    fn few_are_remembered_and_what_comes_beyond_is_noted_or_dropped() {
        for (beyond, expected) in [(Beyond::Note, 3_000), (Beyond::Drop, MOST)] {
            let lately = Lately::new(beyond);
            let noted = (0..3_000).filter(|what| lately.is_news(*what, NOW)).count();
            assert_eq!(noted, expected);
            assert!(lately.noted.lock().unwrap().len() <= MOST);
            assert!(lately.is_news(9_000, NOW + LASTING), "an hour later there is room");
        }
    }
}
