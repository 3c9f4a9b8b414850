//! The ports of the store in memory.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use ai_stack_deployer::server::audit::AuditEntry;
use ai_stack_deployer::server::metrics::OperationCounts;
use ai_stack_deployer::server::name_index::NameState;
use ai_stack_deployer::server::store::{
    CancelOutcome, CancelRequest, ExpiredStack, Lane, Lease, Leases, NewDeployment, NewOperation,
    NewRemoval, OperationFilter, OperationOutcome, Operations, PresentStack, Record,
    RemovalOutcome, Result, Stack, Stacks, State, Store, StoreError, StoredResponse, TimeToLive,
    Usage,
};
use async_trait::async_trait;
use domain::deployment::DeploymentId;
use domain::owner::OwnerId;
use domain::stack_id::StackId;
use domain::stack_name::StackName;
use jiff::Timestamp;
use tables::{Row, Tables, is_in};

mod accounts;
mod audit;
mod beginning;
mod journal;
mod kept;
mod lists;
mod measured;
mod on_stack;
mod responses;
mod stack_events;
mod tables;

/// The store in memory.
#[derive(Default)]
pub(crate) struct MemoryStore(Mutex<Tables>);

impl MemoryStore {
    /// Voids all leases, as a new start on SQLite does.
    pub(crate) fn void_leases(&self) {
        for row in &mut self.tables().deployments {
            row.until = Timestamp::MIN;
        }
    }

    /// Makes the store unreachable, or reachable again.
    pub(crate) fn set_down(&self, down: bool) {
        self.tables().down = down;
    }

    /// Lets checks hang from now on, or no longer.
    pub(crate) fn set_hanging(&self, hangs: bool) {
        self.tables().hangs = hangs;
    }

    /// Lists all deployments, oldest first.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.tables().records(|_| true)
    }

    /// Counts how often a reader looked at more than one deployment's own records.
    pub(crate) fn comparisons(&self) -> u32 {
        self.tables().comparisons
    }

    fn up(&self) -> Result<MutexGuard<'_, Tables>> {
        let tables = self.tables();
        if tables.down { Err(StoreError::Unavailable("switched off".into())) } else { Ok(tables) }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap()
    }
}

#[async_trait]
impl Stacks for MemoryStore {
    async fn begin(&self, new: &NewDeployment, response: Option<&StoredResponse>) -> Result<()> {
        self.up()?.begin(new, response)
    }

    async fn begin_removal(&self, name: &StackName, new: &NewRemoval) -> Result<RemovalOutcome> {
        Ok(self.up()?.begin_removal(name, new))
    }

    async fn begin_operation(
        &self,
        name: &StackName,
        new: &NewOperation,
    ) -> Result<OperationOutcome> {
        let mut tables = self.up()?;
        tables.use_key(new)?;
        let outcome = tables.begin_operation(name, new);
        if !matches!(outcome, Ok(OperationOutcome::Accepted(_) | OperationOutcome::Later(_))) {
            tables.give_key_back(new);
        }
        outcome
    }

    async fn present_stacks(&self, owner: Option<&OwnerId>) -> Result<Vec<PresentStack>> {
        Ok(self.up()?.present_stacks(owner))
    }

    async fn expired_stacks(&self, now: Timestamp) -> Result<Vec<ExpiredStack>> {
        Ok(self.up()?.expired_stacks(now))
    }

    async fn set_label(
        &self,
        stack: StackId,
        label: Option<&str>,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<()> {
        let mut tables = self.up()?;
        tables.labels.remove(&stack);
        tables.labels.extend(label.map(|label| (stack, label.to_owned())));
        tables.audit.extend(audit_entry.cloned());
        Ok(())
    }

    async fn stacks(&self, name: Option<&StackName>) -> Result<Vec<Stack>> {
        let mut tables = self.up()?;
        tables.comparisons += 1;
        Ok(tables.stacks(name))
    }

    async fn reserved(&self, names: &[StackName]) -> Result<Vec<StackName>> {
        let tables = self.up()?;
        let held = tables.deployments.iter().filter(|row| row.reserves());
        let held = held.map(|row| row.record.deployment.name.clone());
        Ok(held.filter(|name| names.contains(name)).collect())
    }

    async fn names(&self, freed_since: Option<Timestamp>) -> Result<HashMap<StackName, NameState>> {
        let tables = self.up()?;
        let rows = tables.deployments.iter();
        let names: BTreeSet<_> = rows.map(|row| row.record.deployment.name.clone()).collect();
        let state = |name: &StackName| {
            let own = |row: &&Row| row.reserves() && row.record.deployment.name == *name;
            if tables.deployments.iter().any(|row| own(&row)) {
                return Some(NameState::Reserved);
            }
            let (owner, at) = tables.freed(name, freed_since?)?;
            Some(NameState::Freed { owner, at })
        };
        Ok(names.into_iter().filter_map(|name| Some((name.clone(), state(&name)?))).collect())
    }

    async fn usages(&self, counted_as: &[&str], hour_ago: Timestamp) -> Result<Vec<Usage>> {
        let tables = self.up()?;
        Ok(counted_as.iter().map(|counted_as| tables.usage(counted_as, hour_ago)).collect())
    }

    async fn freed(
        &self,
        name: &StackName,
        since: Timestamp,
    ) -> Result<Option<(Option<OwnerId>, Timestamp)>> {
        Ok(self.up()?.freed(name, since))
    }

    async fn durations(&self, limit: u32) -> Result<Vec<TimeToLive>> {
        let mut tables = self.up()?;
        tables.comparisons += 1;
        Ok(tables.durations(limit))
    }
}

#[async_trait]
impl Operations for MemoryStore {
    async fn find(&self, id: &DeploymentId) -> Result<Option<Record>> {
        Ok(self.up()?.row(id).map(|row| row.record.clone()))
    }

    async fn operations(&self, filter: &OperationFilter) -> Result<Vec<Record>> {
        Ok(self.up()?.operations(filter))
    }

    async fn stuck(&self) -> Result<Vec<Record>> {
        Ok(self.up()?.records(|record| record.state == State::Stuck))
    }

    async fn counts(&self, now: Timestamp) -> Result<OperationCounts> {
        Ok(self.up()?.counts(now))
    }

    async fn cancel(
        &self,
        id: &DeploymentId,
        _: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<CancelOutcome> {
        let mut tables = self.up()?;
        let Some(row) = tables.row(id) else { return Ok(CancelOutcome::Unknown) };
        if row.record.state != State::Active {
            return Ok(CancelOutcome::AlreadyEnded);
        }
        row.record.cancel_request = CancelRequest::Requested;
        tables.audit.extend(audit_entry.cloned());
        Ok(CancelOutcome::Accepted)
    }

    async fn make_due_now(
        &self,
        id: &DeploymentId,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool> {
        let mut tables = self.up()?;
        let stuck = tables.row(id).filter(|row| row.record.state == State::Stuck);
        let Some(row) = stuck else { return Ok(false) };
        row.record.clean_up.due = Some(Timestamp::UNIX_EPOCH);
        row.record.panics = 0;
        tables.audit.extend(audit_entry.cloned());
        Ok(true)
    }

    async fn forget_secrets(&self, gone_before: Timestamp) -> Result<u64> {
        Ok(self.up()?.forget_secrets(gone_before))
    }

    async fn purge(&self, before: Timestamp) -> Result<u64> {
        let mut tables = self.up()?;
        let count = tables.deployments.len();
        let is_live = |row: &&Row| row.record.state == State::Live && row.released.is_none();
        let live = tables.deployments.iter().filter(is_live).map(|row| row.record.revision.stack);
        let present: Vec<_> = live.collect();
        let Tables { deployments, kept, .. } = &mut *tables;
        deployments.retain(|row| {
            let stack = row.record.revision.stack;
            let has_added = row.steps.records.contains_key(&domain::kind::StepId::NEW_VOLUMES);
            let is_needed = kept.contains_key(&stack) || (has_added && present.contains(&stack));
            is_needed || row.released.is_none_or(|released| released >= before)
        });
        Ok((count - tables.deployments.len()) as u64)
    }
}

#[async_trait]
impl Leases for MemoryStore {
    async fn claim(
        &self,
        lane: Lane,
        kinds: &[domain::kind::KindName],
        max: usize,
        owner: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Vec<Lease>> {
        let wanted = |record: &Record| is_in(lane, kinds, record, now);
        Ok(self.up()?.claim(wanted, max, owner, now, ttl))
    }

    async fn claim_ended(
        &self,
        id: &DeploymentId,
        owner: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<Lease>> {
        let wanted = |record: &Record| record.deployment.id == *id && record.state != State::Active;
        Ok(self.up()?.claim(wanted, 1, owner, now, ttl).pop())
    }

    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<CancelRequest> {
        let mut tables = self.up()?;
        let row = tables.leased(lease)?;
        row.until = until;
        Ok(row.record.cancel_request)
    }

    async fn renew_all(
        &self,
        leases: &[Lease],
        until: Timestamp,
    ) -> Result<Vec<(DeploymentId, CancelRequest)>> {
        let mut tables = self.up()?;
        let mut renewed = Vec::new();
        for lease in leases {
            if let Ok(row) = tables.leased(lease) {
                row.until = until;
                renewed.push((lease.id.clone(), row.record.cancel_request));
            }
        }
        Ok(renewed)
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        if let Ok(row) = self.up()?.leased(lease) {
            row.owner = None;
        }
        Ok(())
    }

    async fn suspend(&self, lease: &Lease, until: Timestamp) -> Result<()> {
        self.up()?.leased(lease)?.suspend(until);
        Ok(())
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn kind(&self) -> &'static str {
        "memory"
    }

    async fn check(&self) -> Result<()> {
        let hangs = {
            let mut tables = self.tables();
            tables.checks += 1;
            tables.hangs
        };
        if hangs {
            return std::future::pending().await;
        }
        self.up().map(drop)
    }

    async fn close(&self) {}
}
