//! The last lines of a log, for all who watch it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::lines::LogLine;

/// The most items that are kept.
pub(super) const MOST_ITEMS: usize = 10_000;
/// The most bytes of text that are kept.
const MOST_BYTES: usize = 2 << 20;
/// The size of an item without its text, in bytes.
const ITEM: usize = 64;

/// What a watcher gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A line.
    Line(LogLine),
    /// From here on, the lines are those of this container.
    Container(Arc<str>),
    /// Here, this many lines are left out.
    Gap(u64),
}

impl Item {
    /// Returns the id after which a stream goes on, `<container>:<time>`; `None` unless it is a line.
    pub fn id(&self) -> Option<String> {
        match self {
            Self::Line(LogLine { container, at, .. }) => Some(format!("{container}:{at:.9}")),
            Self::Container(_) | Self::Gap(_) => None,
        }
    }
}

/// The last items, each with a number.
#[derive(Debug, Default)]
pub(super) struct Ring {
    items: VecDeque<Item>,
    /// The number of the first one.
    first: u64,
    bytes: usize,
}

impl Ring {
    /// Adds an item, in the place of the oldest ones.
    pub(super) fn push(&mut self, item: Item) {
        self.bytes += size(&item);
        self.items.push_back(item);
        while self.items.len() > MOST_ITEMS || self.bytes > MOST_BYTES {
            let Some(lost) = self.items.pop_front() else { break };
            self.bytes -= size(&lost);
            self.first += 1;
        }
    }

    /// Returns the number of the next item.
    pub(super) fn end(&self) -> u64 {
        self.first + self.items.len() as u64
    }

    /// Returns the items from the number `from` on, at most `bytes` bytes of text but at least one
    /// item, and the number after the last. If some are not kept any more, the first is a gap.
    pub(super) fn read(&self, from: u64, bytes: usize) -> (Vec<Item>, u64) {
        let mut items = Vec::new();
        if from < self.first {
            items.push(Item::Gap(self.first - from));
        }
        let from = from.max(self.first);
        let (mut next, mut sum) = (from, 0);
        let skipped = usize::try_from(from - self.first).unwrap_or(usize::MAX);
        for item in self.items.iter().skip(skipped) {
            sum += size(item);
            if sum > bytes && next > from {
                break;
            }
            items.push(item.clone());
            next += 1;
        }
        (items, next)
    }

    /// Returns all items that are kept.
    pub(super) fn all(&self) -> Vec<Item> {
        self.items.iter().cloned().collect()
    }

    /// Returns the number from which the last `count` lines can be read.
    pub(super) fn before_last(&self, count: usize) -> u64 {
        let is_line = |item: &Item| matches!(item, Item::Line(_));
        let lines = self.items.iter().enumerate().rev().filter(|(_, item)| is_line(item));
        match (count, lines.take(count).last()) {
            (0, _) | (_, None) => self.end(),
            (_, Some((place, _))) => self.first + place as u64,
        }
    }

    /// Returns the number after the line for which `is_known` is true and all before; the first
    /// number if there is none.
    pub(super) fn after(&self, is_known: impl Fn(&LogLine) -> bool) -> u64 {
        let is_last = |item: &Item| match item {
            Item::Line(line) => is_known(line),
            Item::Container(_) | Item::Gap(_) => false,
        };
        let place = self.items.iter().rposition(is_last);
        self.first + place.map_or(0, |place| place as u64 + 1)
    }
}

fn size(item: &Item) -> usize {
    ITEM + match item {
        Item::Line(line) => line.text.len(),
        Item::Container(_) | Item::Gap(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: usize) -> Item {
        let at = jiff::Timestamp::from_second(i64::try_from(number).unwrap()).unwrap();
        let text = number.to_string();
        Item::Line(LogLine { container: "one".into(), at, text, is_cut: false })
    }

    fn ring(lines: usize) -> Ring {
        let mut ring = Ring::default();
        (0..lines).for_each(|number| ring.push(line(number)));
        ring
    }

    #[test]
    fn who_is_too_slow_gets_a_gap_and_then_what_is_kept() {
        let ring = ring(MOST_ITEMS + 5);
        assert_eq!(ring.read(2, usize::MAX).0[..2], [Item::Gap(3), line(5)]);
        let (items, next) = ring.read(5, 1);
        assert_eq!((items, next), (vec![line(5)], 6));
        assert_eq!(ring.read(ring.end(), usize::MAX), (vec![], ring.end()));
    }

    #[test]
    fn large_lines_leave_room_for_few() {
        let mut ring = Ring::default();
        for _ in 0..1_000 {
            let Item::Line(short) = line(0) else { panic!() };
            ring.push(Item::Line(LogLine { text: "x".repeat(16 << 10), ..short }));
        }
        assert!(ring.bytes <= MOST_BYTES && ring.items.len() > 100, "{}", ring.items.len());
    }

    #[test]
    fn a_watcher_begins_with_the_last_lines_or_after_one_that_it_knows() {
        let mut ring = ring(10);
        ring.push(Item::Container("two".into()));
        assert_eq!(ring.before_last(2), 8);
        assert_eq!(ring.before_last(0), 11);
        assert_eq!(ring.before_last(99), 0);
        assert_eq!(ring.after(|line| line.at.as_second() == 4), 5);
        assert_eq!(ring.after(|_| false), 0);
    }
}
