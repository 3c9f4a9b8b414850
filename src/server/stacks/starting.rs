//! The start of a deployment: what may refuse it, and its quota.

use std::slice;

use super::choosing::Chosen;
use super::request::{New, StartError, Started};
use super::{Service, StartRequest};
use crate::server::audit::{AuditAction, AuditEntry};
use crate::server::auth::access::{Caller, Identity};
use crate::server::intake::SlotReservation;
use crate::server::notifier::Notification;
use crate::server::proxies::network_of;
use crate::server::settings::Quotas;
use crate::server::spec::{self, Choice, NewSpec, SealError};
use crate::server::store::{
    NewDeployment, Quota, Record, StoreError, StoredResponse, TemplateDefinition, hour_before,
};
use crate::wire::{Allowance, ApiError};
use domain::deployment::{Deployment, DeploymentId};
use domain::event::{EventBody, ProgressUpdate};
use domain::kind::{KindName, StackState};
use domain::owner::OwnerId;
use domain::platform_problem::PlatformProblem;
use domain::refusal::{Refusal, TakenBy};
use domain::stack_id::RevisionId;
use domain::stack_name::StackName;

/// Returns why the deployment of `name` was not stored.
fn not_stored(error: StoreError, name: StackName) -> StartError {
    match error {
        StoreError::NameTaken => Refusal::NameTaken(name, TakenBy::Another).into(),
        StoreError::NameHeld { until } => Refusal::NameHeld(name, until).into(),
        StoreError::TemplateChanged => Refusal::TemplateChanged.into(),
        StoreError::DataInUse => Refusal::DataInUse.into(),
        StoreError::LimitReached(limit) => Refusal::LimitReached(limit).into(),
        error => error.into(),
    }
}

/// Returns why the spec of the deployment could not be sealed.
fn not_sealed(error: SealError) -> StartError {
    match error {
        SealError::NoKey => Refusal::SecretKeyMissing.into(),
        SealError::NotKept { .. } => Refusal::SecretsExpired.into(),
    }
}

impl Service {
    /// Starts the first attempt of a deployment, and audits a failure. Stores the response that
    /// `response` makes in the same transaction.
    pub(super) async fn start(
        &self,
        caller: &Caller,
        request: &StartRequest,
        response: impl FnOnce(&Deployment) -> Option<StoredResponse>,
    ) -> Result<Started, ApiError> {
        let begun = match self.begin(&New::of(caller, request), response).await {
            // The request that used the key has its own entry.
            Err(StartError::Store(StoreError::KeyUsed)) => {
                return Err(Refusal::IdempotencyKeyInUse.into());
            }
            begun => begun.map_err(ApiError::from),
        };
        self.parts.audit.failure(caller, AuditAction::Start, &request.name, begun).await
    }

    /// Reserves the name and makes the deployment claimable. Stores the response that `response`
    /// makes in the same transaction.
    pub(super) async fn begin(
        &self,
        new: &New<'_>,
        response: impl FnOnce(&Deployment) -> Option<StoredResponse>,
    ) -> Result<Started, StartError> {
        let name = self.parse_name(&new.request.name);
        let name = name.map_err(|rule| Refusal::InvalidName(Some(rule)))?;
        let Chosen { entry, checked, kept, kept_generated, data } = self.choose(new, &name).await?;
        let data = match data {
            Some(wanted) => Some(self.data_for(new, &entry.template.id, &wanted).await?),
            None => None,
        };
        self.check_that_it_can_start(&name).await?;
        let kind = self.parts.kinds.of(KindName::DEPLOY);
        let deployment = Deployment {
            kind: kind.name,
            id: DeploymentId::from_random((self.parts.random)()),
            url: self.parts.stack.url(&name),
            started: self.parts.clock.now(),
            name,
        };
        let revision = RevisionId::first_of(&deployment.id);
        let template = entry.reference();
        let choice = Choice {
            template: &entry.template,
            reference: Some(&template),
            checked: &checked,
            settings: &self.parts.stack,
            registry: self.parts.offers.registry(&entry.template, &self.parts.stack),
            data: data.as_ref().map(|(_, data)| data),
            kept: &kept,
            kept_generated: &kept_generated,
        };
        let NewSpec { sealed, generated } =
            spec::seal(&choice, self.parts.keyring.as_ref(), revision).map_err(not_sealed)?;
        let intake = self.parts.notifier.intake();
        let place = intake.reserve(&deployment.id, kind.direction, deployment.started);
        let begun = NewDeployment {
            host: self.parts.stack.host(&deployment.name),
            first: EventBody::Progress(ProgressUpdate::first(kind, deployment.started)),
            deployment: deployment.clone(),
            retry_of: new.retry_of.map(|record| record.deployment.id.clone()),
            owner: new.owner().cloned(),
            quota: self.quota(new.caller, new.owner()),
            audit_entry: Some(self.start_audit_entry(new)),
            claim: place.as_ref().and_then(SlotReservation::claim),
            template: TemplateDefinition { reference: template.clone(), json: entry.json.clone() },
            spec: sealed,
            data: data.as_ref().map(|(stack, _)| *stack),
        };
        let result = self.parts.store.begin(&begun, response(&deployment).as_ref()).await;
        // Also after an error: the answer to a commit may be lost.
        self.parts.notifier.notify(&Notification::Name(deployment.name.clone()));
        if let Err(error) = result {
            if let Some(place) = place {
                place.fail(&error);
            }
            return Err(not_stored(error, deployment.name));
        }
        tracing::info!(deployment.id = %deployment.id, stack.name = %deployment.name, "Accepted a deployment");
        self.parts.offers.remember(template);
        if begun.claim.is_none() {
            self.parts.notifier.notify(&Notification::Work);
        }
        Ok(Started { deployment, generated })
    }

    /// Checks that neither a stack nor anything on the platform has the name, and that the platform
    /// can be used.
    async fn check_that_it_can_start(&self, name: &StackName) -> Result<(), StartError> {
        let taken = || Refusal::NameTaken(name.clone(), TakenBy::Another);
        if !self.parts.store.reserved(slice::from_ref(name)).await?.is_empty() {
            return Err(taken().into());
        }
        if self.is_platform_too_old().await {
            return Err(Refusal::PlatformTooOld.into());
        }
        if let Some(problem) = self.wedged().await {
            return Err(Refusal::from(problem).into());
        }
        match self.platform_cache.read_retrying_401().await {
            Ok(names_in_use) if names_in_use.has(name, &self.parts.stack) => Err(taken().into()),
            Ok(_) => Ok(()),
            Err(error) => Err(match self.parts.platform.problem() {
                Some(problem) => Refusal::from(problem).into(),
                None => error.into(),
            }),
        }
    }

    /// Returns the audit entry of the start, for its transaction.
    fn start_audit_entry(&self, new: &New<'_>) -> AuditEntry {
        let (act, target) = match new.retry_of {
            Some(tried) => (AuditAction::Retry, tried.deployment.id.as_str()),
            None => (AuditAction::Start, new.request.name.as_str()),
        };
        self.parts.audit.entry(new.caller, act, target)
    }

    /// Returns whether the platform is too old. Makes no call while it is known to be supported.
    async fn is_platform_too_old(&self) -> bool {
        match self.platform_cache.snapshot() {
            Some(snapshot) if snapshot.reachable && !snapshot.is_too_old() => false,
            Some(_) | None => self.platform_cache.current().await.is_too_old(),
        }
    }

    /// Returns the problem if the platform hangs, after reading it again.
    async fn wedged(&self) -> Option<PlatformProblem> {
        let wedged = || self.parts.platform.problem().filter(|p| *p == PlatformProblem::Wedged);
        wedged()?;
        self.platform_cache.current().await;
        wedged()
    }

    /// Returns the quota within which `caller` may start a deployment for `owner`.
    pub(super) fn quota(&self, caller: &Caller, owner: Option<&OwnerId>) -> Quota {
        let Quotas { stacks, under_way, under_way_in_all, per_hour, hold_down, .. } =
            self.parts.quotas;
        // A retry of another person's deployment counts as that person's.
        let counted_as = match owner.filter(|owner| owner.person_id().is_some()) {
            Some(owner) => owner.to_string(),
            None => counted_as(caller),
        };
        Quota {
            counted_as: Some(counted_as),
            stacks,
            under_way,
            under_way_in_all,
            per_hour,
            hold_down,
        }
    }

    /// Returns for how many hours the name of the removed stack is reserved for its owner, for the
    /// page of the removal.
    pub(super) fn kept_hours(&self, record: &Record) -> Option<u64> {
        let is_a_persons = record.owner.as_ref().is_some_and(|owner| owner.person_id().is_some());
        let is_a_removal = self.kind(record).done == StackState::Gone;
        let hold_down = self.parts.quotas.hold_down.filter(|_| is_a_persons && is_a_removal)?;
        Some(hold_down.as_secs().div_ceil(3600))
    }

    /// Returns how much a caller may still start; `None` if there is no limit, or the store fails.
    pub(crate) async fn allowance(&self, caller: &Caller) -> Option<Allowance> {
        let stacks = self.parts.quotas.stacks?;
        let now = self.parts.clock.now();
        // This is only shown; the start decides.
        let counted_as = counted_as(caller);
        let usages = self.parts.store.usages(&[&counted_as], hour_before(now)).await.ok()?;
        let usage = usages.first()?;
        Some(Allowance { stacks: usage.stacks, most: stacks })
    }
}

/// Returns the key under which a caller's deployments are counted: a person's owner id; for
/// everybody else the address, since a cookie is easily deleted.
fn counted_as(caller: &Caller) -> String {
    match &caller.identity {
        Identity::Person { owner, .. } | Identity::Program { owner, .. } => owner.to_string(),
        Identity::Anonymous | Identity::Browser(_) | Identity::Unauthenticated => {
            format!("address:{}", network_of(caller.address))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::server::stacks::starting::*;

    #[test]
    fn anonymous_clients_count_by_their_network() {
        let caller = |address: &str, identity| Caller {
            identity,
            address: address.parse().unwrap(),
            until: None,
        };
        let guest = |address| counted_as(&caller(address, Identity::Anonymous));
        assert_eq!(guest("192.0.2.1"), "address:192.0.2.1");
        assert_eq!(guest("::ffff:192.0.2.1"), "address:192.0.2.1");
        assert_eq!(guest("2001:db8:0:1:2:3:4:5"), "address:2001:db8:0:1::");
        let browser = Identity::Browser(OwnerId::browser("00"));
        assert_eq!(counted_as(&caller("192.0.2.1", browser)), "address:192.0.2.1");
        let role = crate::server::auth::access::Role::Member;
        let person = Identity::Person { owner: OwnerId::person("7"), role };
        assert_eq!(counted_as(&caller("192.0.2.1", person)), "person:7");
    }
}
