//! The use cases of a stack that is there: stop it, start it again, restart it.

use super::Service;
use crate::server::audit::AuditAction;
use crate::server::auth::access::{Caller, Permission};
use crate::server::intake::SlotReservation;
use crate::server::notifier::Notification;
use crate::server::stacks::listing::no_stack;
use crate::server::store::{NewOperation, OperationLimit, OperationOutcome, StoreError};
use crate::wire::ApiError;
use domain::deployment::{Deployment, DeploymentId};
use domain::event::{EventBody, ProgressUpdate};
use domain::kind::{Direction, Kind, KindName, StackState};
use domain::refusal::Refusal;

/// The answer to a request for an operation on a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// This operation does it.
    Begun(DeploymentId),
    /// The stack is so already.
    Unchanged,
}

/// What a person can do to a stack that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackAction {
    /// Stop it.
    Stop,
    /// Start it again.
    Start,
    /// Replace its container.
    Restart,
}

impl StackAction {
    fn kind(self) -> KindName {
        match self {
            Self::Stop => KindName::STOP,
            Self::Start => KindName::START,
            Self::Restart => KindName::RESTART,
        }
    }

    fn audited(self) -> AuditAction {
        match self {
            Self::Stop => AuditAction::StopStack,
            Self::Start => AuditAction::StartStack,
            Self::Restart => AuditAction::RestartStack,
        }
    }
}

impl Service {
    /// Begins `action` on the live stack called `name`. If the same is under way, returns that
    /// operation. With `of`, only the stack is meant that this deployment created. A caller who
    /// knows that id may act on a stack without an owner.
    ///
    /// # Errors
    ///
    /// Returns an error if no live stack has this name, it is another stack than `of` says, another
    /// operation is under way, the stack is not in a state for it, or the limit is reached.
    pub async fn act_on(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
        action: StackAction,
    ) -> Result<Asked, ApiError> {
        let stack = self.authorize_stack(caller, Permission::Change, name, of).await?;
        let asked = self.act_permitted(caller, name, stack.deployment, action).await;
        self.parts.audit.failure(caller, action.audited(), name, asked).await
    }

    /// Returns the limit for operations of `kind`: what takes something away is never refused, and does
    /// not count.
    pub(super) fn operation_limit(&self, kind: &Kind) -> Option<OperationLimit> {
        let gives = |kind: &Kind| kind.done == StackState::Live;
        let max = self.parts.quotas.operations_per_hour.filter(|_| gives(kind))?;
        let kinds = self.parts.kinds.all().filter(|kind| gives(kind)).map(|kind| kind.name);
        Some(OperationLimit { max, kinds: kinds.collect() })
    }

    async fn act_permitted(
        &self,
        caller: &Caller,
        called: &str,
        live: Deployment,
        action: StackAction,
    ) -> Result<Asked, ApiError> {
        let Deployment { id: live, name, .. } = live;
        let started = self.parts.clock.now();
        let kind = self.parts.kinds.of(action.kind());
        let id = kind.operation_id((self.parts.random)());
        // It must not wait behind deployments.
        let place = self.parts.notifier.intake().reserve(&id, Direction::Back, started);
        let new = NewOperation {
            id,
            kind,
            started,
            first: EventBody::Progress(ProgressUpdate::first(kind, started)),
            // The one that was looked at, and no other that has its name meanwhile.
            of: Some(live),
            expired: None,
            limit: self.operation_limit(kind),
            revision: None,
            audit_entry: Some(self.parts.audit.entry(caller, action.audited(), called)),
            claim: place.as_ref().and_then(SlotReservation::claim),
        };
        let outcome = self.parts.store.begin_operation(&name, &new).await;
        match (&outcome, place) {
            (_, None) => {}
            (Ok(OperationOutcome::Accepted(id)), Some(place)) if *id == new.id => drop(place),
            (Ok(_), Some(place)) => place.give_back(),
            (Err(error), Some(place)) => place.fail(error),
        }
        let outcome = outcome.map_err(|error| match error {
            StoreError::LimitReached(limit) => Refusal::LimitReached(limit).into(),
            error => ApiError::from(error),
        });
        match outcome? {
            OperationOutcome::Accepted(id) | OperationOutcome::Later(id) => {
                tracing::info!(deployment.id = %id, stack.name = %name, kind = kind.noun, "Operation on a stack requested");
                self.parts.notifier.notify(&Notification::Work);
                Ok(Asked::Begun(id))
            }
            OperationOutcome::Unchanged => Ok(Asked::Unchanged),
            OperationOutcome::UnderWay(id) => Err(Refusal::OperationUnderWay(name, id).into()),
            OperationOutcome::WrongState(desired) => {
                Err(Refusal::WrongState(name, desired.state()).into())
            }
            OperationOutcome::RevisionChanged(number) => {
                Err(Refusal::RevisionChanged(name, number).into())
            }
            OperationOutcome::DifferentStack => Err(Refusal::AnotherStack(name).into()),
            OperationOutcome::NotLive => Err(no_stack()),
        }
    }
}
