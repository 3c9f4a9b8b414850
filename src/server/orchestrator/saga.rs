//! The saga: the deployment told as a straight line, and the way back.
//!
//! Forward, each step's output is the next step's input. Backward, the same steps are undone
//! newest first, the one that failed included, since a call that timed out may have worked.

use std::pin::Pin;

use tracing::Instrument;

use super::{
    context::Context,
    failure::StepError,
    journal::Plan,
    removal,
    step::Step,
    steps::{
        Configure, CreateApplication, CreateDomain, CreateProject, Deploy, FindEnvironment,
        VerifyHealth,
    },
};
use crate::{
    domain::{
        event::{Completion, EventBody, Failure, FailureCode, Level, Ready},
        receipt::{Line, Outcome, Receipt},
    },
    server::ports::store::{Cause, End, State, StepId, StoreError},
};

/// Drives the deployment to its end, from wherever its journal left off.
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
    let mut saga = Saga { cx, made: Vec::new() };
    match saga.deploy().await {
        Ok(()) => saga.complete().await,
        Err(Halt::Unwind) => saga.unwind().await,
        Err(Halt::Store(error)) => Err(error),
    }
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
    /// The deployment, told in order.
    async fn deploy(&mut self) -> Result<(), Halt> {
        let project = self.step(CreateProject).await?;
        let environment = self.step(FindEnvironment { project: project.clone() }).await?;
        let application = self.step(CreateApplication { project, environment }).await?;
        self.step(Configure { application: application.clone() }).await?;
        self.step(CreateDomain { application: application.clone() }).await?;
        self.step(Deploy { application: application.clone() }).await?;
        self.step(VerifyHealth { application }).await
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
        self.made.push(Box::new(Made { step, output: made.clone() }));
        made.ok_or(Halt::Unwind)
    }

    /// Records the intent before the effect, and the result after it.
    async fn attempt<S: Step>(&self, step: &S) -> Result<Option<S::Output>, Halt> {
        let journal = &self.cx.journal;
        journal.started(S::ID).await?;
        match step.run(&self.cx).await {
            Ok(output) => {
                journal.succeeded(S::ID, &output).await?;
                Ok(Some(output))
            }
            Err(StepError::Failed(cause)) => {
                self.cx.log(Level::Error, "deployment.fail", &cause.message, 0, None);
                journal.failed(S::ID, cause).await?;
                Ok(None)
            }
            Err(StepError::Store(error)) => Err(error.into()),
        }
    }

    /// Ends live. What a lost answer may have made twice is removed first.
    async fn complete(self) -> Result<(), StoreError> {
        let cx = &self.cx;
        if cx.journal.is_doubtful() {
            removal::remove_doubles(cx).await?;
        }
        let at = cx.clock.now();
        let event = EventBody::Complete(Completion {
            url: cx.deployment.url.clone(),
            status: Ready::Ready,
            resources: cx.journal.resources(),
            duration: seconds(cx.elapsed_ms(at)),
        });
        cx.journal.end(event, End { state: State::Live, at }).await
    }

    /// Undoes, newest first, whatever was made or may have been, and ends with the receipt.
    async fn unwind(mut self) -> Result<(), StoreError> {
        self.cx.begin_undo();
        let mut left = Vec::new();
        while let Some(made) = self.made.pop() {
            match made.undo(&self.cx).await {
                Ok(lines) if lines.iter().all(|line| line.outcome != Outcome::Left) => {
                    self.cx.journal.undone(made.id(), lines).await?;
                }
                Ok(lines) => left.extend(lines),
                Err(StepError::Failed(cause)) => {
                    self.cx.warn("step.undo", &format!("Could not undo: {}", cause.message));
                    left.extend(made.remains(&self.cx));
                }
                Err(StepError::Store(error)) => return Err(error),
            }
            if !left.is_empty() {
                break;
            }
        }
        left.extend(self.made.iter().rev().flat_map(|made| made.remains(&self.cx)));
        self.fail(left).await
    }

    /// Ends not live; `left` is what could not be removed.
    async fn fail(self, left: Vec<Line>) -> Result<(), StoreError> {
        let cx = &self.cx;
        let (step, cause) = cx.journal.cause().unwrap_or((StepId::Project, internal()));
        let mut lines = cx.journal.undone_lines();
        lines.extend(left);
        let receipt = Receipt::of(lines);
        let state = if receipt.clean { State::RolledBack } else { State::Stuck };
        let event = EventBody::Error(Failure {
            phase: step.phase(),
            message: cause.message,
            code: cause.code,
            receipt,
            reference: cx.deployment.id.reference(),
        });
        cx.journal.end(event, End { state, at: cx.clock.now() }).await
    }
}

fn internal() -> Cause {
    let message = String::from("The portal lost track of this deployment.");
    Cause { code: FailureCode::Internal, message }
}

#[expect(clippy::cast_precision_loss, reason = "a deployment lasts minutes, not centuries")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

/// A step that ran, or may have, with what it left.
struct Made<S: Step> {
    step: S,
    output: Option<S::Output>,
}

/// A step to undo, whatever its type.
trait Undo: Send + Sync {
    fn id(&self) -> StepId;
    fn undo<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Line>, StepError>>;
    fn remains(&self, cx: &Context) -> Vec<Line>;
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl<S: Step> Undo for Made<S> {
    fn id(&self) -> StepId {
        S::ID
    }

    fn undo<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Line>, StepError>> {
        Box::pin(self.step.undo(cx, self.output.as_ref()))
    }

    fn remains(&self, cx: &Context) -> Vec<Line> {
        self.step.remains(cx, self.output.as_ref())
    }
}
