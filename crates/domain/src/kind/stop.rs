//! The row of stops, after which nothing of a stack runs, while its address and data are kept.

use super::{Direction, Kind, KindName, KindStep, StackState, StackStatus, StepId};
use crate::phase::Phase;
use crate::words::kind as words;

impl KindName {
    /// Stops a stack.
    pub const STOP: Self = Self::new("stop");
}

impl Phase {
    /// The container is being stopped.
    pub const STOPPING: Self = Self::new("stopping");
}

impl StepId {
    /// Let nothing of the stack run.
    pub const STOP: Self = Self::new("stop");
}

/// Stops a stack.
pub static STOP: Kind = Kind {
    name: KindName::STOP,
    noun: "stop",
    prefix: "op_",
    direction: Direction::Forward,
    steps: &STEPS,
    starts_from: &[StackState::Live],
    can_cancel: true,
    done: StackState::Stopped,
    undone: StackState::Live,
    status: StackStatus::Stopping,
    done_sentence: words::STOPPED,
    undo_sentence: words::STARTING_AGAIN,
};

static STEPS: [KindStep; 1] = [KindStep::new(StepId::STOP, Phase::STOPPING, 10, words::STOP)];
