//! The store in one SQLite file, for one portal process.
//!
//! One connection writes and several read (write-ahead log). The process holds an exclusive lock
//! on a file beside the database. So no other portal runs, and the leases of earlier processes are
//! void.

mod backup;
mod checkpointer;
mod connecting;
mod files;
mod identity;
mod inspect;
mod open_error;

use std::{fs::File, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::{
    Arguments as _, ConnectOptions as _, Connection as _, Row as _, Sqlite, SqliteConnection,
    error::{BoxDynError, ErrorKind},
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteQueryResult},
};

pub use self::{
    backup::{CopyError, back_up, begin_anew, restore},
    identity::LostRecords,
    open_error::OpenStoreError,
};
use self::{checkpointer::Checkpointer, identity::Found};
use crate::server::store::{
    OtherVersion,
    sql::{
        SqlStore,
        dialect::Dialect,
        pool::Pool,
        statement::{Statement, Value},
    },
};

const READERS: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The time limit for getting a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
/// The store in one SQLite file.
pub type SqliteStore = SqlStore<Sqlite>;

/// The checkpointer and the lock. Only a portal has them, a command does not.
pub type Companion = Option<Arc<(Checkpointer, File)>>;

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
            let voided = store.writer.execute(Statement::new(leases)).await;
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
        Ok(Self::new(writer, readers, held.map(Arc::new)))
    }
}

#[async_trait]
impl Dialect for Sqlite {
    const KIND: &'static str = "sqlite";
    const IS_REMOTE: bool = false;
    const LIMIT: Option<Duration> = None;
    const HOLDS_NUL: bool = true;
    const FOR_UPDATE: Option<&'static str> = None;
    const ROW_ID: Option<&'static str> = None;
    const LOCK_COUNT: Option<&'static str> = None;
    const POSITION: &'static str = "instr";

    type Companion = Companion;

    async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, sqlx::Error> {
        options.connect().await
    }

    async fn begin(connection: &mut SqliteConnection) -> Result<Option<i64>, sqlx::Error> {
        let begin = "BEGIN IMMEDIATE; SELECT generation FROM schema_generation";
        let rows = sqlx::raw_sql(begin).fetch_all(connection).await?;
        rows.first().map(|row| row.try_get(0)).transpose()
    }

    async fn end(connection: &mut SqliteConnection, word: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(word).execute(connection).await.map(drop)
    }

    fn survives(error: &sqlx::Error) -> bool {
        match error {
            // What breaks a constraint; a disk that is full or broken is another matter.
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

    fn claim(conditions: &[&str]) -> String {
        let free = |condition: &&str| {
            format!(
                "SELECT id, started_ms FROM deployments
                 WHERE {condition} AND (lease_owner IS NULL OR lease_until_ms <= $2)"
            )
        };
        let candidates = conditions.iter().map(free).collect::<Vec<_>>().join(" UNION ALL ");
        format!(
            "UPDATE deployments
             SET lease_owner = $1, lease_token = lease_token + 1, lease_until_ms = $2 + $3
             WHERE id IN (SELECT id FROM ({candidates}) ORDER BY started_ms, id LIMIT $4)
             RETURNING id, lease_token"
        )
    }

    async fn after_close(companion: &Companion) {
        if let Some(held) = companion {
            held.0.close().await;
        }
    }
}
