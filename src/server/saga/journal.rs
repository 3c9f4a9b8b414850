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
    late_commit,
    outages::Outages,
    ports::Ports,
    run_mode::{RunMode, StepAction},
};
use crate::server::{
    notifier::{Notifier, Nudge},
    platform::AppName,
    store::{
        CancelRequest, Cause, End, Fact, Lease, Record, Recorded, State, StepId, StepRecord, Steps,
        Store, StoreError,
    },
};
use clock::Clock;
use domain::{
    event::{Event, EventBody, LogEntry, Resources},
    kind::{Direction, Kind},
    phase::Phase,
    progress::Progress,
    receipt::Line,
};

mod after_end;
mod lost_calls;
mod messages;

use messages::MessageHistory;

/// The durable record of one deployment, as its only writer sees it.
pub(crate) struct Journal {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    notifier: Arc<Notifier>,
    outages: Arc<Outages>,
    lease: Lease,
    /// The kind of the operation.
    kind: &'static Kind,
    mode: RunMode,
    /// Cancelled when a person asks to cancel.
    cancelled: CancellationToken,
    state: Mutex<JournalState>,
}

struct JournalState {
    steps: Steps,
    progress: Progress,
    /// The messages shown so far in the current phase.
    messages: MessageHistory,
    /// Log entries not yet recorded.
    unrecorded: Vec<EventBody>,
    /// Steps that were under way when an earlier run stopped.
    interrupted: Vec<StepId>,
    /// True if the step under way lost a response.
    response_lost: bool,
    /// The time until which a step's lost call may still be carried out.
    late: BTreeMap<StepId, Timestamp>,
}

impl Journal {
    /// Opens the journal of the operation that `lease` is for and that `record` describes.
    pub(crate) async fn open(
        ports: &Ports,
        lease: Lease,
        record: &Record,
        cancelled: CancellationToken,
    ) -> Result<Self, StoreError> {
        let store = Arc::clone(&ports.store);
        let kind = ports.kinds.of(record.deployment.kind);
        let mut steps = store.journal(&lease.id).await?;
        let is_open = |(step, record): (&StepId, &StepRecord)| {
            (*record == StepRecord::Started).then_some(*step)
        };
        let interrupted = steps.records.iter().filter_map(is_open).collect();
        let mut ended = record.metadata.completed;
        if let Some(removed) = &record.metadata.links.removes {
            // What is to be undone stands in the journal of the deployment that made it.
            ended = store.find(removed).await?.and_then(|made| made.metadata.completed);
            let mut made = store.journal(removed).await?;
            made.records.append(&mut steps.records);
            made.services.append(&mut steps.services);
            steps = made;
        }
        let mut messages = MessageHistory::default();
        let progress = store.replay(&lease.id, |event| messages.take(&event.body)).await?;
        let late = late_commit::pending(&steps, ended, ports.clock.now());
        let (unrecorded, response_lost) = (Vec::new(), false);
        let state = JournalState {
            steps,
            progress,
            messages,
            unrecorded,
            interrupted,
            response_lost,
            late,
        };
        let journal = Self {
            store,
            clock: Arc::clone(&ports.clock),
            notifier: Arc::clone(&ports.notifier),
            outages: Arc::clone(&ports.outages),
            kind,
            mode: match (record.state, kind.direction) {
                (State::Active, Direction::Forward) => RunMode::Forward,
                (State::Active, Direction::Back) => RunMode::Back,
                (State::Live, _) => RunMode::Recheck,
                (State::RolledBack | State::Stuck, _) => RunMode::CleanUp,
            },
            lease,
            cancelled,
            state: Mutex::new(state),
        };
        journal.observe_cancel(record.cancel_request);
        Ok(journal)
    }

    /// Returns the mode in which the operation runs.
    pub(crate) fn mode(&self) -> RunMode {
        self.mode
    }

    /// Returns whether the cancellation is requested, as far as is known.
    pub(crate) fn cancel_request(&self) -> CancelRequest {
        if self.cancelled.is_cancelled() { CancelRequest::Requested } else { CancelRequest::None }
    }

    /// Takes in the cancellation state. A request to cancel is never taken back.
    pub(crate) fn observe_cancel(&self, cancel_request: CancelRequest) {
        match cancel_request {
            CancelRequest::Requested => self.cancelled.cancel(),
            CancelRequest::None => {}
        }
    }

    /// Returns the token that is cancelled once the cancellation is requested.
    pub(crate) fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }

    /// Decides the action for `step`.
    pub(crate) fn action_for<T: DeserializeOwned>(
        &self,
        step: StepId,
    ) -> Result<StepAction<T>, StoreError> {
        let unwinding = self.mode != RunMode::Forward || self.cause().is_some();
        let state = self.state();
        Ok(match (state.steps.records.get(&step), unwinding) {
            (Some(StepRecord::Succeeded { output, .. }), _) => StepAction::Replay(decode(output)?),
            (None | Some(StepRecord::Started), false) => StepAction::Run,
            (None, true) => StepAction::Stop,
            (Some(StepRecord::Started | StepRecord::Failed { .. }), _) => StepAction::Undo,
            (Some(StepRecord::Undone { .. }), _) => StepAction::Undone,
        })
    }

    /// Returns the step that failed and why, if one did.
    pub(crate) fn cause(&self) -> Option<(StepId, Cause)> {
        let state = self.state();
        state.steps.records.iter().find_map(|(step, record)| match record {
            StepRecord::Failed { cause } | StepRecord::Undone { cause: Some(cause), .. } => {
                Some((*step, cause.clone()))
            }
            StepRecord::Started
            | StepRecord::Succeeded { .. }
            | StepRecord::Undone { cause: None, .. } => None,
        })
    }

    /// Returns the step that is under way, or the next one, and whether it has begun.
    pub(crate) fn under_way(&self) -> (StepId, bool) {
        let state = self.state();
        let is_open = |step: &StepId| match state.steps.records.get(step) {
            Some(StepRecord::Started) | None => true,
            Some(
                StepRecord::Succeeded { .. }
                | StepRecord::Failed { .. }
                | StepRecord::Undone { .. },
            ) => false,
        };
        let mut steps = self.kind.steps.iter().map(|step| step.id);
        let step = steps.find(is_open).unwrap_or(self.last_step());
        (step, state.steps.records.contains_key(&step))
    }

    /// Returns the last of the kind's steps.
    pub(crate) fn last_step(&self) -> StepId {
        self.kind.steps.last().map_or(StepId::new(""), |step| step.id)
    }

    /// Returns what became of everything undone so far, newest step first.
    pub(crate) fn undone_lines(&self) -> Vec<Line> {
        let state = self.state();
        let newest_first = self.kind.steps.iter().rev();
        let records = newest_first.filter_map(|step| state.steps.records.get(&step.id));
        let lines = records.filter_map(|record| match record {
            StepRecord::Undone { lines, .. } => Some(lines.clone()),
            StepRecord::Started | StepRecord::Succeeded { .. } | StepRecord::Failed { .. } => None,
        });
        lines.flatten().collect()
    }

    /// Returns whether no step has begun yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.state().steps.records.is_empty()
    }

    /// Returns whether `step` is on record, however it went.
    pub(crate) fn has_record(&self, step: StepId) -> bool {
        self.state().steps.records.contains_key(&step)
    }

    /// Returns the resources known to exist.
    pub(crate) fn resources(&self) -> Resources {
        self.state().progress.resources.clone()
    }

    /// Adds to what is known to exist; watchers learn it with the next phase.
    pub(crate) fn update_resources(&self, note: impl FnOnce(&mut Resources)) {
        note(&mut self.state().progress.resources);
    }

    /// Returns the services that the platform made, removed ones included.
    pub(crate) fn services(&self) -> BTreeSet<AppName> {
        self.state().steps.services.clone()
    }

    /// Records that `service` is ours, before the application that leads to it is removed.
    pub(crate) async fn record_service(&self, service: &AppName) -> Result<(), StoreError> {
        if self.state().steps.services.contains(service) {
            return Ok(());
        }
        self.record(Fact { services: vec![service.clone()], ..Fact::default() }).await
    }

    /// Keeps a log entry for the next fact. After the end the log is closed.
    pub(crate) fn log(&self, entry: LogEntry) {
        if !self.mode.is_after_end() {
            self.state().unrecorded.push(EventBody::Log(entry));
        }
    }

    /// Records the intent to run `step`, and announces its phase.
    pub(crate) async fn started(&self, step: StepId) -> Result<(), StoreError> {
        self.state().response_lost = false;
        let events = self.announce(self.kind.phase_of(step), None);
        let step = Some((step, StepRecord::Started));
        self.record(Fact { step, events, ..Fact::default() }).await
    }

    /// Records what the step left.
    pub(crate) async fn succeeded<T: Serialize>(
        &self,
        step: StepId,
        output: &T,
        services: Vec<AppName>,
    ) -> Result<(), StoreError> {
        let response_lost = {
            let state = self.state();
            state.response_lost || state.interrupted.contains(&step)
        };
        let record = StepRecord::Succeeded { output: encode(output)?, response_lost };
        self.record(Fact { step: Some((step, record)), services, ..Fact::default() }).await
    }

    /// Records that `step` gave up now, and announces that what was made is being removed.
    pub(crate) async fn failed(&self, step: StepId, cause: Cause) -> Result<(), StoreError> {
        let step = Some((step, StepRecord::Failed { cause: self.dated(cause) }));
        let events = self.announce(Phase::ROLLING_BACK, None);
        self.record(Fact { step, events, ..Fact::default() }).await
    }

    /// Records that the deployment rolls back before `step`, which made nothing: whoever watches
    /// sees that one stopped, and the one before it done.
    pub(crate) async fn rolled_back_before(
        &self,
        step: StepId,
        cause: Cause,
    ) -> Result<(), StoreError> {
        let record = StepRecord::Undone { lines: Vec::new(), cause: Some(self.dated(cause)) };
        let mut events = self.announce(self.kind.phase_of(step), None);
        events.retain(|_| self.phase() != Phase::INITIALIZING);
        let mut turn = self.announce(Phase::ROLLING_BACK, None);
        if let [EventBody::Progress(update)] = &events[..]
            && let [EventBody::Progress(turn)] = &mut turn[..]
        {
            turn.progress = update.progress;
        }
        events.append(&mut turn);
        self.record(Fact { step: Some((step, record)), events, ..Fact::default() }).await
    }

    fn dated(&self, cause: Cause) -> Cause {
        Cause { at: Some(self.clock.now()), ..cause }
    }

    /// Records that `step` is undone, and what became of what it had made.
    pub(crate) async fn undone(&self, step: StepId, lines: Vec<Line>) -> Result<(), StoreError> {
        let cause = self.cause().filter(|(failed, _)| *failed == step).map(|(_, cause)| cause);
        let record = StepRecord::Undone { lines, cause };
        self.record(Fact { step: Some((step, record)), ..Fact::default() }).await
    }

    /// Records the log entries that are waiting.
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        if self.state().unrecorded.is_empty() {
            return Ok(());
        }
        self.record(Fact::default()).await
    }

    /// Records the end, with its one terminal event.
    ///
    /// # Errors
    ///
    /// [`StoreError::CancelPending`] when somebody asked to cancel meanwhile, which is known
    /// afterwards.
    pub(crate) async fn end(&self, event: EventBody, end: End) -> Result<(), StoreError> {
        let result = self.record(Fact { events: vec![event], end: Some(end), ..Fact::default() });
        let result = result.await;
        if let Err(StoreError::CancelPending) = result {
            self.observe_cancel(CancelRequest::Requested);
        }
        result
    }

    async fn record(&self, mut fact: Fact) -> Result<(), StoreError> {
        // They stay in the log until they are recorded: a write that is refused, or given up in
        // the middle, loses none.
        let waiting = self.state().unrecorded.clone();
        let count = waiting.len();
        fact.events.splice(0..0, waiting);
        let recorded = self.store.record(&self.lease, &fact).await?;
        self.outages.wrote(self.clock.now());
        self.state().unrecorded.drain(..count);
        self.apply(fact, recorded);
        self.notifier.nudge(&Nudge::Events(self.lease.id.clone()));
        self.observe_cancel(recorded.cancel_request);
        Ok(())
    }

    fn apply(&self, fact: Fact, recorded: Recorded) {
        let mut state = self.state();
        let first = recorded.seq + 1 - fact.events.len() as u64;
        for (seq, body) in (first..).zip(fact.events) {
            state.messages.take(&body);
            state.progress.apply(Event { seq, body });
        }
        state.steps.services.extend(fact.services);
        if let Some((step, record)) = fact.step {
            state.steps.records.insert(step, record);
        }
    }

    fn state(&self) -> MutexGuard<'_, JournalState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn encode<T: Serialize>(output: &T) -> Result<serde_json::Value, StoreError> {
    serde_json::to_value(output).map_err(|_| StoreError::Corrupt { what: "step output" })
}

fn decode<T: DeserializeOwned>(output: &serde_json::Value) -> Result<T, StoreError> {
    T::deserialize(output).map_err(|_| StoreError::Corrupt { what: "step output" })
}
