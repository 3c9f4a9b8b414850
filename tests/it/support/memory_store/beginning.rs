//! Inserts new operations: a deployment within its quota, and the removal of a live stack.

use ai_stack_deployer::server::store::{
    CancelRequest, CleanUp, Desired, Disposal, LearnedSpec, Lease, NewDeployment, NewRemoval,
    Record, RemovalOutcome, Result, Revision, RevisionOutcome, SealedSpec, SpecOrigin, Specs,
    State, StoreError, StoredResponse, TemplateDefinition, Templates, Usage, hour_before,
    is_within_hour,
};
use async_trait::async_trait;
use domain::deployment::{DeploymentMetadata, Links};
use domain::event::Event;
use domain::kind::KindName;
use domain::owner::OwnerId;
use domain::stack_event::Reason;
use domain::stack_id::{RevisionId, StackId};
use domain::stack_name::StackName;
use domain::stack_spec::{StackSpec, TemplateRef};
use domain::template::Volume;
use jiff::Timestamp;

use super::MemoryStore;
use super::on_stack::{Superseded, nobodys};
use super::tables::{Maker, Row, Tables, keeps_stack};

impl MemoryStore {
    /// Forgets all specs, as if an older version had begun what there is.
    pub(crate) fn forget_specs(&self) {
        self.tables().specs.clear();
    }

    /// Gives each stack that begins from now on this volume, as a template would.
    pub(crate) fn give_volume(&self, volume: Volume) {
        self.tables().volume = Some(volume);
    }

    /// Spoils all specs, so that none can be read.
    pub(crate) fn spoil_specs(&self) {
        self.tables().are_specs_spoiled = true;
    }

    /// Changes all specs.
    pub(crate) fn change_specs(&self, change: impl Fn(&mut StackSpec)) {
        self.tables().specs.values_mut().for_each(|sealed| change(&mut sealed.spec));
    }
}

#[async_trait]
impl Specs for MemoryStore {
    async fn spec(&self, revision: RevisionId) -> Result<Option<SealedSpec>> {
        let tables = self.up()?;
        if tables.are_specs_spoiled {
            return Err(StoreError::Corrupt { what: "spec" });
        }
        Ok(tables.specs.get(&revision).cloned())
    }

    async fn present_specs(&self, stacks: &[StackId]) -> Result<Vec<(RevisionId, StackSpec)>> {
        let tables = self.up()?;
        if tables.are_specs_spoiled {
            return Ok(Vec::new());
        }
        let revisions = stacks.iter().map(|stack| tables.revision_of(*stack));
        let is_known = |sealed: &&SealedSpec| sealed.origin.is_known();
        let spec = |id| Some((id, tables.specs.get(&id).filter(is_known)?.spec.clone()));
        Ok(revisions.filter_map(spec).collect())
    }

    async fn revisions(&self, stack: StackId) -> Result<Vec<Revision>> {
        let tables = self.up()?;
        if tables.are_specs_spoiled {
            return Err(StoreError::Corrupt { what: "revision" });
        }
        let of_stack = tables.specs.iter().filter(|(id, _)| id.stack == stack);
        let revision = |(id, sealed): (&RevisionId, &SealedSpec)| {
            let (made, by, at) = tables.makers.get(id).cloned().unwrap_or_default();
            Revision {
                number: id.number,
                outcome: tables.outcomes.get(id).copied(),
                origin: sealed.origin,
                spec: sealed.spec.clone(),
                made,
                by,
                at,
            }
        };
        let mut revisions: Vec<_> = of_stack.map(revision).collect();
        revisions.sort_by_key(|revision| std::cmp::Reverse(revision.number));
        Ok(revisions)
    }

    async fn store_spec(&self, lease: &Lease, spec: &SealedSpec) -> Result<()> {
        let mut tables = self.up()?;
        let revision = tables.leased(lease)?.record.revision;
        if !tables.specs.contains_key(&revision) {
            tables.keep_spec(revision, spec.clone(), Maker::default());
        }
        Ok(())
    }

    async fn learn_spec(&self, learned: &LearnedSpec) -> Result<()> {
        let mut tables = self.up()?;
        let LearnedSpec { revision, spec, template, by, began } = learned;
        let stack = revision.stack;
        let live = stack.deployment();
        let is_live = tables.row(&live).is_some_and(|row| row.record.state == State::Live);
        let is_held = tables.held(stack).is_some_and(|held| held.state == State::Active);
        let is_known = tables.specs.get(revision).is_some_and(|spec| spec.origin.is_known());
        if !is_live || is_held || is_known || tables.revision_of(stack) != *revision {
            return Ok(());
        }
        tables.keep_template(template)?;
        let maker = (Some(live), by.clone(), Some(*began));
        tables.keep_spec(*revision, spec.clone(), maker);
        Ok(())
    }
}

#[async_trait]
impl Templates for MemoryStore {
    async fn used_templates(&self) -> Result<Vec<TemplateRef>> {
        Ok(self.up()?.templates.values().map(|one| one.reference.clone()).collect())
    }

    async fn template(&self, digest: &str) -> Result<Option<String>> {
        Ok(self.up()?.templates.get(digest).map(|one| one.json.clone()))
    }
}

impl Tables {
    /// Keeps the definition of a template, unless its version has another one.
    pub(super) fn keep_template(&mut self, new: &TemplateDefinition) -> Result<()> {
        let TemplateRef { id, version, digest } = &new.reference;
        let is_same = |one: &&TemplateDefinition| {
            one.reference.id == *id && one.reference.version == *version
        };
        match self.templates.values().find(is_same) {
            Some(one) if one.reference.digest != *digest => Err(StoreError::TemplateChanged),
            Some(_) | None => {
                self.templates.insert(digest.clone(), new.clone());
                Ok(())
            }
        }
    }

    /// Keeps the spec of a revision, with who made it.
    pub(super) fn keep_spec(&mut self, id: RevisionId, sealed: SealedSpec, maker: Maker) {
        match sealed.origin {
            SpecOrigin::Begun => {}
            SpecOrigin::Assumed | SpecOrigin::Read => {
                self.outcomes.insert(id, RevisionOutcome::Unknown);
            }
        }
        self.specs.insert(id, sealed);
        self.makers.insert(id, maker);
    }

    /// Reserves the name, and inserts the deployment with its stored response, if the quota allows
    /// it.
    pub(super) fn begin(
        &mut self,
        new: &NewDeployment,
        response: Option<&StoredResponse>,
    ) -> Result<()> {
        let started = new.deployment.started;
        self.responses.retain(|_, response| response.expires > started);
        let key =
            |response: &StoredResponse| (response.key.caller.clone(), response.key.key.clone());
        if response.is_some_and(|response| self.responses.contains_key(&key(response))) {
            return Err(StoreError::KeyUsed);
        }
        let holds = |row: &Row| row.reserves() && row.record.deployment.name == new.deployment.name;
        if self.deployments.iter().any(holds) {
            return Err(StoreError::NameTaken);
        }
        let (templates, kept) = (self.templates.clone(), self.kept.clone());
        self.keep_template(&new.template)?;
        let given = match new.data {
            Some(from) => self.give(from, &new.deployment),
            None => Ok(()),
        };
        if let Err(error) = given.and_then(|()| self.admit(new)) {
            (self.templates, self.kept) = (templates, kept);
            return Err(error);
        }
        if let Some(response) = response {
            self.responses.insert(key(response), response.clone());
        }
        if let Some(row) = new.retry_of.as_ref().and_then(|tried| self.row(tried)) {
            row.record.metadata.links.retried_by = Some(new.deployment.id.clone());
        }
        let links = Links { retry_of: new.retry_of.clone(), ..Links::default() };
        let revision = RevisionId::first_of(&new.deployment.id);
        let mut sealed = new.spec.clone();
        sealed.spec.volumes.extend(self.volume.clone());
        let made = Some(new.deployment.id.clone());
        self.keep_spec(revision, sealed, (made, new.owner.clone(), Some(started)));
        let record = Record {
            deployment: new.deployment.clone(),
            revision,
            from: None,
            desired: Desired::default(),
            host: new.host.clone(),
            owner: new.owner.clone(),
            state: State::Active,
            metadata: DeploymentMetadata { links, ..DeploymentMetadata::default() },
            seq: 1,
            cancel_request: CancelRequest::None,
            disposal: Disposal::default(),
            clean_up: CleanUp::default(),
            panics: 0,
        };
        let first = Event { seq: 1, body: new.first.clone() };
        let row = Row::new(record, new.quota.counted_as.clone(), &first);
        let row = Row { template: new.template.reference.id.clone(), ..row };
        self.deployments.push(row.claimed(new.claim.as_ref()));
        self.begun(&new.deployment.id, None);
        self.audit.extend(new.audit_entry.clone());
        Ok(())
    }

    /// Decides whether a deployment may begin.
    fn admit(&self, new: &NewDeployment) -> Result<()> {
        let NewDeployment { deployment, owner, quota, .. } = new;
        let started = deployment.started;
        if let Some(since) = quota.held_since(started) {
            let freed = self.freed(&deployment.name, since);
            quota.admit_name(owner.as_ref(), freed.as_ref(), new.deployment.started)?;
        }
        let usage = quota.counts().map(|counted_as| self.usage(counted_as, hour_before(started)));
        let is_under_way = |row: &&Row| row.reserves() && row.record.state == State::Active;
        let in_all = self.deployments.iter().filter(is_under_way).count();
        quota.admit(&usage.unwrap_or_default(), u32::try_from(in_all).unwrap(), started)
    }

    /// Returns the usage of `counted_as`.
    pub(super) fn usage(&self, counted_as: &str, hour_ago: Timestamp) -> Usage {
        let counts = |row: &&Row| {
            let is_a_start = !row.is_removal() && !keeps_stack(&row.record);
            is_a_start && row.counted_as.as_deref() == Some(counted_as)
        };
        let mut usage = Usage::default();
        for Row { record, .. } in self.deployments.iter().filter(counts) {
            usage.stacks += u32::from(record.state != State::RolledBack);
            usage.under_way += u32::from(record.state == State::Active);
            usage
                .begun
                .extend(Some(record.deployment.started).filter(|at| is_within_hour(*at, hour_ago)));
        }
        usage.begun.sort_unstable();
        usage
    }

    /// Finds the last live stack called `name` whose name became free after `since`.
    pub(super) fn freed(
        &self,
        name: &StackName,
        since: Timestamp,
    ) -> Option<(Option<OwnerId>, Timestamp)> {
        let removals = self
            .deployments
            .iter()
            .filter(|row| row.record.deployment.kind == KindName::REMOVE)
            .filter(|row| row.record.deployment.name == *name);
        let freed = removals.filter_map(|row| Some((row, row.released?)));
        let recent = freed.filter(|(_, released)| *released > since);
        let (row, released) = recent.max_by_key(|(_, released)| *released)?;
        Some((row.record.owner.clone(), released))
    }

    /// Inserts the removal of the live stack `name`, unless there is one.
    pub(super) fn begin_removal(&mut self, name: &StackName, new: &NewRemoval) -> RemovalOutcome {
        let named = |row: &Row| row.record.deployment.name == *name;
        let live = |row: &&Row| named(row) && row.reserves() && row.record.state == State::Live;
        let live = self.deployments.iter().find(live);
        let live = live.map(|row| (row.record.clone(), row.counted_as.clone()));
        let Some((mut record, counted_as)) = live else { return RemovalOutcome::NotLive };
        let unfinished = |row: &&mut Row| {
            row.record.metadata.links.removes.as_ref() == Some(&record.deployment.id)
                && row.record.state != State::RolledBack
        };
        let unfinished = self.deployments.iter_mut().find(unfinished);
        let removal = unfinished.as_ref().map(|row| row.record.deployment.id.clone());
        if !new.means(&record.deployment.id, removal.as_ref()) {
            return RemovalOutcome::DifferentStack;
        }
        if let Some(id) = removal.filter(|_| new.expired.is_some()) {
            return RemovalOutcome::UnderWay(id);
        }
        if let Some(row) = unfinished {
            if row.record.state == State::Stuck {
                row.record.clean_up.due = Some(new.started);
                row.record.panics = 0;
            }
            let id = row.record.deployment.id.clone();
            self.audit.extend(new.audit_entry.clone());
            return RemovalOutcome::Accepted(id);
        }
        let stack = record.revision.stack;
        let is_held = self.held(stack).is_some_and(|held| held.state == State::Active);
        if !is_held && !self.expires_at(stack, new.expired) {
            return RemovalOutcome::DifferentStack;
        }
        let later = match self.supersede(stack) {
            Superseded::Held(under_way) => return RemovalOutcome::UnderWay(under_way),
            Superseded::Free(until) => nobodys(until, new.started),
        };
        let is_later = later.is_some();
        let claim = later.or_else(|| new.claim.clone());
        if let Some(data) = &new.kept
            && let Some(most) = self.keep(&record.deployment.id, data)
        {
            return RemovalOutcome::KeptFull(most);
        }
        record.metadata = DeploymentMetadata {
            links: Links { removes: Some(record.deployment.id), ..Links::default() },
            ..DeploymentMetadata::default()
        };
        record.revision = self.revision_of(record.revision.stack);
        record.from = Some(record.revision.number);
        record.deployment.kind = new.kind;
        record.deployment.id = new.id.clone();
        record.deployment.started = new.started;
        record.state = State::Active;
        record.disposal = new.disposal;
        record.seq = 1;
        let first = Event { seq: 1, body: new.first.clone() };
        let row = Row::new(record, counted_as, &first);
        self.deployments.push(row.claimed(claim.as_ref()));
        self.begun(&new.id, Reason::of(new.expired));
        self.audit.extend(new.audit_entry.clone());
        let id = new.id.clone();
        if is_later { RemovalOutcome::Later(id) } else { RemovalOutcome::Accepted(id) }
    }
}
