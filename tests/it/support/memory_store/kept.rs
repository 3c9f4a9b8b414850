//! The data of stacks that are gone, in memory.

use std::time::Duration;

use ai_stack_deployer::server::store::{
    DataDeletion, DataUser, Disposal, Kept, KeptData, KeptFilter, KeptState, NewKept, NewRemoval,
    Result, State, StoreError,
};
use async_trait::async_trait;
use domain::deployment::{Deployment, DeploymentId, DeploymentMetadata, Links};
use domain::event::Event;
use domain::stack_id::StackId;
use domain::stack_name::StackName;
use domain::template::DEFAULT_ID;
use jiff::Timestamp;

use super::MemoryStore;
use super::tables::{Row, Tables};

#[async_trait]
impl Kept for MemoryStore {
    async fn kept_data(&self, filter: &KeptFilter) -> Result<Vec<KeptData>> {
        let tables = self.up()?;
        let is_meant = |data: &&KeptData| match filter {
            KeptFilter::All => true,
            KeptFilter::Stack(stack) => data.stack == *stack,
            KeptFilter::Owner(owner) => data.owner.as_ref() == Some(owner),
            KeptFilter::Due(now) => {
                matches!(data.state, KeptState::Kept | KeptState::Lost(_)) && data.until <= *now
            }
        };
        let all = tables.kept.values().map(|(data, _)| data).filter(is_meant);
        let mut all: Vec<_> = all.cloned().collect();
        for data in &mut all {
            if let KeptState::InUse(user) = &mut data.state {
                user.is_live = tables.has_been_live(&user.deployment);
            }
        }
        all.sort_by_key(|data| (data.until, data.stack));
        Ok(all)
    }

    async fn mark_lost(&self, stack: StackId, lost: Option<Timestamp>) -> Result<()> {
        if let Some((data, _)) = self.up()?.kept.get_mut(&stack)
            && matches!(data.state, KeptState::Kept | KeptState::Lost(_))
        {
            data.state = lost.map_or(KeptState::Kept, KeptState::Lost);
        }
        Ok(())
    }

    async fn begin_deletion(&self, stack: StackId, new: &NewRemoval) -> Result<DataDeletion> {
        Ok(self.up()?.begin_deletion(stack, new))
    }
}

impl Tables {
    fn begin_deletion(&mut self, stack: StackId, new: &NewRemoval) -> DataDeletion {
        let Some((data, _)) = self.kept.get_mut(&stack) else { return DataDeletion::Unknown };
        match data.state {
            KeptState::Removing | KeptState::InUse(_) => return DataDeletion::InUse,
            KeptState::Deleting => {
                let row = self.row(&new.id).unwrap();
                if row.record.state == State::Stuck {
                    row.record.clean_up.due = Some(new.started);
                }
                return DataDeletion::Accepted(new.id.clone());
            }
            KeptState::Kept | KeptState::Lost(_) => data.state = KeptState::Deleting,
        }
        let made = self.row(&stack.deployment()).unwrap();
        let (mut record, counted_as) = (made.record.clone(), made.counted_as.clone());
        record.metadata = DeploymentMetadata {
            links: Links { removes: Some(stack.deployment()), ..Links::default() },
            ..DeploymentMetadata::default()
        };
        record.deployment.kind = new.kind;
        record.deployment.id = new.id.clone();
        record.deployment.started = new.started;
        record.state = State::Active;
        record.disposal = new.disposal;
        record.seq = 1;
        let row = Row::new(record, counted_as, &Event { seq: 1, body: new.first.clone() });
        self.deployments.push(row.claimed(new.claim.as_ref()));
        self.begun(&new.id, None);
        self.audit.extend(new.audit_entry.clone());
        DataDeletion::Accepted(new.id.clone())
    }

    /// Keeps the data of the stack that `live` created. Returns the limit if it is reached.
    pub(super) fn keep(&mut self, live: &DeploymentId, new: &NewKept) -> Option<u32> {
        let stack = StackId::of(live);
        let row = self.row(live).unwrap();
        let (name, owner): (StackName, _) =
            (row.record.deployment.name.clone(), row.record.owner.clone());
        let counted_as = row.counted_as.clone();
        let revision = row.record.revision;
        let is_counted = |stack: &StackId| {
            let id = stack.deployment();
            let mut rows = self.deployments.iter();
            rows.any(|row| row.record.deployment.id == id && row.counted_as == counted_as)
        };
        let count = self.kept.iter().filter(|(stack, (_, by))| by.is_none() && is_counted(stack));
        if let (Some(most), Some(_)) = (new.most, &counted_as)
            && count.count() >= most as usize
        {
            return Some(most);
        }
        let template = self.specs.get(&revision).and_then(|sealed| sealed.spec.template.clone());
        let data = KeptData {
            stack,
            name,
            owner,
            template: template.map_or_else(|| DEFAULT_ID.to_owned(), |template| template.id),
            volumes: new.volumes.clone(),
            until: new.until,
            state: KeptState::Removing,
        };
        self.kept.insert(stack, (data, None));
        None
    }

    /// Returns whether the stack that the deployment `id` makes has been live.
    fn has_been_live(&self, id: &DeploymentId) -> bool {
        let mut rows = self.deployments.iter();
        let row = rows.find(|row| row.record.deployment.id == *id).unwrap();
        row.record.state == State::Live
    }

    /// Gives the kept data of `from` to the stack that `to` makes.
    pub(super) fn give(&mut self, from: StackId, to: &Deployment) -> Result<()> {
        match self.kept.get_mut(&from) {
            Some((data, by)) if data.state == KeptState::Kept => {
                let (deployment, name) = (to.id.clone(), to.name.clone());
                data.state = KeptState::InUse(DataUser { deployment, name, is_live: false });
                *by = Some(StackId::of(&to.id));
                Ok(())
            }
            Some(_) | None => Err(StoreError::DataInUse),
        }
    }

    /// Records what the end of the operation `id`, after which its stack is gone, means.
    pub(super) fn settle(&mut self, id: &DeploymentId, at: Timestamp) {
        let Some(row) = self.row(id) else { return };
        let (is_removal, stack) = (row.is_removal(), row.record.revision.stack);
        let (disposal, started) = (row.record.disposal, row.record.deployment.started);
        let has_own = self.kept.contains_key(&stack);
        let is_used_up = is_removal && (disposal == Disposal::Delete || has_own);
        self.kept.retain(|own, (data, by)| {
            let is_deleted = is_removal && *own == stack && data.state == KeptState::Deleting;
            !(is_deleted || is_used_up && *by == Some(stack))
        });
        for (own, (data, by)) in &mut self.kept {
            if *by == Some(stack) {
                data.until = data.until.max(at + Duration::from_hours(24));
                *by = None;
                data.state = KeptState::Kept;
            } else if *own == stack && data.state == KeptState::Removing {
                data.until += at.duration_since(started);
                data.state = KeptState::Kept;
            }
        }
    }
}
