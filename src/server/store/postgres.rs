//! The store in a PostgreSQL database, which several portals may share.
//!
//! Rows that somebody works on are locked, and claims skip them. What one portal writes nudges
//! the others. Nothing here waits for ever: not for a connection, not for an answer, and not
//! for somebody who holds a lock and says nothing.

mod accounts;
mod answers;
mod audit;
mod beginning;
mod ending;
mod leases;
mod nudges;
mod quota;
mod reading;
mod writing;

use std::{str::FromStr, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

use self::nudges::{Listening, Origin};
use super::{rows, unavailable, unavailable_for};
use crate::{
    domain::{deployment::DeploymentId, event::Seq, stack_name::StackName},
    server::{
        access::OwnerId,
        notifier::Notifier,
        ports::{
            platform::AppName,
            store::{
                Answer, AnswerKey, Cancelling, Fact, Lane, Lease, NewDeployment, NewRemoval,
                OperationFilter, Record, Recorded, Removing, Settlement, Stack, Steps, Store,
                StoreError, StoredEvent, Usage, Wish,
            },
        },
    },
};

/// How many connections a portal has at most, but for the one it listens on.
const CONNECTIONS: u32 = 16;
/// How long a connection may take to be had, and a statement to be answered.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long one of the port's transactions may take as a whole.
const LIMIT: Duration = Duration::from_secs(8);
/// How long a connection that was put aside may take to answer that it is still one.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// How long the tables may take to be brought up to date, the wait for another portal that
/// does the same among it.
const MIGRATION: Duration = Duration::from_mins(2);

/// What no text in PostgreSQL can hold.
const NUL: char = '\0';

/// The store in a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresStore {
    pool: PgPool,
    origin: Origin,
    listening: Option<Listening>,
}

/// The database could not be opened as a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenPostgresError {
    /// The address is none. It may hold a password, so neither it nor the cause is told.
    #[error("is not the address of a database: give one like postgres://user:password@host/name")]
    Address,
    /// The server or the database in it cannot be reached.
    #[error("the PostgreSQL server cannot be reached, or refuses the portal")]
    Unreachable(#[source] sqlx::Error),
    /// The tables cannot be brought up to date.
    #[error("the PostgreSQL database cannot be used as the portal's")]
    Migration(#[source] sqlx::migrate::MigrateError),
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
        store.listening = Some(Listening::start(options, store.origin, notifier));
        Ok(store)
    }

    /// Opens the database at `url` for a command beside the portals: it listens to nobody.
    ///
    /// # Errors
    ///
    /// Returns why it cannot be used.
    pub async fn open_beside(url: &SecretString) -> Result<Self, OpenPostgresError> {
        Self::connect(options(url)?).await
    }

    async fn connect(options: PgConnectOptions) -> Result<Self, OpenPostgresError> {
        let migrated = timeout(MIGRATION, migrate(&options)).await;
        migrated.map_err(|_| OpenPostgresError::Silent)??;
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            // sqlx waits for such signs for ever. With its other end gone, a connection would keep
            // its place in the pool until the system gives it up: a quarter of an hour.
            .test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(lives(connection)))
            .after_release(|connection, _| Box::pin(lives(connection)))
            .after_connect(|connection, _| Box::pin(bound(connection)))
            .connect_lazy_with(options);
        Ok(Self { pool, origin: Origin::random(), listening: None })
    }
}

fn options(url: &SecretString) -> Result<PgConnectOptions, OpenPostgresError> {
    let options = PgConnectOptions::from_str(url.expose_secret());
    // What poolers refuse to be told at the start is left out, or set afterwards.
    Ok(options.map_err(|_| OpenPostgresError::Address)?.extra_float_digits(None))
}

/// Bounds what a connection may take: a portal that hangs in the middle of a transaction must
/// let go of its rows.
async fn bound(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "SELECT set_config('statement_timeout', $1, false),
                set_config('idle_in_transaction_session_timeout', $2, false)",
    )
    .bind(PATIENCE.as_millis().to_string())
    .bind(LIMIT.as_millis().to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Waits for a sign of life; an error lets the pool drop the connection without ceremony.
async fn lives(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    match timeout(SIGN_OF_LIFE, connection.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}

/// Brings the tables up to date, one portal after the other.
async fn migrate(options: &PgConnectOptions) -> Result<(), OpenPostgresError> {
    let connection = timeout(PATIENCE, options.connect()).await;
    let mut connection: PgConnection = connection
        .map_err(|_| OpenPostgresError::Silent)?
        .map_err(OpenPostgresError::Unreachable)?;
    sqlx::migrate!("migrations/postgres")
        .run_direct(None, &mut connection, false)
        .await
        .map_err(OpenPostgresError::Migration)?;
    connection.close().await.map_err(OpenPostgresError::Unreachable)
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
        within(writing::check(&self.pool)).await
    }

    async fn begin(&self, new: &NewDeployment, answer: Option<&Answer>) -> Result<(), StoreError> {
        within(beginning::begin(self, new, answer)).await
    }

    async fn begin_removal(
        &self,
        name: &StackName,
        new: &NewRemoval,
    ) -> Result<Removing, StoreError> {
        within(beginning::begin_removal(self, name, new)).await
    }

    async fn keep_answer(&self, answer: &Answer) -> Result<(), StoreError> {
        within(answers::keep_alone(&self.pool, answer)).await
    }

    async fn answer(&self, key: &AnswerKey, now: Timestamp) -> Result<Option<Answer>, StoreError> {
        within(answers::find(&self.pool, key, now)).await
    }

    async fn find(&self, id: &DeploymentId) -> Result<Option<Record>, StoreError> {
        within(reading::find(&self.pool, id)).await
    }

    async fn events(
        &self,
        id: &DeploymentId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        within(reading::events(&self.pool, id, after, limit)).await
    }

    async fn usage(&self, counted_as: &str, hour_ago: Timestamp) -> Result<Usage, StoreError> {
        within(quota::usage_alone(&self.pool, counted_as, hour_ago)).await
    }

    async fn freed(
        &self,
        name: &StackName,
        since: Timestamp,
    ) -> Result<Option<(Option<OwnerId>, Timestamp)>, StoreError> {
        within(quota::freed_alone(&self.pool, name, since)).await
    }

    async fn operations(&self, filter: &OperationFilter) -> Result<Vec<Record>, StoreError> {
        within(reading::operations(&self.pool, filter)).await
    }

    async fn reserved(&self, names: &[StackName]) -> Result<Vec<StackName>, StoreError> {
        within(reading::reserved(&self.pool, names)).await
    }

    async fn stacks(&self, name: Option<&StackName>) -> Result<Vec<Stack>, StoreError> {
        within(reading::stacks(&self.pool, name)).await
    }

    async fn durations(&self, limit: u32) -> Result<Vec<Duration>, StoreError> {
        within(reading::durations(&self.pool, limit)).await
    }

    async fn stuck_count(&self) -> Result<u64, StoreError> {
        within(reading::stuck_count(&self.pool)).await
    }

    async fn stuck(&self) -> Result<Vec<Record>, StoreError> {
        within(reading::stuck(&self.pool)).await
    }

    async fn services(&self) -> Result<Vec<(AppName, DeploymentId)>, StoreError> {
        within(reading::services(&self.pool)).await
    }

    async fn cancel(&self, id: &DeploymentId, now: Timestamp) -> Result<Cancelling, StoreError> {
        within(ending::cancel(self, id, now)).await
    }

    async fn hurry(&self, id: &DeploymentId) -> Result<bool, StoreError> {
        within(ending::hurry(self, id, Timestamp::UNIX_EPOCH)).await
    }

    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        loop {
            match within(ending::forget(self, before)).await? {
                0 => return Ok(forgotten),
                some => forgotten += some,
            }
        }
    }

    async fn claim(
        &self,
        lane: Lane,
        most: usize,
        owner: &str,
        now: Timestamp,
        lasting: Duration,
    ) -> Result<Vec<Lease>, StoreError> {
        within(leases::claim(self, lane, most, owner, now, lasting)).await
    }

    async fn claim_ended(
        &self,
        id: &DeploymentId,
        owner: &str,
        now: Timestamp,
        lasting: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        within(leases::claim_ended(self, id, owner, now, lasting)).await
    }

    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<Wish, StoreError> {
        within(leases::renew(self, lease, until)).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        within(leases::release(self, lease)).await
    }

    async fn suspend(&self, lease: &Lease, until: Timestamp) -> Result<(), StoreError> {
        within(leases::suspend(self, lease, until)).await
    }

    async fn journal(&self, id: &DeploymentId) -> Result<Steps, StoreError> {
        within(reading::journal(&self.pool, id)).await
    }

    async fn record(&self, lease: &Lease, fact: &Fact) -> Result<Recorded, StoreError> {
        within(writing::record(self, lease, fact)).await
    }

    async fn settle(&self, lease: &Lease, settlement: &Settlement) -> Result<(), StoreError> {
        within(ending::settle(self, lease, settlement)).await
    }

    async fn tidied(&self, lease: &Lease, again: Option<Timestamp>) -> Result<(), StoreError> {
        within(ending::tidied(self, lease, again)).await
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
        // It waits for connections in use; whoever has one is not waited for.
        timeout(PATIENCE, self.pool.close()).await.ok();
    }
}
