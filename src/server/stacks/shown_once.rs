//! The secrets that were generated for a stack are shown once, on the page after the press.
//!
//! The browser gets a ticket for them, and not the secrets: these are stored, sealed. So there is no
//! limit to their size, and every replica can show them.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Service, Started};
use crate::server::auth::access::Caller;
use crate::server::page::NewSecret;
use crate::server::secrets::OpenSecretError;
use crate::server::spec::{OperationSpec, fingerprints};
use crate::server::store::{Record, StoreError};
use crate::wire::ApiError;
use domain::deployment::DeploymentId;
use domain::owner::OwnerId;
use domain::stack_id::RevisionId;
use domain::time::later;

/// The time within which the page must be shown.
pub(crate) const SHOWN_WITHIN: Duration = Duration::from_mins(1);
/// The purpose for which tickets are sealed.
const PURPOSE: &str = "generated";

/// A deployment that was started from a page.
pub(crate) struct StartedForPage {
    /// Its id.
    pub(crate) id: DeploymentId,
    /// The ticket with which its page shows the secrets that were generated for it, if any were.
    pub(crate) ticket: Option<String>,
}

impl Service {
    /// Returns what the page after the press needs of a deployment that was started for `owner`.
    pub(super) fn for_page(&self, owner: Option<&OwnerId>, started: &Started) -> StartedForPage {
        let id = started.deployment.id.clone();
        let ticket = self.ticket(owner, &id, started.generated.len());
        StartedForPage { id, ticket }
    }

    /// Returns a ticket for the first `count` generated secrets of the stack that `id` deploys. It is
    /// good for `owner`, once their browser has returned it, and for a minute.
    pub(super) fn ticket(
        &self,
        owner: Option<&OwnerId>,
        id: &DeploymentId,
        count: usize,
    ) -> Option<String> {
        let keyring = self.parts.keyring.as_ref().filter(|_| count > 0)?;
        let until = later(self.clock().now(), SHOWN_WITHIN);
        let context = [PURPOSE, owner.map_or("", OwnerId::as_str), id.as_str()];
        Some(keyring.hand_out(&context, &SecretString::from(count.to_string()), until))
    }

    /// Returns a ticket for the secrets that were generated for the change `id`, if any were.
    ///
    /// # Errors
    ///
    /// Returns an error if the store is unavailable.
    pub(crate) async fn ticket_of_change(
        &self,
        id: &DeploymentId,
    ) -> Result<Option<String>, ApiError> {
        let Some(record) = self.record(id).await? else { return Ok(None) };
        let Some(spec) = self.spec_of(&record).await? else { return Ok(None) };
        let Ok(secrets) = self.newly_generated(&record, &spec).await? else { return Ok(None) };
        Ok(self.ticket(record.owner.as_ref(), id, secrets.len()))
    }

    /// Returns the generated secrets of an operation's revision. A change has only those that the
    /// stack did not have before.
    async fn newly_generated(
        &self,
        record: &Record,
        spec: &OperationSpec,
    ) -> Result<Result<Vec<(String, SecretString)>, OpenSecretError>, StoreError> {
        let mut secrets = spec.generated();
        let from = record.from.filter(|_| self.kind(record).makes_revision());
        if let (Some(number), Ok(secrets)) = (from, &mut secrets) {
            let before = self.spec_at(RevisionId { number, ..record.revision }).await?;
            let before = before.map(|spec| fingerprints(&spec.stack)).unwrap_or_default();
            let now = fingerprints(&spec.stack);
            secrets.retain(|(key, _)| before.get(key) != now.get(key));
        }
        Ok(secrets)
    }

    /// Returns the generated secrets that a ticket is for; `None` if it is not good for the caller and
    /// this deployment.
    ///
    /// # Errors
    ///
    /// Returns an error if the store is unavailable.
    pub(crate) async fn shown_once(
        &self,
        caller: &Caller,
        id: &DeploymentId,
        ticket: &str,
    ) -> Result<Option<Vec<NewSecret>>, ApiError> {
        let owner = caller.identity.owner().map_or("", OwnerId::as_str);
        // A stack without an owner is that of whoever has its id.
        let count = [owner, ""].iter().find_map(|owner| {
            let context = [PURPOSE, owner, id.as_str()];
            let now = self.clock().now();
            let count = self.parts.keyring.as_ref()?.take_back(&context, ticket, now)?;
            count.expose_secret().parse::<usize>().ok()
        });
        let Some(count) = count else { return Ok(None) };
        let Some(record) = self.record(id).await? else { return Ok(None) };
        let Some(spec) = self.spec_of(&record).await? else { return Ok(None) };
        let Ok(secrets) = self.newly_generated(&record, &spec).await? else { return Ok(None) };
        let labels = self.labels(spec.stack.template.as_ref().map_or("", |template| &template.id));
        let shown = secrets.into_iter().take(count).map(|(key, secret)| NewSecret {
            label: labels.get(&key).cloned().unwrap_or(key),
            text: secret.expose_secret().to_owned(),
        });
        Ok(Some(shown.collect()))
    }
}
