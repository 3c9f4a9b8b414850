//! The saga: a deployment as a straight line of steps, and its rollback.
//!
//! Forward, each step's output is the next step's input. Backward, the same steps are undone
//! newest first, the one that failed included, since a call that timed out may have worked. A
//! removal, and clean-up after the end, run the same line with a journal that only replays, and
//! then go the same way back; a stack that is live stays where it is.

use tracing::Instrument;

use super::{
    context::Context,
    failure::StepError,
    outcomes, panics,
    run_mode::{RunMode, StepAction},
    step::Step,
    unwind::{ExecutedStep, Leftover, Undo, unwind},
};
use crate::server::steps::{
    CheckAddressFree, Configure, CreateApplication, CreateDomain, CreateProject, Deploy,
    FindEnvironment, VerifyHealth,
};
use crate::server::store::{CancelRequest, StepId, StoreError};
use crate::server::{operations::orphans, steps::advice};
use domain::event::{FailureCode, Level, LogEntry};

/// Drives the operation to its end, from wherever its journal left off; after the end, does
/// what is left of the clean-up, or looks for what came late.
///
/// # Errors
///
/// Returns a [`StoreError`] when the journal is out of reach or the lease is lost. Nothing
/// is lost: whoever holds the lease next resumes.
pub async fn drive(cx: Context) -> Result<(), StoreError> {
    let span = tracing::info_span!(
        "deployment",
        deployment.id = %cx.deployment.id,
        deployment.reference = cx.deployment.id.reference(),
    );
    run(cx).instrument(span).await
}

async fn run(cx: Context) -> Result<(), StoreError> {
    if cx.journal.mode() == RunMode::RemoveDuplicates {
        return orphans::remove_duplicates(&cx).await;
    }
    if cx.panics >= panics::LIMIT && !cx.journal.mode().is_after_end() {
        return give_up(cx).await;
    }
    let mut saga = Saga { cx, executed: Vec::new() };
    match saga.forward().await {
        Ok(()) => return Ok(()),
        Err(Halt::Unwind) => {}
        Err(Halt::Store(error)) => return Err(error),
    }
    let Saga { cx, executed } = saga;
    let leftover = unwind(&cx, executed).await?;
    conclude(&cx, leftover).await
}

async fn conclude(cx: &Context, leftover: Leftover) -> Result<(), StoreError> {
    match cx.journal.mode() {
        RunMode::Deploy => outcomes::not_live(cx, leftover).await,
        RunMode::Remove => outcomes::removed(cx, leftover).await,
        RunMode::CleanUp | RunMode::RemoveDuplicates => outcomes::cleaned_up(cx, leftover).await,
    }
}

/// Ends an operation that panics again and again, without another step or undo: all that it made
/// is left, for clean-up to remove.
async fn give_up(cx: Context) -> Result<(), StoreError> {
    if cx.journal.mode() == RunMode::Deploy && cx.journal.cause().is_none() {
        let cause = StepError::panicked();
        cx.log(Level::Error, LogEntry::FAILURE, &cause.message, 0, None);
        match cx.journal.under_way() {
            (step, true) => cx.journal.failed(step, cause).await?,
            (step, false) => cx.journal.rolled_back_before(step, cause).await?,
        }
    }
    let mut saga = Saga { cx, executed: Vec::new() };
    match saga.forward().await {
        Ok(()) => return Ok(()),
        Err(Halt::Unwind) => {}
        Err(Halt::Store(error)) => return Err(error),
    }
    let Saga { cx, executed } = saga;
    let lines = executed
        .iter()
        .rev()
        .flat_map(|step| step.possible_leftovers(&cx))
        .map(advice::unseen)
        .collect();
    let leftover = Leftover { lines, code: Some(FailureCode::Internal) };
    conclude(&cx, leftover).await
}

/// The reason why the line stopped short.
enum Halt {
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

/// One deployment under way.
struct Saga {
    cx: Context,
    /// The steps to undo, oldest first.
    executed: Vec<Box<dyn Undo>>,
}

impl Saga {
    /// Goes forward to the live end, or to where there is something to undo.
    async fn forward(&mut self) -> Result<(), Halt> {
        self.deploy().await?;
        if self.cx.journal.mode() != RunMode::Deploy {
            return Err(Halt::Unwind);
        }
        if self.cx.journal.cancel_request() == CancelRequest::None {
            match outcomes::live(&self.cx).await {
                Err(StoreError::CancelPending) => {}
                result => return Ok(result?),
            }
        }
        self.cx.journal.failed(StepId::HEALTH, StepError::cancelled()).await?;
        Err(Halt::Unwind)
    }

    /// Runs the steps of a deployment in order.
    async fn deploy(&mut self) -> Result<(), Halt> {
        // What an older version began has no record of this step: its own route may answer by now.
        if self.cx.journal.is_empty() || self.cx.journal.has_record(StepId::ADDRESS) {
            self.step(CheckAddressFree).await?;
        }
        let project = self.step(CreateProject).await?;
        let environment = self.step(FindEnvironment { project: project.clone() }).await?;
        let application = self.step(CreateApplication { project, environment }).await?;
        let mark = self.step(Configure { application: application.clone() }).await?;
        self.step(CreateDomain { application: application.clone() }).await?;
        self.step(Deploy { application: application.clone() }).await?;
        self.step(VerifyHealth { application, mark }).await
    }

    /// Runs `step` once and for all: a recorded success is replayed, not repeated.
    async fn step<S: Step>(&mut self, step: S) -> Result<S::Output, Halt> {
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

    /// Records the intent before the effect, and the result after it.
    async fn attempt<S: Step>(&self, step: &S) -> Result<Option<S::Output>, Halt> {
        let (cx, journal) = (&self.cx, &self.cx.journal);
        match (journal.cancel_request(), journal.was_interrupted(S::ID)) {
            (CancelRequest::None, false) if cx.is_overdue() => {
                let cause = cx.overdue();
                cx.log(Level::Error, LogEntry::FAILURE, &cause.message, 0, None);
                journal.rolled_back_before(S::ID, cause).await?;
                return Err(Halt::Unwind);
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
                Err(StepError::Failed(cause)) => {
                    cx.log(Level::Error, LogEntry::FAILURE, &cause.message, 0, None);
                    journal.rolled_back_before(S::ID, cause).await?;
                    return Err(Halt::Unwind);
                }
                Err(StepError::Store(error)) => return Err(error.into()),
            }
        }
        journal.started(S::ID).await?;
        cx.begin_step(S::ID);
        if journal.was_interrupted(S::ID) {
            cx.tell_outage(S::ID);
        }
        match step.run(cx).await {
            Ok(output) => {
                journal.succeeded::<S>(&output).await?;
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
