//! The row of starts, which bring a stopped stack up again.

use super::{Direction, Kind, KindName, KindStep, StackState, StackStatus, StepId};
use crate::phase::Phase;
use crate::words::kind as words;

impl KindName {
    /// Brings a stopped stack up again.
    pub const START: Self = Self::new("start");
}

impl Phase {
    /// The container is being started.
    pub const STARTING: Self = Self::new("starting");
}

impl StepId {
    /// Let the stack run.
    pub const START: Self = Self::new("start");
}

/// Brings a stopped stack up again.
pub static START: Kind = Kind {
    name: KindName::START,
    noun: "start",
    prefix: "op_",
    direction: Direction::Forward,
    steps: &STEPS,
    starts_from: &[StackState::Stopped],
    can_cancel: true,
    done: StackState::Live,
    undone: StackState::Stopped,
    status: StackStatus::Starting,
    done_sentence: words::RUNS,
    undo_sentence: words::STOPPING_AGAIN,
};

static STEPS: [KindStep; 2] = [
    KindStep::new(StepId::START, Phase::STARTING, 10, words::START),
    KindStep::new(StepId::HEALTH, Phase::VERIFYING_HEALTH, 50, words::HEALTH),
];
