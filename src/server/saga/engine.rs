//! The engine: drives an operation as a straight line of steps, forward or back.
//!
//! Forward, each step's output is the next step's input. Backward, the same steps are undone
//! newest first, the one that failed included, since a call that timed out may have worked. An
//! operation that goes back, and clean-up after the end, run the same line with a journal that
//! only replays, and then go the same way back. It must not know any kind of operation or step:
//! the [`Operation`] knows them.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tracing::Instrument;

use super::{
    context::Context,
    ends,
    failure::StepError,
    panics,
    run_mode::{RunMode, StepAction},
    step::Step,
    unwind::{ExecutedStep, Leftover, Undo, unwind},
};
use crate::server::{
    platform::call_slots::CallKind,
    store::{CancelRequest, Cause, StepId, StoreError},
};
use domain::{
    event::{EventBody, FailureCode, Level, LogEntry},
    kind::{Kind, KindName},
    phase::Phase,
    receipt::{Line, Receipt},
};

/// A kind of operation: its steps in order, and what its ends mean.
#[async_trait]
pub trait Operation: Send + Sync {
    /// Returns the kind's row in the table.
    fn kind(&self) -> &'static Kind;

    /// Takes its steps in their order.
    ///
    /// # Errors
    ///
    /// Returns where the line stops short.
    async fn run(&self, saga: &mut Saga) -> Result<(), Halt>;

    /// Prepares the good end, and returns when the result is to be looked at once more.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] when the journal is out of reach.
    async fn finish(&self, _cx: &Context) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    /// Returns the event of the good end, with what became of what was undone.
    fn done(&self, cx: &Context, _receipt: Receipt) -> EventBody {
        ends::completion(cx)
    }

    /// Returns in which phase it failed and why; `code` is what kept something from being undone.
    fn failure(&self, cx: &Context, _code: Option<FailureCode>) -> (Phase, Cause) {
        ends::recorded_failure(cx)
    }

    /// Looks once more at the result of a good end.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] when the journal is out of reach.
    async fn recheck(&self, cx: &Context) -> Result<(), StoreError> {
        cx.journal.rechecked(None).await
    }

    /// Says what an operator can do about each of `lines` that is left; `may_ask` says whether the
    /// platform may be asked.
    async fn advise(&self, _cx: &Context, lines: Vec<Line>, _may_ask: MayAsk) -> Vec<Line> {
        lines
    }

    /// Returns the call that changes something which `step` may be in the middle of, `seconds`
    /// after it began.
    fn call_under_way(&self, _step: StepId, _seconds: u64) -> Option<CallKind> {
        Some(CallKind::Other)
    }
}

/// Whether the platform may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MayAsk {
    /// It may.
    Yes,
    /// It may not: whoever asked panicked again and again.
    No,
}

/// The operations that a worker can drive: one for each kind.
#[derive(Clone)]
pub struct Operations(Arc<[Arc<dyn Operation>]>);

impl Operations {
    /// Makes the table of these operations.
    pub fn new(operations: impl IntoIterator<Item = Arc<dyn Operation>>) -> Self {
        Self(operations.into_iter().collect())
    }

    /// Returns the names of the kinds that can be driven.
    pub fn names(&self) -> Vec<KindName> {
        self.0.iter().map(|operation| operation.kind().name).collect()
    }

    /// Returns the operation of the kind called `name`.
    pub(crate) fn of(&self, name: KindName) -> Option<&dyn Operation> {
        self.0.iter().find(|operation| operation.kind().name == name).map(|one| &**one)
    }
}

/// Drives the operation to its end, from wherever its journal left off; after the end, does
/// what is left of the clean-up, or looks for what came late.
///
/// # Errors
///
/// Returns a [`StoreError`] when the journal is out of reach or the lease is lost. Nothing
/// is lost: whoever holds the lease next resumes.
pub async fn drive(cx: Context, operations: &Operations) -> Result<(), StoreError> {
    let span = tracing::info_span!(
        "deployment",
        deployment.id = %cx.deployment.id,
        deployment.reference = cx.deployment.id.reference(),
    );
    let Some(operation) = operations.of(cx.deployment.kind) else {
        let kind = cx.deployment.kind.as_str();
        tracing::error!(kind, "Only another version of the portal knows this kind of operation");
        return Ok(());
    };
    run(cx, operation).instrument(span).await
}

async fn run(cx: Context, operation: &dyn Operation) -> Result<(), StoreError> {
    if cx.journal.mode() == RunMode::Recheck {
        return operation.recheck(&cx).await;
    }
    // What panics again and again ends without another step or undo.
    let gives_up = cx.panics >= panics::LIMIT && !cx.journal.mode().is_after_end();
    if gives_up {
        record_panics(&cx).await?;
    }
    let Some(Saga { cx, executed }) = forward(cx, operation).await? else { return Ok(()) };
    let (mut leftover, may_ask) = if gives_up {
        (all_of(&cx, &executed), MayAsk::No)
    } else {
        (unwind(&cx, executed).await?, MayAsk::Yes)
    };
    leftover.lines = operation.advise(&cx, leftover.lines, may_ask).await;
    conclude(&cx, operation, leftover).await
}

/// Goes forward to the good end, or to where there is something to undo, which is returned.
async fn forward(cx: Context, operation: &dyn Operation) -> Result<Option<Saga>, StoreError> {
    let mut saga = Saga { cx, executed: Vec::new() };
    match operation.run(&mut saga).await {
        Ok(()) => {}
        Err(Halt::Unwind) => return Ok(Some(saga)),
        Err(Halt::Store(error)) => return Err(error),
    }
    let cx = &saga.cx;
    if cx.journal.mode() != RunMode::Forward {
        return Ok(Some(saga));
    }
    if cx.journal.cancel_request() == CancelRequest::None {
        let due = operation.finish(cx).await?;
        match ends::done(cx, operation.done(cx, Receipt::default()), due).await {
            Err(StoreError::CancelPending) => {}
            result => return result.map(|()| None),
        }
    }
    cx.journal.failed(cx.journal.last_step(), StepError::cancelled()).await?;
    Ok(Some(saga))
}

/// Records the end, or the result of a clean-up after it.
async fn conclude(
    cx: &Context,
    operation: &dyn Operation,
    leftover: Leftover,
) -> Result<(), StoreError> {
    let code = leftover.code;
    let receipt = ends::receipt(cx, leftover);
    match cx.journal.mode() {
        RunMode::CleanUp | RunMode::Recheck => ends::cleaned_up(cx, receipt).await,
        RunMode::Back if receipt.clean => {
            let event = operation.done(cx, receipt);
            ends::done(cx, event, None).await
        }
        RunMode::Back | RunMode::Forward => {
            ends::failed(cx, operation.failure(cx, code), &receipt).await
        }
    }
}

/// Records that an operation fails since it panics, unless it has failed already.
async fn record_panics(cx: &Context) -> Result<(), StoreError> {
    if cx.journal.mode() != RunMode::Forward || cx.journal.cause().is_some() {
        return Ok(());
    }
    let cause = StepError::panicked();
    cx.log(Level::Error, LogEntry::FAILURE, &cause.message, 0, None);
    match cx.journal.under_way() {
        (step, true) => cx.journal.failed(step, cause).await,
        (step, false) => cx.journal.rolled_back_before(step, cause).await,
    }
}

/// Returns all that these steps made as left, for clean-up to remove.
fn all_of(cx: &Context, executed: &[Box<dyn Undo>]) -> Leftover {
    let lines = executed.iter().rev().flat_map(|step| step.possible_leftovers(cx)).collect();
    Leftover { lines, code: Some(FailureCode::Internal) }
}

/// The reason why the line stopped short.
#[derive(Debug)]
pub enum Halt {
    /// Roll back and undo.
    Unwind,
    /// The journal is out of reach: stop here, resume later.
    Store(StoreError),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// One operation under way.
pub struct Saga {
    pub(crate) cx: Context,
    /// The steps to undo, oldest first.
    executed: Vec<Box<dyn Undo>>,
}

impl Saga {
    /// Returns whether no step has begun yet.
    pub(crate) fn is_new(&self) -> bool {
        self.cx.journal.is_empty()
    }

    /// Returns whether `step` is on record, however it went.
    pub(crate) fn has_record(&self, step: StepId) -> bool {
        self.cx.journal.has_record(step)
    }

    /// Runs `step` once and for all: a recorded success is replayed, not repeated.
    ///
    /// # Errors
    ///
    /// Returns why the line stops here.
    pub async fn step<S: Step>(&mut self, step: S) -> Result<S::Output, Halt> {
        let output = match self.cx.journal.action_for(S::ID)? {
            StepAction::Replay(output) => Some(output),
            StepAction::Run => self.attempt(&step).await?,
            StepAction::Undo => None,
            StepAction::Undone | StepAction::Stop => return Err(Halt::Unwind),
        };
        if let Some(output) = &output {
            self.cx.journal.update_resources(|resources| S::record_resources(output, resources));
        }
        self.executed.push(Box::new(ExecutedStep::new(step, output.clone())));
        output.ok_or(Halt::Unwind)
    }

    /// Records why `step` does not begin, and returns where the line stops for it.
    async fn stop_before(&self, step: StepId, cause: Cause) -> Halt {
        self.cx.log(Level::Error, LogEntry::FAILURE, &cause.message, 0, None);
        let recorded = self.cx.journal.rolled_back_before(step, cause).await;
        recorded.map_or_else(Halt::Store, |()| Halt::Unwind)
    }

    /// Records the intent before the effect, and the result after it.
    async fn attempt<S: Step>(&self, step: &S) -> Result<Option<S::Output>, Halt> {
        let (cx, journal) = (&self.cx, &self.cx.journal);
        match (journal.cancel_request(), journal.was_interrupted(S::ID)) {
            (CancelRequest::None, false) if cx.is_overdue() => {
                return Err(self.stop_before(S::ID, cx.overdue()).await);
            }
            // What it may have done already is looked at once, whatever the time.
            (CancelRequest::None, _) => {}
            (CancelRequest::Requested, true) => {
                journal.failed(S::ID, StepError::cancelled()).await?;
                return Ok(None);
            }
            (CancelRequest::Requested, false) => {
                journal.rolled_back_before(S::ID, StepError::cancelled()).await?;
                return Err(Halt::Unwind);
            }
        }
        // What has not begun while the platform hangs has made nothing.
        if !journal.was_interrupted(S::ID) && cx.is_wedged() {
            match cx.wait_out_hang().await {
                Ok(()) => {}
                Err(StepError::Failed(cause)) => return Err(self.stop_before(S::ID, cause).await),
                Err(StepError::Store(error)) => return Err(error.into()),
            }
        }
        journal.started(S::ID).await?;
        cx.begin_step(S::ID, S::limit);
        if journal.was_interrupted(S::ID) {
            cx.tell_outage(S::ID);
        }
        match step.run(cx).await {
            Ok(output) => {
                journal.succeeded(S::ID, &output, S::services(&output)).await?;
                Ok(Some(output))
            }
            Err(StepError::Failed(cause)) => {
                let (level, action) = match cause.code {
                    FailureCode::Cancelled => (Level::Info, "deployment.cancel"),
                    _ => (Level::Error, LogEntry::FAILURE),
                };
                cx.log(level, action, &cause.message, 0, None);
                journal.failed(S::ID, cause).await?;
                Ok(None)
            }
            Err(StepError::Store(error)) => Err(error.into()),
        }
    }
}
