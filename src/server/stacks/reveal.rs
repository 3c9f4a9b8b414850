//! Shows the generated secrets of a live stack again: to its owner alone, soon after they signed in,
//! and on the record. And what else the page of a deployment shows of its spec.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

use super::authorization::is_own;
use super::form::AGAIN;
use super::{Service, no_deployment};
use crate::server::auth::access::{Caller, Identity};
use crate::server::page::NEW;
use crate::server::secrets::OpenSecretError;
use crate::server::spec::OperationSpec;
use crate::server::store::{Record, State, StoreError};
use crate::wire::{ApiError, StackSecrets};
use domain::deployment::DeploymentId;
use domain::kind::StackState;
use domain::refusal::Refusal;
use domain::stack_id::RevisionId;
use domain::time::later;

/// The time after a sign-in within which secrets are shown.
const SOON: Duration = Duration::from_mins(10);
const DAY: Duration = Duration::from_hours(24);

impl Service {
    /// Returns the ticket with which the page shows the generated secrets of the stack that `id`
    /// deployed. The caller has `signed_in` at this time.
    ///
    /// # Errors
    ///
    /// Returns an error if the caller is not the owner, has not just signed in, the stack is not live,
    /// a secret does not open, or the store is unavailable.
    pub(crate) async fn reveal(
        &self,
        caller: &Caller,
        id: &DeploymentId,
        signed_in: Option<Timestamp>,
    ) -> Result<Option<String>, ApiError> {
        let record = self.record(id).await?.filter(|record| may_reveal(caller, record));
        let record = record.ok_or_else(no_deployment)?;
        let now = self.clock().now();
        if signed_in.is_none_or(|signed_in| now > later(signed_in, SOON)) {
            return Err(Refusal::SignInAgain.into());
        }
        let spec = self.spec_of(&record).await?.ok_or_else(no_deployment)?;
        let secrets = spec.generated().map_err(|error| {
            tracing::error!(deployment.id = %id, %error, "A generated secret does not open");
            ApiError::from(Refusal::SecretsLost)
        })?;
        self.parts.audit.reveal(caller, id).await?;
        Ok(self.ticket(record.owner.as_ref(), id, secrets.len()))
    }

    /// Returns the revision that the page of an operation is about. On that of the deployment which made
    /// a stack, it is the one that the stack has, or had at its end; otherwise that of the operation.
    pub(super) async fn revision_meant(&self, record: &Record) -> Result<RevisionId, StoreError> {
        let kind = self.kind(record);
        let is_a_start = kind.done == StackState::Live && !kind.keeps_stack();
        let has_ended = match record.state {
            State::Live | State::RolledBack => true,
            State::Active | State::Stuck => false,
        };
        if !is_a_start || !has_ended {
            return Ok(record.revision);
        }
        let present = self.parts.store.present_specs(&[record.revision.stack]).await?;
        Ok(present.first().map_or(record.revision, |(revision, _)| *revision))
    }

    /// Returns what the spec of a deployment says for its page.
    pub(super) async fn of_spec(
        &self,
        caller: &Caller,
        record: &Record,
    ) -> Result<OfSpec, StoreError> {
        match record.state {
            State::Active | State::Live | State::RolledBack => {}
            State::Stuck => return Ok(OfSpec::default()),
        }
        let revision = self.revision_meant(record).await?;
        let stored = match self.parts.store.spec(revision).await {
            Err(StoreError::Corrupt { .. }) => None,
            read => read?,
        };
        let is_over = record.state == State::RolledBack;
        // A removal keeps the data also if the spec is lost.
        let has_data =
            !is_over && !self.volumes_by(&record.deployment.id, stored.as_ref()).await?.is_empty();
        let days = self.parts.quotas.removal_grace.as_secs().div_ceil(DAY.as_secs());
        let data_days = has_data.then_some(days);
        let Some(stored) = stored else {
            return Ok(OfSpec { data_days, ..OfSpec::default() });
        };
        let spec = OperationSpec::stored(stored, revision, self.parts.keyring.clone());
        let template = spec.stack.template.as_ref().filter(|_| is_own(caller, record));
        let form = template
            .map(|template| format!("{NEW}/{}?{AGAIN}={}", template.id, record.deployment.id));
        Ok(OfSpec { secrets: secrets(caller, record, &spec), data_days, form })
    }

    /// Returns the spec of the revision that the page of an operation is about.
    pub(super) async fn spec_of(
        &self,
        record: &Record,
    ) -> Result<Option<OperationSpec>, StoreError> {
        self.spec_at(self.revision_meant(record).await?).await
    }

    /// Returns the spec of a revision.
    pub(super) async fn spec_at(
        &self,
        revision: RevisionId,
    ) -> Result<Option<OperationSpec>, StoreError> {
        let stored = self.parts.store.spec(revision).await?;
        let keyring = self.parts.keyring.clone();
        Ok(stored.map(|stored| OperationSpec::stored(stored, revision, keyring)))
    }
}

/// What the spec of a deployment says for its page.
#[derive(Default)]
pub(super) struct OfSpec {
    /// What there is to say of the secrets.
    pub(super) secrets: StackSecrets,
    /// For how many days its data is kept after a removal, if it has any.
    pub(super) data_days: Option<u64>,
    /// The address of the form that is filled with its answers, for its owner.
    pub(super) form: Option<String>,
}

/// Returns what there is to say of the secrets that answer the questions of a stack.
fn secrets(caller: &Caller, record: &Record, spec: &OperationSpec) -> StackSecrets {
    let has_own = || is_a_persons(caller, record) && !spec.stack.generated.is_empty();
    match record.state {
        State::Live if spec.parameters().values().any(is_lost) => StackSecrets::Lost,
        State::Live if has_own() => StackSecrets::Revealable,
        State::Active if has_own() => StackSecrets::RevealableOnceLive,
        State::Live | State::Active | State::RolledBack | State::Stuck => StackSecrets::Quiet,
    }
}

/// Returns whether a secret that is stored does not open, because its key is lost.
pub(super) fn is_lost(opened: &Result<SecretString, OpenSecretError>) -> bool {
    match opened {
        Ok(_) | Err(OpenSecretError::Missing) => false,
        Err(OpenSecretError::UnknownKey { .. } | OpenSecretError::Damaged { .. }) => true,
    }
}

/// Returns whether the caller is a person, and owns the live stack of this deployment.
fn may_reveal(caller: &Caller, record: &Record) -> bool {
    is_a_persons(caller, record) && record.state == State::Live
}

/// Returns whether the caller is a person, and owns the stack of this deployment.
fn is_a_persons(caller: &Caller, record: &Record) -> bool {
    match &caller.identity {
        Identity::Person { owner, .. } => record.owner.as_ref() == Some(owner),
        Identity::Anonymous
        | Identity::Browser(_)
        | Identity::Unauthenticated
        | Identity::Program { .. } => false,
    }
}
