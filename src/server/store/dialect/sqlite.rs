//! The store in one SQLite file, for one portal process.
//!
//! One connection writes and several read (write-ahead log). The process holds an exclusive lock
//! on a file beside the database. So no other portal runs, and the leases of earlier processes are
//! void.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::error::{BoxDynError, ErrorKind};
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteQueryResult};
use sqlx::{Arguments as _, ConnectOptions as _, Sqlite, SqliteConnection};

use crate::server::sqlite_file::{self, HeldFile, OpenStoreError};
use crate::server::store::StoreError;
use crate::server::store::sql::SqlStore;
use crate::server::store::sql::dialect::Dialect;
use crate::server::store::sql::pool::Pool;
use crate::server::store::sql::statement::{Statement, Value};

const READERS: u32 = 4;
/// The time limit for getting a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// The store in one SQLite file.
pub type SqliteStore = SqlStore<Sqlite>;

impl SqliteStore {
    /// Opens the store at `path` for a portal: creates it if it is missing, migrates its tables
    /// and voids all leases.
    ///
    /// # Errors
    ///
    /// Returns why the store cannot be used, for example because another process holds its lock.
    pub async fn open(path: &Path) -> Result<Self, OpenStoreError> {
        let path = &sqlite_file::resolve(path);
        let file = Arc::new(HeldFile::take(path).await?);
        sqlite_file::migrate(path).await?;
        let store = Self::of(path, Some(Arc::clone(&file)));
        file.begin(path).await?;
        for leases in [
            "UPDATE operations SET lease_until_ms = 0 WHERE lease_owner IS NOT NULL",
            "UPDATE turns SET until_ms = 0",
        ] {
            let voided = store.writer.execute(Statement::new(leases)).await;
            voided.map_err(|error| match error {
                // The start says itself that the database cannot be used, and this says why.
                StoreError::Unavailable(source) => OpenStoreError::database(path, source),
                error => OpenStoreError::database(path, error),
            })?;
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
        let path = &sqlite_file::resolve(path);
        sqlite_file::check(path).await?;
        sqlite_file::migrate(path).await?;
        Ok(Self::of(path, None))
    }

    /// Opens the store at `path` to read it as it is: the tables may be those of an older version.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Self::open_for_cli`].
    pub async fn open_unmigrated(path: &Path) -> Result<Self, OpenStoreError> {
        let path = &sqlite_file::resolve(path);
        sqlite_file::check(path).await?;
        Ok(Self::of(path, None))
    }

    fn of(path: &Path, file: Option<Arc<HeldFile>>) -> Self {
        let options = sqlite_file::options(path);
        let writer = Pool::new(1, ACQUIRE_TIMEOUT, options.clone());
        let readers = Pool::new(READERS, ACQUIRE_TIMEOUT, options.read_only(true));
        Self::new(writer, readers, file)
    }
}

#[async_trait]
impl Dialect for Sqlite {
    const KIND: &'static str = "sqlite";
    const IS_REMOTE: bool = false;
    const LIMIT: Option<Duration> = None;
    const HOLDS_NUL: bool = true;
    const BEGIN: &'static str = "BEGIN IMMEDIATE; SELECT generation FROM schema_generation";
    const FOR_UPDATE: Option<&'static str> = None;
    const ROW_ID: Option<&'static str> = None;
    const LOCK_COUNT: Option<&'static str> = None;
    const POSITION: &'static str = "instr";

    /// The locked file. A command holds none.
    type Companion = Option<Arc<HeldFile>>;

    async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, sqlx::Error> {
        options.connect().await
    }

    fn survives(error: &sqlx::Error) -> bool {
        match error {
            // After a violated constraint, the connection is still good. After a full or broken
            // disk, it is not.
            sqlx::Error::Database(error) => !matches!(error.kind(), ErrorKind::Other),
            sqlx::Error::RowNotFound => true,
            _ => false,
        }
    }

    fn bind(arguments: &mut SqliteArguments, value: Value) -> Result<(), BoxDynError> {
        match value {
            Value::Text(text) => arguments.add(text),
            Value::Number(number) => arguments.add(number),
            Value::Truth(is_so) => arguments.add(is_so),
            Value::Bytes(bytes) => arguments.add(bytes),
            Value::Texts(texts) => arguments.add(serde_json::to_string(&texts)?),
            Value::Numbers(numbers) => arguments.add(serde_json::to_string(&numbers)?),
        }
    }

    fn rows_affected(done: &SqliteQueryResult) -> u64 {
        done.rows_affected()
    }

    fn is_in(list: &str) -> String {
        format!("IN (SELECT value FROM json_each({list}))")
    }

    fn is_locked_in(query: &str) -> String {
        format!("IN ({query})")
    }

    fn table_of(columns: &[(&str, &str, &str)]) -> String {
        let element = |(name, _, list): &(&str, &str, &str)| format!("{list} ->> key AS {name}");
        let elements = columns.iter().map(element).collect::<Vec<_>>().join(", ");
        let first = columns.first().map_or("'[]'", |(.., list)| list);
        format!("(SELECT {elements} FROM json_each({first})) AS given")
    }

    fn claim(conditions: &[String]) -> String {
        let free = |condition: &String| {
            format!(
                "SELECT id, started_ms FROM operations
                 WHERE {condition} AND (lease_owner IS NULL OR lease_until_ms <= $2)"
            )
        };
        let candidates = conditions.iter().map(free).collect::<Vec<_>>().join(" UNION ALL ");
        format!(
            "UPDATE operations
             SET lease_owner = $1, lease_token = lease_token + 1, lease_until_ms = $2 + $3,
                 lease_former = NULLIF(lease_owner, '')
             WHERE id IN (SELECT id FROM ({candidates}) ORDER BY started_ms, id LIMIT $4)
             RETURNING id, lease_token, lease_former"
        )
    }

    async fn after_close(companion: &Self::Companion) {
        if let Some(file) = companion {
            file.close().await;
        }
    }
}
