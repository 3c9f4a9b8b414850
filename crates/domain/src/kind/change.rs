//! The row of changes, which lead a stack to another revision, or back to the one that it had.

use super::{Direction, Kind, KindName, KindStep, StackState, StackStatus, StepId};
use crate::phase::Phase;
use crate::words::kind as words;

impl KindName {
    /// Leads a stack to another revision.
    pub const CHANGE: Self = Self::new("change");
}

impl Phase {
    /// What runs now is being looked at.
    pub const PREPARING: Self = Self::new("preparing");
    /// The new revision is taking the place of the former one.
    pub const SWITCHING: Self = Self::new("switching");
    /// The new revision answers, and must go on to run.
    pub const WATCHING: Self = Self::new("watching");
    /// What only the former revision used is being released.
    pub const RELEASING: Self = Self::new("releasing");
}

impl StepId {
    /// Look at what runs now.
    pub const PREPARE: Self = Self::new("prepare");
    /// Name the volumes that only the new revision has.
    pub const NEW_VOLUMES: Self = Self::new("new_volumes");
    /// Let the new revision take the place of the former one.
    pub const SWITCH: Self = Self::new("switch");
    /// Watch whether it goes on to run.
    pub const WATCH: Self = Self::new("watch");
    /// Release what only the former revision used.
    pub const RELEASE: Self = Self::new("release");
}

/// Leads a stack to another revision, or back to the one that it had.
pub static CHANGE: Kind = Kind {
    name: KindName::CHANGE,
    noun: "change",
    prefix: "op_",
    direction: Direction::Forward,
    steps: &STEPS,
    starts_from: &[StackState::Live, StackState::Stopped],
    can_cancel: true,
    done: StackState::Live,
    undone: StackState::Live,
    status: StackStatus::Changing,
    done_sentence: words::CHANGED,
    undo_sentence: words::GOING_BACK,
};

/// A stack that is stopped is neither verified nor watched.
static STEPS: [KindStep; 6] = [
    KindStep::new(StepId::PREPARE, Phase::PREPARING, 5, words::PREPARE),
    KindStep::new(StepId::NEW_VOLUMES, Phase::PREPARING, 5, words::PREPARE),
    KindStep::new(StepId::SWITCH, Phase::SWITCHING, 15, words::SWITCH),
    KindStep::new(StepId::HEALTH, Phase::VERIFYING_HEALTH, 45, words::HEALTH),
    KindStep::new(StepId::WATCH, Phase::WATCHING, 70, words::WATCH),
    KindStep::new(StepId::RELEASE, Phase::RELEASING, 95, words::RELEASE),
];
