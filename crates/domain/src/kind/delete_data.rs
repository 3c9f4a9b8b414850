//! The row of deletions, which delete the kept data of a stack that is gone.

use super::{Direction, Kind, KindName, KindStep, StackState, StackStatus, StepId};
use crate::phase::Phase;
use crate::words::kind as words;

impl KindName {
    /// Deletes the kept data of a stack that is gone.
    pub const DELETE_DATA: Self = Self::new("delete_data");
}

/// Deletes the kept data of a stack that is gone. Of the steps of the deployment that made the stack,
/// it undoes the one about the volumes, which the removal of the stack left out.
pub static DELETE_DATA: Kind = Kind {
    name: KindName::DELETE_DATA,
    noun: "deletion",
    prefix: "op_",
    direction: Direction::Back,
    steps: &STEPS,
    starts_from: &[StackState::Gone],
    can_cancel: false,
    done: StackState::Gone,
    undone: StackState::Gone,
    status: StackStatus::Gone,
    done_sentence: words::DATA_DELETED,
    undo_sentence: words::UNDOING,
};

static STEPS: [KindStep; 1] =
    [KindStep::new(StepId::VOLUMES, Phase::CREATING_APPLICATION, 0, words::DATA)];
