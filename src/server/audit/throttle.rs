//! Throttles audit entries: an event that repeats is recorded once an hour.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use parking_lot::Mutex;

/// The time for which a repeated event is not recorded again.
const WINDOW: Duration = Duration::from_hours(1);
/// The maximum number of events that are remembered.
const MAX_ENTRIES: usize = 10_000;
/// The maximum number of events of one group, if others must not be kept out.
const MAX_SHARE: usize = 50;

/// The events that were recorded within the window.
#[derive(Debug)]
pub(crate) struct AuditThrottle<K> {
    recorded: Mutex<HashMap<K, Duration>>,
    overflow: Overflow,
}

/// The treatment of a new event once the throttle is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// It is recorded, and an earlier one may be recorded twice.
    Record,
    /// It is not recorded: otherwise a client could fill the audit log. The same holds for an
    /// event of a group that has its share: otherwise a client could keep out all others.
    Drop,
}

impl<K: Eq + Hash> AuditThrottle<K> {
    /// Creates an empty throttle.
    pub(crate) fn new(overflow: Overflow) -> Self {
        Self { recorded: Mutex::default(), overflow }
    }

    /// Returns whether the event `what` is to be recorded at `now`, and remembers it if so. `now`
    /// is on the monotonic clock.
    pub(crate) fn should_record(&self, what: K, now: Duration) -> bool {
        self.should_record_share(what, now, |_| None::<()>)
    }

    /// Does the same, but of each `group` no more than a share is remembered.
    pub(crate) fn should_record_share<G: PartialEq>(
        &self,
        what: K,
        now: Duration,
        group: impl Fn(&K) -> Option<G>,
    ) -> bool {
        let mut recorded = self.recorded.lock();
        let is_fresh = |at: &Duration| now.saturating_sub(*at) < WINDOW;
        if recorded.get(&what).is_some_and(is_fresh) {
            return false;
        }
        if recorded.len() >= MAX_ENTRIES {
            recorded.retain(|_, at| is_fresh(at));
        }
        let has_share = || {
            let own = group(&what);
            let is_same = |(other, at): &(&K, &Duration)| is_fresh(at) && group(other) == own;
            own.is_some() && recorded.iter().filter(is_same).count() >= MAX_SHARE
        };
        match self.overflow {
            Overflow::Record if recorded.len() >= MAX_ENTRIES => recorded.clear(),
            Overflow::Drop if recorded.len() >= MAX_ENTRIES || has_share() => return false,
            Overflow::Record | Overflow::Drop => {}
        }
        recorded.insert(what, now);
        true
    }

    /// Forgets `what`, which could not be recorded.
    pub(crate) fn reset(&self, what: &K) {
        self.recorded.lock().remove(what);
    }
}

#[cfg(test)]
mod tests {
    use crate::server::audit::throttle::*;

    const NOW: Duration = Duration::from_secs(1_795_427_270);

    #[test]
    fn what_repeats_is_recorded_once_an_hour() {
        for overflow in [Overflow::Record, Overflow::Drop] {
            let audit_throttle = AuditThrottle::new(overflow);
            assert!(audit_throttle.should_record(("ann", 1), NOW));
            assert!(!audit_throttle.should_record(("ann", 1), NOW));
            assert!(audit_throttle.should_record(("bob", 1), NOW));
            assert!(audit_throttle.should_record(("ann", 2), NOW));
            assert!(!audit_throttle.should_record(("ann", 1), NOW + WINDOW.mul_f32(0.99)));
            assert!(audit_throttle.should_record(("ann", 1), NOW + WINDOW));
        }
    }

    #[test]
    fn few_are_remembered_and_what_overflows_is_recorded_or_dropped() {
        for (overflow, expected) in [(Overflow::Record, 30_000), (Overflow::Drop, MAX_ENTRIES)] {
            let audit_throttle = AuditThrottle::new(overflow);
            let recorded =
                (0..30_000).filter(|what| audit_throttle.should_record(*what, NOW)).count();
            assert_eq!(recorded, expected);
            assert!(audit_throttle.recorded.lock().len() <= MAX_ENTRIES);
            assert!(
                audit_throttle.should_record(90_000, NOW + WINDOW),
                "an hour later there is room"
            );
        }
    }

    #[test]
    fn nobody_uses_up_the_places_of_others() {
        let audit_throttle = AuditThrottle::new(Overflow::Drop);
        let is_recorded = |what: (u32, usize)| {
            audit_throttle.should_record_share(what, NOW, |(group, _)| Some(*group))
        };
        assert_eq!((0..3_000).filter(|what| is_recorded((1, *what))).count(), MAX_SHARE);
        assert!(is_recorded((2, 0)), "somebody else");
        let without =
            |what: (u32, usize)| audit_throttle.should_record_share(what, NOW, |_| None::<u32>);
        assert_eq!((0..3_000).filter(|what| without((3, *what))).count(), 3_000);
    }
}
