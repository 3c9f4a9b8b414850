//! Sets of characters.

/// The last character.
const LAST: u32 = 0x0010_FFFF;

/// A set of characters, as ranges in order that do not touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set(Vec<(u32, u32)>);

impl Set {
    /// Returns the set of one character.
    pub(super) fn of(c: char) -> Self {
        Self(vec![(c.into(), c.into())])
    }

    /// Returns the set of some ranges.
    pub(super) fn of_ranges(ranges: &[(char, char)]) -> Self {
        let mut sorted: Vec<(u32, u32)> =
            ranges.iter().map(|(from, to)| (u32::from(*from), u32::from(*to))).collect();
        sorted.sort_unstable();
        let mut joined: Vec<(u32, u32)> = Vec::new();
        for (from, to) in sorted {
            match joined.last_mut() {
                Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
                Some(_) | None => joined.push((from, to)),
            }
        }
        Self(joined)
    }

    /// Returns the set of all other characters.
    pub(super) fn others(&self) -> Self {
        let (mut others, mut next) = (Vec::new(), 0);
        for (from, to) in &self.0 {
            if *from > next {
                others.push((next, from - 1));
            }
            next = to + 1;
        }
        if next <= LAST {
            others.push((next, LAST));
        }
        Self(others)
    }

    /// Returns whether both have a character in common.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.0
            .iter()
            .any(|(from, to)| other.0.iter().any(|(first, last)| from <= last && first <= to))
    }
}
