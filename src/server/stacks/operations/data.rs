//! The use cases of kept data: list it, delete it, and give it to a new stack.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::request::StartError;
use super::super::{Service, refused};
use crate::server::audit::AuditAction;
use crate::server::auth::access::{Caller, IdentifiedBy, Permission, Target};
use crate::server::notifier::Notification;
use crate::server::store::{
    DataDeletion, KeptData, KeptFilter, KeptState, KeptVolume, NewKept, NewRemoval, SealedSpec,
    StoreError,
};
use crate::wire::{ApiError, KeptView};
use domain::deployment::DeploymentId;
use domain::kind::KindName;
use domain::owner::OwnerId;
use domain::refusal::Refusal;
use domain::stack_id::{RevisionId, StackId};
use domain::stack_spec::BroughtBack;
use domain::time::later;

impl Service {
    /// Lists the kept data of the caller, the one that is deleted first at the beginning.
    ///
    /// # Errors
    ///
    /// Returns an error when the store is unavailable.
    pub async fn kept_data(&self, caller: &Caller) -> Result<Vec<KeptView>, ApiError> {
        let Some(owner) = caller.identity.owner() else { return Ok(Vec::new()) };
        let all = self.parts.store.kept_data(&KeptFilter::Owner(owner.clone())).await?;
        Ok(all.into_iter().filter_map(view).collect())
    }

    /// Begins to delete the kept data called `id`, and returns the operation. If an operation deletes
    /// it already, returns that one.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such data for this caller, a stack has it, or the store is
    /// unavailable.
    pub async fn delete_data(&self, caller: &Caller, id: &str) -> Result<DeploymentId, ApiError> {
        let deleting = self.delete_permitted(caller, id).await;
        self.parts.audit.failure(caller, AuditAction::DeleteData, id, deleting).await
    }

    async fn delete_permitted(&self, caller: &Caller, id: &str) -> Result<DeploymentId, ApiError> {
        let hidden = || ApiError::from(Refusal::NoSuchData);
        let data = self.find_data(id).await?.ok_or_else(hidden)?;
        let target = Target::Operation { owner: data.owner.as_ref(), by: IdentifiedBy::Id };
        if let Err(denial) = caller.may(Permission::Change, target) {
            self.parts.audit.denial(caller, id, denial).await;
            return Err(refused(denial, hidden()));
        }
        let audit_entry = self.parts.audit.entry(caller, AuditAction::DeleteData, id);
        let kind = self.parts.kinds.of(KindName::DELETE_DATA);
        let new = NewRemoval::of_data(data.stack, kind, self.parts.clock.now(), audit_entry);
        let operation = match self.parts.store.begin_deletion(data.stack, &new).await? {
            DataDeletion::Accepted(operation) => operation,
            DataDeletion::InUse => return Err(Refusal::DataInUse.into()),
            DataDeletion::Unknown => return Err(hidden()),
        };
        tracing::info!(deployment.id = %operation, "Deletion of kept data requested");
        self.parts.notifier.notify(&Notification::Work);
        Ok(operation)
    }

    /// Finds the kept data called `id`, for a new stack of `owner` that is made of `template`.
    pub(in crate::server::stacks) async fn data_for(
        &self,
        owner: Option<&OwnerId>,
        template: &str,
        id: &str,
    ) -> Result<(StackId, BroughtBack), StartError> {
        let data = self.find_data(id).await?.filter(|data| data.owner.as_ref() == owner);
        let data = data.ok_or(Refusal::NoSuchData)?;
        match data.state {
            KeptState::Kept => {}
            KeptState::Removing | KeptState::InUse | KeptState::Deleting => {
                return Err(Refusal::DataInUse.into());
            }
        }
        if data.template != template {
            return Err(Refusal::WrongTemplate.into());
        }
        let names = data.volumes.into_iter().map(|KeptVolume { key, name }| (key, name));
        let volumes: BTreeMap<_, _> = names.collect();
        Ok((data.stack, BroughtBack { id: id.to_owned(), volumes }))
    }

    async fn find_data(&self, id: &str) -> Result<Option<KeptData>, StoreError> {
        let Some(stack) = StackId::of_data(id) else { return Ok(None) };
        Ok(self.parts.store.kept_data(&KeptFilter::Stack(stack)).await?.pop())
    }

    /// Returns what a removal would keep of the stack that `live` created; `None` if the stack has no
    /// volumes.
    pub(super) async fn keepable(
        &self,
        live: &DeploymentId,
    ) -> Result<Option<NewKept>, StoreError> {
        let revision = RevisionId::first_of(live);
        let Some(SealedSpec { spec, .. }) = self.parts.store.spec(revision).await? else {
            return Ok(None);
        };
        let prefix = self.parts.stack.volume_prefix(revision.stack);
        let mut names = spec.brought_back.map(|data| data.volumes).unwrap_or_default();
        for volume in spec.volumes {
            let name = format!("{prefix}{}", volume.key);
            names.entry(volume.key).or_insert(name);
        }
        let volumes: Vec<_> =
            names.into_iter().map(|(key, name)| KeptVolume { key, name }).collect();
        let until = later(self.parts.clock.now(), self.grace());
        let most = self.parts.quotas.kept;
        Ok((!volumes.is_empty()).then_some(NewKept { volumes, until, most }))
    }

    /// Returns until when the data of the stack that `live` created is kept, if it is.
    pub(super) async fn data_until(
        &self,
        live: &DeploymentId,
    ) -> Result<Option<jiff::Timestamp>, StoreError> {
        let kept = KeptFilter::Stack(RevisionId::first_of(live).stack);
        Ok(self.parts.store.kept_data(&kept).await?.pop().map(|data| data.until))
    }

    /// Returns for how long a removal keeps data.
    fn grace(&self) -> Duration {
        self.parts.quotas.removal_grace
    }
}

/// Returns what the owner sees of kept data; `None` of data that a stack has.
fn view(data: KeptData) -> Option<KeptView> {
    let is_deleting = match data.state {
        KeptState::Kept => false,
        KeptState::Deleting => true,
        KeptState::Removing | KeptState::InUse => return None,
    };
    Some(KeptView {
        id: data.stack.data_id(),
        template: data.template,
        from: data.name,
        volumes: data.volumes.into_iter().map(|volume| volume.key).collect(),
        until: data.until,
        is_deleting,
    })
}
