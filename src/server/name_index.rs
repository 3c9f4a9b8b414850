//! The names of all stacks in memory, so that to check a name costs no query.
//!
//! The index is read as a whole now and then. In between, each transaction that changes a name is
//! announced, by this portal or by another replica: such a name is unknown to the index until it is
//! read again. It is advisory: whether a name can be had is decided by the transaction that reserves
//! it. It must not know the store.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;

use domain::owner::OwnerId;
use domain::stack_name::StackName;

/// The age from which the index is read again.
const REFRESH_AFTER: Duration = Duration::from_secs(30);
/// The age up to which it is used. A replica of a version that announces no names may have changed
/// one meanwhile.
const LIFETIME: Duration = Duration::from_mins(1);
/// The time within which it is not read again because of names that have changed.
const PAUSE: Duration = Duration::from_secs(1);

/// The number of changed names from which everything is read again instead.
const MOST_CHANGED: usize = 10_000;

/// The state of a name that is not simply free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameState {
    /// A stack has it.
    Reserved,
    /// The last live stack that had it is gone.
    Freed {
        /// The owner of that stack.
        owner: Option<OwnerId>,
        /// The time at which the name became free.
        at: Timestamp,
    },
}

/// What the index says about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// No stack has it, and none had it recently.
    Free,
    /// It has this state.
    In(NameState),
    /// The index does not know: the store must be asked.
    Unknown,
}

/// The names of all stacks, as far as they are known.
#[derive(Debug, Default)]
pub struct NameIndex(Mutex<Contents>);

#[derive(Debug, Default)]
struct Contents {
    /// The names as they were read, and when, on the monotonic clock; `None` before the first
    /// reading, and after announcements may have been lost.
    read: Option<(HashMap<StackName, NameState>, Duration)>,
    /// The names that were announced since they were read, with the number of the announcement.
    changed: HashMap<StackName, u64>,
    /// The number of the last announcement, or loss.
    number: u64,
    /// The number of the last loss.
    lost: u64,
    /// The time of the last attempt to read.
    tried: Option<Duration>,
    /// True while a reading is in progress.
    is_reading: bool,
}

/// A reading in progress.
#[derive(Debug)]
pub struct Reading {
    /// The number of the last announcement before it.
    number: u64,
    at: Duration,
}

impl NameIndex {
    /// Returns what is known about a name at `now`, on the monotonic clock.
    pub fn look_up(&self, name: &StackName, now: Duration) -> Lookup {
        let contents = self.0.lock();
        match &contents.read {
            Some((names, at))
                if now.saturating_sub(*at) < LIFETIME && !contents.changed.contains_key(name) =>
            {
                names.get(name).cloned().map_or(Lookup::Free, Lookup::In)
            }
            Some(_) | None => Lookup::Unknown,
        }
    }

    /// Returns a reading to make now, if one is due and none is in progress.
    pub fn reading_due(&self, now: Duration) -> Option<Reading> {
        let mut contents = self.0.lock();
        let since = |at: Duration| now.saturating_sub(at);
        let is_recent = match &contents.read {
            Some((_, at)) => since(*at) < REFRESH_AFTER && contents.changed.is_empty(),
            None => false,
        };
        let is_tried = contents.tried.is_some_and(|at| since(at) < PAUSE);
        if is_recent || is_tried || contents.is_reading {
            return None;
        }
        (contents.tried, contents.is_reading) = (Some(now), true);
        Some(Reading { number: contents.number, at: now })
    }

    /// Replaces the contents by the `names` of a reading; `None` if it failed. Names that were
    /// announced since it began stay unknown.
    pub fn complete(&self, reading: &Reading, names: Option<HashMap<StackName, NameState>>) {
        let mut contents = self.0.lock();
        // What began before a loss is not the one in progress.
        if contents.lost > reading.number {
            return;
        }
        contents.is_reading = false;
        let Some(names) = names else { return };
        contents.read = Some((names, reading.at));
        contents.changed.retain(|_, number| *number > reading.number);
    }

    /// Announces that a transaction has changed the state of a name.
    pub(crate) fn announce(&self, name: &StackName) {
        let mut contents = self.0.lock();
        contents.number += 1;
        let number = contents.number;
        contents.changed.insert(name.clone(), number);
        if contents.changed.len() > MOST_CHANGED {
            drop(contents);
            self.forget();
        }
    }

    /// Forgets everything, because announcements may have been lost.
    pub(crate) fn forget(&self) {
        let mut contents = self.0.lock();
        let number = contents.number + 1;
        *contents = Contents { number, lost: number, ..Contents::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn name(text: &str) -> StackName {
        StackName::parse(text).unwrap()
    }

    fn reserved(names: &[&str]) -> HashMap<StackName, NameState> {
        names.iter().map(|text| (name(text), NameState::Reserved)).collect()
    }

    #[test]
    fn it_knows_nothing_before_it_is_read_and_after_a_loss() {
        let index = NameIndex::default();
        assert_eq!(index.look_up(&name("alice"), SECOND), Lookup::Unknown);
        let reading = index.reading_due(SECOND).unwrap();
        assert!(index.reading_due(SECOND).is_none(), "one at a time");
        assert!(index.reading_due(SECOND * 90).is_none(), "however long it takes");
        index.complete(&reading, Some(reserved(&["alice"])));
        assert_eq!(index.look_up(&name("alice"), SECOND), Lookup::In(NameState::Reserved));
        assert_eq!(index.look_up(&name("bob"), SECOND), Lookup::Free);
        assert!(index.reading_due(SECOND * 20).is_none());
        let reading = index.reading_due(SECOND * 40).unwrap();
        index.forget();
        index.complete(&reading, Some(reserved(&[])));
        assert_eq!(index.look_up(&name("alice"), SECOND * 40), Lookup::Unknown);
        let reading = index.reading_due(SECOND * 40).unwrap();
        index.complete(&reading, None);
        assert_eq!(index.look_up(&name("alice"), SECOND * 40), Lookup::Unknown);
        assert!(index.reading_due(SECOND * 42).is_some(), "after a reading that failed");
    }

    #[test]
    fn it_forgets_everything_when_too_many_names_have_changed() {
        let index = NameIndex::default();
        index.complete(&index.reading_due(SECOND).unwrap(), Some(reserved(&[])));
        for number in 0..=MOST_CHANGED {
            index.announce(&name(&format!("name-{number}")));
        }
        assert_eq!(index.look_up(&name("alice"), SECOND), Lookup::Unknown);
        assert!(index.0.lock().changed.is_empty());
    }

    #[test]
    fn a_name_that_changed_is_unknown_until_it_is_read_after_that() {
        let index = NameIndex::default();
        index.complete(&index.reading_due(SECOND).unwrap(), Some(reserved(&[])));
        index.announce(&name("alice"));
        assert_eq!(index.look_up(&name("alice"), SECOND), Lookup::Unknown);
        assert_eq!(index.look_up(&name("bob"), SECOND), Lookup::Free);
        let reading = index.reading_due(SECOND * 3).unwrap();
        index.announce(&name("bob"));
        index.complete(&reading, Some(reserved(&["alice"])));
        assert_eq!(index.look_up(&name("alice"), SECOND * 3), Lookup::In(NameState::Reserved));
        assert_eq!(index.look_up(&name("bob"), SECOND * 3), Lookup::Unknown, "changed meanwhile");
    }

    #[test]
    fn it_is_not_used_when_it_is_old() {
        let index = NameIndex::default();
        index.complete(&index.reading_due(SECOND).unwrap(), Some(reserved(&["alice"])));
        assert_eq!(index.look_up(&name("bob"), SECOND * 60), Lookup::Free);
        assert_eq!(index.look_up(&name("bob"), SECOND * 61), Lookup::Unknown);
    }
}
