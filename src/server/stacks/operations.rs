//! The use cases of existing deployments: cancel, retry, and remove the stack.

use jiff::Timestamp;

use super::{New, Service, StartError, listing::no_stack, store_failed};
use crate::{
    api::wire::ApiError,
    server::{
        audit::AuditAction,
        auth::access::{Caller, Permission},
        intake::SlotReservation,
        notifier::Nudge,
        store::{CancelOutcome, NewRemoval, Record, RemovalOutcome, State},
    },
};
use domain::{
    deployment::{Deployment, DeploymentId},
    event::{EventBody, ProgressUpdate, Resources},
    kind::{Kind, KindName, StackState},
    refusal::{Missing, Refusal, TakenBy},
    stack_name::StackName,
};

impl Service {
    /// Asks that a deployment be cancelled; asking again changes nothing.
    ///
    /// # Errors
    ///
    /// Returns what stands in the way: there is none, it has ended, or it is a removal.
    pub async fn cancel(&self, caller: &Caller, id: &DeploymentId) -> Result<(), ApiError> {
        let record = self.authorize(caller, Permission::Change, id).await?;
        let cancelled = self.cancel_permitted(caller, &record).await;
        self.audited(caller, AuditAction::Cancel, id.as_str(), cancelled).await
    }

    async fn cancel_permitted(&self, caller: &Caller, record: &Record) -> Result<(), ApiError> {
        let id = &record.deployment.id;
        if !self.kind(record).can_cancel {
            return Err(Refusal::NotCancellable.into());
        }
        let audit_entry = self.audit_entry(caller, AuditAction::Cancel, id.as_str());
        let cancelling = self.parts.store.cancel(id, audit_entry.at, Some(&audit_entry)).await;
        match cancelling.map_err(|error| store_failed(&error))? {
            CancelOutcome::Accepted => {
                tracing::info!(deployment.id = %id, "Cancel requested for a deployment");
                self.parts.notifier.nudge(&Nudge::CancelRequest(id.clone()));
                self.parts.notifier.nudge(&Nudge::Work);
                Ok(())
            }
            CancelOutcome::AlreadyEnded => Err(Refusal::AlreadyEnded.into()),
            CancelOutcome::Unknown => Err(no_deployment()),
        }
    }

    /// Begins a new deployment of the name of one that has ended, linked with it both ways.
    ///
    /// # Errors
    ///
    /// Returns what stands in the way: it has not ended, something of it is left, its stack is
    /// live, or what stands in the way of any deployment.
    pub async fn retry(&self, caller: &Caller, id: &DeploymentId) -> Result<Deployment, ApiError> {
        let record = self.authorize(caller, Permission::Change, id).await?;
        let begun = self.retry_permitted(caller, &record).await;
        self.audited(caller, AuditAction::Retry, id.as_str(), begun).await
    }

    async fn retry_permitted(
        &self,
        caller: &Caller,
        record: &Record,
    ) -> Result<Deployment, ApiError> {
        let is_a_start = self.kind(record).starts_from.contains(&StackState::Gone);
        let name = || record.deployment.name.clone();
        match (is_a_start, record.state) {
            (true, State::RolledBack) => {}
            (_, State::Active) => return Err(Refusal::NotEnded(name()).into()),
            (_, State::Stuck) => return Err(Refusal::NameNotClean(name()).into()),
            (true, State::Live) => {
                return Err(Refusal::NameTaken(name(), TakenBy::Itself).into());
            }
            (false, State::Live | State::RolledBack) => {
                return Err(Refusal::NotADeployment.into());
            }
        }
        let begun = self.begin(&New::again(caller, record), |_| None).await;
        begun.map_err(StartError::into_api)
    }

    /// Begins a new deployment as [`Self::retry`] does, unless there is one that tries this one
    /// again: then finds that. A button that is pressed twice leads to one attempt.
    ///
    /// # Errors
    ///
    /// Returns what stands in the way of a first try.
    pub(crate) async fn retry_once(
        &self,
        caller: &Caller,
        id: &DeploymentId,
    ) -> Result<DeploymentId, ApiError> {
        if let Some(newer) = self.retried_by(caller, id).await? {
            return Ok(newer);
        }
        match self.retry(caller, id).await {
            Ok(deployment) => Ok(deployment.id),
            // The other press may have come between, and have the name.
            Err(error) => self.retried_by(caller, id).await?.ok_or(error),
        }
    }

    /// Returns the kind of the operation that `record` describes.
    pub(super) fn kind(&self, record: &Record) -> &'static Kind {
        self.parts.kinds.of(record.deployment.kind)
    }

    async fn retried_by(
        &self,
        caller: &Caller,
        id: &DeploymentId,
    ) -> Result<Option<DeploymentId>, ApiError> {
        let record = self.authorize(caller, Permission::Change, id).await?;
        Ok(record.metadata.links.retried_by)
    }

    /// Begins the removal of the live stack called `name`, or finds the one that is under way,
    /// and returns its id. One that is stuck is tried again at once. With `of`, only the stack
    /// that this deployment brought up, or that this removal takes down; who knows that id may
    /// remove a stack that nobody owns.
    ///
    /// # Errors
    ///
    /// Returns an error when no stack of that name is live, or another one than is meant.
    pub async fn remove(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
    ) -> Result<DeploymentId, ApiError> {
        let stack = self.authorize_stack(caller, Permission::Change, name, of).await?;
        let removing = self.remove_permitted(caller, name, stack.deployment.name, of).await;
        self.audited(caller, AuditAction::Remove, name, removing).await
    }

    async fn remove_permitted(
        &self,
        caller: &Caller,
        called: &str,
        name: StackName,
        of: Option<&DeploymentId>,
    ) -> Result<DeploymentId, ApiError> {
        let started = self.parts.clock.now();
        let kind = self.parts.kinds.of(KindName::REMOVE);
        let first = ProgressUpdate::new(kind, kind.first_phase(), 0, Resources::default(), started);
        let id = DeploymentId::new(kind, (self.parts.random)());
        let place = self.parts.notifier.intake().reserve(&id, kind.direction, started);
        let new = NewRemoval {
            id,
            started,
            first: EventBody::Progress(first),
            of: of.cloned(),
            audit_entry: Some(self.audit_entry(caller, AuditAction::Remove, called)),
            claim: place.as_ref().and_then(SlotReservation::claim),
        };
        let removing = self.parts.store.begin_removal(&name, &new).await;
        match (&removing, place) {
            (_, None) => {}
            (Ok(RemovalOutcome::Accepted(id)), Some(place)) if *id == new.id => drop(place),
            // There is one already, or nothing to remove.
            (Ok(_), Some(place)) => place.give_back(),
            (Err(error), Some(place)) => place.fail(error),
        }
        let id = match removing.map_err(|error| store_failed(&error))? {
            RemovalOutcome::Accepted(id) => id,
            RemovalOutcome::DifferentStack => return Err(Refusal::AnotherStack(name).into()),
            RemovalOutcome::NotLive => return Err(no_stack()),
        };
        tracing::info!(deployment.id = %id, stack.name = %name, "Removal of a stack requested");
        self.parts.notifier.nudge(&Nudge::Work);
        Ok(id)
    }
}

/// Returns when clean-up continues, while something is left.
pub(super) fn next_try(record: &Record) -> Option<Timestamp> {
    record.clean_up.due.filter(|_| record.state == State::Stuck)
}

/// Reads a deployment's id. What is none is not found, like one that never was.
///
/// # Errors
///
/// Returns that there is no such deployment.
pub fn deployment_id(text: &str) -> Result<DeploymentId, ApiError> {
    DeploymentId::parse(text).map_err(|_| no_deployment())
}

/// Says that there is no such deployment.
pub fn no_deployment() -> ApiError {
    Refusal::NotFound(Missing::Deployment).into()
}
