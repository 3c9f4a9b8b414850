//! The way back: undoes newest first, and stops where something is left.
//!
//! It must not know why it is walked, nor what is recorded at its end.

use std::pin::Pin;

use super::{advice, context::Context, failure::StepError, step::Step};
use crate::{
    domain::{
        event::FailureCode,
        receipt::{Line, Outcome},
    },
    server::ports::store::{StepId, StoreError},
};

/// What could not be removed, and why.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// A line for each resource.
    pub(super) lines: Vec<Line>,
    /// What kind of failure kept it, if one did.
    pub(super) code: Option<FailureCode>,
}

/// Undoes `made`, newest first, and returns what is left.
///
/// # Errors
///
/// Returns a [`StoreError`] when the journal is out of reach.
pub(super) async fn unwind(cx: &Context, mut made: Vec<Box<dyn Undo>>) -> Result<Left, StoreError> {
    cx.begin_undo();
    let mut left = Left::default();
    while let Some(last) = made.pop() {
        last.announce(cx).await?;
        match last.undo(cx).await {
            Ok(lines) if lines.iter().all(|line| line.outcome != Outcome::Left) => {
                cx.journal.undone(last.id(), lines).await?;
            }
            Ok(lines) => left.lines.extend(lines),
            Err(StepError::Failed(cause)) => {
                cx.warn("step.undo", &format!("Could not undo: {}", cause.message));
                left.code = Some(cause.code);
                left.lines.extend(last.remains(cx));
            }
            Err(StepError::Store(error)) => return Err(error),
        }
        if left.code.is_some() || !left.lines.is_empty() {
            break;
        }
    }
    left.lines.extend(made.iter().rev().flat_map(|made| made.remains(cx)));
    left.lines = advice::advise(cx, left.lines).await;
    Ok(left)
}

/// A step that ran, or may have, with what it left.
pub(super) struct Made<S: Step> {
    step: S,
    output: Option<S::Output>,
}

impl<S: Step> Made<S> {
    /// Notes that `step` ran, or may have; `output` is what it reported.
    pub(super) fn new(step: S, output: Option<S::Output>) -> Self {
        Self { step, output }
    }
}

/// A step to undo, whatever its type.
pub(super) trait Undo: Send + Sync {
    /// Names it.
    fn id(&self) -> StepId;
    /// Tells those who watch a removal what is being removed.
    fn announce<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<(), StoreError>>;
    /// Unmakes what it made, and tells what became of each resource.
    fn undo<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Line>, StepError>>;
    /// Tells what may be left of it.
    fn remains(&self, cx: &Context) -> Vec<Line>;
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl<S: Step> Undo for Made<S> {
    fn id(&self) -> StepId {
        S::ID
    }

    fn announce<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async {
            match S::REMOVING {
                Some(message) => cx.journal.say_removing(message).await,
                None => Ok(()),
            }
        })
    }

    fn undo<'a>(&'a self, cx: &'a Context) -> BoxFuture<'a, Result<Vec<Line>, StepError>> {
        Box::pin(self.step.undo(cx, self.output.as_ref()))
    }

    fn remains(&self, cx: &Context) -> Vec<Line> {
        self.step.remains(cx, self.output.as_ref())
    }
}
