//! The saga: the deployment told as a straight line, and the way back.
//!
//! Forward, each step's output is the next step's input. Backward, the same steps are undone
//! newest first, the one that failed included, since a call that timed out may have worked. A
//! removal, and clean-up after the end, run the same line with a journal that only replays, and
//! then go the same way back; a stack that is live stays where it is.

use tracing::Instrument;

use super::{
    advice,
    context::Context,
    ends,
    failure::StepError,
    panics,
    plan::{Course, Plan},
    step::Step,
    steps::{
        Configure, CreateApplication, CreateDomain, CreateProject, Deploy, FindAddressFree,
        FindEnvironment, VerifyHealth,
    },
    sweep,
    unwind::{Left, Made, Undo, unwind},
};
use crate::{
    domain::event::{FailureCode, Level, LogEntry},
    server::ports::store::{StepId, StoreError, Wish},
};

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
    if cx.journal.course() == Course::Tidy {
        return sweep::tidy(&cx).await;
    }
    if cx.panics >= panics::LIMIT && !cx.journal.course().is_after_end() {
        return give_up(cx).await;
    }
    let mut saga = Saga { cx, made: Vec::new() };
    match saga.forward().await {
        Ok(()) => return Ok(()),
        Err(Halt::Unwind) => {}
        Err(Halt::Store(error)) => return Err(error),
    }
    let Saga { cx, made } = saga;
    let left = unwind(&cx, made).await?;
    conclude(&cx, left).await
}

async fn conclude(cx: &Context, left: Left) -> Result<(), StoreError> {
    match cx.journal.course() {
        Course::Deploy => ends::not_live(cx, left).await,
        Course::Remove => ends::removed(cx, left).await,
        Course::CleanUp | Course::Tidy => ends::settled(cx, left).await,
    }
}

/// Ends an operation that panics again and again, without another step or undo: all that it made
/// is left, for clean-up to remove.
async fn give_up(cx: Context) -> Result<(), StoreError> {
    if cx.journal.course() == Course::Deploy && cx.journal.cause().is_none() {
        let cause = StepError::panicked();
        cx.log(Level::Error, LogEntry::FAILURE, &cause.message, 0, None);
        match cx.journal.under_way() {
            (step, true) => cx.journal.failed(step, cause).await?,
            (step, false) => cx.journal.turned_before(step, cause).await?,
        }
    }
    let mut saga = Saga { cx, made: Vec::new() };
    match saga.forward().await {
        Ok(()) => return Ok(()),
        Err(Halt::Unwind) => {}
        Err(Halt::Store(error)) => return Err(error),
    }
    let Saga { cx, made } = saga;
    let lines = made.iter().rev().flat_map(|made| made.remains(&cx)).map(advice::unseen).collect();
    let left = Left { lines, code: Some(FailureCode::Internal) };
    conclude(&cx, left).await
}

/// Why the line stopped short.
enum Halt {
    /// Turn round and undo.
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
    made: Vec<Box<dyn Undo>>,
}

impl Saga {
    /// Goes forward to the live end, or to where there is something to undo.
    async fn forward(&mut self) -> Result<(), Halt> {
        self.deploy().await?;
        if self.cx.journal.course() != Course::Deploy {
            return Err(Halt::Unwind);
        }
        if self.cx.journal.wish() == Wish::GoOn {
            match ends::live(&self.cx).await {
                Err(StoreError::WishUnheard) => {}
                result => return Ok(result?),
            }
        }
        self.cx.journal.failed(StepId::Health, StepError::cancelled()).await?;
        Err(Halt::Unwind)
    }

    /// The deployment, told in order.
    async fn deploy(&mut self) -> Result<(), Halt> {
        // What an older version began has no record of this step: its own route may answer by now.
        if self.cx.journal.is_blank() || self.cx.journal.knows(StepId::Address) {
            self.step(FindAddressFree).await?;
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
        let made = match self.cx.journal.plan(S::ID)? {
            Plan::Replay(output) => Some(output),
            Plan::Run => self.attempt(&step).await?,
            Plan::Undo => None,
            Plan::Undone | Plan::Stop => return Err(Halt::Unwind),
        };
        if let Some(output) = &made {
            self.cx.journal.learn(|resources| S::note(output, resources));
        }
        self.made.push(Box::new(Made::new(step, made.clone())));
        made.ok_or(Halt::Unwind)
    }

    /// Records the intent before the effect, and the result after it.
    async fn attempt<S: Step>(&self, step: &S) -> Result<Option<S::Output>, Halt> {
        let (cx, journal) = (&self.cx, &self.cx.journal);
        match (journal.wish(), journal.was_interrupted(S::ID)) {
            (Wish::GoOn, false) if cx.is_overdue() => {
                let cause = cx.overdue();
                cx.log(Level::Error, LogEntry::FAILURE, &cause.message, 0, None);
                journal.turned_before(S::ID, cause).await?;
                return Err(Halt::Unwind);
            }
            // What it may have done already is looked at once, whatever the time.
            (Wish::GoOn, _) => {}
            (Wish::Cancel, true) => {
                journal.failed(S::ID, StepError::cancelled()).await?;
                return Ok(None);
            }
            (Wish::Cancel, false) => {
                journal.turned_before(S::ID, StepError::cancelled()).await?;
                return Err(Halt::Unwind);
            }
        }
        // What has not begun while the platform hangs has made nothing.
        if !journal.was_interrupted(S::ID) && cx.is_wedged() {
            match cx.outlast_hang().await {
                Ok(()) => {}
                Err(StepError::Failed(cause)) => {
                    cx.log(Level::Error, LogEntry::FAILURE, &cause.message, 0, None);
                    journal.turned_before(S::ID, cause).await?;
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
