//! The journal of one deployment: facts go to the store first, and are believed afterwards.
//!
//! It keeps in memory what the store has, numbers nothing itself, and nudges the watchers
//! after every fact. Log entries wait for the next fact or for [`Journal::flush`].

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    domain::{
        event::{Event, EventBody, LogEntry, ProgressUpdate, Resources},
        phase::Phase,
        progress::Progress,
        receipt::Line,
    },
    server::{
        notifier::Notifier,
        ports::{
            clock::Clock,
            store::{Cause, End, Fact, Lease, StepId, StepRecord, Store, StoreError},
        },
    },
};

/// The durable record of one deployment, as its only writer sees it.
pub(super) struct Journal {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    notifier: Arc<Notifier>,
    lease: Lease,
    known: Mutex<Known>,
}

struct Known {
    steps: BTreeMap<StepId, StepRecord>,
    progress: Progress,
    /// Log entries not yet recorded.
    unrecorded: Vec<EventBody>,
    /// Steps that were under way when an earlier run stopped.
    interrupted: Vec<StepId>,
    /// Whether the step under way lost an answer.
    doubtful: bool,
}

/// What to do about a step, given its record.
#[derive(Debug, PartialEq)]
pub(super) enum Plan<T> {
    /// It succeeded before: here is its output.
    Replay(T),
    /// Run it.
    Run,
    /// It ran, or may have: it must be undone.
    Undo,
    /// It is undone already.
    Undone,
    /// It never ran, and never will.
    Stop,
}

impl Journal {
    /// Opens the journal of the deployment that `lease` is for.
    pub(super) async fn open(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        notifier: Arc<Notifier>,
        lease: Lease,
    ) -> Result<Self, StoreError> {
        let steps: BTreeMap<_, _> = store.journal(&lease.id).await?.into_iter().collect();
        let progress = store.progress(&lease.id).await?;
        let started =
            |(id, record): (&StepId, &StepRecord)| (*record == StepRecord::Started).then_some(*id);
        let interrupted = steps.iter().filter_map(started).collect();
        let known = Known { steps, progress, unrecorded: Vec::new(), interrupted, doubtful: false };
        Ok(Self { store, clock, notifier, lease, known: Mutex::new(known) })
    }

    /// Decides what to do about `step`.
    pub(super) fn plan<T: DeserializeOwned>(&self, step: StepId) -> Result<Plan<T>, StoreError> {
        let unwinding = self.cause().is_some();
        let known = self.known();
        Ok(match (known.steps.get(&step), unwinding) {
            (Some(StepRecord::Succeeded { output, .. }), _) => Plan::Replay(decode(output)?),
            (None | Some(StepRecord::Started), false) => Plan::Run,
            (None, true) => Plan::Stop,
            (Some(StepRecord::Started | StepRecord::Failed { .. }), _) => Plan::Undo,
            (Some(StepRecord::Undone { .. }), _) => Plan::Undone,
        })
    }

    /// Returns the step that failed and why, if one did.
    pub(super) fn cause(&self) -> Option<(StepId, Cause)> {
        let known = self.known();
        known.steps.iter().find_map(|(step, record)| match record {
            StepRecord::Failed { cause } | StepRecord::Undone { cause: Some(cause), .. } => {
                Some((*step, cause.clone()))
            }
            StepRecord::Started
            | StepRecord::Succeeded { .. }
            | StepRecord::Undone { cause: None, .. } => None,
        })
    }

    /// Returns what became of everything undone so far, newest step first.
    pub(super) fn undone_lines(&self) -> Vec<Line> {
        let known = self.known();
        let lines = known.steps.values().rev().filter_map(|record| match record {
            StepRecord::Undone { lines, .. } => Some(lines.clone()),
            StepRecord::Started | StepRecord::Succeeded { .. } | StepRecord::Failed { .. } => None,
        });
        lines.flatten().collect()
    }

    /// Tells whether an earlier run may have carried `step` out.
    pub(super) fn was_interrupted(&self, step: StepId) -> bool {
        self.known().interrupted.contains(&step)
    }

    /// Notes that the step under way lost an answer, so that something may exist twice.
    pub(super) fn doubt(&self) {
        self.known().doubtful = true;
    }

    /// Tells whether any step lost an answer or was interrupted.
    pub(super) fn is_doubtful(&self) -> bool {
        let known = self.known();
        let doubtful =
            |record: &StepRecord| matches!(record, StepRecord::Succeeded { doubtful: true, .. });
        !known.interrupted.is_empty() || known.steps.values().any(doubtful)
    }

    /// Returns the phase that was last announced.
    pub(super) fn phase(&self) -> Phase {
        self.known().progress.phase
    }

    /// Returns what is known to exist.
    pub(super) fn resources(&self) -> Resources {
        self.known().progress.resources.clone()
    }

    /// Adds to what is known to exist; watchers learn it with the next phase.
    pub(super) fn learn(&self, note: impl FnOnce(&mut Resources)) {
        note(&mut self.known().progress.resources);
    }

    /// Keeps a log entry for the next fact.
    pub(super) fn log(&self, entry: LogEntry) {
        self.known().unrecorded.push(EventBody::Log(entry));
    }

    /// Records the intent to run `step`, and announces its phase.
    pub(super) async fn started(&self, step: StepId) -> Result<(), StoreError> {
        self.known().doubtful = false;
        let events = self.announce(step.phase(), None);
        self.record(Fact { step: Some((step, StepRecord::Started)), events, end: None }).await
    }

    /// Records what `step` left.
    pub(super) async fn succeeded<T: Serialize>(
        &self,
        step: StepId,
        output: &T,
    ) -> Result<(), StoreError> {
        let doubtful = {
            let known = self.known();
            known.doubtful || known.interrupted.contains(&step)
        };
        let record = StepRecord::Succeeded { output: encode(output)?, doubtful };
        self.record(Fact { step: Some((step, record)), ..Fact::default() }).await
    }

    /// Records that `step` gave up, and announces that what was made is being removed.
    pub(super) async fn failed(&self, step: StepId, cause: Cause) -> Result<(), StoreError> {
        let events = self.announce(Phase::RollingBack, None);
        self.record(Fact { step: Some((step, StepRecord::Failed { cause })), events, end: None })
            .await
    }

    /// Records that `step` is undone, and what became of what it had made.
    pub(super) async fn undone(&self, step: StepId, lines: Vec<Line>) -> Result<(), StoreError> {
        let cause = self.cause().filter(|(failed, _)| *failed == step).map(|(_, cause)| cause);
        let record = StepRecord::Undone { lines, cause };
        self.record(Fact { step: Some((step, record)), ..Fact::default() }).await
    }

    /// Announces a more exact sentence for the phase under way, unless it is the one shown.
    pub(super) async fn say(&self, message: &str) -> Result<(), StoreError> {
        if self.known().progress.message == message {
            return Ok(());
        }
        let events = self.announce(self.phase(), Some(message));
        self.record(Fact { events, ..Fact::default() }).await
    }

    /// Goes back to the phase's own sentence, if `message` is the one shown.
    pub(super) async fn unsay(&self, message: &str) -> Result<(), StoreError> {
        if self.known().progress.message != message {
            return Ok(());
        }
        let events = self.announce(self.phase(), None);
        self.record(Fact { events, ..Fact::default() }).await
    }

    /// Records the log entries that are waiting.
    pub(super) async fn flush(&self) -> Result<(), StoreError> {
        if self.known().unrecorded.is_empty() {
            return Ok(());
        }
        self.record(Fact::default()).await
    }

    /// Records the end, with its one terminal event.
    pub(super) async fn end(&self, event: EventBody, end: End) -> Result<(), StoreError> {
        self.record(Fact { step: None, events: vec![event], end: Some(end) }).await
    }

    fn announce(&self, phase: Phase, message: Option<&str>) -> Vec<EventBody> {
        let known = self.known();
        let progress = &known.progress;
        if progress.phase == phase && progress.message == message.unwrap_or(phase.sentence()) {
            return Vec::new();
        }
        if !progress.phase.may_become(phase) {
            tracing::error!(from = ?progress.phase, to = ?phase, "Refused an illegal phase");
            return Vec::new();
        }
        let resources = progress.resources.clone();
        let update = ProgressUpdate::new(phase, progress.percent, resources, self.clock.now());
        let update = match message {
            Some(message) => update.saying(message),
            None => update,
        };
        vec![EventBody::Progress(update)]
    }

    async fn record(&self, mut fact: Fact) -> Result<(), StoreError> {
        let mut events = std::mem::take(&mut self.known().unrecorded);
        events.append(&mut fact.events);
        fact.events = events;
        let last = self.store.record(&self.lease, &fact).await?;
        self.believe(fact, last);
        self.notifier.nudge(&self.lease.id);
        Ok(())
    }

    fn believe(&self, fact: Fact, last: u64) {
        let mut known = self.known();
        let first = last + 1 - fact.events.len() as u64;
        for (seq, body) in (first..).zip(fact.events) {
            known.progress.apply(Event { seq, body });
        }
        if let Some((step, record)) = fact.step {
            known.steps.insert(step, record);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn encode<T: Serialize>(output: &T) -> Result<serde_json::Value, StoreError> {
    serde_json::to_value(output).map_err(|_| StoreError::Corrupt { what: "step output" })
}

fn decode<T: DeserializeOwned>(output: &serde_json::Value) -> Result<T, StoreError> {
    T::deserialize(output).map_err(|_| StoreError::Corrupt { what: "step output" })
}
