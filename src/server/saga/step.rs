//! Defines a step: a unit of work with its reversal beside it.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use super::{context::Context, failure::StepError};
use crate::server::{platform::AppName, settings::Deadlines, store::StepId};
use domain::{event::Resources, message::MessageCode, receipt::Line};

/// A reversible unit of work. A crash may repeat either half, so both are idempotent.
pub trait Step: Send + Sync + 'static {
    /// The step's name in the journal.
    const ID: StepId;
    /// The message shown while the step of a live stack is undone, where that takes a while.
    const REMOVING: Option<MessageCode> = None;
    /// The output for later steps, and for its own undo.
    type Output: Serialize + DeserializeOwned + Clone + Send + Sync;

    /// Returns how long it may take, within the time of the whole operation.
    fn limit(deadlines: &Deadlines) -> Duration {
        deadlines.step
    }

    /// Runs the step, and adopts whatever an earlier attempt created.
    fn run(&self, cx: &Context) -> impl Future<Output = Result<Self::Output, StepError>> + Send;

    /// Adds the resources that the step created to those known to exist.
    fn record_resources(_output: &Self::Output, _resources: &mut Resources) {}

    /// Returns the services that the step made.
    fn services(_output: &Self::Output) -> Vec<AppName> {
        Vec::new()
    }

    /// Undoes it, and returns the outcome for each resource. `made` is `None` when `run` never
    /// reported back; then the marker tells what there is.
    fn undo(
        &self,
        _cx: &Context,
        _output: Option<&Self::Output>,
    ) -> impl Future<Output = Result<Vec<Line>, StepError>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Returns the resources that may be left over when undoing it, or something newer, failed.
    fn possible_leftovers(&self, _cx: &Context, _output: Option<&Self::Output>) -> Vec<Line> {
        Vec::new()
    }
}
