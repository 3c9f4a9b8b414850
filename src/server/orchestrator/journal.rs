//! The journal of one deployment: facts go to the store first, and are believed afterwards.
//!
//! It keeps in memory what the store has, numbers nothing itself, and nudges the watchers
//! after every fact. Log entries wait for the next fact or for [`Journal::flush`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use tokio_util::sync::CancellationToken;

use super::{
    context::Ports,
    lacking::Outages,
    lateness,
    plan::{Course, Plan},
    step::Step,
};
use crate::{
    domain::{
        deployment::Kind,
        event::{Event, EventBody, LogEntry, Resources},
        phase::Phase,
        progress::Progress,
        receipt::Line,
    },
    server::{
        notifier::{Notifier, Nudge},
        ports::{
            clock::Clock,
            platform::AppName,
            store::{
                Cause, End, Fact, Lease, Record, Recorded, State, StepId, StepRecord, Steps, Store,
                StoreError, Wish,
            },
        },
    },
};

mod after;
mod shown;

use shown::Shown;

/// The durable record of one deployment, as its only writer sees it.
pub(super) struct Journal {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    notifier: Arc<Notifier>,
    outages: Arc<Outages>,
    lease: Lease,
    course: Course,
    /// Told when a person wishes to cancel.
    cancelled: CancellationToken,
    known: Mutex<Known>,
}

struct Known {
    steps: Steps,
    progress: Progress,
    /// What a person read so far while the phase under way lasted.
    shown: Shown,
    /// Log entries not yet recorded.
    unrecorded: Vec<EventBody>,
    /// Steps that were under way when an earlier run stopped.
    interrupted: Vec<StepId>,
    /// Whether the step under way lost an answer.
    doubtful: bool,
    /// Until when a step's lost call may still be carried out.
    late: BTreeMap<StepId, Timestamp>,
}

impl Journal {
    /// Opens the journal of the operation that `lease` is for and that `record` describes.
    pub(super) async fn open(
        ports: &Ports,
        lease: Lease,
        record: &Record,
        cancelled: CancellationToken,
    ) -> Result<Self, StoreError> {
        let store = Arc::clone(&ports.store);
        let mut steps = store.journal(&lease.id).await?;
        let is_open = |(step, record): (&StepId, &StepRecord)| {
            (*record == StepRecord::Started).then_some(*step)
        };
        let interrupted = steps.records.iter().filter_map(is_open).collect();
        let mut ended = record.standing.completed;
        if let Some(removed) = &record.standing.links.removes {
            // What is to be undone stands in the journal of the deployment that made it.
            ended = store.find(removed).await?.and_then(|made| made.standing.completed);
            let mut made = store.journal(removed).await?;
            made.records.append(&mut steps.records);
            made.services.append(&mut steps.services);
            steps = made;
        }
        let mut shown = Shown::default();
        let progress = store.replay(&lease.id, |event| shown.take(&event.body)).await?;
        let late = lateness::known(&steps, ended, ports.clock.now());
        let (unrecorded, doubtful) = (Vec::new(), false);
        let known = Known { steps, progress, shown, unrecorded, interrupted, doubtful, late };
        let journal = Self {
            store,
            clock: Arc::clone(&ports.clock),
            notifier: Arc::clone(&ports.notifier),
            outages: Arc::clone(&ports.outages),
            course: match (record.state, lease.id.kind()) {
                (State::Active, Kind::Deployment) => Course::Deploy,
                (State::Active, Kind::Removal) => Course::Remove,
                (State::Live, _) => Course::Tidy,
                (State::RolledBack | State::Stuck, _) => Course::CleanUp,
            },
            lease,
            cancelled,
            known: Mutex::new(known),
        };
        journal.hear(record.wish);
        Ok(journal)
    }

    /// Tells what the operation is about to do.
    pub(super) fn course(&self) -> Course {
        self.course
    }

    /// Returns what is wished, as far as is known.
    pub(super) fn wish(&self) -> Wish {
        if self.cancelled.is_cancelled() { Wish::Cancel } else { Wish::GoOn }
    }

    /// Learns what is wished. A wish to cancel is never taken back.
    pub(super) fn hear(&self, wish: Wish) {
        match wish {
            Wish::Cancel => self.cancelled.cancel(),
            Wish::GoOn => {}
        }
    }

    /// Returns what tells of a wish to cancel.
    pub(super) fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }

    /// Decides what to do about `step`.
    pub(super) fn plan<T: DeserializeOwned>(&self, step: StepId) -> Result<Plan<T>, StoreError> {
        let unwinding = self.course != Course::Deploy || self.cause().is_some();
        let known = self.known();
        Ok(match (known.steps.records.get(&step), unwinding) {
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
        known.steps.records.iter().find_map(|(step, record)| match record {
            StepRecord::Failed { cause } | StepRecord::Undone { cause: Some(cause), .. } => {
                Some((*step, cause.clone()))
            }
            StepRecord::Started
            | StepRecord::Succeeded { .. }
            | StepRecord::Undone { cause: None, .. } => None,
        })
    }

    /// Returns the step that is under way, or the next one, and whether it has begun.
    pub(super) fn under_way(&self) -> (StepId, bool) {
        let known = self.known();
        let is_open = |step: &StepId| match known.steps.records.get(step) {
            Some(StepRecord::Started) | None => true,
            Some(
                StepRecord::Succeeded { .. }
                | StepRecord::Failed { .. }
                | StepRecord::Undone { .. },
            ) => false,
        };
        let step = StepId::ALL.into_iter().find(is_open).unwrap_or(StepId::Health);
        (step, known.steps.records.contains_key(&step))
    }

    /// Returns what became of everything undone so far, newest step first.
    pub(super) fn undone_lines(&self) -> Vec<Line> {
        let known = self.known();
        let lines = known.steps.records.values().rev().filter_map(|record| match record {
            StepRecord::Undone { lines, .. } => Some(lines.clone()),
            StepRecord::Started | StepRecord::Succeeded { .. } | StepRecord::Failed { .. } => None,
        });
        lines.flatten().collect()
    }

    /// Tells whether no step has begun yet.
    pub(super) fn is_blank(&self) -> bool {
        self.known().steps.records.is_empty()
    }

    /// Tells whether `step` is on record, however it went.
    pub(super) fn knows(&self, step: StepId) -> bool {
        self.known().steps.records.contains_key(&step)
    }

    /// Tells whether an earlier run may have carried `step` out.
    pub(super) fn was_interrupted(&self, step: StepId) -> bool {
        self.known().interrupted.contains(&step)
    }

    /// Notes that `step` lost an answer, so that something may exist twice, or come late.
    pub(super) fn doubt(&self, step: StepId) {
        let now = self.clock.now();
        let mut known = self.known();
        known.doubtful = true;
        known.late.insert(step, lateness::until(now));
    }

    /// Returns until when a lost call of `step` may still be carried out.
    pub(super) fn late_until(&self, step: StepId) -> Option<Timestamp> {
        self.known().late.get(&step).copied()
    }

    /// Tells whether any step lost an answer or was interrupted.
    pub(super) fn is_doubtful(&self) -> bool {
        let known = self.known();
        let doubtful =
            |record: &StepRecord| matches!(record, StepRecord::Succeeded { doubtful: true, .. });
        !known.interrupted.is_empty() || known.steps.records.values().any(doubtful)
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

    /// Returns the services that the platform made, removed ones included.
    pub(super) fn services(&self) -> BTreeSet<AppName> {
        self.known().steps.services.clone()
    }

    /// Records that `service` is ours, before the application that leads to it is removed.
    pub(super) async fn remember(&self, service: &AppName) -> Result<(), StoreError> {
        if self.known().steps.services.contains(service) {
            return Ok(());
        }
        self.record(Fact { services: vec![service.clone()], ..Fact::default() }).await
    }

    /// Keeps a log entry for the next fact. After the end the log is closed.
    pub(super) fn log(&self, entry: LogEntry) {
        if !self.course.is_after_end() {
            self.known().unrecorded.push(EventBody::Log(entry));
        }
    }

    /// Records the intent to run `step`, and announces its phase.
    pub(super) async fn started(&self, step: StepId) -> Result<(), StoreError> {
        self.known().doubtful = false;
        let events = self.announce(step.phase(), None);
        let step = Some((step, StepRecord::Started));
        self.record(Fact { step, events, ..Fact::default() }).await
    }

    /// Records what the step left.
    pub(super) async fn succeeded<S: Step>(&self, output: &S::Output) -> Result<(), StoreError> {
        let doubtful = {
            let known = self.known();
            known.doubtful || known.interrupted.contains(&S::ID)
        };
        let record = StepRecord::Succeeded { output: encode(output)?, doubtful };
        let services = S::services(output);
        self.record(Fact { step: Some((S::ID, record)), services, ..Fact::default() }).await
    }

    /// Records that `step` gave up now, and announces that what was made is being removed.
    pub(super) async fn failed(&self, step: StepId, cause: Cause) -> Result<(), StoreError> {
        let step = Some((step, StepRecord::Failed { cause: self.dated(cause) }));
        let events = self.announce(Phase::RollingBack, None);
        self.record(Fact { step, events, ..Fact::default() }).await
    }

    /// Records that the deployment turns round before `step`, which made nothing: whoever watches
    /// sees that one stopped, and the one before it done.
    pub(super) async fn turned_before(&self, step: StepId, cause: Cause) -> Result<(), StoreError> {
        let record = StepRecord::Undone { lines: Vec::new(), cause: Some(self.dated(cause)) };
        let mut events = self.announce(step.phase(), None);
        events.retain(|_| self.phase() != Phase::Initializing);
        let mut turn = self.announce(Phase::RollingBack, None);
        if let [EventBody::Progress(shown)] = &events[..]
            && let [EventBody::Progress(turn)] = &mut turn[..]
        {
            turn.progress = shown.progress;
        }
        events.append(&mut turn);
        self.record(Fact { step: Some((step, record)), events, ..Fact::default() }).await
    }

    fn dated(&self, cause: Cause) -> Cause {
        Cause { at: Some(self.clock.now()), ..cause }
    }

    /// Records that `step` is undone, and what became of what it had made.
    pub(super) async fn undone(&self, step: StepId, lines: Vec<Line>) -> Result<(), StoreError> {
        let cause = self.cause().filter(|(failed, _)| *failed == step).map(|(_, cause)| cause);
        let record = StepRecord::Undone { lines, cause };
        self.record(Fact { step: Some((step, record)), ..Fact::default() }).await
    }

    /// Records the log entries that are waiting.
    pub(super) async fn flush(&self) -> Result<(), StoreError> {
        if self.known().unrecorded.is_empty() {
            return Ok(());
        }
        self.record(Fact::default()).await
    }

    /// Records the end, with its one terminal event.
    ///
    /// # Errors
    ///
    /// [`StoreError::WishUnheard`] when somebody wished to cancel meanwhile, which is known
    /// afterwards.
    pub(super) async fn end(&self, event: EventBody, end: End) -> Result<(), StoreError> {
        let result = self.record(Fact { events: vec![event], end: Some(end), ..Fact::default() });
        let result = result.await;
        if let Err(StoreError::WishUnheard) = result {
            self.hear(Wish::Cancel);
        }
        result
    }

    async fn record(&self, mut fact: Fact) -> Result<(), StoreError> {
        // They stay in the log until they are recorded: a write that is refused, or given up in
        // the middle, loses none.
        let waiting = self.known().unrecorded.clone();
        let count = waiting.len();
        fact.events.splice(0..0, waiting);
        let recorded = self.store.record(&self.lease, &fact).await?;
        self.outages.wrote(self.clock.now());
        self.known().unrecorded.drain(..count);
        self.believe(fact, recorded);
        self.notifier.nudge(&Nudge::Events(self.lease.id.clone()));
        self.hear(recorded.wish);
        Ok(())
    }

    fn believe(&self, fact: Fact, recorded: Recorded) {
        let mut known = self.known();
        let first = recorded.seq + 1 - fact.events.len() as u64;
        for (seq, body) in (first..).zip(fact.events) {
            known.shown.take(&body);
            known.progress.apply(Event { seq, body });
        }
        known.steps.services.extend(fact.services);
        if let Some((step, record)) = fact.step {
            known.steps.records.insert(step, record);
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
