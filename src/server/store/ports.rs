//! The ports of the store, by what their callers need.
//!
//! Each method is one transaction, except that a removal that finds a stuck one makes that one due in
//! a transaction of its own. What a worker writes is guarded by its lease's fencing token, so
//! a worker that lost its lease cannot write. No port knows what the facts mean.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    CancelOutcome, CancelRequest, CleanupRecord, Fact, IdempotencyKey, Lane, Lease, NewDeployment,
    NewRemoval, OperationFilter, Record, Recorded, RemovalOutcome, SealedSpec, Stack, Steps,
    StoreError, StoredEvent, StoredResponse, TaskHolder, TaskLease, Usage,
};
use crate::server::{audit::AuditEntry, auth::access::OwnerId, platform::AppName};
use domain::{deployment::DeploymentId, event::Seq, kind::KindName, stack_name::StackName};

/// Begins stacks and takes them down, and tells what is there.
///
/// An `audit_entry` is written in the transaction of the action that it describes: either both are
/// kept, or neither. An action without an effect writes none.
#[async_trait]
pub trait Stacks: Send + Sync {
    /// Reserves the name, inserts the deployment with its first event and makes it
    /// claimable, all or nothing. Of several for one name, one wins. A retry is linked both
    /// ways.
    ///
    /// # Errors
    ///
    /// [`StoreError::NameTaken`] when the name is reserved; [`StoreError::KeyUsed`] when
    /// `response`'s key is in use, in which case nothing is inserted either.
    /// [`StoreError::NameHeld`] and [`StoreError::LimitReached`] where the quota says so, decided
    /// in the same transaction: of several at once, no more begin than may. A key that is in use
    /// comes first, then the name, then the limits; whatever it is, nothing is left of it.
    async fn begin(
        &self,
        new: &NewDeployment,
        response: Option<&StoredResponse>,
    ) -> Result<(), StoreError>;
    /// Inserts the removal of the live stack called `name`, with its first event, and makes it
    /// claimable. Where there is one that is under way or stuck, that one serves instead, and a
    /// stuck one becomes due, with its panics forgotten. Nothing changes where `new` means another stack. The name stays
    /// reserved until the removal ends with nothing left.
    async fn begin_removal(
        &self,
        name: &StackName,
        new: &NewRemoval,
    ) -> Result<RemovalOutcome, StoreError>;
    /// Lists the live stacks by name: all, or the one called `name`.
    async fn stacks(&self, name: Option<&StackName>) -> Result<Vec<Stack>, StoreError>;
    /// Returns which of `names` are reserved.
    async fn reserved(&self, names: &[StackName]) -> Result<Vec<StackName>, StoreError>;
    /// Counts what counts against quotas that are counted as each of `counted_as`, in their order;
    /// see [`hour_before`](super::hour_before).
    async fn usages(
        &self,
        counted_as: &[&str],
        hour_ago: Timestamp,
    ) -> Result<Vec<Usage>, StoreError>;
    /// Finds the last removal of a live stack called `name` that ended with nothing left after
    /// `since`: whose the stack was, and when the name became free.
    async fn freed(
        &self,
        name: &StackName,
        since: Timestamp,
    ) -> Result<Option<(Option<OwnerId>, Timestamp)>, StoreError>;
    /// Returns how long the last deployments that came up took, removed since or not: at most
    /// `limit`, newest first.
    async fn durations(&self, limit: u32) -> Result<Vec<Duration>, StoreError>;
}

/// Finds and lists operations, and does what somebody asks of one.
#[async_trait]
pub trait Operations: Send + Sync {
    /// Finds a deployment.
    async fn find(&self, id: &DeploymentId) -> Result<Option<Record>, StoreError>;
    /// Lists operations that pass `filter`, newest first.
    async fn operations(&self, filter: &OperationFilter) -> Result<Vec<Record>, StoreError>;
    /// Lists the operations of which something is left, oldest first.
    async fn stuck(&self) -> Result<Vec<Record>, StoreError>;
    /// Counts the operations of which something is left.
    async fn stuck_count(&self) -> Result<u64, StoreError>;
    /// Asks that a deployment be cancelled; asking again changes nothing.
    async fn cancel(
        &self,
        id: &DeploymentId,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<CancelOutcome, StoreError>;
    /// Makes the clean-up of a stuck operation due at once, and forgets its panics; `false` when
    /// it is not stuck.
    async fn make_due_now(
        &self,
        id: &DeploymentId,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool, StoreError>;
    /// Purges the deployments that ended before `before` with nothing left, or were removed before,
    /// with their events, and tells how many. What is live or stuck is kept: it still holds its
    /// name.
    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// Keeps the events and the steps of operations, and takes the facts of whoever holds a lease.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Lists a deployment's events after `after`, in order, at most `limit`.
    async fn events(
        &self,
        id: &DeploymentId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError>;
    /// Finds the last event of each of these, in any order.
    async fn last_events(
        &self,
        ids: &[&DeploymentId],
    ) -> Result<Vec<(DeploymentId, StoredEvent)>, StoreError>;
    /// Reads the journal of a deployment.
    async fn journal(&self, id: &DeploymentId) -> Result<Steps, StoreError>;
    /// Reads the platform's logs that these operations keep, for operators: of all in one go.
    async fn platform_logs(
        &self,
        ids: &[DeploymentId],
    ) -> Result<HashMap<DeploymentId, String>, StoreError>;
    /// Lists which services the store knows to be of which deployment, ended ones included.
    async fn services(&self) -> Result<Vec<(AppName, DeploymentId)>, StoreError>;
    /// Records a fact: the step's new state, its events and the end, all or nothing. After the end
    /// there are no more events.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when the lease is somebody else's by now;
    /// [`StoreError::CancelPending`] when the fact is an end that ignores a request to cancel.
    async fn record(&self, lease: &Lease, fact: &Fact) -> Result<Recorded, StoreError>;
    /// Records the result of a clean-up after the end. With nothing left the name is free.
    async fn record_cleanup(
        &self,
        lease: &Lease,
        cleanup: &CleanupRecord,
    ) -> Result<(), StoreError>;
    /// Records that somebody looked for the duplicates of a live stack, and when to look again, if
    /// at all.
    async fn rechecked(&self, lease: &Lease, again: Option<Timestamp>) -> Result<(), StoreError>;
}

/// Keeps what stacks are made of.
#[async_trait]
pub trait Specs: Send + Sync {
    /// Finds what the stack is made of that the deployment `id` creates, if that is stored.
    async fn spec(&self, id: &DeploymentId) -> Result<Option<SealedSpec>, StoreError>;
    /// Stores what the stack of a deployment is made of that an older version began, unless that is
    /// stored.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when the lease is somebody else's by now.
    async fn store_spec(&self, lease: &Lease, spec: &SealedSpec) -> Result<(), StoreError>;
}

/// Gives the leases of operations to those who drive them.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Gives `owner` the leases of the oldest operations of these `kinds` in `lane` that nobody
    /// holds at `now`: at most `max`, in any order. Other kinds are for other versions of the portal.
    async fn claim(
        &self,
        lane: Lane,
        kinds: &[KindName],
        max: usize,
        owner: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Vec<Lease>, StoreError>;
    /// Gives `owner` the lease of this operation, if it has ended and nobody holds it at `now`.
    async fn claim_ended(
        &self,
        id: &DeploymentId,
        owner: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<Lease>, StoreError>;
    /// Extends a lease, and returns the cancellation state by now.
    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<CancelRequest, StoreError>;
    /// Extends `leases`, all of one owner, and returns the cancellation state of each that was. One
    /// that was not may be lost, or somebody is writing to it: [`Self::renew`] tells.
    async fn renew_all(
        &self,
        leases: &[Lease],
        until: Timestamp,
    ) -> Result<Vec<(DeploymentId, CancelRequest)>, StoreError>;
    /// Hands a lease back, so that the deployment can be claimed at once.
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;
    /// Counts a panic of whoever drove the operation, takes the lease from them, and lets nobody
    /// claim the operation before `until`; after its end, that counts as a try of the clean-up.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] when the lease is somebody else's by now.
    async fn suspend(&self, lease: &Lease, until: Timestamp) -> Result<(), StoreError>;
}

/// Keeps the responses to requests, so that the same request has the same response.
#[async_trait]
pub trait Idempotency: Send + Sync {
    /// Stores the response to a request, unless its key has one already.
    async fn store_response(&self, response: &StoredResponse) -> Result<(), StoreError>;
    /// Finds the response stored under `key` that has not expired at `now`.
    async fn stored_response(
        &self,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<StoredResponse>, StoreError>;
}

/// Gives the leases of tasks that one portal does for all.
#[async_trait]
pub trait TaskLeases: Send + Sync {
    /// Takes, extends or hands back the lease of a task, unless another portal has it. Of several at
    /// once, one gets it.
    async fn take_task_lease(&self, lease: &TaskLease) -> Result<TaskHolder, StoreError>;
}

/// Everything that the portal keeps, and the care for it.
#[async_trait]
pub trait Store: Stacks + Operations + Journal + Specs + Leases + Idempotency + TaskLeases {
    /// Names the kind of store, as `/health` shows it.
    fn kind(&self) -> &'static str;
    /// Checks that the store takes writes, by a tiny one that lasts.
    async fn check(&self) -> Result<(), StoreError>;
    /// Waits until a task of the store's own has ended that should go on; for ever where there
    /// is none.
    async fn broken(&self) {
        std::future::pending::<()>().await;
    }
    /// Ends connections and tasks in good order.
    async fn close(&self);
}
