//! The row of restarts, which replace the container of a stack.

use super::{Direction, Kind, KindName, KindStep, StackState, StackStatus, StepId};
use crate::phase::Phase;
use crate::words::kind as words;

impl KindName {
    /// Replaces the container of a stack by a new one of the same revision.
    pub const RESTART: Self = Self::new("restart");
}

impl Phase {
    /// The container is being replaced.
    pub const RESTARTING: Self = Self::new("restarting");
}

impl StepId {
    /// Replace the container.
    pub const RESTART: Self = Self::new("restart");
}

/// Replaces the container of a stack by a new one of the same revision.
pub static RESTART: Kind = Kind {
    name: KindName::RESTART,
    noun: "restart",
    prefix: "op_",
    direction: Direction::Forward,
    steps: &STEPS,
    starts_from: &[StackState::Live],
    can_cancel: true,
    done: StackState::Live,
    undone: StackState::Live,
    status: StackStatus::Restarting,
    done_sentence: words::RESTARTED,
    undo_sentence: words::LEAVING,
};

static STEPS: [KindStep; 2] = [
    KindStep::new(StepId::RESTART, Phase::RESTARTING, 10, words::RESTART),
    KindStep::new(StepId::HEALTH, Phase::VERIFYING_HEALTH, 50, words::HEALTH),
];
