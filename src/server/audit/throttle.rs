//! Throttles audit entries: an event that repeats is recorded once an hour.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use parking_lot::Mutex;

/// The time for which a repeated event is not recorded again.
const WINDOW: Duration = Duration::from_hours(1);
/// The maximum number of events that are remembered.
const MAX_ENTRIES: usize = 1_000;

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
    /// It is not recorded: otherwise a client could fill the audit log.
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
        let mut recorded = self.recorded.lock();
        let is_fresh = |at: &Duration| now.saturating_sub(*at) < WINDOW;
        if recorded.get(&what).is_some_and(is_fresh) {
            return false;
        }
        if recorded.len() >= MAX_ENTRIES {
            recorded.retain(|_, at| is_fresh(at));
        }
        if recorded.len() >= MAX_ENTRIES {
            match self.overflow {
                Overflow::Record => recorded.clear(),
                Overflow::Drop => return false,
            }
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
        for (overflow, expected) in [(Overflow::Record, 3_000), (Overflow::Drop, MAX_ENTRIES)] {
            let audit_throttle = AuditThrottle::new(overflow);
            let recorded =
                (0..3_000).filter(|what| audit_throttle.should_record(*what, NOW)).count();
            assert_eq!(recorded, expected);
            assert!(audit_throttle.recorded.lock().len() <= MAX_ENTRIES);
            assert!(
                audit_throttle.should_record(9_000, NOW + WINDOW),
                "an hour later there is room"
            );
        }
    }
}
