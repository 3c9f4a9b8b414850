//! Shows the generated secrets of a live stack again: to its owner alone, soon after they signed in,
//! and on the record.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

use super::{Service, no_deployment};
use crate::server::auth::access::{Caller, Identity};
use crate::server::spec::OperationSpec;
use crate::server::store::{Record, State};
use crate::wire::ApiError;
use domain::deployment::DeploymentId;
use domain::refusal::Refusal;
use domain::time::later;

/// The time after a sign-in within which secrets are shown.
const SOON: Duration = Duration::from_mins(10);
const DAY: Duration = Duration::from_hours(24);

impl Service {
    /// Returns the generated secrets of the stack that `id` deployed, each after the label of its
    /// question. The caller has `signed_in` at this time.
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
    ) -> Result<Vec<(String, SecretString)>, ApiError> {
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
        let labels = self.labels(spec.stack.template.as_ref().map_or("", |template| &template.id));
        let labelled = |(key, secret)| (labels.get(&key).cloned().unwrap_or(key), secret);
        Ok(secrets.into_iter().map(labelled).collect())
    }

    /// Returns whether the caller can have generated secrets of this deployment shown, and for how many
    /// days its data is kept after a removal, if it has any.
    pub(super) async fn afterwards(&self, caller: &Caller, record: &Record) -> (bool, Option<u64>) {
        match record.state {
            State::Active | State::Live => {}
            State::RolledBack | State::Stuck => return (false, None),
        }
        let Some(spec) = self.spec_of(record).await.ok().flatten() else { return (false, None) };
        let can_reveal = may_reveal(caller, record) && !spec.stack.generated.is_empty();
        let days = self.parts.quotas.removal_grace.as_secs().div_ceil(DAY.as_secs());
        (can_reveal, (!spec.stack.volumes.is_empty()).then_some(days))
    }

    async fn spec_of(&self, record: &Record) -> Result<Option<OperationSpec>, ApiError> {
        let stored = self.parts.store.spec(record.revision).await?;
        let keyring = self.parts.keyring.clone();
        Ok(stored.map(|stored| OperationSpec::stored(stored, record.revision, keyring)))
    }
}

/// Returns whether the caller is a person, and owns the live stack of this deployment.
fn may_reveal(caller: &Caller, record: &Record) -> bool {
    let is_owner = match &caller.identity {
        Identity::Person { owner, .. } => record.owner.as_ref() == Some(owner),
        Identity::Anonymous
        | Identity::Browser(_)
        | Identity::Unauthenticated
        | Identity::Program { .. } => false,
    };
    is_owner && record.state == State::Live
}
