//! What a step is: a unit of work with its reversal beside it.

use serde::{Serialize, de::DeserializeOwned};

use super::{context::Context, failure::StepError};
use crate::{
    domain::{event::Resources, receipt::Line},
    server::ports::{platform::AppName, store::StepId},
};

/// A reversible unit of work. A crash may repeat either half, so both are idempotent.
pub(super) trait Step: Send + Sync + 'static {
    /// The step's name in the journal.
    const ID: StepId;
    /// What a person reads while the step of a live stack is undone, where that takes a while.
    const REMOVING: Option<&'static str> = None;
    /// What it leaves for later steps, and for its own undo.
    type Output: Serialize + DeserializeOwned + Clone + Send + Sync;

    /// Makes it so, adopting whatever an earlier attempt made.
    fn run(&self, cx: &Context) -> impl Future<Output = Result<Self::Output, StepError>> + Send;

    /// Adds what the step made to what is known to exist.
    fn note(_made: &Self::Output, _resources: &mut Resources) {}

    /// Returns the services that the step made.
    fn services(_made: &Self::Output) -> Vec<AppName> {
        Vec::new()
    }

    /// Unmakes it, and tells what became of each resource. `made` is `None` when `run` never
    /// reported back; then the marker tells what there is.
    fn undo(
        &self,
        _cx: &Context,
        _made: Option<&Self::Output>,
    ) -> impl Future<Output = Result<Vec<Line>, StepError>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Tells what may be left when undoing it, or something newer, failed.
    fn remains(&self, _cx: &Context, _made: Option<&Self::Output>) -> Vec<Line> {
        Vec::new()
    }
}
