//! The ports of the store, one for each need of its callers.
//!
//! Each method is one transaction, with one exception: [`Stacks::begin_removal`] makes a stuck
//! removal due in a second one. A worker's writes are guarded by its lease's fencing token, so a
//! worker that lost its lease cannot write (promise P10). Every method returns a `StoreError` if
//! the database fails; only other errors are listed. No port knows what the facts mean.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    CancelOutcome, CancelRequest, CleanupRecord, DataDeletion, DayLooks, ExpiredStack, Fact,
    IdempotencyKey, KeptData, KeptFilter, Lane, LearnedSpec, Lease, LookCounts, Measured,
    NewDeployment, NewOperation, NewRemoval, OperationFilter, OperationOutcome, PresentStack,
    Record, Recorded, RemovalOutcome, Result, Revision, Sample, SealedSpec, SeriesStep, Stack,
    StackTurn, StackVolumes, Steps, StoredEvent, StoredResponse, TaskHolder, TaskLease, TimeToLive,
    Usage,
};
use crate::server::audit::AuditEntry;
use crate::server::metrics::OperationCounts;
use crate::server::name_index::NameState;
use crate::server::platform::AppName;
use domain::deployment::DeploymentId;
use domain::event::Seq;
use domain::kind::KindName;
use domain::owner::OwnerId;
use domain::stack_event::StackEvent;
use domain::stack_id::{RevisionId, StackId};
use domain::stack_name::StackName;
use domain::stack_spec::StackSpec;
use domain::stack_spec::TemplateRef;

/// Starts deployments and removals, and lists live stacks, reserved names and usage.
///
/// An `audit_entry` is written in the transaction of the action that it describes: either both are
/// kept, or neither. An action without an effect writes none.
#[async_trait]
pub trait Stacks: Send + Sync {
    /// Reserves the name, inserts the deployment with its first event, and makes it claimable, all
    /// or nothing. Of several concurrent deployments of one name, one succeeds (promise P2). A
    /// retry and the deployment that it retries are linked both ways.
    ///
    /// # Errors
    ///
    /// `StoreError::KeyUsed` if the key of `response` is in use, `StoreError::NameTaken` if the
    /// name is reserved, `StoreError::DataInUse` if the data to bring back is not kept any more, and
    /// `StoreError::NameHeld` or `StoreError::LimitReached` if the quota
    /// does not allow it. They are checked in this order, and nothing is inserted then. The quota
    /// is checked in the same transaction, so concurrent starts cannot exceed it.
    async fn begin(&self, new: &NewDeployment, response: Option<&StoredResponse>) -> Result<()>;
    /// Inserts the removal of the live stack called `name`, with its first event, and makes it
    /// claimable. Data that it keeps is listed from then on. If a removal of the stack is already in
    /// progress or stuck, that one is returned
    /// instead, and a stuck one becomes due with its count of panics reset. Nothing changes if
    /// `new` means another stack of that name. The name stays reserved until the removal ends with
    /// nothing left (promise P3).
    async fn begin_removal(&self, name: &StackName, new: &NewRemoval) -> Result<RemovalOutcome>;
    /// Inserts an operation on the stack called `name`, with its first event, and makes it claimable.
    /// Of several at once, one succeeds (promise P20). If one of the same kind is under way, that
    /// one is returned instead, unless it leads to another revision. One that is stuck is superseded:
    /// it ends, and a worker that still cleans up after it loses its lease. The revision to which it
    /// leads is inserted in the same transaction, if the stack has the one that it comes from. One that
    /// the portal begins at the end of the stack's time begins only if the stack still has that.
    ///
    /// # Errors
    ///
    /// `StoreError::LimitReached` if its limit is reached, which is checked last,
    /// `StoreError::KeyUsed` if the key of the response is in use, and
    /// `StoreError::TemplateChanged` if the version of the template has another definition.
    async fn begin_operation(
        &self,
        name: &StackName,
        new: &NewOperation,
    ) -> Result<OperationOutcome>;
    /// Sets or removes what the owner of a stack calls it.
    async fn set_label(
        &self,
        stack: StackId,
        label: Option<&str>,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<()>;
    /// Lists the live stacks, ordered by name: all, or only the one called `name`.
    async fn stacks(&self, name: Option<&StackName>) -> Result<Vec<Stack>>;
    /// Lists the live stacks that expired at `now` or before, the first one at the beginning.
    async fn expired_stacks(&self, now: Timestamp) -> Result<Vec<ExpiredStack>>;
    /// Lists the stacks that are not gone, ordered by name: all, or only those of `owner`.
    async fn present_stacks(&self, owner: Option<&OwnerId>) -> Result<Vec<PresentStack>>;
    /// Returns which of `names` are reserved.
    async fn reserved(&self, names: &[StackName]) -> Result<Vec<StackName>>;
    /// Returns the state of every name that is reserved, and of every one that became free after
    /// `freed_since`, if that is given.
    async fn names(&self, freed_since: Option<Timestamp>) -> Result<HashMap<StackName, NameState>>;
    /// Returns the usage of each of `counted_as`, which are owners or addresses, in their order.
    /// `hour_ago` is the result of [`hour_before`](super::hour_before).
    async fn usages(&self, counted_as: &[&str], hour_ago: Timestamp) -> Result<Vec<Usage>>;
    /// Finds the last stack called `name` that was live and whose name became free after `since`.
    /// Returns its owner, and when the name became free.
    async fn freed(
        &self,
        name: &StackName,
        since: Timestamp,
    ) -> Result<Option<(Option<OwnerId>, Timestamp)>>;
    /// Returns the durations of the last successful deployments with their templates, newest first, at most `limit`.
    /// Stacks that are removed by now count as well.
    async fn durations(&self, limit: u32) -> Result<Vec<TimeToLive>>;
}

/// Finds and lists operations, and records requests about them.
#[async_trait]
pub trait Operations: Send + Sync {
    /// Finds an operation.
    async fn find(&self, id: &DeploymentId) -> Result<Option<Record>>;
    /// Lists operations that pass `filter`, newest first.
    async fn operations(&self, filter: &OperationFilter) -> Result<Vec<Record>>;
    /// Lists the stuck operations, oldest first.
    async fn stuck(&self) -> Result<Vec<Record>>;
    /// Counts the operations in progress, those that a worker holds at `now`, and the stuck ones.
    async fn counts(&self, now: Timestamp) -> Result<OperationCounts>;
    /// Requests the cancellation of an operation. A repeated request changes nothing.
    async fn cancel(
        &self,
        id: &DeploymentId,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<CancelOutcome>;
    /// Makes the clean-up of a stuck operation due now, and resets its count of panics. Returns
    /// `false` if the operation is not stuck.
    async fn make_due_now(
        &self,
        id: &DeploymentId,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool>;
    /// Purges the operations of which nothing is left since a time before `before`, with their
    /// events, and returns how many. Live and stuck ones are kept, since they still reserve their
    /// name.
    async fn purge(&self, before: Timestamp) -> Result<u64>;
    /// Deletes the sealed secrets of the stacks that were gone before `gone_before`, and returns their
    /// number. Until then, a failed deployment can be tried again with them.
    async fn forget_secrets(&self, gone_before: Timestamp) -> Result<u64>;
}

/// Stores the events and steps of operations, as facts that the holder of the lease records.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Lists the events of an operation after `after`, in order, at most `limit`.
    async fn events(&self, id: &DeploymentId, after: Seq, limit: u32) -> Result<Vec<StoredEvent>>;
    /// Finds the last event of each of these operations, in any order.
    async fn last_events(&self, ids: &[&DeploymentId]) -> Result<Vec<(DeploymentId, StoredEvent)>>;
    /// Finds the last event of each of these operations that is no line of its log, in any order.
    async fn last_told(&self, ids: &[&DeploymentId]) -> Result<Vec<(DeploymentId, StoredEvent)>>;
    /// Reads the journal of an operation.
    async fn journal(&self, id: &DeploymentId) -> Result<Steps>;
    /// Reads the platform's logs of these operations, for operators. One query serves all.
    async fn platform_logs(&self, ids: &[DeploymentId]) -> Result<HashMap<DeploymentId, String>>;
    /// Finds the volumes that the operations of a stack named, and that may exist.
    async fn stack_volumes(&self, stack: StackId) -> Result<StackVolumes>;
    /// Lists all recorded services with their deployments, including ended ones.
    async fn services(&self) -> Result<Vec<(AppName, DeploymentId)>>;
    /// Records a fact: the step's new state, its events and the end, all or nothing. After the end
    /// there are no more events.
    ///
    /// # Errors
    ///
    /// `StoreError::LeaseLost` if another worker has the lease, or the fact has events or an end
    /// although the operation has ended; `StoreError::CancelPending` if the fact is an end whose
    /// writer did not know of a request to cancel.
    async fn record(&self, lease: &Lease, fact: &Fact) -> Result<Recorded>;
    /// Records the result of a clean-up after the end. If nothing is left, the name becomes free.
    ///
    /// # Errors
    ///
    /// `StoreError::LeaseLost` if another worker has the lease.
    async fn record_cleanup(&self, lease: &Lease, cleanup: &CleanupRecord) -> Result<()>;
    /// Records that a live stack was searched for duplicates, and the time of the next search, if
    /// any.
    ///
    /// # Errors
    ///
    /// `StoreError::LeaseLost` if another worker has the lease.
    async fn rechecked(&self, lease: &Lease, again: Option<Timestamp>) -> Result<()>;
}

/// Lists the events of stacks. Most are appended by the other ports, in the transactions of what they
/// tell.
#[async_trait]
pub trait StackEvents: Send + Sync {
    /// Lists the events of a stack after `after`, in order, at most `limit`.
    async fn stack_events(&self, stack: StackId, after: Seq, limit: u32)
    -> Result<Vec<StackEvent>>;
    /// Records what was found out about a stack or decided, with its event. Returns `false`, and
    /// changes nothing, if the stack has another event since it was looked at, is gone, or is so
    /// already.
    async fn record_turn(&self, turn: &StackTurn) -> Result<bool>;
    /// Adds looks at stacks to those of the day. Those of days that are more than 90 days ago are
    /// deleted.
    async fn count_looks(&self, at: Timestamp, looks: &[(StackId, LookCounts)]) -> Result<()>;
    /// Lists the looks at a stack by days, from `day` on.
    async fn looks(&self, stack: StackId, day: i64) -> Result<Vec<DayLooks>>;
}

/// Adds up what stacks use.
#[async_trait]
pub trait Measurements: Send + Sync {
    /// Adds what stacks used at that time to the steps of all series. Steps whose time is over are
    /// deleted.
    async fn record_measured(&self, at: Timestamp, samples: &[(StackId, Sample)]) -> Result<()>;
    /// Lists what a stack used in the steps of a series that began at or after `since`, in order.
    async fn measured(
        &self,
        stack: StackId,
        step: SeriesStep,
        since: Timestamp,
    ) -> Result<Vec<Measured>>;
}

/// Stores the specs of stacks.
#[async_trait]
pub trait Specs: Send + Sync {
    /// Finds the stored spec of a revision.
    async fn spec(&self, revision: RevisionId) -> Result<Option<SealedSpec>>;
    /// Finds the specs of the revisions that these stacks have now. One that is only assumed or
    /// cannot be read is left out.
    async fn present_specs(&self, stacks: &[StackId]) -> Result<Vec<(RevisionId, StackSpec)>>;
    /// Lists the revisions of a stack, newest first. One of an older version that did not keep what
    /// it is made of is not listed.
    async fn revisions(&self, stack: StackId) -> Result<Vec<Revision>>;
    /// Stores the spec of the revision of an operation that an older version began without one. An
    /// existing spec is not replaced.
    ///
    /// # Errors
    ///
    /// `StoreError::LeaseLost` if another worker has the lease.
    async fn store_spec(&self, lease: &Lease, spec: &SealedSpec) -> Result<()>;
    /// Stores what the platform showed of the revision of a live stack, in place of what is only
    /// assumed. Its outcome stays unknown. Nothing changes if the spec is known by now, the stack
    /// has another revision, is not live, or an operation on it is under way.
    ///
    /// # Errors
    ///
    /// `StoreError::TemplateChanged` if the version of the template has another definition.
    async fn learn_spec(&self, learned: &LearnedSpec) -> Result<()>;
}

/// Keeps the data of stacks that are gone.
#[async_trait]
pub trait Kept: Send + Sync {
    /// Lists kept data that passes `filter`, the one that is deleted first at the beginning.
    async fn kept_data(&self, filter: &KeptFilter) -> Result<Vec<KeptData>>;
    /// Marks the data of `stack` as lost since then, or as there again. Data that is not just kept
    /// stays as it is.
    async fn mark_lost(&self, stack: StackId, lost: Option<Timestamp>) -> Result<()>;
    /// Inserts the operation `new`, which deletes the kept data of `stack`. If there is one already,
    /// that one is returned instead, and a stuck one becomes due.
    async fn begin_deletion(&self, stack: StackId, new: &NewRemoval) -> Result<DataDeletion>;
}

/// Keeps the definitions of the templates that stacks began with.
#[async_trait]
pub trait Templates: Send + Sync {
    /// Lists all of them.
    async fn used_templates(&self) -> Result<Vec<TemplateRef>>;
    /// Finds a definition, as JSON, by its digest.
    async fn template(&self, digest: &str) -> Result<Option<String>>;
}

/// Grants the leases of operations to workers.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Grants `owner` the leases of the oldest operations in `lane` that no worker holds at `now`:
    /// at most `max`, in any order. It claims only these `kinds`: others belong to other versions
    /// of the portal. A lease expires `ttl` after `now`.
    async fn claim(
        &self,
        lane: Lane,
        kinds: &[KindName],
        max: usize,
        owner: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Vec<Lease>>;
    /// Grants `owner` the lease of this operation, if it has ended and no worker holds the lease at
    /// `now`.
    async fn claim_ended(
        &self,
        id: &DeploymentId,
        owner: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<Lease>>;
    /// Extends a lease, and returns the current cancellation state.
    ///
    /// # Errors
    ///
    /// `StoreError::LeaseLost` if another worker has the lease.
    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<CancelRequest>;
    /// Extends `leases`, which have one owner, and returns the cancellation state of each extended
    /// one. A lease that is not returned may be lost, or its row is locked: [`Self::renew`] shows
    /// which.
    async fn renew_all(
        &self,
        leases: &[Lease],
        until: Timestamp,
    ) -> Result<Vec<(DeploymentId, CancelRequest)>>;
    /// Releases a lease, so that the operation can be claimed at once. Releasing a lost lease does
    /// nothing.
    async fn release(&self, lease: &Lease) -> Result<()>;
    /// Counts a panic of the saga, ends its lease, and lets no worker claim the operation before
    /// `until`. After the operation's end, the panic also counts as an attempt of the clean-up.
    ///
    /// # Errors
    ///
    /// `StoreError::LeaseLost` if another worker has the lease.
    async fn suspend(&self, lease: &Lease, until: Timestamp) -> Result<()>;
}

/// Stores the responses to requests with an idempotency key, so that a repeated request gets the
/// same response.
#[async_trait]
pub trait Idempotency: Send + Sync {
    /// Stores the response to a request. If its key already has one, that stays.
    async fn store_response(&self, response: &StoredResponse) -> Result<()>;
    /// Finds the response to the request with `key`, unless it has expired at `now`.
    async fn stored_response(
        &self,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<StoredResponse>>;
}

/// Grants the leases of tasks that one replica does for all.
#[async_trait]
pub trait TaskLeases: Send + Sync {
    /// Takes, extends or releases the lease of a task, unless another replica has it. Of several
    /// concurrent calls, one succeeds.
    async fn take_task_lease(&self, lease: &TaskLease) -> Result<TaskHolder>;
}

/// All ports about stacks and operations, and the life cycle of the store.
#[async_trait]
pub trait Store:
    Stacks
    + Operations
    + Journal
    + StackEvents
    + Measurements
    + Specs
    + Kept
    + Templates
    + Leases
    + Idempotency
    + TaskLeases
{
    /// Returns the kind of database, as `/health` shows it.
    fn kind(&self) -> &'static str;
    /// Stores the portal's name, unless there are stacks that were created under another name. A
    /// store that does not outlive the portal stores none.
    async fn keep_portal_name(&self, _name: &str) -> Result<()> {
        Ok(())
    }
    /// Returns the stored name under which the stacks were created; `None` if there are no stacks.
    async fn name_of_stacks(&self) -> Result<Option<String>> {
        Ok(None)
    }
    /// Checks that the database accepts writes, by a small write that is committed.
    async fn check(&self) -> Result<()>;
    /// Waits until a background task of the store has ended unexpectedly. It never returns if the
    /// store has no task.
    async fn broken(&self) {
        std::future::pending::<()>().await;
    }
    /// Finishes writes, stops background tasks and closes connections.
    async fn close(&self);
}
