//! The store in one SQLite file, for one portal process.
//!
//! One connection writes and several read (write-ahead log). The process holds an exclusive lock
//! on a file beside the database. So no other portal runs, and the leases of earlier processes are
//! void.

mod accounts;
mod audit;
mod backup;
mod beginning;
mod checkpointer;
mod connecting;
mod ending;
mod files;
mod identity;
mod inspect;
mod leases;
mod open_error;
mod quota;
mod reading;
mod responses;
mod sealed;
mod turns;
mod writing;

use std::{collections::HashMap, fs::File, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{ConnectOptions as _, Connection as _, Sqlite};

pub use self::{
    backup::{CopyError, back_up, begin_anew, restore},
    identity::LostRecords,
    open_error::OpenStoreError,
};
use self::{checkpointer::Checkpointer, identity::Found};
use super::{OtherVersion, pool, purge::Batch, rows, unavailable, unavailable_for, writes::Writes};
use crate::server::{
    audit::AuditEntry,
    auth::access::OwnerId,
    platform::AppName,
    store::{
        CancelOutcome, CancelRequest, CleanupRecord, Fact, IdempotencyKey, Lane, Lease,
        NewDeployment, NewRemoval, OperationFilter, Record, Recorded, RemovalOutcome, SealedSpec,
        Stack, Steps, Store, StoreError, StoredEvent, StoredResponse, Turn, TurnHolder, Usage,
    },
};
use domain::{deployment::DeploymentId, event::Seq, stack_name::StackName};

const READERS: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The time limit for getting a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
/// The time limit for writes under way when the store closes.
const LAST_WRITES: Duration = Duration::from_secs(2);

type Pool = pool::Pool<Sqlite>;

/// The store in one SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    writer: Pool,
    readers: Pool,
    writes: Writes,
    /// The checkpointer and the lock. Only a portal has them, a command does not.
    held: Option<Arc<(Checkpointer, File)>>,
}

impl SqliteStore {
    /// Opens the store at `path` for a portal: creates it if it is missing, migrates its tables
    /// and voids all leases.
    ///
    /// # Errors
    ///
    /// Returns why the store cannot be used, for example because another process holds its lock.
    pub async fn open(path: &Path) -> Result<Self, OpenStoreError> {
        let path = &files::resolve(path);
        let lock = files::lock(path).await?;
        if identity::check_files(path).await? == Found::Nothing {
            checkpointer::make(path).await?;
        }
        let checkpointer =
            Checkpointer::open(path, &checkpointer::options(path, BUSY_TIMEOUT)).await?;
        let store = Self::connect(path, Some((checkpointer.clone(), lock))).await?;
        checkpointer.begin().await?;
        for leases in [
            "UPDATE deployments SET lease_owner = NULL WHERE lease_owner IS NOT NULL",
            "UPDATE turns SET until_ms = 0",
        ] {
            let voided = sqlx::query(leases).execute(&store.writer).await;
            voided.map_err(|error| OpenStoreError::database(path, error))?;
        }
        Ok(store)
    }

    /// Opens the store at `path` for a command. A portal may be running on it, so this neither
    /// takes the lock nor changes a lease.
    ///
    /// # Errors
    ///
    /// Returns why the store cannot be used, for example because it does not exist.
    pub async fn open_for_cli(path: &Path) -> Result<Self, OpenStoreError> {
        let path = &files::resolve(path);
        // A running portal has checked its files itself, and may be changing them.
        if !files::is_held(path) && identity::check_files(path).await? == Found::Nothing {
            return Err(OpenStoreError::Missing { path: path.to_owned() });
        }
        Self::connect(path, None).await
    }

    /// Migrates the tables over a connection of its own, and returns the store with its pools.
    async fn connect(
        path: &Path,
        held: Option<(Checkpointer, File)>,
    ) -> Result<Self, OpenStoreError> {
        let database = |source| OpenStoreError::Database { path: path.to_owned(), source };
        let options = checkpointer::options(path, BUSY_TIMEOUT);
        let mut first = options.connect().await.map_err(|error| database(error.into()))?;
        let found =
            connecting::generation(&mut first).await.map_err(|error| database(error.into()))?;
        OtherVersion::of(found).map_err(|error| database(error.into()))?;
        if let Err(error) = identity::MIGRATIONS.run(&mut first).await {
            return Err(match OtherVersion::of_migration(&error) {
                Some(other) => database(other.into()),
                None => database(error.into()),
            });
        }
        first.close().await.map_err(|error| database(error.into()))?;
        let writer = Pool::new(1, ACQUIRE_TIMEOUT, options.clone());
        let readers = Pool::new(READERS, ACQUIRE_TIMEOUT, options.read_only(true));
        Ok(Self { writer, readers, writes: Writes::default(), held: held.map(Arc::new) })
    }

    /// Runs a write to completion, even if the caller drops the future.
    async fn finish<T, W>(&self, write: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        self.writes.finish(write).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn kind(&self) -> &'static str {
        "sqlite"
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.finish(writing::check(self.writer.clone())).await
    }

    async fn begin(
        &self,
        new: &NewDeployment,
        response: Option<&StoredResponse>,
    ) -> Result<(), StoreError> {
        self.finish(beginning::begin(self.writer.clone(), new.clone(), response.cloned())).await
    }

    async fn begin_removal(
        &self,
        name: &StackName,
        new: &NewRemoval,
    ) -> Result<RemovalOutcome, StoreError> {
        self.finish(beginning::begin_removal(self.writer.clone(), name.clone(), new.clone())).await
    }

    async fn store_response(&self, response: &StoredResponse) -> Result<(), StoreError> {
        self.finish(responses::keep_alone(self.writer.clone(), response.clone())).await
    }

    async fn stored_response(
        &self,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<StoredResponse>, StoreError> {
        responses::find(&self.readers, key, now).await
    }

    async fn find(&self, id: &DeploymentId) -> Result<Option<Record>, StoreError> {
        reading::find(&self.readers, id).await
    }

    async fn events(
        &self,
        id: &DeploymentId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        reading::events(&self.readers, id, after, limit).await
    }

    async fn last_events(
        &self,
        ids: &[&DeploymentId],
    ) -> Result<Vec<(DeploymentId, StoredEvent)>, StoreError> {
        reading::last_events(&self.readers, ids).await
    }

    async fn usage(&self, counted_as: &str, hour_ago: Timestamp) -> Result<Usage, StoreError> {
        quota::usage_alone(&self.readers, counted_as, hour_ago).await
    }

    async fn usages(
        &self,
        counted_as: &[&str],
        hour_ago: Timestamp,
    ) -> Result<Vec<Usage>, StoreError> {
        quota::usages(&self.readers, counted_as, hour_ago).await
    }

    async fn freed(
        &self,
        name: &StackName,
        since: Timestamp,
    ) -> Result<Option<(Option<OwnerId>, Timestamp)>, StoreError> {
        quota::freed_alone(&self.readers, name, since).await
    }

    async fn operations(&self, filter: &OperationFilter) -> Result<Vec<Record>, StoreError> {
        reading::operations(&self.readers, filter).await
    }

    async fn reserved(&self, names: &[StackName]) -> Result<Vec<StackName>, StoreError> {
        reading::reserved(&self.readers, names).await
    }

    async fn stacks(&self, name: Option<&StackName>) -> Result<Vec<Stack>, StoreError> {
        reading::stacks(&self.readers, name).await
    }

    async fn durations(&self, limit: u32) -> Result<Vec<Duration>, StoreError> {
        reading::durations(&self.readers, limit).await
    }

    async fn stuck_count(&self) -> Result<u64, StoreError> {
        reading::stuck_count(&self.readers).await
    }

    async fn stuck(&self) -> Result<Vec<Record>, StoreError> {
        reading::stuck(&self.readers).await
    }

    async fn services(&self) -> Result<Vec<(AppName, DeploymentId)>, StoreError> {
        reading::services(&self.readers).await
    }

    async fn cancel(
        &self,
        id: &DeploymentId,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<CancelOutcome, StoreError> {
        self.finish(ending::cancel(self.writer.clone(), id.clone(), now, audit_entry.cloned()))
            .await
    }

    async fn make_due_now(
        &self,
        id: &DeploymentId,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool, StoreError> {
        self.finish(ending::make_due_now(self.writer.clone(), id.clone(), audit_entry.cloned()))
            .await
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        loop {
            // Readers select the rows, so that the writer is busy only while it deletes them.
            let batch = ending::batch(&self.readers, before).await?;
            if batch == Batch::Nothing {
                return Ok(forgotten);
            }
            match self.finish(ending::purge(self.writer.clone(), batch, before)).await? {
                None => return Ok(forgotten),
                Some(deleted) => forgotten += deleted,
            }
        }
    }

    async fn claim(
        &self,
        lane: Lane,
        max: usize,
        owner: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Vec<Lease>, StoreError> {
        self.finish(leases::claim(self.writer.clone(), lane, max, owner.to_owned(), now, ttl)).await
    }

    async fn claim_ended(
        &self,
        id: &DeploymentId,
        owner: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        self.finish(leases::claim_ended(
            self.writer.clone(),
            id.clone(),
            owner.to_owned(),
            now,
            ttl,
        ))
        .await
    }

    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<CancelRequest, StoreError> {
        self.finish(leases::renew(self.writer.clone(), lease.clone(), until)).await
    }

    async fn renew_all(
        &self,
        leases: &[Lease],
        until: Timestamp,
    ) -> Result<Vec<(DeploymentId, CancelRequest)>, StoreError> {
        self.finish(leases::renew_all(self.writer.clone(), leases.to_vec(), until)).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.finish(leases::release(self.writer.clone(), lease.clone())).await
    }

    async fn suspend(&self, lease: &Lease, until: Timestamp) -> Result<(), StoreError> {
        self.finish(leases::suspend(self.writer.clone(), lease.clone(), until)).await
    }

    async fn take_turn(&self, turn: &Turn) -> Result<TurnHolder, StoreError> {
        self.finish(turns::take(self.writer.clone(), turn.clone())).await
    }

    async fn spec(&self, id: &DeploymentId) -> Result<Option<SealedSpec>, StoreError> {
        sealed::Specs::find(&self.readers, id).await
    }

    async fn store_spec(&self, lease: &Lease, spec: &SealedSpec) -> Result<(), StoreError> {
        self.finish(sealed::store(self.writer.clone(), lease.clone(), spec.clone())).await
    }

    async fn journal(&self, id: &DeploymentId) -> Result<Steps, StoreError> {
        reading::journal(&self.readers, id).await
    }

    async fn platform_logs(
        &self,
        ids: &[DeploymentId],
    ) -> Result<HashMap<DeploymentId, String>, StoreError> {
        reading::platform_logs(&self.readers, ids).await
    }

    async fn record(&self, lease: &Lease, fact: &Fact) -> Result<Recorded, StoreError> {
        self.finish(writing::record(self.writer.clone(), lease.clone(), fact.clone())).await
    }

    async fn record_cleanup(
        &self,
        lease: &Lease,
        cleanup: &CleanupRecord,
    ) -> Result<(), StoreError> {
        self.finish(ending::record_cleanup(self.writer.clone(), lease.clone(), cleanup.clone()))
            .await
    }

    async fn rechecked(&self, lease: &Lease, again: Option<Timestamp>) -> Result<(), StoreError> {
        self.finish(ending::rechecked(self.writer.clone(), lease.clone(), again)).await
    }

    async fn close(&self) {
        self.writes.finished(LAST_WRITES).await;
        self.readers.close().await;
        self.writer.close().await;
        if let Some(held) = &self.held {
            held.0.close().await;
        }
    }
}
