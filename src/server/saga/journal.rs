//! The journal of one operation: a fact is written to the store first, and applied to the state in
//! memory afterwards.
//!
//! The state in memory is a copy of the stored records. The store numbers the events. After every
//! fact, the journal notifies the watchers. Log entries are recorded with the next fact or by
//! [`Journal::flush`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::outages::Outages;
use super::ports::Ports;
use super::run_mode::{RunMode, StepAction};
use crate::server::metrics::Metrics;
use crate::server::notifier::{Notification, Notifier};
use crate::server::platform::AppName;
use crate::server::store::{
    self, CancelRequest, Cause, CleanupRecord, Fact, Lease, Record, Recorded, Result, State,
    StepId, StepRecord, Steps, Store, StoreError,
};
use clock::Clock;
use domain::event::{Event, EventBody, LogEntry, Resources};
use domain::kind::{Direction, Kind};
use domain::phase::Phase;
use domain::progress::Progress;
use domain::receipt::Line;
use domain::stack_name::StackName;
use domain::time::elapsed_ms;

pub(crate) mod late_commit;
mod messages;
mod position;

use messages::MessageHistory;

/// The durable record of one operation, as seen by its only writer: the holder of the lease.
pub(crate) struct Journal {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    notifier: Arc<Notifier>,
    outages: Arc<Outages>,
    metrics: Arc<Metrics>,
    lease: Lease,
    name: StackName,
    /// The kind of the operation, with its steps and phases.
    kind: &'static Kind,
    mode: RunMode,
    /// Cancelled when a person asks to cancel.
    cancelled: CancellationToken,
    /// What the deployment that made the stack recorded, if the operation is about a stack that is
    /// there.
    made: Steps,
    state: Mutex<JournalState>,
}

#[derive(Default)]
struct JournalState {
    steps: Steps,
    progress: Progress,
    /// The messages shown so far in the current phase.
    messages: MessageHistory,
    /// Log entries not yet recorded.
    unrecorded: Vec<EventBody>,
    /// The steps that had begun and not ended when an earlier run stopped.
    interrupted: Vec<StepId>,
    /// True if a call of the current step lost its response.
    response_lost: bool,
    /// For each step that lost a response: the time until which its lost call may still take
    /// effect.
    late: BTreeMap<StepId, Timestamp>,
}

impl Journal {
    /// Opens the journal of the operation that `lease` is for and that `record` describes.
    pub(crate) async fn open(
        ports: &Ports,
        lease: Lease,
        record: &Record,
        cancelled: CancellationToken,
    ) -> Result<Self> {
        let store = Arc::clone(&ports.store);
        let kind = ports.kinds.of(record.deployment.kind);
        let mut steps = store.journal(&lease.id).await?;
        let is_open = |(step, record): (&StepId, &StepRecord)| {
            (*record == StepRecord::Started).then_some(*step)
        };
        let interrupted = steps.records.iter().filter_map(is_open).collect();
        let mut ended = record.metadata.completed;
        if let Some(removed) = &record.metadata.links.removes {
            // A removal undoes the steps of the deployment that created the stack, so it starts
            // from that journal. Its own records, which are added, replace those of the same step.
            ended = store.find(removed).await?.and_then(|made| made.metadata.completed);
            let mut made = store.journal(removed).await?;
            made.records.append(&mut steps.records);
            made.services.append(&mut steps.services);
            steps = made;
        }
        let made = if kind.keeps_stack() {
            store.journal(&record.revision.stack.deployment()).await?
        } else {
            Steps::default()
        };
        let mut messages = MessageHistory::default();
        let progress =
            store::replay(&*store, &lease.id, |event| messages.take(&event.body)).await?;
        let late = late_commit::pending(&steps, ended, ports.clock.now());
        let state = JournalState {
            steps,
            progress,
            messages,
            interrupted,
            late,
            ..JournalState::default()
        };
        let journal = Self {
            store,
            clock: Arc::clone(&ports.clock),
            notifier: Arc::clone(&ports.notifier),
            outages: Arc::clone(&ports.outages),
            metrics: Arc::clone(&ports.metrics),
            kind,
            mode: match (record.state, kind.direction) {
                (State::Active, Direction::Forward) => RunMode::Forward,
                (State::Active, Direction::Back) => RunMode::Back,
                (State::Live, _) => RunMode::Recheck,
                (State::RolledBack | State::Stuck, _) => RunMode::CleanUp,
            },
            lease,
            name: record.deployment.name.clone(),
            cancelled,
            made,
            state: Mutex::new(state),
        };
        journal.observe_cancel(record.cancel_request);
        Ok(journal)
    }

    /// Returns the mode in which the operation runs.
    pub(crate) fn mode(&self) -> RunMode {
        self.mode
    }

    /// Returns whether cancellation was requested, as far as this process knows.
    pub(crate) fn cancel_request(&self) -> CancelRequest {
        if self.cancelled.is_cancelled() { CancelRequest::Requested } else { CancelRequest::None }
    }

    /// Updates the cancellation state. A request to cancel is never withdrawn.
    pub(crate) fn observe_cancel(&self, cancel_request: CancelRequest) {
        match cancel_request {
            CancelRequest::Requested => self.cancelled.cancel(),
            CancelRequest::None => {}
        }
    }

    /// Returns the token that is cancelled when somebody asks to cancel the operation.
    pub(crate) fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }

    /// Decides the action for `step` from its record. `Err` means that its recorded output is
    /// unreadable.
    pub(crate) fn action_for<T: DeserializeOwned>(&self, step: StepId) -> Result<StepAction<T>> {
        let unwinding = self.mode != RunMode::Forward || self.cause().is_some();
        let state = self.state.lock();
        Ok(match (state.steps.records.get(&step), unwinding) {
            (Some(StepRecord::Succeeded { output, .. }), _) => StepAction::Replay(decode(output)?),
            (None | Some(StepRecord::Started), false) => StepAction::Run,
            (None, true) => StepAction::Stop,
            (Some(StepRecord::Started | StepRecord::Failed { .. }), _) => StepAction::Undo,
            (Some(StepRecord::Undone { .. }), _) => StepAction::Undone,
        })
    }

    /// Returns the output that `step` had when the stack was made.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if the stack's journal does not have it.
    pub(crate) fn made<T: DeserializeOwned>(&self, step: StepId) -> Result<T> {
        match self.made.records.get(&step) {
            Some(StepRecord::Succeeded { output, .. }) => decode(output),
            Some(StepRecord::Started | StepRecord::Failed { .. } | StepRecord::Undone { .. })
            | None => Err(StoreError::Corrupt { what: "journal" }),
        }
    }

    /// Returns the step that failed and why, if one did.
    pub(crate) fn cause(&self) -> Option<(StepId, Cause)> {
        let state = self.state.lock();
        let cause = |(step, record): (&StepId, &StepRecord)| Some((*step, record.cause()?.clone()));
        state.steps.records.iter().find_map(cause)
    }

    /// Returns whether no step has begun yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.state.lock().steps.records.is_empty()
    }

    /// Returns whether there is a record of `step`, whatever its outcome.
    pub(crate) fn has_record(&self, step: StepId) -> bool {
        self.state.lock().steps.records.contains_key(&step)
    }

    /// Returns the resources known to exist.
    pub(crate) fn resources(&self) -> Resources {
        self.state.lock().progress.resources.clone()
    }

    /// Updates the resources known to exist. Watchers see the change with the next phase.
    pub(crate) fn update_resources(&self, note: impl FnOnce(&mut Resources)) {
        note(&mut self.state.lock().progress.resources);
    }

    /// Returns the services that the platform created for the operation, including removed ones.
    pub(crate) fn services(&self) -> BTreeSet<AppName> {
        self.state.lock().steps.services.clone()
    }

    /// Records that `service` is ours. Without its application, which is removed next, nothing else
    /// would show that.
    pub(crate) async fn record_service(&self, service: &AppName) -> Result<()> {
        if self.state.lock().steps.services.contains(service) {
            return Ok(());
        }
        self.record(Fact { services: vec![service.clone()], ..Fact::default() }).await
    }

    /// Adds a log entry, which is recorded with the next fact. After the end, it is dropped: there
    /// are no more events.
    pub(crate) fn log(&self, entry: LogEntry) {
        if !self.mode.is_after_end() {
            self.state.lock().unrecorded.push(EventBody::Log(entry));
        }
    }

    /// Records the intent to run `step`, and announces its phase.
    pub(crate) async fn started(&self, step: StepId) -> Result<()> {
        self.state.lock().response_lost = false;
        let events = self.announce(self.kind.phase_of(step), None);
        let step = Some((step, StepRecord::Started));
        self.record(Fact { step, events, ..Fact::default() }).await
    }

    /// Records the output of the step, and the services that it created.
    pub(crate) async fn succeeded<T: Serialize>(
        &self,
        step: StepId,
        output: &T,
        services: Vec<AppName>,
    ) -> Result<()> {
        let response_lost = {
            let state = self.state.lock();
            state.response_lost || state.interrupted.contains(&step)
        };
        let record = StepRecord::Succeeded { output: encode(output)?, response_lost };
        self.record(Fact { step: Some((step, record)), services, ..Fact::default() }).await
    }

    /// Records that `step` failed now, and announces the rollback.
    pub(crate) async fn failed(&self, step: StepId, cause: Cause) -> Result<()> {
        let step = Some((step, StepRecord::Failed { cause: self.dated(cause) }));
        let events = self.announce(Phase::ROLLING_BACK, None);
        self.record(Fact { step, events, ..Fact::default() }).await
    }

    /// Records that the operation rolls back before `step`, which created nothing. Watchers see the
    /// step before as done, and `step` as the one that failed.
    pub(crate) async fn rolled_back_before(&self, step: StepId, cause: Cause) -> Result<()> {
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

    /// Records that `step` is undone, with the receipt's lines about its resources.
    pub(crate) async fn undone(&self, step: StepId, lines: Vec<Line>) -> Result<()> {
        let cause = self.cause().filter(|(failed, _)| *failed == step).map(|(_, cause)| cause);
        let record = StepRecord::Undone { lines, cause };
        self.record(Fact { step: Some((step, record)), ..Fact::default() }).await
    }

    /// Records the waiting log entries, if there are any.
    pub(crate) async fn flush(&self) -> Result<()> {
        if self.state.lock().unrecorded.is_empty() {
            return Ok(());
        }
        self.record(Fact::default()).await
    }

    /// Records the fact of the end with its terminal event.
    ///
    /// # Errors
    ///
    /// [`StoreError::CancelPending`] if somebody asked to cancel meanwhile. The journal has then
    /// observed the request.
    pub(crate) async fn end(&self, end: Fact) -> Result<()> {
        let result = self.record(end).await;
        if let Err(StoreError::CancelPending) = result {
            self.observe_cancel(CancelRequest::Requested);
        }
        result
    }

    /// Records the result of a clean-up.
    pub(crate) async fn record_cleanup(&self, cleanup: &CleanupRecord) -> Result<()> {
        let recorded = self.store.record_cleanup(&self.lease, cleanup).await;
        self.notifier.notify(&Notification::Name(self.name.clone()));
        self.notifier.notify(&Notification::Events(self.lease.id.clone()));
        recorded
    }

    /// Records that a live stack was searched for duplicates, and the time of the next search, if
    /// any.
    pub(crate) async fn rechecked(&self, again: Option<Timestamp>) -> Result<()> {
        self.store.rechecked(&self.lease, again).await
    }

    /// Returns whether a removal of the live stack called `name` is in progress or has ended. It
    /// removes duplicates as well.
    pub(crate) async fn is_being_removed(&self, name: &StackName) -> Result<bool> {
        let stacks = self.store.stacks(Some(name)).await?;
        let own = stacks.iter().find(|stack| stack.deployment.id == self.lease.id);
        // If the stack is not listed any more, a removal has just ended.
        Ok(own.is_none_or(|stack| stack.removal.is_some()))
    }

    async fn record(&self, mut fact: Fact) -> Result<()> {
        // The entries are removed only after they are recorded: a write that fails, or is dropped,
        // loses none.
        let waiting = self.state.lock().unrecorded.clone();
        let count = waiting.len();
        fact.events.splice(0..0, waiting);
        let recorded = self.store.record(&self.lease, &fact).await;
        // Also after an error: the answer to a commit may be lost.
        if fact.end.is_some() {
            self.notifier.notify(&Notification::Name(self.name.clone()));
        }
        let recorded = recorded?;
        self.outages.wrote(self.clock.now());
        self.state.lock().unrecorded.drain(..count);
        self.apply(fact, recorded);
        self.notifier.notify(&Notification::Events(self.lease.id.clone()));
        self.observe_cancel(recorded.cancel_request);
        Ok(())
    }

    fn apply(&self, fact: Fact, recorded: Recorded) {
        let mut state = self.state.lock();
        let (phase, since) = (state.progress.phase, state.messages.since());
        // The store returns the number of the last event; the fact's events have the numbers up to
        // it.
        let first = recorded.seq + 1 - fact.events.len() as u64;
        for (seq, body) in (first..).zip(fact.events) {
            state.messages.take(&body);
            state.progress.apply(Event { seq, body });
        }
        if let Some(since) = since.filter(|_| state.progress.phase != phase) {
            let took = Duration::from_millis(elapsed_ms(since, self.clock.now()));
            self.metrics.phase_took(self.kind, phase, took);
        }
        state.steps.services.extend(fact.services);
        if let Some((step, record)) = fact.step {
            state.steps.records.insert(step, record);
        }
    }
}

fn encode<T: Serialize>(output: &T) -> Result<serde_json::Value> {
    serde_json::to_value(output).map_err(|_| StoreError::Corrupt { what: "step output" })
}

fn decode<T: DeserializeOwned>(output: &serde_json::Value) -> Result<T> {
    T::deserialize(output).map_err(|_| StoreError::Corrupt { what: "step output" })
}
