//! A stack for the pages of whoever may change it.

use jiff::Timestamp;

use super::Service;
use super::listing::no_stack;
use super::operations::on_stack::StackAction;
use crate::server::auth::access::{Caller, Permission};
use crate::server::store::{self, OperationFilter, Record};
use crate::wire::{ApiError, DesiredState, StackView};
use domain::deployment::DeploymentId;
use domain::kind::StackStatus;
use domain::progress::Progress;
use domain::stack_id::StackId;

/// The number of operations that the page of a stack lists.
const LAST: u32 = 5;

/// A stack, as the frame of its pages shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnStack {
    /// The stack.
    pub view: StackView,
    /// The deployment that created it.
    pub id: DeploymentId,
    /// True if it has no owner: then only this id gives the right to change it, so it is in the
    /// address of each of its pages.
    pub is_of_its_id: bool,
    /// Its id.
    pub stack: StackId,
    /// The server's time.
    pub now: Timestamp,
}

/// What the overview of a stack shows besides.
#[derive(Clone, Debug, PartialEq)]
pub struct StackOverview {
    /// The operation that is in progress or stuck, if there is one.
    pub operation: Option<(Record, Progress)>,
    /// The last operations, newest first.
    pub last: Vec<Record>,
    /// The number of days for which its data is kept after the removal, if it has any.
    pub data_days: Option<u64>,
}

impl Service {
    /// Finds the stack called `name` for a caller who may change it; `of` is the id of its
    /// deployment, if they know it.
    ///
    /// # Errors
    ///
    /// Returns an error if there is none, the caller may not change it, or the store is unavailable.
    pub async fn own_stack(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
    ) -> Result<OwnStack, ApiError> {
        let stack = self.authorize_stack(caller, Permission::Change, name, of).await?;
        let (id, is_of_its_id) = (stack.deployment.id.clone(), stack.owner.is_none());
        let stack_id = stack.revision.stack;
        // Who may change it knows its id.
        let view = self.shown(caller, stack, Some(&id)).ok_or_else(no_stack)?;
        Ok(OwnStack { view, id, is_of_its_id, stack: stack_id, now: self.parts.clock.now() })
    }

    /// Reads what the overview of a stack shows besides, for a caller who may change it.
    ///
    /// # Errors
    ///
    /// Returns an error if the store is unavailable.
    pub async fn stack_overview(
        &self,
        caller: &Caller,
        own: &OwnStack,
    ) -> Result<StackOverview, ApiError> {
        let store = &*self.parts.store;
        let filter =
            OperationFilter { stack: Some(own.stack), limit: LAST, ..OperationFilter::default() };
        let last = store.operations(&filter).await?;
        let under_way = own.view.operation.as_ref().map(|operation| &operation.id);
        // It is the newest: one that is in progress lets no other begin.
        let record = last.iter().find(|record| Some(&record.deployment.id) == under_way).cloned();
        let operation = match record {
            None => None,
            Some(record) => {
                let progress = store::progress(store, &record.deployment.id).await?;
                Some((record, progress))
            }
        };
        let data_days = match self.record(&own.id).await? {
            None => None,
            Some(record) => self.of_spec(caller, &record).await?.data_days,
        };
        Ok(StackOverview { operation, last, data_days })
    }
}

impl OwnStack {
    /// Returns what can be done to the stack now, what fits best first.
    pub fn actions(&self) -> &'static [StackAction] {
        actions(self.view.status, self.view.desired, self.view.removal_id.is_some())
    }
}

/// Returns what can be done to a stack that is so, and should be so.
fn actions(
    status: StackStatus,
    desired: DesiredState,
    is_being_removed: bool,
) -> &'static [StackAction] {
    match (status, desired) {
        (StackStatus::Stuck, _) if is_being_removed => &[],
        (StackStatus::Running | StackStatus::Unhealthy, _)
        | (StackStatus::Stuck, DesiredState::Running) => &[StackAction::Restart, StackAction::Stop],
        (StackStatus::Stopped, _) | (StackStatus::Stuck, DesiredState::Stopped) => {
            &[StackAction::Start]
        }
        (
            StackStatus::Deploying
            | StackStatus::Changing
            | StackStatus::Stopping
            | StackStatus::Starting
            | StackStatus::Restarting
            | StackStatus::Removing
            | StackStatus::Gone,
            _,
        ) => &[],
    }
}
