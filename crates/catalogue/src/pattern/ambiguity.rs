//! Refuses patterns that an engine with backtracking could try in many ways.
//!
//! The pattern becomes an automaton with one state for each character set (Glushkov's
//! construction). If no text leads to a state in two ways, then an engine visits each state at most
//! once for each character, so its time is linear in the text.

use std::collections::BTreeSet;

use super::class::Set;
use super::syntax::Node;

/// The largest number of states.
const MOST_STATES: usize = 150;
/// A repetition of one character up to this often becomes that many states.
const WRITTEN_OUT: u32 = 8;

const AMBIGUOUS: &str = "a value could match this pattern in more than one way, which can take very \
    long in browsers: let no two repeated parts match the same characters side by side, and repeat \
    nothing that can be empty";

/// The automaton so far. A state is the position of a set; the start is before all.
#[derive(Default)]
struct Automaton {
    sets: Vec<Set>,
    edges: BTreeSet<(usize, usize)>,
    is_ambiguous: bool,
}

/// A part of the automaton.
struct Part {
    can_be_empty: bool,
    first: Vec<usize>,
    last: Vec<usize>,
}

/// Checks whether no text leads to a state in two ways.
pub(super) fn check(node: &Node) -> Result<(), String> {
    let mut automaton = Automaton::default();
    let whole = automaton.add(node);
    if automaton.sets.len() > MOST_STATES {
        return Err(format!("the pattern has more than {MOST_STATES} characters and classes"));
    }
    if automaton.is_ambiguous || automaton.converges(&whole.first) {
        return Err(AMBIGUOUS.to_owned());
    }
    Ok(())
}

impl Automaton {
    fn add(&mut self, node: &Node) -> Part {
        match node {
            Node::One(set) => {
                let state = self.sets.len();
                self.sets.push(set.clone());
                Part { can_be_empty: false, first: vec![state], last: vec![state] }
            }
            Node::All(parts) => {
                let empty = Part { can_be_empty: true, first: Vec::new(), last: Vec::new() };
                parts.iter().fold(empty, |before, part| {
                    let part = self.add(part);
                    self.join(before, part)
                })
            }
            Node::Any(parts) => self.add_any(parts),
            Node::Repeat(part, min, max) => self.add_repeated(part, *min, *max),
        }
    }

    fn add_any(&mut self, parts: &[Node]) -> Part {
        let parts: Vec<Part> = parts.iter().map(|part| self.add(part)).collect();
        let empty = parts.iter().filter(|part| part.can_be_empty).count();
        self.is_ambiguous |= empty > 1;
        Part {
            can_be_empty: empty > 0,
            first: parts.iter().flat_map(|part| part.first.clone()).collect(),
            last: parts.iter().flat_map(|part| part.last.clone()).collect(),
        }
    }

    fn add_repeated(&mut self, part: &Node, min: u32, max: Option<u32>) -> Part {
        if let (Node::One(_), Some(most)) = (part, max.filter(|most| *most <= WRITTEN_OUT)) {
            return self.add_written_out(part, min, most);
        }
        let mut repeated = self.add(part);
        self.is_ambiguous |= repeated.can_be_empty;
        if max != Some(1) {
            self.connect(&repeated.last.clone(), &repeated.first.clone());
        }
        repeated.can_be_empty |= min == 0;
        repeated
    }

    /// Adds a character that is repeated a few times: each time may only follow the one before.
    fn add_written_out(&mut self, part: &Node, min: u32, max: u32) -> Part {
        let mut whole = self.add(part);
        let mut previous = whole.last.clone();
        if min > 1 {
            whole.last.clear();
        }
        for number in 2..=max {
            let next = self.add(part);
            self.connect(&previous, &next.first);
            previous = next.last;
            if number >= min {
                whole.last.extend(&previous);
            }
        }
        whole.can_be_empty = min == 0;
        whole
    }

    fn join(&mut self, before: Part, part: Part) -> Part {
        self.connect(&before.last, &part.first);
        let (mut first, mut last) = (before.first, part.last);
        if before.can_be_empty {
            first.extend(part.first);
        }
        if part.can_be_empty {
            last.extend(before.last);
        }
        Part { can_be_empty: before.can_be_empty && part.can_be_empty, first, last }
    }

    /// Connects states. Two ways from one state to another are two ways to match.
    fn connect(&mut self, from: &[usize], to: &[usize]) {
        for pair in from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to))) {
            self.is_ambiguous |= !self.edges.insert(pair);
        }
    }

    /// Returns whether two different ways with the same text lead to one state.
    fn converges(&self, start: &[usize]) -> bool {
        let (mut known, mut open) = (BTreeSet::new(), Vec::new());
        let nexts: Vec<Vec<usize>> = (0..self.sets.len())
            .map(|from| self.edges.range((from, 0)..(from + 1, 0)).map(|(_, to)| *to).collect())
            .collect();
        // The ways may part at the start, or behind any state.
        self.pairs(start, start, &mut known, &mut open);
        for next in &nexts {
            self.pairs(next, next, &mut known, &mut open);
        }
        while let Some((one, other)) = open.pop() {
            let (Some(ones), Some(others)) = (nexts.get(one), nexts.get(other)) else { continue };
            if ones.iter().any(|state| others.contains(state)) {
                return true;
            }
            self.pairs(ones, others, &mut known, &mut open);
        }
        false
    }

    /// Adds the pairs of different states that one character leads to.
    fn pairs(
        &self,
        ones: &[usize],
        others: &[usize],
        known: &mut BTreeSet<(usize, usize)>,
        open: &mut Vec<(usize, usize)>,
    ) {
        for one in ones {
            for other in others.iter().filter(|other| *other != one) {
                let pair = (*one.min(other), *one.max(other));
                let sets = self.sets.get(*one).zip(self.sets.get(*other));
                if sets.is_some_and(|(one, other)| one.meets(other)) && known.insert(pair) {
                    open.push(pair);
                }
            }
        }
    }
}
