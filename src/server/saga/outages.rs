//! Outages of the database. Each process remembers its own, since they cannot be recorded in the
//! database.

use std::collections::VecDeque;

use parking_lot::Mutex;

use jiff::Timestamp;

use crate::server::store::{Result, StoreError};

/// The maximum number of outages that are remembered.
const MOST_OUTAGES: usize = 1_000;

/// A span of time, from its start to its end.
pub(crate) type Span = (Timestamp, Timestamp);

/// The outages of the database that this process noticed, oldest first.
#[derive(Debug, Default)]
pub struct Outages(Mutex<VecDeque<Outage>>);

/// An outage. It has no end while it lasts.
#[derive(Clone, Copy, Debug)]
struct Outage {
    since: Timestamp,
    /// The time of the last failure.
    last: Timestamp,
    until: Option<Timestamp>,
}

impl Outages {
    /// Takes in the result of a change that was attempted between `since` and `now`, and returned
    /// the changed rows.
    pub(crate) fn note<T>(&self, rows: &Result<Vec<T>>, since: Timestamp, now: Timestamp) {
        match rows {
            Err(StoreError::Unavailable(_)) => self.failed(since, now),
            Ok(rows) if !rows.is_empty() => self.wrote(now),
            // Nothing was written, so this does not show that the outage is over: a full disk
            // allows it, too.
            Ok(_) | Err(_) => {}
        }
    }

    /// Takes in that something was written at `now`, which ends an outage.
    pub(crate) fn wrote(&self, now: Timestamp) {
        if let Some(outage) = self.0.lock().back_mut() {
            outage.until.get_or_insert(now);
        }
    }

    /// Takes in that there is nothing to write, so that nothing would show the end of an outage. An
    /// outage without a failure since `then` ends with its last failure.
    pub(crate) fn rest(&self, then: Timestamp) {
        if let Some(outage) = self.0.lock().back_mut()
            && outage.last < then
        {
            outage.until.get_or_insert(outage.last);
        }
    }

    fn failed(&self, since: Timestamp, now: Timestamp) {
        let mut outages = self.0.lock();
        match outages.back_mut() {
            Some(outage) if outage.until.is_none() => outage.last = now,
            Some(_) | None => outages.push_back(Outage { since, last: now, until: None }),
        }
        if outages.len() > MOST_OUTAGES {
            outages.pop_front();
        }
    }

    /// Returns whether an outage lasts.
    pub(crate) fn is_on(&self) -> bool {
        self.0.lock().back().is_some_and(|outage| outage.until.is_none())
    }

    /// Returns the spans of all outages up to `now`, oldest first.
    pub(crate) fn spans(&self, now: Timestamp) -> Vec<Span> {
        self.0.lock().iter().map(|one| (one.since, one.until.unwrap_or(now))).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::server::saga::outages::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_427_270 + second).unwrap()
    }

    fn away() -> Result<Vec<()>> {
        Err(StoreError::Unavailable("gone".into()))
    }

    #[test]
    fn an_outage_lasts_from_the_first_failure_until_something_is_written() {
        let outages = Outages::default();
        outages.note(&Ok(vec![()]), at(0), at(0));
        assert_eq!(outages.spans(at(1)), []);
        outages.note(&away(), at(1), at(6));
        outages.note(&away(), at(7), at(12));
        // Neither shows that the database can be written.
        outages.note(&Ok(Vec::<()>::new()), at(12), at(12));
        outages.note(&Err::<Vec<()>, _>(StoreError::LeaseLost), at(12), at(13));
        assert_eq!(outages.spans(at(14)), [(at(1), at(14))]);
        outages.note(&Ok(vec![()]), at(14), at(15));
        outages.wrote(at(17));
        assert_eq!(outages.spans(at(20)), [(at(1), at(15))]);
    }

    #[test]
    fn an_outage_that_is_not_seen_to_go_on_ended_with_its_last_failure() {
        let outages = Outages::default();
        outages.note(&away(), at(1), at(6));
        outages.rest(at(6));
        assert_eq!(outages.spans(at(8)), [(at(1), at(8))]);
        outages.rest(at(7));
        outages.wrote(at(9));
        assert_eq!(outages.spans(at(20)), [(at(1), at(6))]);
    }
}
