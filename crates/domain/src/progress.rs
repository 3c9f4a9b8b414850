//! The fold of an operation's events, in any order, into the state that the page shows.
//!
//! Server and browser share it. It applies events by their numbers, ignores repeated ones, and
//! keeps early ones until the events before them have arrived. It must not know a clock: every time
//! in it comes from an event.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::event::{
    Completion, Event, EventBody, Failure, LogEntry, ProgressUpdate, Ready, RemovalCompletion,
    Resources, Seq,
};
use super::kind::{DEPLOY, REMOVE, STOP};
use super::message::MessageCode;
use super::phase::Phase;
use super::receipt::Receipt;
use super::time::elapsed_ms;

/// The number of log entries that a fold keeps.
pub const LOG_LIMIT: usize = 50;

/// The fold of a deployment's events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The number of the last applied event; 0 before the first.
    pub seq: Seq,
    /// The current phase.
    pub phase: Phase,
    /// Percent, 0 to 100. It never decreases.
    pub percent: u8,
    /// The present message, in English.
    pub message: String,
    /// The code of the message, unless it is the phase's own, or the end's.
    pub code: Option<MessageCode>,
    /// The resources known to exist.
    pub resources: Resources,
    /// The steps that have begun, in their order.
    pub steps: Vec<StepProgress>,
    /// The last [`LOG_LIMIT`] log entries, oldest first.
    pub logs: VecDeque<LogEntry>,
    /// How the operation ended, if it has.
    pub end: Option<End>,
    /// Events that arrived before the ones that precede them.
    #[serde(skip)]
    early: BTreeMap<Seq, EventBody>,
}

/// The progress of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepProgress {
    /// Its phase.
    pub phase: Phase,
    /// Its state.
    pub state: StepState,
}

/// The state of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum StepState {
    /// Not begun.
    Waiting,
    /// Begun at this time.
    Running(#[serde(with = "super::time")] Timestamp),
    /// Done, after this many milliseconds.
    Done(u64),
    /// Failed.
    Failed,
    /// Stopped while it ran, or before it began, because the operation was cancelled.
    Stopped,
}

/// The end of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum End {
    /// A live stack, or one that is stopped as it was asked for.
    Live(Completion),
    /// A failure or a cancellation.
    Failed(Failure),
    /// A completed removal.
    Removed(RemovalCompletion),
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            seq: 0,
            phase: Phase::INITIALIZING,
            percent: 0,
            message: DEPLOY.sentence(Phase::INITIALIZING).to_owned(),
            code: None,
            resources: Resources::default(),
            steps: Vec::new(),
            logs: VecDeque::new(),
            end: None,
            early: BTreeMap::new(),
        }
    }
}

impl Progress {
    /// Folds `events`, in any order.
    pub fn of(events: impl IntoIterator<Item = Event>) -> Self {
        let mut progress = Self::default();
        for event in events {
            progress.apply(event);
        }
        progress
    }

    /// Applies an event, and all later ones that were waiting for it.
    pub fn apply(&mut self, event: Event) {
        if event.seq <= self.seq {
            return;
        }
        self.early.insert(event.seq, event.body);
        while let Some(body) = self.early.remove(&(self.seq + 1)) {
            self.seq += 1;
            self.take(body);
        }
    }

    /// Returns whether the terminal event and all events before it were applied.
    pub fn is_finished(&self) -> bool {
        self.end.is_some()
    }

    /// Returns the failure, if it ended in one.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.end {
            Some(End::Failed(failure)) => Some(failure),
            Some(End::Live(_) | End::Removed(_)) | None => None,
        }
    }

    /// Returns the receipt at the end, unless the stack is live.
    pub fn receipt(&self) -> Option<&Receipt> {
        match &self.end {
            Some(End::Failed(failure)) => Some(&failure.receipt),
            Some(End::Removed(removal)) => Some(&removal.receipt),
            Some(End::Live(_)) | None => None,
        }
    }

    /// Returns the newest receipt: that of a clean-up `since` the end, otherwise that of the end.
    pub fn receipt_by_now<'a>(&'a self, since: Option<&'a Receipt>) -> Option<&'a Receipt> {
        since.or_else(|| self.receipt())
    }

    /// Returns when `phase` began, if it is in progress.
    pub fn running_since(&self, phase: Phase) -> Option<Timestamp> {
        self.steps.iter().find(|step| step.phase == phase).and_then(|step| match step.state {
            StepState::Running(since) => Some(since),
            StepState::Waiting | StepState::Done(_) | StepState::Failed | StepState::Stopped => {
                None
            }
        })
    }

    fn take(&mut self, body: EventBody) {
        match body {
            EventBody::Progress(update) => self.enter(update),
            EventBody::Log(entry) => {
                if self.logs.len() == LOG_LIMIT {
                    self.logs.pop_front();
                }
                self.logs.push_back(entry);
            }
            EventBody::Complete(completion) => self.complete(completion),
            EventBody::Removed(removal) => self.remove(removal),
            EventBody::Error(failure) => self.fail(failure),
        }
    }

    fn enter(&mut self, update: ProgressUpdate) {
        if update.phase != self.phase {
            let has_failed = self.logs.iter().any(|entry| entry.action == LogEntry::FAILURE);
            let halted = if has_failed { StepState::Failed } else { StepState::Stopped };
            for step in &mut self.steps {
                step.leave(update.phase, update.at, &halted);
            }
            if update.phase.is_step() {
                let state = StepState::Running(update.at);
                self.steps.push(StepProgress { phase: update.phase, state });
            }
        }
        self.phase = update.phase;
        self.percent = self.percent.max(update.progress);
        self.code = update.message_code();
        self.message = update.message;
        self.resources = update.resources;
    }

    fn complete(&mut self, completion: Completion) {
        // The last step's time is what the others have not used.
        let used: u64 = self.steps.iter().map(|step| step.state.duration_ms()).sum();
        let total = std::time::Duration::try_from_secs_f64(completion.duration).unwrap_or_default();
        let rest = u64::try_from(total.as_millis()).unwrap_or(u64::MAX).saturating_sub(used);
        for step in &mut self.steps {
            if matches!(step.state, StepState::Running(_)) {
                step.state = StepState::Done(rest);
            }
        }
        self.phase = Phase::COMPLETED;
        self.percent = 100;
        self.code = None;
        let kind = match completion.status {
            Ready::Ready => &DEPLOY,
            Ready::Stopped => &STOP,
        };
        kind.done_sentence.clone_into(&mut self.message);
        self.resources = completion.resources.clone();
        self.end = Some(End::Live(completion));
    }

    fn remove(&mut self, removal: RemovalCompletion) {
        self.phase = Phase::REMOVED;
        self.percent = 100;
        self.code = None;
        REMOVE.done_sentence.clone_into(&mut self.message);
        self.end = Some(End::Removed(removal));
    }

    fn fail(&mut self, failure: Failure) {
        // The end has the last word.
        let halted = if failure.was_requested() { StepState::Stopped } else { StepState::Failed };
        for step in &mut self.steps {
            if matches!(step.state, StepState::Failed | StepState::Stopped) {
                step.state = halted.clone();
            }
        }
        self.phase = failure.code.end();
        self.message.clone_from(&failure.message);
        self.code.clone_from(&failure.reason);
        self.end = Some(End::Failed(failure));
    }
}

impl StepProgress {
    /// Follows the operation into `phase`, which began at `at`; `halted` is what becomes of the
    /// step that runs where the rollback begins.
    fn leave(&mut self, phase: Phase, at: Timestamp, halted: &StepState) {
        if let StepState::Running(since) = self.state {
            self.state = match phase {
                Phase::ROLLING_BACK => halted.clone(),
                _ => StepState::Done(elapsed_ms(since, at)),
            };
        }
    }
}

impl StepState {
    fn duration_ms(&self) -> u64 {
        match self {
            Self::Done(ms) => *ms,
            Self::Waiting | Self::Running(_) | Self::Failed | Self::Stopped => 0,
        }
    }
}

#[cfg(test)]
mod tests;
