//! The engine: runs the steps of an operation in sequence, and undoes them if one fails.
//!
//! Each step's output is an input of later steps. The undo goes newest first and includes the step
//! that failed, since a call that timed out may have succeeded. A removal, and clean-up after the
//! end, run the same sequence without calls: the journal replays the recorded outputs, and then all
//! steps are undone. The engine must not know any kind of operation or step: the [`Operation`]
//! knows them.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tracing::Instrument;

use super::context::Context;
use super::failure::StepError;
use super::run_mode::{RunMode, StepAction};
use super::step::Step;
use super::unwind::{ExecutedStep, Leftover, Undo, unwind};
use super::{outcomes, panics};
use crate::server::platform::call_slots::CallKind;
use crate::server::store::{CancelRequest, Cause, Result, StepId, StoreError};
use crate::server::traces::Attempt;
use domain::event::{EventBody, FailureCode, Level, LogEntry};
use domain::kind::{Kind, KindName};
use domain::phase::Phase;
use domain::receipt::{Line, Receipt};

/// A kind of operation: its steps in order, and its outcomes.
#[async_trait]
pub trait Operation: Send + Sync {
    /// Returns the kind's row in the table of kinds.
    fn kind(&self) -> &'static Kind;

    /// Runs the steps in order.
    ///
    /// # Errors
    ///
    /// Returns why the sequence stops early.
    async fn run(&self, saga: &mut Saga) -> Result<(), Halt>;

    /// Prepares the successful end, and returns the time of a recheck, if one is needed.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the journal cannot be written.
    async fn finish(&self, _cx: &Context) -> Result<Option<Timestamp>> {
        Ok(None)
    }

    /// Returns the last event of a successful operation. `receipt` lists the resources that were
    /// undone.
    fn done(&self, cx: &Context, _receipt: Receipt) -> EventBody {
        outcomes::completion(cx)
    }

    /// Returns the phase and the cause of the failure. `code` is the failure that prevented an
    /// undo, if one did.
    fn failure(&self, cx: &Context, _code: Option<FailureCode>) -> (Phase, Cause) {
        outcomes::recorded_failure(cx)
    }

    /// Rechecks the result of a successful end.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the journal cannot be written.
    async fn recheck(&self, cx: &Context) -> Result<()> {
        cx.journal.rechecked(None).await
    }

    /// Sets a remedy for operators in each of `lines` that is a leftover. `may_ask` says whether it
    /// may query the platform.
    async fn advise(&self, _cx: &Context, lines: Vec<Line>, _may_ask: MayAsk) -> Vec<Line> {
        lines
    }

    /// Returns the mutating call that `step` may be making `seconds` after it began, if any.
    fn call_under_way(&self, _step: StepId, _seconds: u64) -> Option<CallKind> {
        Some(CallKind::Other)
    }
}

/// Permission to query the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MayAsk {
    /// The platform may be queried.
    Yes,
    /// The platform must not be queried: the operation has panicked repeatedly, perhaps because of
    /// the answers.
    No,
}

/// The operations that a worker can drive, one for each kind.
#[derive(Clone)]
pub struct Operations(Arc<[Arc<dyn Operation>]>);

impl Operations {
    /// Creates the table of these operations.
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

/// Drives the operation to its end, continuing after the journal's last record. After the end, it
/// continues the clean-up or rechecks the result.
///
/// # Errors
///
/// Returns a [`StoreError`] if the journal cannot be written or the lease is lost. The next holder
/// of the lease resumes the operation.
pub async fn drive(cx: Context, operations: &Operations) -> Result<()> {
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
    Box::pin(run(cx, operation).instrument(span)).await
}

async fn run(cx: Context, operation: &dyn Operation) -> Result<()> {
    if cx.journal.mode() == RunMode::Recheck {
        return operation.recheck(&cx).await;
    }
    // An operation that has panicked repeatedly ends without another step or undo, either of which
    // could panic again.
    let gives_up = cx.panics >= panics::LIMIT && !cx.journal.mode().is_after_end();
    if gives_up {
        give_up(&cx, StepError::panicked()).await?;
    }
    if cx.spec.is_lost {
        cx.warn(
            "spec.read",
            "The stored spec of the stack cannot be read: what was made is removed without it",
        );
        give_up(&cx, StepError::spec_lost()).await?;
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

/// Runs the steps. Returns `None` if the operation ended successfully, and the executed steps if
/// they must be undone.
async fn forward(cx: Context, operation: &dyn Operation) -> Result<Option<Saga>> {
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
        match outcomes::done(cx, operation.done(cx, Receipt::default()), due).await {
            Err(StoreError::CancelPending) => {}
            result => return result.map(|()| None),
        }
    }
    cx.journal.failed(cx.journal.last_step(), StepError::cancelled()).await?;
    Ok(Some(saga))
}

/// Records the end, or the result of a clean-up after it.
async fn conclude(cx: &Context, operation: &dyn Operation, leftover: Leftover) -> Result<()> {
    let code = leftover.code;
    let receipt = outcomes::receipt(cx, leftover);
    match cx.journal.mode() {
        RunMode::CleanUp | RunMode::Recheck => outcomes::cleaned_up(cx, receipt).await,
        RunMode::Back if receipt.clean => {
            let event = operation.done(cx, receipt);
            outcomes::done(cx, event, None).await
        }
        RunMode::Back | RunMode::Forward => {
            outcomes::failed(cx, operation.failure(cx, code), &receipt).await
        }
    }
}

/// Records the cause for which an operation fails before its next step, unless it has failed
/// already.
async fn give_up(cx: &Context, cause: Cause) -> Result<()> {
    if cx.journal.mode() != RunMode::Forward || cx.journal.cause().is_some() {
        return Ok(());
    }
    cx.log(Level::Error, LogEntry::FAILURE, &cause.message, 0, None);
    match cx.journal.under_way() {
        (step, true) => cx.journal.failed(step, cause).await,
        (step, false) => cx.journal.rolled_back_before(step, cause).await,
    }
}

/// Returns everything that these steps may have created as leftovers, for clean-up to remove.
fn all_of(cx: &Context, executed: &[Box<dyn Undo>]) -> Leftover {
    let lines = executed.iter().rev().flat_map(|step| step.possible_leftovers(cx)).collect();
    Leftover { lines, code: Some(FailureCode::Internal) }
}

/// The reason why the sequence of steps stopped early.
#[derive(Debug)]
pub enum Halt {
    /// The executed steps must be undone.
    Unwind,
    /// The journal cannot be written. A later holder of the lease resumes.
    Store(StoreError),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// An operation that is being driven.
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

    /// Returns whether the journal has a record of `step`, whatever its outcome.
    pub(crate) fn has_record(&self, step: StepId) -> bool {
        self.cx.journal.has_record(step)
    }

    /// Returns the output that the step `S` had when the stack was made, and adds the resources that
    /// it created then to those known to exist.
    ///
    /// # Errors
    ///
    /// Returns an error if the stack's journal does not have it.
    pub(crate) fn made<S: Step>(&self) -> Result<S::Output> {
        let output = self.cx.journal.made(S::ID)?;
        self.cx.journal.update_resources(|resources| S::record_resources(&output, resources));
        Ok(output)
    }

    /// Runs `step`, or replays its output if the journal says that it succeeded.
    ///
    /// # Errors
    ///
    /// Returns why the sequence stops here.
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
        self.executed.push(Box::new(ExecutedStep { step, output: output.clone() }));
        output.ok_or(Halt::Unwind)
    }

    /// Adds `step`, which other operations on the stack ran, to the steps to undo, unless it is undone.
    ///
    /// # Errors
    ///
    /// Returns an error if the journal cannot be read, or the step is undone, and thus every later one.
    pub(crate) fn inherit<S: Step>(&mut self, step: S, output: S::Output) -> Result<(), Halt> {
        match self.cx.journal.action_for::<S::Output>(S::ID)? {
            StepAction::Undone => return Err(Halt::Unwind),
            StepAction::Replay(_) | StepAction::Run | StepAction::Undo | StepAction::Stop => {}
        }
        self.executed.push(Box::new(ExecutedStep { step, output: Some(output) }));
        Ok(())
    }

    /// Records why `step` does not begin, and returns the reason to stop.
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
            // An interrupted step runs even after the deadline, once: it adopts what it may have
            // created already, so that the undo knows of it.
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
        // A step that has not begun has created nothing. So it waits here until the platform no
        // longer hangs, and need not be undone if the wait fails.
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
            cx.log_outage(S::ID);
        }
        match cx.traced(Attempt::Run(S::ID), step.run(cx)).await {
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
