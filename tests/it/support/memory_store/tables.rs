//! The tables of the store in memory.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use ai_stack_deployer::server::audit::AuditEntry;
use ai_stack_deployer::server::store::{
    CancelRequest, Claim, CleanupRecord, Desired, KeptData, Lane, Lease, Record, Result,
    RevisionOutcome, SealedSpec, SeriesStep, State, Steps, StoreError, StoredEvent, StoredResponse,
    TaskHolder, TaskLease, TemplateDefinition, TimeToLive,
};
use domain::deployment::DeploymentId;
use domain::event::Event;
use domain::kind::{KindName, Kinds};
use domain::owner::OwnerId;
use domain::stack_id::{RevisionId, StackId};
use domain::template::Volume;
use jiff::Timestamp;

use super::accounts::AccountTables;
use super::measured::Sums;
use super::stack_events::Life;

/// The content of the store, and its injected faults.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) deployments: Vec<Row>,
    pub(super) specs: HashMap<RevisionId, SealedSpec>,
    pub(super) are_specs_spoiled: bool,
    /// The volume of each new stack.
    pub(super) volume: Option<Volume>,
    /// The definitions of templates, by their digests.
    pub(super) templates: BTreeMap<String, TemplateDefinition>,
    /// Kept data, with the stack that has it.
    pub(super) kept: BTreeMap<StackId, (KeptData, Option<StackId>)>,
    /// What became of revisions.
    pub(super) outcomes: HashMap<RevisionId, RevisionOutcome>,
    /// The operations that made revisions, who asked for them and when.
    pub(super) makers: HashMap<RevisionId, Maker>,
    /// The revisions that stacks have, if that is not the first one.
    pub(super) revisions: HashMap<StackId, u32>,
    /// What the owners of stacks call them.
    pub(super) labels: HashMap<StackId, String>,
    /// What stacks should be, if it is not that they run.
    pub(super) desired: HashMap<StackId, Desired>,
    /// What is stored of stacks besides their operations.
    pub(super) lives: HashMap<StackId, Life>,
    /// What stacks used, by stacks, series and steps.
    pub(super) measured: BTreeMap<(StackId, SeriesStep, i64), Sums>,
    pub(super) responses: HashMap<(String, String), StoredResponse>,
    pub(super) accounts: AccountTables,
    pub(super) audit: Vec<AuditEntry>,
    task_leases: HashMap<&'static str, (String, Timestamp, Option<String>)>,
    pub(super) down: bool,
    pub(super) hangs: bool,
    pub(super) checks: u32,
    pub(super) comparisons: u32,
}

/// The operation that made a revision, who asked for it and when.
pub(super) type Maker = (Option<DeploymentId>, Option<OwnerId>, Option<Timestamp>);

/// An operation with its events and its lease.
pub(super) struct Row {
    pub(super) record: Record,
    pub(super) counted_as: Option<String>,
    /// The id of the template of a deployment.
    pub(super) template: String,
    pub(super) released: Option<Timestamp>,
    pub(super) events: Vec<StoredEvent>,
    pub(super) steps: Steps,
    pub(super) owner: Option<String>,
    pub(super) token: i64,
    pub(super) until: Timestamp,
}

impl super::MemoryStore {
    /// Returns how often it was checked whether the store accepts writes.
    pub(crate) fn checks(&self) -> u32 {
        self.tables().checks
    }
}

impl Tables {
    /// Finds an operation.
    pub(super) fn row(&mut self, id: &DeploymentId) -> Option<&mut Row> {
        self.deployments.iter_mut().find(|row| row.record.deployment.id == *id)
    }

    /// Finds the operation of `lease`, if that is still held.
    pub(super) fn leased(&mut self, lease: &Lease) -> Result<&mut Row> {
        self.row(&lease.id)
            .filter(|row| row.token == lease.token && row.owner.as_ref() == Some(&lease.owner))
            .ok_or(StoreError::LeaseLost)
    }

    /// Returns whether the row is that of a successful deployment, even if its stack is removed by
    /// now.
    pub(super) fn came_up(&self, row: &Row) -> bool {
        let id = Some(&row.record.deployment.id);
        match row.record.state {
            State::Live => true,
            State::RolledBack => {
                self.deployments.iter().any(|row| row.record.metadata.links.removes.as_ref() == id)
            }
            State::Active | State::Stuck => false,
        }
    }

    /// Returns the durations of the last successful deployments, newest first.
    pub(super) fn durations(&self, limit: u32) -> Vec<TimeToLive> {
        let mut ended: Vec<_> = self.deployments.iter().filter(|row| self.came_up(row)).collect();
        ended.sort_by_key(|row| std::cmp::Reverse(row.record.metadata.completed));
        let took = |row: &Row| {
            let completed = row.record.metadata.completed.unwrap();
            let took = completed.duration_since(row.record.deployment.started).unsigned_abs();
            TimeToLive { template: row.template.clone(), took }
        };
        ended.into_iter().map(took).take(limit as usize).collect()
    }

    /// Records what is of the stack of the operation `id`, of which nothing is left to do.
    pub(super) fn end(&mut self, id: &DeploymentId, at: Timestamp, leaves: Option<Desired>) {
        let stack = self.row(id).map(|row| row.record.revision.stack);
        if let (Some(desired), Some(stack)) = (leaves, stack) {
            self.desired.insert(stack, desired);
        } else {
            self.release_removed(id, at);
            self.settle(id, at);
        }
    }

    /// Records what became of the revision to which the operation `id` led.
    pub(super) fn conclude(&mut self, id: &DeploymentId, outcome: RevisionOutcome) {
        let Some(Record { revision, metadata, .. }) = self.row(id).map(|row| row.record.clone())
        else {
            return;
        };
        if metadata.links.removes.is_some() || !self.specs.contains_key(&revision) {
            return;
        }
        match (self.outcomes.get(&revision), outcome) {
            (None, _) | (Some(RevisionOutcome::Untried), RevisionOutcome::Live) => {
                self.outcomes.insert(revision, outcome);
            }
            (Some(_), _) => {}
        }
    }

    /// Gives the stack the revision to which the operation `id` led.
    pub(super) fn reach(&mut self, id: &DeploymentId) {
        let Some(record) = self.row(id).map(|row| row.record.clone()) else { return };
        if record.metadata.links.removes.is_none() {
            self.revisions.insert(record.revision.stack, record.revision.number);
        }
    }

    /// Deletes the secrets of the stacks that were gone before then, and returns their number.
    pub(super) fn forget_secrets(&mut self, gone_before: Timestamp) -> u64 {
        let Self { deployments, specs, .. } = self;
        let is_gone = |revision: &RevisionId| {
            deployments.iter().any(|row| {
                row.record.deployment.id == revision.stack.deployment()
                    && row.released.is_some_and(|released| released < gone_before)
            })
        };
        let gone = specs.iter_mut().filter(|(revision, _)| is_gone(revision));
        gone.map(|(_, sealed)| std::mem::take(&mut sealed.secrets).len() as u64).sum()
    }

    /// Frees the name of the stack that the removal `id` removed.
    pub(super) fn release_removed(&mut self, id: &DeploymentId, at: Timestamp) {
        let removed = self.row(id).and_then(|row| row.record.metadata.links.removes.clone());
        if let Some(row) = removed.and_then(|removed| self.row(&removed)) {
            row.record.state = State::RolledBack;
            // A deletion of kept data ends long after the name became free.
            row.released.get_or_insert(at);
        }
    }

    /// Takes, extends or releases the lease of a task, unless another replica has it.
    pub(super) fn take_task_lease(&mut self, lease: &TaskLease) -> TaskHolder {
        let mut report = lease.report.clone();
        if let Some((owner, until, kept)) = self.task_leases.get(lease.task) {
            if *owner != lease.owner && *until > lease.now && *until <= lease.impossible() {
                return TaskHolder::Theirs(kept.clone());
            }
            report = report.or_else(|| kept.clone());
        }
        self.task_leases.insert(lease.task, (lease.owner.clone(), lease.until(), report.clone()));
        TaskHolder::Ours(report)
    }

    /// Claims the first operations that are `wanted` and that no worker holds at `now`, at most
    /// `max`.
    pub(super) fn claim(
        &mut self,
        wanted: impl Fn(&Record) -> bool,
        max: usize,
        owner: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Vec<Lease> {
        let free =
            |row: &&mut Row| wanted(&row.record) && (row.owner.is_none() || row.until <= now);
        let mut claimable: Vec<_> = self.deployments.iter_mut().filter(free).collect();
        claimable.sort_by_key(|row| row.record.deployment.started);
        let claimed = claimable.into_iter().take(max).map(|row| {
            let former = row.owner.replace(owner.to_owned()).filter(|former| !former.is_empty());
            row.token += 1;
            row.until = now + ttl;
            let id = row.record.deployment.id.clone();
            Lease { id, owner: owner.to_owned(), token: row.token, former }
        });
        claimed.collect()
    }
}

impl Row {
    /// Creates a row with its first event.
    pub(super) fn new(record: Record, counted_as: Option<String>, first: &Event) -> Self {
        Self {
            record,
            counted_as,
            template: String::new(),
            released: None,
            events: vec![stored(first)],
            steps: Steps::default(),
            owner: None,
            token: 0,
            until: Timestamp::MIN,
        }
    }

    /// Adds the lease with which it begins, if there is one.
    pub(super) fn claimed(self, claim: Option<&Claim>) -> Self {
        let Some(claim) = claim else { return self };
        Self { owner: Some(claim.owner.clone()), token: claim.token, until: claim.until, ..self }
    }

    /// Records the result of a clean-up.
    pub(super) fn record_cleanup(&mut self, cleanup: &CleanupRecord) {
        self.record.metadata.receipt = Some(cleanup.receipt.clone());
        self.record.clean_up.tries += 1;
        self.record.clean_up.due = Some(cleanup.due);
        if cleanup.receipt.clean {
            self.record.clean_up.due = None;
            self.record.state = State::RolledBack;
            self.released = Some(cleanup.at);
        }
    }

    /// Records a search for duplicates of a live stack.
    pub(super) fn rechecked(&mut self, again: Option<Timestamp>) -> Result<()> {
        if self.record.state != State::Live {
            return Err(StoreError::LeaseLost);
        }
        self.record.clean_up.tries += 1;
        self.record.clean_up.due = again;
        Ok(())
    }

    /// Counts a panic, and lets no worker claim it before `until`.
    pub(super) fn suspend(&mut self, until: Timestamp) {
        self.record.panics += 1;
        self.token += 1;
        self.until = until;
        self.owner = Some(String::new());
        if self.record.state != State::Active {
            self.owner = None;
            self.record.clean_up.tries += 1;
            self.record.clean_up.due = Some(until);
        }
    }

    /// Returns whether it is a removal.
    pub(super) fn is_removal(&self) -> bool {
        self.record.metadata.links.removes.is_some()
    }

    /// Returns whether it reserves its name.
    pub(super) fn reserves(&self) -> bool {
        self.record.state != State::RolledBack && !self.is_removal() && !keeps_stack(&self.record)
    }
}

/// Returns whether the operation is about a stack that is there, and leaves it there.
pub(super) fn keeps_stack(record: &Record) -> bool {
    Kinds::default().of(record.deployment.kind).keeps_stack()
}

/// Converts an event to its stored form.
pub(super) fn stored(event: &Event) -> StoredEvent {
    StoredEvent { seq: event.seq, name: event.name().to_owned(), data: event.data() }
}

/// Returns whether a worker that knows these kinds may claim an operation in `lane` at `now`.
pub(super) fn is_in(lane: Lane, kinds: &[KindName], record: &Record, now: Timestamp) -> bool {
    let is_known = kinds.contains(&record.deployment.kind);
    is_known
        && match lane {
            Lane::Forward => record.state == State::Active,
            Lane::CleanUp { overdue } => match record.state {
                State::Active => {
                    record.cancel_request == CancelRequest::Requested
                        || record.metadata.links.removes.is_some()
                        || keeps_stack(record)
                        || record.deployment.started <= overdue
                }
                State::Stuck | State::Live => record
                    .clean_up
                    .due
                    .is_some_and(|due| due <= now || due > now + Duration::from_mins(31)),
                State::RolledBack => false,
            },
        }
}
