//! A stack for the pages of whoever may change it.

use jiff::Timestamp;

use super::Service;
use super::listing::target;
use super::operations::KeptBeside;
use super::operations::on_stack::StackAction;
use crate::server::auth::access::{Caller, Permission};
use crate::server::store::{self, OperationFilter, PresentStack, Record, Stack};
use crate::wire::{ApiError, DesiredState, StackView};
use domain::deployment::DeploymentId;
use domain::kind::StackStatus;
use domain::progress::End;
use domain::stack_event::Why;
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
    /// True if the caller owns it.
    pub is_of_caller: bool,
    /// Its id.
    pub stack: StackId,
    /// Why it does not work, if it should and does not.
    pub why: Option<Why>,
    /// The server's time.
    pub now: Timestamp,
}

/// What the overview of a stack shows besides.
#[derive(Clone, Debug, PartialEq)]
pub struct StackOverview {
    /// The last operations, newest first, each with how it is or has ended.
    pub last: Vec<(Record, Option<End>)>,
    /// The number of days for which its data is kept after the removal, if it has any.
    pub data_days: Option<u64>,
    /// What is kept of the owner's other stacks, if its data would be kept as well.
    pub beside: KeptBeside,
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
        let is_of_caller = stack.owner.is_some() && stack.owner.as_ref() == caller.identity.owner();
        let stack_id = stack.revision.stack;
        let why = stack.unhealthy.as_ref().map(|unhealthy| unhealthy.why.clone());
        // Who may change it knows its id.
        let view = self.one_shown(caller, stack, Some(&id)).await?;
        let now = self.parts.clock.now();
        Ok(OwnStack { view, id, is_of_its_id, is_of_caller, stack: stack_id, why, now })
    }

    /// Finds the deployment of the stack called `name` that is not live yet, for a caller who may change
    /// it: until it is live, its page is that of the deployment.
    ///
    /// # Errors
    ///
    /// Returns an error if the store is unavailable.
    pub(crate) async fn not_live_yet(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
    ) -> Result<Option<DeploymentId>, ApiError> {
        let present = self.parts.store.present_stacks(None).await?;
        let named = |one: &PresentStack| !one.is_live && one.stack.deployment.name.as_str() == name;
        let found = present.into_iter().find(named).map(|one| one.stack);
        let may_change = |stack: &Stack| caller.may(Permission::Change, target(stack, of)).is_ok();
        Ok(found.filter(may_change).map(|stack| stack.deployment.id))
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
        let ids: Vec<_> = last.iter().map(|record| &record.deployment.id).collect();
        let mut told = store::told(store, &ids).await?;
        let with_end = |record: Record| {
            let end = told.remove(&record.deployment.id).and_then(|told| told.end);
            (record, end)
        };
        let last = last.into_iter().map(with_end).collect();
        let (mut data_days, mut beside) = (None, KeptBeside::default());
        if let Some(record) = self.record(&own.id).await? {
            data_days = self.of_spec(caller, &record).await?.data_days;
            if data_days.is_some() {
                beside = self.beside(record.owner.as_ref()).await?;
            }
        }
        Ok(StackOverview { last, data_days, beside })
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
