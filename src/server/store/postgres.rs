//! The store in a PostgreSQL database, which several portals may share.
//!
//! Rows that somebody works on are locked, and claims skip them. What one portal writes nudges
//! the others. Nothing here waits for ever: not for a connection, not for an answer, and not
//! for somebody who holds a lock and says nothing.

mod accounts;
mod audit;
mod beginning;
mod call_slots;
mod connecting;
mod ending;
mod leases;
mod nudges;
mod quota;
mod reading;
mod responses;
mod sealed;
mod turns;
mod writing;

use std::{collections::HashMap, str::FromStr, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{Postgres, postgres::PgConnectOptions};
use tokio::time::timeout;

use self::nudges::{NudgeListener, Origin};
use super::{OtherVersion, pool, rows, unavailable, unavailable_for, writes::Writes};
use crate::server::{
    audit::AuditEntry,
    auth::access::OwnerId,
    notifier::Notifier,
    platform::AppName,
    store::{
        CancelOutcome, CancelRequest, CleanupRecord, Fact, IdempotencyKey, Lane, Lease,
        NewDeployment, NewRemoval, OperationFilter, Record, Recorded, RemovalOutcome, SealedSpec,
        Stack, Steps, Store, StoreError, StoredEvent, StoredResponse, Turn, TurnHolder, Usage,
    },
};
use domain::{deployment::DeploymentId, event::Seq, stack_name::StackName};

/// The number of connections that a portal has at most, but for the one it listens on.
const CONNECTIONS: u32 = 16;
/// The time limit for getting a connection, and for the answer to a statement.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(4);
/// The time that one of the port's transactions may take as a whole.
const LIMIT: Duration = Duration::from_secs(8);
/// The time limit for writes under way at the end.
const LAST_WRITES: Duration = Duration::from_secs(2);
/// The time that the migration may take, with the wait for another portal that does the same.
const MIGRATION: Duration = Duration::from_mins(2);
/// The character that no text in PostgreSQL can hold.
const NUL: char = '\0';

type Pool = pool::Pool<Postgres>;

/// The store in a PostgreSQL database.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    pool: Pool,
    writes: Writes,
    origin: Origin,
    listening: Option<Arc<NudgeListener>>,
}

/// The database could not be opened as a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenPostgresError {
    /// The address is none. It may hold a password, so neither it nor the cause is told.
    #[error("is not the address of a database: give one like postgres://user:password@host/name")]
    Address,
    /// The server or the database in it cannot be reached.
    #[error("the PostgreSQL server cannot be reached, or rejects the portal")]
    Unreachable(#[source] sqlx::Error),
    /// The tables cannot be brought up to date.
    #[error("the PostgreSQL database cannot be used as the portal's")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// A newer version of the portal has changed it.
    #[error(transparent)]
    OtherVersion(#[from] OtherVersion),
    /// It takes too long.
    #[error("the PostgreSQL server does not answer")]
    Silent,
}

impl PostgresStore {
    /// Opens the database at `url`, brings its tables up to date, and hands nudges from other
    /// portals to `notifier`. Several portals may do so at once.
    ///
    /// # Errors
    ///
    /// Returns why it cannot be used.
    pub async fn open(
        url: &SecretString,
        notifier: Arc<Notifier>,
    ) -> Result<Self, OpenPostgresError> {
        let options = options(url)?;
        let mut store = Self::connect(options.clone()).await?;
        store.listening = Some(Arc::new(NudgeListener::start(options, store.origin, notifier)));
        Ok(store)
    }

    /// Opens the database at `url` for a command beside the portals: it listens to nobody.
    ///
    /// # Errors
    ///
    /// Returns why it cannot be used.
    pub async fn open_for_cli(url: &SecretString) -> Result<Self, OpenPostgresError> {
        Self::connect(options(url)?).await
    }

    async fn connect(options: PgConnectOptions) -> Result<Self, OpenPostgresError> {
        let migrated = timeout(MIGRATION, connecting::migrate(&options)).await;
        migrated.map_err(|_| OpenPostgresError::Silent)??;
        let pool = Pool::new(CONNECTIONS, ACQUIRE_TIMEOUT, options);
        let writes = Writes::default();
        Ok(Self { pool, writes, origin: Origin::random(), listening: None })
    }

    /// Asks the database, and once more where the connection was lost meanwhile: a connection
    /// that was used just now is believed to be one.
    async fn read<T, F>(&self, question: impl Fn() -> F + Send + Sync) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send,
        T: Send,
    {
        within(async {
            match question().await {
                Err(StoreError::Unavailable(error)) if connecting::is_loss(&*error) => {
                    question().await
                }
                response => response,
            }
        })
        .await
    }

    /// Finishes a write within its time, whether or not somebody waits for it.
    async fn finish<T: Send + 'static>(
        &self,
        write: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writes.finish(within(write)).await
    }
}

fn options(url: &SecretString) -> Result<PgConnectOptions, OpenPostgresError> {
    let options = PgConnectOptions::from_str(url.expose_secret());
    // What poolers refuse to be told at the start is left out, or set afterwards.
    Ok(options.map_err(|_| OpenPostgresError::Address)?.extra_float_digits(None))
}

/// Lets `transaction` take its time, but not for ever.
async fn within<T>(
    transaction: impl Future<Output = Result<T, StoreError>> + Send,
) -> Result<T, StoreError> {
    match timeout(LIMIT, transaction).await {
        Ok(result) => result,
        Err(late) => Err(unavailable_for(late.into())),
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn kind(&self) -> &'static str {
        "postgres"
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.finish(writing::check(self.pool.clone())).await
    }

    async fn begin(
        &self,
        new: &NewDeployment,
        response: Option<&StoredResponse>,
    ) -> Result<(), StoreError> {
        self.finish(beginning::begin(self.clone(), new.clone(), response.cloned())).await
    }

    async fn begin_removal(
        &self,
        name: &StackName,
        new: &NewRemoval,
    ) -> Result<RemovalOutcome, StoreError> {
        self.finish(beginning::begin_removal(self.clone(), name.clone(), new.clone())).await
    }

    async fn store_response(&self, response: &StoredResponse) -> Result<(), StoreError> {
        self.finish(responses::keep_alone(self.pool.clone(), response.clone())).await
    }

    async fn stored_response(
        &self,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<StoredResponse>, StoreError> {
        self.read(|| responses::find(&self.pool, key, now)).await
    }

    async fn find(&self, id: &DeploymentId) -> Result<Option<Record>, StoreError> {
        self.read(|| reading::find(&self.pool, id)).await
    }

    async fn events(
        &self,
        id: &DeploymentId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.read(|| reading::events(&self.pool, id, after, limit)).await
    }

    async fn last_events(
        &self,
        ids: &[&DeploymentId],
    ) -> Result<Vec<(DeploymentId, StoredEvent)>, StoreError> {
        self.read(|| reading::last_events(&self.pool, ids)).await
    }

    async fn usage(&self, counted_as: &str, hour_ago: Timestamp) -> Result<Usage, StoreError> {
        self.read(|| quota::usage_alone(&self.pool, counted_as, hour_ago)).await
    }

    async fn usages(
        &self,
        counted_as: &[&str],
        hour_ago: Timestamp,
    ) -> Result<Vec<Usage>, StoreError> {
        self.read(|| quota::usages(&self.pool, counted_as, hour_ago)).await
    }

    async fn freed(
        &self,
        name: &StackName,
        since: Timestamp,
    ) -> Result<Option<(Option<OwnerId>, Timestamp)>, StoreError> {
        self.read(|| quota::freed_alone(&self.pool, name, since)).await
    }

    async fn operations(&self, filter: &OperationFilter) -> Result<Vec<Record>, StoreError> {
        self.read(|| reading::operations(&self.pool, filter)).await
    }

    async fn reserved(&self, names: &[StackName]) -> Result<Vec<StackName>, StoreError> {
        self.read(|| reading::reserved(&self.pool, names)).await
    }

    async fn stacks(&self, name: Option<&StackName>) -> Result<Vec<Stack>, StoreError> {
        self.read(|| reading::stacks(&self.pool, name)).await
    }

    async fn durations(&self, limit: u32) -> Result<Vec<Duration>, StoreError> {
        self.read(|| reading::durations(&self.pool, limit)).await
    }

    async fn stuck_count(&self) -> Result<u64, StoreError> {
        self.read(|| reading::stuck_count(&self.pool)).await
    }

    async fn stuck(&self) -> Result<Vec<Record>, StoreError> {
        self.read(|| reading::stuck(&self.pool)).await
    }

    async fn services(&self) -> Result<Vec<(AppName, DeploymentId)>, StoreError> {
        self.read(|| reading::services(&self.pool)).await
    }

    async fn cancel(
        &self,
        id: &DeploymentId,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<CancelOutcome, StoreError> {
        self.finish(ending::cancel(self.clone(), id.clone(), now, audit_entry.cloned())).await
    }

    async fn make_due_now(
        &self,
        id: &DeploymentId,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool, StoreError> {
        self.finish(ending::make_due_now(
            self.clone(),
            id.clone(),
            Timestamp::UNIX_EPOCH,
            audit_entry.cloned(),
        ))
        .await
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        loop {
            let (deleted, is_more) = self.finish(ending::purge(self.clone(), before)).await?;
            forgotten += deleted;
            if !is_more {
                return Ok(forgotten);
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
        self.finish(leases::claim(self.clone(), lane, max, owner.to_owned(), now, ttl)).await
    }

    async fn claim_ended(
        &self,
        id: &DeploymentId,
        owner: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        self.finish(leases::claim_ended(self.clone(), id.clone(), owner.to_owned(), now, ttl)).await
    }

    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<CancelRequest, StoreError> {
        self.finish(leases::renew(self.clone(), lease.clone(), until)).await
    }

    async fn renew_all(
        &self,
        leases: &[Lease],
        until: Timestamp,
    ) -> Result<Vec<(DeploymentId, CancelRequest)>, StoreError> {
        self.finish(leases::renew_all(self.clone(), leases.to_vec(), until)).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.finish(leases::release(self.clone(), lease.clone())).await
    }

    async fn suspend(&self, lease: &Lease, until: Timestamp) -> Result<(), StoreError> {
        self.finish(leases::suspend(self.clone(), lease.clone(), until)).await
    }

    async fn take_turn(&self, turn: &Turn) -> Result<TurnHolder, StoreError> {
        self.finish(turns::take(self.clone(), turn.clone())).await
    }

    async fn spec(&self, id: &DeploymentId) -> Result<Option<SealedSpec>, StoreError> {
        self.read(|| sealed::Specs::find(&self.pool, id)).await
    }

    async fn store_spec(&self, lease: &Lease, spec: &SealedSpec) -> Result<(), StoreError> {
        self.finish(sealed::store(self.pool.clone(), lease.clone(), spec.clone())).await
    }

    async fn journal(&self, id: &DeploymentId) -> Result<Steps, StoreError> {
        self.read(|| reading::journal(&self.pool, id)).await
    }

    async fn platform_logs(
        &self,
        ids: &[DeploymentId],
    ) -> Result<HashMap<DeploymentId, String>, StoreError> {
        within(reading::platform_logs(&self.pool, ids)).await
    }

    async fn record(&self, lease: &Lease, fact: &Fact) -> Result<Recorded, StoreError> {
        self.finish(writing::record(self.clone(), lease.clone(), fact.clone())).await
    }

    async fn record_cleanup(
        &self,
        lease: &Lease,
        cleanup: &CleanupRecord,
    ) -> Result<(), StoreError> {
        self.finish(ending::record_cleanup(self.clone(), lease.clone(), cleanup.clone())).await
    }

    async fn rechecked(&self, lease: &Lease, again: Option<Timestamp>) -> Result<(), StoreError> {
        self.finish(ending::rechecked(self.clone(), lease.clone(), again)).await
    }

    async fn broken(&self) {
        match &self.listening {
            Some(listening) => listening.ended().await,
            None => std::future::pending().await,
        }
    }

    async fn close(&self) {
        if let Some(listening) = &self.listening {
            listening.stop().await;
        }
        self.writes.finished(LAST_WRITES).await;
        self.pool.close().await;
    }
}
