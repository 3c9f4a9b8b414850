//! Throttles audit entries: an event that repeats is recorded once an hour.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use parking_lot::Mutex;

/// The time for which a repeated event is not recorded again.
const WINDOW: Duration = Duration::from_hours(1);
/// The maximum number of events that are remembered.
const MAX_ENTRIES: usize = 10_000;

/// The events `K` that were recorded within the window, and how many of each group `G`.
#[derive(Debug)]
pub(crate) struct AuditThrottle<K, G = ()> {
    recorded: Mutex<Recorded<K, G>>,
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

#[derive(Debug)]
struct Recorded<K, G> {
    times: HashMap<K, Duration>,
    counts: HashMap<G, usize>,
    /// All of them in the order of their times, with their groups.
    order: VecDeque<(Duration, K, Vec<G>)>,
}

impl<K: Clone + Eq + Hash, G: Clone + Eq + Hash> AuditThrottle<K, G> {
    /// Creates an empty throttle.
    pub(crate) fn new(overflow: Overflow) -> Self {
        Self { recorded: Mutex::new(Recorded::new()), overflow }
    }

    /// Returns whether the event `what` is to be recorded at `now`, and remembers it if so. `now`
    /// is on the monotonic clock.
    pub(crate) fn should_record(&self, what: K, now: Duration) -> bool {
        self.should_record_share(what, now, &[])
    }

    /// Does the same for an event of these groups, each with the maximum number of its events.
    pub(crate) fn should_record_share(
        &self,
        what: K,
        now: Duration,
        shares: &[(G, usize)],
    ) -> bool {
        let mut recorded = self.recorded.lock();
        recorded.forget_old(now);
        if recorded.times.contains_key(&what) {
            return false;
        }
        let is_full = recorded.order.len() >= MAX_ENTRIES;
        let has_share =
            |(group, share)| recorded.counts.get(group).is_some_and(|count| count >= share);
        match self.overflow {
            Overflow::Record if is_full => *recorded = Recorded::new(),
            Overflow::Drop if is_full || shares.iter().map(|(g, max)| (g, max)).any(has_share) => {
                return false;
            }
            Overflow::Record | Overflow::Drop => {}
        }
        recorded.insert(what, now, shares.iter().map(|(group, _)| group.clone()).collect());
        true
    }

    /// Forgets `what`, which could not be recorded.
    pub(crate) fn reset(&self, what: &K) {
        self.recorded.lock().times.remove(what);
    }
}

impl<K: Clone + Eq + Hash, G: Clone + Eq + Hash> Recorded<K, G> {
    fn new() -> Self {
        Self { times: HashMap::new(), counts: HashMap::new(), order: VecDeque::new() }
    }

    fn insert(&mut self, what: K, now: Duration, groups: Vec<G>) {
        self.times.insert(what.clone(), now);
        for group in &groups {
            *self.counts.entry(group.clone()).or_default() += 1;
        }
        self.order.push_back((now, what, groups));
    }

    fn forget_old(&mut self, now: Duration) {
        let is_old = |(at, ..): &mut (Duration, K, Vec<G>)| now.saturating_sub(*at) >= WINDOW;
        while let Some((at, what, groups)) = self.order.pop_front_if(is_old) {
            if self.times.get(&what) == Some(&at) {
                self.times.remove(&what);
            }
            for group in groups {
                if let Some(count) = self.counts.get_mut(&group) {
                    *count -= 1;
                    if *count == 0 {
                        self.counts.remove(&group);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::server::audit::throttle::*;

    const NOW: Duration = Duration::from_secs(1_795_427_270);

    #[test]
    fn what_repeats_is_recorded_once_an_hour() {
        for overflow in [Overflow::Record, Overflow::Drop] {
            let audit_throttle = AuditThrottle::<_>::new(overflow);
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
            let audit_throttle = AuditThrottle::<_>::new(overflow);
            let recorded =
                (0..30_000).filter(|what| audit_throttle.should_record(*what, NOW)).count();
            assert_eq!(recorded, expected);
            assert!(audit_throttle.recorded.lock().order.len() <= MAX_ENTRIES);
            assert!(
                audit_throttle.should_record(90_000, NOW + WINDOW),
                "an hour later there is room"
            );
        }
    }

    #[test]
    fn nobody_uses_up_the_places_of_others() {
        let audit_throttle = AuditThrottle::new(Overflow::Drop);
        let is_recorded = |machine: u32, what: usize, now: Duration| {
            let shares = [((machine, 0), 20), ((machine / 256, 1), 500)];
            audit_throttle.should_record_share((machine, what), now, &shares)
        };
        assert_eq!((0..3_000).filter(|what| is_recorded(1, *what, NOW)).count(), 20);
        assert!(is_recorded(2, 0, NOW), "somebody else of the network");
        let all = (3..256).flat_map(|machine| (0..30).map(move |what| (machine, what)));
        let recorded = all.filter(|(machine, what)| is_recorded(*machine, *what, NOW)).count();
        assert_eq!(recorded, 500 - 21, "the network has a larger share");
        assert!(is_recorded(256, 0, NOW), "another network");
        assert!(is_recorded(1, 9_999, NOW + WINDOW), "an hour later");
        let counts = audit_throttle.recorded.lock().counts.len();
        assert_eq!(counts, 2, "what is over is not kept");
    }
}
