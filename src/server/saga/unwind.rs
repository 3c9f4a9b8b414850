//! Rollback: undoes newest first, and stops where something is left.
//!
//! It must not know why it is walked, nor what is recorded at its end.

use std::pin::Pin;

use super::{context::Context, failure::StepError, run_mode::RunMode, step::Step};
use crate::server::store::{StepId, StoreError};
use domain::{
    event::FailureCode,
    receipt::{Line, Outcome},
};

/// The resources that could not be removed, and the failure that kept them.
#[derive(Debug, Default)]
pub(crate) struct Leftover {
    /// A line for each resource.
    pub(crate) lines: Vec<Line>,
    /// The kind of failure that kept them, if one did.
    pub(crate) code: Option<FailureCode>,
}

/// Undoes `executed`, newest first, and returns what is left.
///
/// # Errors
///
/// Returns a [`StoreError`] when the journal is out of reach.
pub(crate) async fn unwind(
    cx: &Context,
    mut executed: Vec<Box<dyn Undo>>,
) -> Result<Leftover, StoreError> {
    cx.begin_undo();
    let mut leftover = Leftover::default();
    while let Some(last) = executed.pop() {
        last.announce(cx).await?;
        match last.undo(cx).await {
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

/// A step that ran, or may have, with its output.
pub(crate) struct ExecutedStep<S: Step> {
    step: S,
    output: Option<S::Output>,
}

impl<S: Step> ExecutedStep<S> {
    /// Notes that `step` ran, or may have; `output` is what it reported.
    pub(crate) fn new(step: S, output: Option<S::Output>) -> Self {
        Self { step, output }
    }
}

/// A step to undo, whatever its type.
pub(crate) trait Undo: Send + Sync {
    /// Names it.
    fn id(&self) -> StepId;
    /// Tells those who watch an operation that goes back what is being removed.
    fn announce<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<(), StoreError>>;
    /// Undoes the step, and returns the outcome for each resource.
    fn undo<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Line>, StepError>>;
    /// Returns the resources that may be left over.
    fn possible_leftovers(&self, cx: &Context) -> Vec<Line>;
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl<S: Step> Undo for ExecutedStep<S> {
    fn id(&self) -> StepId {
        S::ID
    }

    fn announce<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async {
            match S::REMOVING {
                Some(message) if cx.journal.mode() == RunMode::Back => {
                    cx.journal.set_message(message).await
                }
                Some(_) | None => Ok(()),
            }
        })
    }

    fn undo<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Line>, StepError>> {
        Box::pin(self.step.undo(cx, self.output.as_ref()))
    }

    fn possible_leftovers(&self, cx: &Context) -> Vec<Line> {
        self.step.possible_leftovers(cx, self.output.as_ref())
    }
}
