//! The row of removals, which take a live stack down.

use super::{Direction, Kind, KindName, StackState, StackStatus, deploy};
use crate::words::kind as words;

impl KindName {
    /// Takes a live stack down.
    pub const REMOVE: Self = Self::new("remove");
}

/// Takes a live stack down.
pub static REMOVE: Kind = Kind {
    name: KindName::REMOVE,
    noun: "removal",
    prefix: "rem_",
    direction: Direction::Back,
    steps: &deploy::STEPS,
    starts_from: &[StackState::Live],
    can_cancel: false,
    done: StackState::Gone,
    undone: StackState::Live,
    status: StackStatus::Removing,
    done_sentence: words::REMOVED,
    undo_sentence: words::UNDOING,
};
