//! The use cases of kept data: list it, delete it, and give it to a new stack.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::choosing::WantedData;
use super::super::request::{New, StartError};
use super::super::{Service, refused};
use super::KeptUntil;
use crate::server::audit::AuditAction;
use crate::server::auth::access::{Caller, IdentifiedBy, Permission, Target};
use crate::server::notifier::Notification;
use crate::server::platform::VolumeName;
use crate::server::store::{
    DataDeletion, DataUser, KeptData, KeptFilter, KeptState, KeptVolume, NewKept, NewRemoval,
    Record, SealedSpec, SpecOrigin, State, StoreError,
};
use crate::wire::{ApiError, DataUserView, ErrorDetails, KeptView};
use domain::deployment::DeploymentId;
use domain::kind::{KindName, StackState};
use domain::owner::OwnerId;
use domain::receipt::{Outcome, Receipt};
use domain::refusal::Refusal;
use domain::stack_id::{RevisionId, StackId};
use domain::stack_spec::BroughtBack;
use domain::time::later;

/// What is kept of the other stacks of an owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptBeside {
    /// The kept data, the one that is deleted first at the beginning.
    pub kept: Vec<KeptView>,
    /// True if the data of no more stacks can be kept.
    pub is_full: bool,
}

impl Service {
    /// Lists the kept data of the caller, the one that is deleted first at the beginning.
    ///
    /// # Errors
    ///
    /// Returns an error when the store is unavailable.
    pub async fn kept_data(&self, caller: &Caller) -> Result<Vec<KeptView>, ApiError> {
        Ok(self.kept_of(caller.identity.owner()).await?)
    }

    /// Lists the kept data of the owner of the deployment `id`, for a caller who may change it.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such deployment for this caller, or the store is unavailable.
    pub(crate) async fn kept_beside(
        &self,
        caller: &Caller,
        id: &DeploymentId,
    ) -> Result<Vec<KeptView>, ApiError> {
        let record = self.authorize(caller, Permission::Change, id).await?;
        Ok(self.kept_of(record.owner.as_ref()).await?)
    }

    async fn kept_of(&self, owner: Option<&OwnerId>) -> Result<Vec<KeptView>, StoreError> {
        let Some(owner) = owner else { return Ok(Vec::new()) };
        let all = self.parts.store.kept_data(&KeptFilter::Owner(owner.clone())).await?;
        Ok(all.into_iter().filter_map(view).collect())
    }

    /// Returns what is kept of the other stacks of `owner`, if a removal asks what of it to drop.
    pub(in crate::server::stacks) async fn beside(
        &self,
        owner: Option<&OwnerId>,
    ) -> Result<KeptBeside, StoreError> {
        let Some(owner) = owner else { return Ok(KeptBeside::default()) };
        let all = self.parts.store.kept_data(&KeptFilter::Owner(owner.clone())).await?;
        let counted = all.iter().filter(|data| match data.state {
            KeptState::Removing | KeptState::Kept | KeptState::Lost(_) | KeptState::Deleting => {
                true
            }
            KeptState::InUse(_) => false,
        });
        let count = counted.count();
        let is_full = self.parts.quotas.kept.is_some_and(|most| count >= most as usize);
        Ok(KeptBeside { kept: all.into_iter().filter_map(view).collect(), is_full })
    }

    /// Returns the answer to a removal that would keep more than `most`: with what is kept, to choose
    /// what to drop.
    pub(super) async fn kept_full(&self, most: u32, owner: Option<OwnerId>) -> ApiError {
        let mut error = ApiError::from(Refusal::KeptDataFull(most));
        match self.kept_of(owner.as_ref()).await {
            Ok(kept) => error.details = Some(Box::new(ErrorDetails { kept, ..Default::default() })),
            Err(failed) => tracing::warn!(error = %failed, "Could not read what is kept"),
        }
        error
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

    /// Finds the kept data that is `wanted` for `new`, which is made of `template`. Data without an
    /// owner is for whoever knows its id and may change it.
    pub(in crate::server::stacks) async fn data_for(
        &self,
        new: &New<'_>,
        template: &str,
        wanted: &WantedData,
    ) -> Result<(StackId, BroughtBack), StartError> {
        let data = match wanted {
            WantedData::Named(id) => self.find_data(id).await?,
            WantedData::Again(former) => self.find_again(former).await?,
        };
        let target = Target::Operation { owner: None, by: IdentifiedBy::Id };
        let may_have = |data: &KeptData| match &data.owner {
            Some(owner) => new.owner() == Some(owner),
            None => new.caller.may(Permission::Change, target).is_ok(),
        };
        let data = data.filter(may_have).ok_or(Refusal::NoSuchData)?;
        match data.state {
            KeptState::Kept => {}
            KeptState::Lost(_) => return Err(Refusal::DataLost.into()),
            KeptState::Removing | KeptState::InUse(_) | KeptState::Deleting => {
                return Err(Refusal::DataInUse.into());
            }
        }
        if data.template != template {
            return Err(Refusal::WrongTemplate.into());
        }
        let names = data.volumes.into_iter().map(|KeptVolume { key, name }| (key, name));
        let volumes: BTreeMap<_, _> = names.collect();
        Ok((data.stack, BroughtBack { id: data.stack.data_id(), volumes }))
    }

    /// Returns the id of the data with which the stack of `record` can be started anew: its own, which
    /// its removal kept, or that which it had brought back.
    pub(in crate::server::stacks) async fn data_again(
        &self,
        record: &Record,
        brought_back: Option<&BroughtBack>,
    ) -> Result<Option<String>, StoreError> {
        let own = self.find_data(&record.revision.stack.data_id()).await?;
        let found = match (own, brought_back) {
            (Some(own), _) => Some(own),
            (None, Some(former)) => self.find_again(former).await?,
            (None, None) => None,
        };
        let is_free = |data: &KeptData| data.state == KeptState::Kept && data.owner == record.owner;
        Ok(found.filter(is_free).map(|data| data.stack.data_id()))
    }

    async fn find_data(&self, id: &str) -> Result<Option<KeptData>, StoreError> {
        let Some(stack) = StackId::of_data(id) else { return Ok(None) };
        Ok(self.parts.store.kept_data(&KeptFilter::Stack(stack)).await?.pop())
    }

    /// Finds the data that a deployment brought back. A stack that had it since then may be removed,
    /// and the data kept as that of this stack: it is found by its volumes.
    async fn find_again(&self, former: &BroughtBack) -> Result<Option<KeptData>, StoreError> {
        if let Some(data) = self.find_data(&former.id).await? {
            return Ok(Some(data));
        }
        let has_all = |data: &KeptData| {
            let has = |name: &String| data.volumes.iter().any(|volume| volume.name == *name);
            !former.volumes.is_empty() && former.volumes.values().all(has)
        };
        Ok(self.parts.store.kept_data(&KeptFilter::All).await?.into_iter().find(has_all))
    }

    /// Returns what a removal that began at `started` would keep of the stack that `live` created;
    /// `None` if the stack has no volumes.
    pub(super) async fn keepable(
        &self,
        live: &DeploymentId,
        started: Timestamp,
    ) -> Result<Option<NewKept>, StoreError> {
        let names = self.volumes_of(live).await?;
        let volumes: Vec<_> =
            names.into_iter().map(|(key, name)| KeptVolume { key, name }).collect();
        let until = later(started, self.parts.quotas.removal_grace);
        let most = self.parts.quotas.kept;
        Ok((!volumes.is_empty()).then_some(NewKept { volumes, until, most }))
    }

    /// Returns the names of the volumes of the stack that `live` created, by their keys. If its spec
    /// is lost or only assumed, the journal knows them.
    async fn volumes_of(
        &self,
        live: &DeploymentId,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let stored = match self.parts.store.spec(RevisionId::first_of(live)).await {
            Err(StoreError::Corrupt { .. }) => None,
            read => read?,
        };
        self.volumes_by(live, stored.as_ref()).await
    }

    /// Does the same with the spec that is stored, if there is one that can be read. Changes may have
    /// added some.
    pub(in crate::server::stacks) async fn volumes_by(
        &self,
        live: &DeploymentId,
        stored: Option<&SealedSpec>,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let mut names = BTreeMap::new();
        if let Some(SealedSpec { spec, origin: SpecOrigin::Begun, .. }) = stored {
            let prefix = self.parts.stack.volume_prefix(StackId::of(live));
            names = spec.brought_back.as_ref().map(|data| data.volumes.clone()).unwrap_or_default();
            for volume in &spec.volumes {
                let name = format!("{prefix}{}", volume.key);
                names.entry(volume.key.clone()).or_insert(name);
            }
        }
        let known = self.parts.store.stack_volumes(StackId::of(live)).await?;
        for VolumeName(name) in known.volumes.into_iter().map(|volume| volume.name) {
            if !names.values().any(|known| *known == name) {
                let key = self.parts.stack.parse_volume(&name).map(|(_, key)| key.to_owned());
                names.insert(key.unwrap_or_else(|| name.clone()), name);
            }
        }
        Ok(names)
    }

    /// Returns the data of the stack that `live` created which its removal keeps, if it does.
    pub(super) async fn kept_until(
        &self,
        live: &DeploymentId,
    ) -> Result<Option<KeptUntil>, StoreError> {
        let kept = KeptFilter::Stack(StackId::of(live));
        let data = self.parts.store.kept_data(&kept).await?.pop();
        Ok(data.map(|data| KeptUntil { id: data.stack.data_id(), until: data.until }))
    }
}

impl Service {
    /// Returns whether the caller's page of kept data has something of the stack of an operation, or
    /// will have once it is removed. What a failed start was to bring back is kept on. A deletion was
    /// begun on that page, and leads back to it.
    pub(in crate::server::stacks) async fn leads_to_data(
        &self,
        caller: &Caller,
        record: &Record,
        receipt: Option<&Receipt>,
    ) -> Result<bool, StoreError> {
        let is_own = record.owner.is_some() && record.owner.as_ref() == caller.identity.owner();
        let is_removed = match record.state {
            State::RolledBack => true,
            State::Active | State::Live | State::Stuck => {
                self.kind(record).done == StackState::Gone
            }
        };
        if !is_own || !is_removed {
            return Ok(false);
        }
        if record.deployment.kind == KindName::DELETE_DATA {
            return Ok(true);
        }
        let kept = KeptFilter::Stack(record.revision.stack);
        let data = self.parts.store.kept_data(&kept).await?.pop();
        Ok(match data.map(|data| data.state) {
            Some(KeptState::InUse(DataUser { is_live, .. })) => !is_live,
            Some(
                KeptState::Removing | KeptState::Kept | KeptState::Lost(_) | KeptState::Deleting,
            ) => true,
            None if self.kind(record).done == StackState::Gone => false,
            None => {
                let mut lines = receipt.into_iter().flat_map(|receipt| &receipt.lines);
                lines.any(|line| line.outcome == Outcome::Kept)
            }
        })
    }
}

/// Returns the owner who sees the kept data in their list.
pub(in crate::server::stacks) fn keeper(data: KeptData) -> Option<OwnerId> {
    let owner = data.owner.clone();
    view(data).and(owner)
}

/// Returns what the owner sees of kept data. What a live stack has is the data of that stack; that of
/// a stack that is being removed is not kept yet.
fn view(data: KeptData) -> Option<KeptView> {
    let (mut used_by, mut lost) = (None, None);
    let is_deleting = match data.state {
        KeptState::Removing | KeptState::InUse(DataUser { is_live: true, .. }) => return None,
        KeptState::InUse(DataUser { deployment, name, is_live: false }) => {
            used_by = Some(DataUserView { name, deployment_id: deployment });
            false
        }
        KeptState::Kept => false,
        KeptState::Lost(since) => {
            lost = Some(since);
            false
        }
        KeptState::Deleting => true,
    };
    Some(KeptView {
        id: data.stack.data_id(),
        template: data.template,
        from: data.name,
        volumes: data.volumes.into_iter().map(|volume| volume.key).collect(),
        until: data.until,
        is_deleting,
        used_by,
        lost,
    })
}
