//! The table of kinds: what page, API and engine must know of each kind of operation.
//!
//! A kind is a row here, a file in the server's `operations/`, and its words on the page. It must
//! not know how an operation is driven or stored.

mod change;
mod delete_data;
mod deploy;
mod remove;
mod restart;
mod start;
mod stop;

use crate::operation_id::DeploymentId;
use crate::phase::Phase;
use crate::short_name::named;
use crate::words::kind as words;
use crate::words::kind::StepWords;

pub use change::CHANGE;
pub use delete_data::DELETE_DATA;
pub use deploy::DEPLOY;
pub use remove::REMOVE;
pub use restart::RESTART;
pub use start::START;
pub use stop::STOP;

pub use crate::stack_state::{StackState, StackStatus};

named! {
    /// The name of a kind of operation, as the database has it. It may be the name of a kind that
    /// only another version of the portal knows.
    KindName
}

named! {
    /// The name of a step, as the journal has it.
    StepId
}

/// The steps that name volumes, whatever the kind of their operation.
pub const VOLUME_STEPS: [StepId; 2] = [StepId::VOLUMES, StepId::NEW_VOLUMES];

/// A kind of operation: one row of the table.
#[derive(Debug)]
pub struct Kind {
    /// Its name in the database.
    pub name: KindName,
    /// Its name on the wire.
    pub noun: &'static str,
    /// How the ids of its operations begin.
    pub prefix: &'static str,
    /// What it does with its steps.
    pub direction: Direction,
    /// Its steps, in their order.
    pub steps: &'static [KindStep],
    /// The states of a stack from which it may start.
    pub starts_from: &'static [StackState],
    /// True if a person may cancel it.
    pub can_cancel: bool,
    /// What the stack is after a good end.
    pub done: StackState,
    /// What the stack is after another end, once nothing is left of what was made.
    pub undone: StackState,
    /// What the stack is while one is under way.
    pub status: StackStatus,
    /// What a person reads after a good end.
    pub done_sentence: &'static str,
    /// What a person reads while its steps are undone after a failure.
    pub undo_sentence: &'static str,
}

/// What an operation does with its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It runs them, and undoes them if one fails.
    Forward,
    /// It undoes what the steps of an earlier operation made.
    Back,
}

/// A step of a kind.
#[derive(Clone, Copy, Debug)]
pub struct KindStep {
    /// Its name in the journal.
    pub id: StepId,
    /// The phase that it is on the wire.
    pub phase: Phase,
    /// The percentage shown when it begins.
    pub percent: u8,
    /// What a person reads of it.
    pub words: StepWords,
}

impl KindStep {
    /// Creates the row of a step.
    pub const fn new(id: StepId, phase: Phase, percent: u8, words: StepWords) -> Self {
        Self { id, phase, percent, words }
    }
}

impl Kind {
    /// Returns the id of an operation of this kind with these random bits.
    pub fn operation_id(&self, bits: u128) -> DeploymentId {
        DeploymentId::new(self.prefix, bits)
    }

    /// Returns whether its operations are about a stack that is there, and leave it there.
    pub fn keeps_stack(&self) -> bool {
        self.direction == Direction::Forward && !self.starts_from.contains(&StackState::Gone)
    }

    /// Returns whether its operations leave a stack that runs running, and a stopped one stopped.
    pub fn keeps_desired(&self) -> bool {
        self.keeps_stack() && self.starts_from.len() > 1
    }

    /// Returns the step from whose beginning on an operation cannot be cancelled, if there is one.
    pub fn no_return(&self) -> Option<StepId> {
        self.steps.iter().find(|step| step.phase == Phase::RELEASING).map(|step| step.id)
    }

    /// Returns whether its operations lead a stack that stays to another revision.
    pub fn makes_revision(&self) -> bool {
        self.status == StackStatus::Changing
    }

    /// Returns whether an operation in this phase has done what was asked, and only watches it.
    pub fn is_watching(&self, phase: Phase) -> bool {
        phase == Phase::WATCHING && self.steps.iter().any(|step| step.phase == phase)
    }

    /// Returns the phase that an operation begins in.
    pub fn first_phase(&self) -> Phase {
        match self.direction {
            Direction::Forward => Phase::INITIALIZING,
            Direction::Back => Phase::REMOVING,
        }
    }

    /// Returns the phases that the page lists, in their order. Several steps may be one phase.
    pub fn listed(&self) -> impl Iterator<Item = Phase> + use<> {
        let is_forward = self.direction == Direction::Forward;
        let steps = if is_forward { self.steps } else { &[] };
        let first = |(index, step): &(usize, &KindStep)| {
            !steps.iter().take(*index).any(|before| before.phase == step.phase)
        };
        let phases = steps.iter().enumerate().filter(first).map(|(_, step)| step.phase);
        phases.filter(|phase| phase.is_step())
    }

    /// Returns the phases in which an operation of this kind can be before its end.
    pub fn phases(&self) -> impl Iterator<Item = Phase> + use<> {
        let undo = match self.direction {
            Direction::Forward => Some(Phase::ROLLING_BACK),
            Direction::Back => None,
        };
        [self.first_phase()].into_iter().chain(self.listed()).chain(undo)
    }

    /// Returns the phase of the step `id`.
    pub fn phase_of(&self, id: StepId) -> Phase {
        let step = self.steps.iter().find(|step| step.id == id);
        step.map_or(Phase::INITIALIZING, |step| step.phase)
    }

    /// Returns the percentage shown when `phase` begins, or `None` where the last one stays.
    pub fn percent(&self, phase: Phase) -> Option<u8> {
        match phase {
            Phase::INITIALIZING => Some(0),
            Phase::COMPLETED | Phase::REMOVED => Some(100),
            _ => self.step_in(phase).map(|step| step.percent),
        }
    }

    /// Returns what a person reads while `phase` lasts.
    pub fn sentence(&self, phase: Phase) -> &'static str {
        match phase {
            Phase::COMPLETED | Phase::REMOVED => self.done_sentence,
            Phase::ROLLING_BACK => self.undo_sentence,
            // The stack is gone: only its data is left.
            Phase::REMOVING if self.starts_from.contains(&StackState::Gone) => words::DATA.doing,
            _ => words::of_phase(phase, self.status).unwrap_or(self.words(phase).doing),
        }
    }

    /// Returns what a person reads of the step of `phase` once it is done.
    pub fn done(&self, phase: Phase) -> &'static str {
        self.words(phase).done
    }

    fn words(&self, phase: Phase) -> StepWords {
        self.step_in(phase).map_or(words::UNKNOWN, |step| step.words)
    }

    /// Returns whether `to` may come after `from` (promise P12). A phase may repeat itself with
    /// another message; nothing follows an end.
    pub fn may_become(&self, from: Phase, to: Phase) -> bool {
        let place = |phase| self.steps.iter().position(|step| step.phase == phase);
        match (from, to) {
            _ if from.is_end() => false,
            _ if from == to => true,
            (Phase::ROLLING_BACK, _) => matches!(to, Phase::FAILED | Phase::CANCELLED),
            (Phase::REMOVING, _) => matches!(to, Phase::FAILED | Phase::REMOVED),
            (_, Phase::REMOVING) => from == Phase::INITIALIZING,
            (_, Phase::ROLLING_BACK) => true,
            (_, Phase::COMPLETED) => self.steps.last().is_some_and(|last| last.phase == from),
            _ if !to.is_step() => false,
            (Phase::INITIALIZING, _) => place(to).is_some(),
            _ => place(from).is_some() && place(from) < place(to),
        }
    }

    fn step_in(&self, phase: Phase) -> Option<&KindStep> {
        self.steps.iter().find(|step| step.phase == phase)
    }
}

/// The table of kinds that this portal knows.
#[derive(Clone, Copy, Debug)]
pub struct Kinds(&'static [&'static Kind]);

/// Stands for a kind that only another version knows.
static UNKNOWN: Kind = Kind {
    name: KindName::new(""),
    noun: "operation",
    prefix: "op_",
    direction: Direction::Forward,
    steps: &[],
    starts_from: &[],
    can_cancel: false,
    done: StackState::Live,
    undone: StackState::Gone,
    status: StackStatus::Changing,
    done_sentence: words::ENDED,
    undo_sentence: words::UNDOING,
};

impl Kinds {
    /// Makes the table of these rows.
    pub const fn new(rows: &'static [&'static Kind]) -> Self {
        Self(rows)
    }

    /// Returns the row of the kind called `name`; a kind that only another version knows has one
    /// that can do nothing.
    pub fn of(self, name: KindName) -> &'static Kind {
        self.0.iter().find(|kind| kind.name == name).copied().unwrap_or(&UNKNOWN)
    }

    /// Returns all kinds.
    pub fn all(self) -> impl Iterator<Item = &'static Kind> {
        self.0.iter().copied()
    }

    /// Returns the names of all kinds.
    pub fn names(self) -> impl Iterator<Item = KindName> {
        self.all().map(|kind| kind.name)
    }
}

/// The kinds that there are.
static ALL: [&Kind; 7] = [&DEPLOY, &REMOVE, &STOP, &START, &RESTART, &CHANGE, &DELETE_DATA];

impl Default for Kinds {
    fn default() -> Self {
        Self::new(&ALL)
    }
}

#[cfg(test)]
mod tests;
