//! The use cases of existing deployments: cancel, retry, and remove the stack.

mod change;
mod data;
pub(super) mod difference;
mod expiry;
pub(super) mod on_stack;

pub use change::{ChangeRequest, Wanted};
pub(crate) use change::{LABEL_MAX, REVISION, SentSettings, SettingsForm, ShownRevision, Update};
pub use data::KeptBeside;
pub(super) use data::keeper;
pub(crate) use expiry::Ending;
pub use expiry::NewExpiry;

use jiff::Timestamp;

use super::listing::no_stack;
use super::{New, Service, StartRequest, Started, StartedForPage, no_deployment};
use crate::server::audit::AuditAction;
use crate::server::auth::access::{Caller, Permission};
use crate::server::intake::SlotReservation;
use crate::server::notifier::Notification;
use crate::server::store::{
    CancelOutcome, Disposal, NewRemoval, Record, RemovalOutcome, Stack, State,
};
use crate::wire::ApiError;
use domain::deployment::{Deployment, DeploymentId};
use domain::event::{EventBody, ProgressUpdate};
use domain::kind::{Kind, KindName, StackState};
use domain::refusal::{Refusal, TakenBy};

/// A removal that was requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removing {
    /// The removal.
    pub id: DeploymentId,
    /// The data of the stack that is kept, if it is.
    pub data: Option<KeptUntil>,
}

/// The data that a removal keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptUntil {
    /// Its id.
    pub id: String,
    /// Until when it is kept at least: the time counts from the end of the removal.
    pub until: Timestamp,
}

impl Service {
    /// Requests the cancellation of a deployment. Idempotent.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such deployment, it has ended, or it is a removal.
    pub async fn cancel(&self, caller: &Caller, id: &DeploymentId) -> Result<(), ApiError> {
        let record = self.authorize(caller, Permission::Change, id).await?;
        let cancelled = self.cancel_permitted(caller, &record).await;
        self.parts.audit.failure(caller, AuditAction::Cancel, id.as_str(), cancelled).await
    }

    async fn cancel_permitted(&self, caller: &Caller, record: &Record) -> Result<(), ApiError> {
        let id = &record.deployment.id;
        if !self.kind(record).can_cancel {
            return Err(Refusal::NotCancellable.into());
        }
        if let Some(step) = self.kind(record).no_return()
            && self.parts.store.journal(id).await?.records.contains_key(&step)
        {
            return Err(Refusal::TooLate.into());
        }
        let audit_entry = self.parts.audit.entry(caller, AuditAction::Cancel, id.as_str());
        match self.parts.store.cancel(id, audit_entry.at, Some(&audit_entry)).await? {
            CancelOutcome::Accepted => {
                tracing::info!(deployment.id = %id, "Cancel requested for a deployment");
                self.parts.notifier.notify(&Notification::CancelRequest(id.clone()));
                self.parts.notifier.notify(&Notification::Work);
                Ok(())
            }
            CancelOutcome::AlreadyEnded => Err(Refusal::AlreadyEnded.into()),
            CancelOutcome::Unknown => Err(no_deployment()),
        }
    }

    /// Starts a new deployment with the name of one that failed or was cancelled. The two are
    /// linked in both directions.
    ///
    /// # Errors
    ///
    /// Returns an error if it has not ended, it has leftovers, its stack is live, or no deployment
    /// of this name can start.
    pub async fn retry(&self, caller: &Caller, id: &DeploymentId) -> Result<Started, ApiError> {
        let record = self.authorize(caller, Permission::Change, id).await?;
        let begun = self.retry_permitted(caller, &record).await;
        self.parts.audit.failure(caller, AuditAction::Retry, id.as_str(), begun).await
    }

    async fn retry_permitted(&self, caller: &Caller, record: &Record) -> Result<Started, ApiError> {
        let kind = self.kind(record);
        let is_a_start = kind.done == StackState::Live && !kind.keeps_stack();
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
        let request = StartRequest::named(record.deployment.name.as_str());
        let mut started = self.begin(&New::again(caller, &request, record), |_| None).await?;
        // An operator may retry it, and must not learn the secrets of its owner.
        if record.owner.as_ref().is_some_and(|owner| caller.identity.owner() != Some(owner)) {
            started.generated.clear();
        }
        Ok(started)
    }

    /// Does the same as [`Self::retry`] for a page, unless this deployment was retried already: then
    /// returns that retry. A button that is pressed twice starts one deployment.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Self::retry`].
    pub(crate) async fn retry_once(
        &self,
        caller: &Caller,
        id: &DeploymentId,
    ) -> Result<StartedForPage, ApiError> {
        let by_another = |id| StartedForPage { id, ticket: None };
        if let Some(newer) = self.retried_by(caller, id).await? {
            return Ok(by_another(newer));
        }
        let owner = self.record(id).await?.and_then(|record| record.owner);
        match self.retry(caller, id).await {
            Ok(started) => Ok(self.for_page(owner.as_ref(), &started)),
            // A concurrent request may have started the retry, and taken the name.
            Err(error) => self.retried_by(caller, id).await?.map(by_another).ok_or(error),
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

    /// Starts the removal of the live stack called `name` and returns its id. If a removal of it
    /// exists already, returns that one, and makes it due at once if it is stuck. With `of`,
    /// removes the stack only if this deployment created it or this removal removes it. A caller
    /// who knows that id may remove a stack without an owner. The data of the stack is kept or
    /// deleted, as `disposal` says.
    ///
    /// # Errors
    ///
    /// Returns an error if no live stack has this name, or it is another stack than `of` says.
    pub async fn remove(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
        disposal: Disposal,
    ) -> Result<Removing, ApiError> {
        let stack = self.authorize_stack(caller, Permission::Change, name, of).await?;
        let removing = self.remove_permitted(caller, name, stack, of, disposal).await;
        self.parts.audit.failure(caller, AuditAction::Remove, name, removing).await
    }

    async fn remove_permitted(
        &self,
        caller: &Caller,
        called: &str,
        stack: Stack,
        of: Option<&DeploymentId>,
        disposal: Disposal,
    ) -> Result<Removing, ApiError> {
        let Stack { deployment: Deployment { id: live, name, .. }, owner, .. } = stack;
        let started = self.parts.clock.now();
        let keepable = self.keepable(&live, started).await?;
        let has_data = keepable.is_some();
        let kept = keepable.filter(|_| disposal == Disposal::Keep);
        let disposal = kept.as_ref().map_or(Disposal::Delete, |_| Disposal::Keep);
        let kind = self.parts.kinds.of(KindName::REMOVE);
        let id = kind.operation_id((self.parts.random)());
        let place = self.parts.notifier.intake().reserve(&id, kind.direction, started);
        let new = NewRemoval {
            id,
            kind: kind.name,
            started,
            first: EventBody::Progress(ProgressUpdate::first(kind, started)),
            // The one that was looked at, and no other that has its name meanwhile.
            of: Some(of.cloned().unwrap_or_else(|| live.clone())),
            expired: None,
            disposal,
            kept,
            audit_entry: Some(self.parts.audit.entry(caller, AuditAction::Remove, called)),
            claim: place.as_ref().and_then(SlotReservation::claim),
        };
        let removing = self.parts.store.begin_removal(&name, &new).await;
        match (&removing, place) {
            (_, None) => {}
            (Ok(RemovalOutcome::Accepted(id)), Some(place)) if *id == new.id => drop(place),
            // A removal exists already, or there is nothing to remove: the slot is not needed.
            (Ok(_), Some(place)) => place.give_back(),
            (Err(error), Some(place)) => place.fail(error),
        }
        let id = match removing? {
            RemovalOutcome::Accepted(id) | RemovalOutcome::Later(id) => id,
            RemovalOutcome::DifferentStack => return Err(Refusal::AnotherStack(name).into()),
            RemovalOutcome::NotLive => return Err(no_stack()),
            RemovalOutcome::UnderWay(id) => return Err(Refusal::OperationUnderWay(name, id).into()),
            RemovalOutcome::KeptFull(most) => return Err(self.kept_full(most, owner).await),
        };
        tracing::info!(deployment.id = %id, stack.name = %name, "Removal of a stack requested");
        self.parts.notifier.notify(&Notification::Work);
        // A removal that exists already may do something else with the data.
        let data = if has_data { self.kept_until(&live).await? } else { None };
        Ok(Removing { id, data })
    }
}

/// Returns the time of the next clean-up attempt, if the operation is stuck.
pub(super) fn next_try(record: &Record) -> Option<Timestamp> {
    record.clean_up.due.filter(|_| record.state == State::Stuck)
}
