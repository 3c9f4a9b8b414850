//! Defines a step: a unit of work, and its undo.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::Context;
use super::failure::StepError;
use crate::server::platform::AppName;
use crate::server::settings::Deadlines;
use crate::server::store::StepId;
use domain::event::Resources;
use domain::message::MessageCode;
use domain::receipt::Line;

/// A reversible unit of work. A crash may repeat its run and its undo, so both must be idempotent.
pub trait Step: Send + Sync + 'static {
    /// The step's name in the journal.
    const ID: StepId;
    /// The message shown while a removal undoes the step, if that takes a while.
    const REMOVING: Option<MessageCode> = None;
    /// The output for later steps, and for its own undo.
    type Output: Serialize + DeserializeOwned + Clone + Send + Sync;

    /// Returns its time limit. The deadline of the whole operation applies as well.
    fn limit(deadlines: &Deadlines) -> Duration {
        deadlines.step
    }

    /// Runs the step, and adopts resources that an earlier attempt created.
    fn run(&self, cx: &Context) -> impl Future<Output = Result<Self::Output, StepError>> + Send;

    /// Adds the resources that the step created to those known to exist.
    fn record_resources(_output: &Self::Output, _resources: &mut Resources) {}

    /// Returns the services that the step created.
    fn services(_output: &Self::Output) -> Vec<AppName> {
        Vec::new()
    }

    /// Undoes the step, and returns the receipt's line for each resource. `output` is `None` if
    /// `run` never returned: then only the marker shows what it created.
    fn undo(
        &self,
        _cx: &Context,
        _output: Option<&Self::Output>,
    ) -> impl Future<Output = Result<Vec<Line>, StepError>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Returns a line for each resource that may be left over because the undo of this step or of a
    /// newer one failed.
    fn possible_leftovers(&self, _cx: &Context, _output: Option<&Self::Output>) -> Vec<Line> {
        Vec::new()
    }
}
