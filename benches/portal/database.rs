//! The databases of portals that are processes of their own, as seen from beside them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::auth::accounts::Accounts;
use ai_stack_deployer::server::store::postgres::PostgresStore;
use ai_stack_deployer::server::store::sqlite::SqliteStore;
use ai_stack_deployer::server::store::{Lane, Store};
use anyhow::ensure;
use domain::kind::KindName;
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqliteConnection, raw_sql};

/// The pause between two looks at who holds what.
const LOOK_PAUSE: Duration = Duration::from_millis(2);
/// The time that something may take that has to come.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The one who holds how many operations under way, and until when at most, in Unix milliseconds.
const HOLDERS: &str = "SELECT lease_owner, count(*), max(lease_until_ms) FROM operations
    WHERE state = 'active' AND lease_owner IS NOT NULL GROUP BY lease_owner";

/// A database.
pub(crate) enum Database {
    /// In this file.
    Sqlite(PathBuf),
    /// At this address.
    Postgres(String),
}

/// A portal that holds leases.
#[derive(Debug)]
pub(crate) struct Holder {
    pub(crate) owner: String,
    /// The time at which the last of its leases ends.
    pub(crate) until: Timestamp,
}

/// A look into a database that changes nothing.
pub(crate) enum View {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Database {
    /// Returns its address, as `DATABASE_URL` takes it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres(url) => url.clone(),
        }
    }

    /// Opens a view of it.
    pub(crate) async fn view(&self) -> anyhow::Result<View> {
        Ok(match self {
            Self::Sqlite(path) => {
                // As a reader it leaves the log alone when it is the last to go.
                let options = SqliteConnectOptions::new().filename(path).read_only(true);
                View::Sqlite(options.connect().await?)
            }
            Self::Postgres(url) => View::Postgres(PgConnection::connect(url).await?),
        })
    }

    /// Opens its people, sessions and tokens.
    pub(crate) async fn accounts(&self) -> anyhow::Result<Arc<dyn Accounts>> {
        Ok(match self {
            Self::Sqlite(path) => Arc::new(SqliteStore::open_for_cli(path).await?),
            Self::Postgres(url) => {
                Arc::new(PostgresStore::open_for_cli(&url.as_str().into()).await?)
            }
        })
    }

    /// Executes statements, with no portal near it.
    pub(crate) async fn execute(&self, statements: String) -> anyhow::Result<()> {
        let statements = raw_sql(AssertSqlSafe(statements));
        match self {
            Self::Sqlite(path) => {
                let mut connection = SqliteConnectOptions::new().filename(path).connect().await?;
                statements.execute(&mut connection).await?;
                connection.close().await?;
            }
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await?;
                statements.execute(&mut connection).await?;
                connection.close().await?;
            }
        }
        Ok(())
    }

    /// Returns how long the store takes to claim all of `count` operations at once, with no portal
    /// near it and leases that all have ended.
    pub(crate) async fn bare_claims(&self, count: usize) -> anyhow::Result<Duration> {
        self.claims_after(count, Duration::from_hours(1)).await
    }

    /// Does the same at the time after `pause`. The leases last for an hour.
    pub(crate) async fn claims_after(
        &self,
        count: usize,
        pause: Duration,
    ) -> anyhow::Result<Duration> {
        let store: Arc<dyn Store> = match self {
            Self::Sqlite(path) => Arc::new(SqliteStore::open_for_cli(path).await?),
            Self::Postgres(url) => {
                Arc::new(PostgresStore::open_for_cli(&url.as_str().into()).await?)
            }
        };
        let later = Timestamp::now() + pause;
        let begun = std::time::Instant::now();
        let ttl = Duration::from_hours(1);
        let claimed =
            store.claim(Lane::Forward, &[KindName::DEPLOY], count, "bare", later, ttl).await?.len();
        let took = begun.elapsed();
        store.close().await;
        ensure!(claimed == count, "{claimed} operations were left to claim, not {count}");
        Ok(took)
    }
}

impl View {
    /// Waits until `count` operations are held by one portal, which is not `other`.
    pub(crate) async fn until_held(
        &mut self,
        count: usize,
        other: Option<&Holder>,
    ) -> anyhow::Result<Holder> {
        let begun = std::time::Instant::now();
        loop {
            let holders = self.holders().await?;
            let count = i64::try_from(count)?;
            let is_whole = |(owner, held, _): &&(String, i64, i64)| {
                *held == count && other.is_none_or(|other| *owner != other.owner)
            };
            if let Some((owner, _, until)) = holders.iter().find(is_whole) {
                let until = Timestamp::from_millisecond(*until)?;
                return Ok(Holder { owner: owner.clone(), until });
            }
            ensure!(begun.elapsed() < TIMEOUT, "no portal holds {count}: {holders:?}");
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    }

    async fn holders(&mut self) -> sqlx::Result<Vec<(String, i64, i64)>> {
        match self {
            Self::Sqlite(connection) => sqlx::query_as(HOLDERS).fetch_all(connection).await,
            Self::Postgres(connection) => sqlx::query_as(HOLDERS).fetch_all(connection).await,
        }
    }

    pub(crate) async fn close(self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        }
    }
}
