//! Rollback: undoes steps newest first, and stops at the first that leaves something.
//!
//! It must not know why the steps are undone, nor what is recorded at the end.

use async_trait::async_trait;

use super::context::Context;
use super::failure::StepError;
use super::run_mode::RunMode;
use super::step::Step;
use crate::server::store::{Result, StepId};
use crate::server::traces::Attempt;
use domain::event::FailureCode;
use domain::receipt::{Line, Outcome};

/// The resources that could not be removed, and the failure that prevented it.
#[derive(Debug, Default)]
pub(crate) struct Leftover {
    /// The receipt's line for each resource.
    pub(crate) lines: Vec<Line>,
    /// The kind of failure that prevented an undo, if one did.
    pub(crate) code: Option<FailureCode>,
}

/// Undoes the `executed` steps, newest first, and returns what is left. It stops at the first step
/// that leaves something: older resources contain newer ones and cannot be removed before them.
///
/// # Errors
///
/// Returns a `StoreError` if the journal cannot be written.
pub(crate) async fn unwind(cx: &Context, mut executed: Vec<Box<dyn Undo>>) -> Result<Leftover> {
    cx.begin_undo();
    let mut leftover = Leftover::default();
    while let Some(last) = executed.pop() {
        last.announce(cx).await?;
        match cx.traced(Attempt::Undo(last.id()), last.undo(cx)).await {
            Ok(lines) if lines.iter().all(|line| line.outcome != Outcome::Left) => {
                cx.journal.undone(last.id(), lines).await?;
            }
            Ok(lines) => leftover.lines.extend(lines),
            Err(StepError::Failed(cause)) => {
                cx.warn("step.undo", &format!("Could not undo: {}", cause.message));
                leftover.code = Some(cause.code);
                leftover.lines.extend(last.possible_leftovers(cx));
            }
            Err(StepError::Store(error)) => return Err(error),
        }
        if leftover.code.is_some() || !leftover.lines.is_empty() {
            break;
        }
    }
    leftover.lines.extend(executed.iter().rev().flat_map(|step| step.possible_leftovers(cx)));
    Ok(leftover)
}

/// A step that ran or may have run.
pub(crate) struct ExecutedStep<S: Step> {
    pub(super) step: S,
    /// Its output; `None` if it never returned.
    pub(super) output: Option<S::Output>,
}

/// A step to undo, whatever its type.
#[async_trait]
pub(crate) trait Undo: Send + Sync {
    /// Returns the step's name in the journal.
    fn id(&self) -> StepId;
    /// Shows watchers of a removal what is being removed now.
    async fn announce(&self, cx: &Context) -> Result<()>;
    /// Undoes the step, and returns the receipt's line for each resource.
    async fn undo(&self, cx: &Context) -> Result<Vec<Line>, StepError>;
    /// Returns a line for each resource that may be left over.
    fn possible_leftovers(&self, cx: &Context) -> Vec<Line>;
}

#[async_trait]
impl<S: Step> Undo for ExecutedStep<S> {
    fn id(&self) -> StepId {
        S::ID
    }

    async fn announce(&self, cx: &Context) -> Result<()> {
        match S::REMOVING {
            Some(message) if cx.journal.mode() == RunMode::Back => {
                cx.journal.set_message(message).await
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn undo(&self, cx: &Context) -> Result<Vec<Line>, StepError> {
        self.step.undo(cx, self.output.as_ref()).await
    }

    fn possible_leftovers(&self, cx: &Context) -> Vec<Line> {
        self.step.possible_leftovers(cx, self.output.as_ref())
    }
}
