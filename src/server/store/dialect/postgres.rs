//! The store in a PostgreSQL database, which several replicas of the portal may share.
//!
//! A transaction locks the rows that it changes, and claims skip locked rows. Each replica notifies
//! the others of what it writes. Every wait has a time limit: for a connection, for an answer, and
//! for a lock.

mod call_slots;
mod notifications;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use sqlx::error::{BoxDynError, DatabaseError};
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgDatabaseError, PgQueryResult, PgSeverity};
use sqlx::{
    Arguments as _, AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, Postgres,
};
use tokio::time::timeout;

use self::notifications::{NotificationListener, Origin};
use crate::server::notifier::{Notification, Notifier};
use crate::server::schema::{self, OtherVersion, POSTGRES};
use crate::server::store::Result;
use crate::server::store::sql::SqlStore;
use crate::server::store::sql::dialect::Dialect;
use crate::server::store::sql::pool::Pool;
use crate::server::store::sql::statement::Value;

/// The maximum number of connections of a portal, besides the one that it listens on.
const CONNECTIONS: u32 = 16;
/// The time limit for acquiring a connection, and for a statement.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(4);
/// The time limit for a whole transaction of a port.
const LIMIT: Duration = Duration::from_secs(8);
/// The time limit for migrating the tables, including the wait for another replica that does the
/// same.
const MIGRATION: Duration = Duration::from_mins(2);

/// The store in a PostgreSQL database.
pub type PostgresStore = SqlStore<Postgres>;

/// The part of the store besides its connections: the portal's id in notifications, and the task
/// that listens for those of other replicas.
#[derive(Clone, Debug)]
pub struct Companion {
    origin: Origin,
    listening: Option<Arc<NotificationListener>>,
}

/// The database could not be opened as a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenPostgresError {
    /// The address is not valid. It may contain a password, so the message shows neither it nor the
    /// cause.
    #[error("is not the address of a database: give one like postgres://user:password@host/name")]
    Address,
    /// The server or the database in it cannot be reached.
    #[error("the PostgreSQL server cannot be reached, or rejects the portal")]
    Unreachable(#[source] sqlx::Error),
    /// The tables cannot be migrated.
    #[error("the PostgreSQL database cannot be used as the portal's")]
    Migration(#[source] MigrateError),
    /// It has tables, but not those of a portal.
    #[error(
        "the PostgreSQL database holds the tables of another program: make a database of the \
         portal's own with `createdb`, and set DATABASE_URL to its address"
    )]
    OtherProgram,
    /// The role may not create or use tables.
    #[error(
        "the role in DATABASE_URL may not create tables in the PostgreSQL database: make it the \
         owner with `ALTER DATABASE name OWNER TO role`, or run `GRANT USAGE, CREATE ON SCHEMA public \
         TO role` there; tables that exist must belong to this role as well"
    )]
    NoRight(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server accepts no changes.
    #[error(
        "the PostgreSQL server accepts no changes: give the address of the primary server, not of a \
         standby, and check default_transaction_read_only"
    )]
    ReadOnly(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A newer version of the portal has migrated it.
    #[error(transparent)]
    OtherVersion(#[from] OtherVersion),
    /// A time limit has passed.
    #[error("the PostgreSQL server does not answer")]
    Silent,
}

impl PostgresStore {
    /// Opens the database at `url`, migrates its tables, and passes notifications from other
    /// replicas to `notifier`. Several replicas may do so at once.
    ///
    /// # Errors
    ///
    /// Returns an [`OpenPostgresError`] if the database cannot be used.
    pub async fn open(
        url: &SecretString,
        notifier: Arc<Notifier>,
    ) -> Result<Self, OpenPostgresError> {
        let options = options(url)?;
        let mut store = Self::connect(options.clone()).await?;
        let listener = NotificationListener::start(options, store.companion.origin, notifier);
        store.companion.listening = Some(Arc::new(listener));
        Ok(store)
    }

    /// Opens the database at `url` for a command. It does not listen for notifications.
    ///
    /// # Errors
    ///
    /// Returns an [`OpenPostgresError`] if the database cannot be used.
    pub async fn open_for_cli(url: &SecretString) -> Result<Self, OpenPostgresError> {
        Self::connect(options(url)?).await
    }

    /// Opens the database at `url` to read it as it is: the tables may be those of an older version.
    ///
    /// # Errors
    ///
    /// Returns an [`OpenPostgresError`] if `url` is not valid.
    pub fn open_unmigrated(url: &SecretString) -> Result<Self, OpenPostgresError> {
        Ok(Self::of(options(url)?))
    }

    /// Checks that a portal could start with the database at `url`. Migrates nothing.
    ///
    /// # Errors
    ///
    /// Returns the [`OpenPostgresError`] of a start.
    pub async fn check_start(url: &SecretString) -> Result<(), OpenPostgresError> {
        let options = options(url)?;
        let checked = timeout(LIMIT, check_start(&options)).await;
        checked.map_err(|_| OpenPostgresError::Silent)?
    }

    async fn connect(options: PgConnectOptions) -> Result<Self, OpenPostgresError> {
        let migrated = timeout(MIGRATION, migrate(&options)).await;
        migrated.map_err(|_| OpenPostgresError::Silent)??;
        Ok(Self::of(options))
    }

    fn of(options: PgConnectOptions) -> Self {
        let pool = Pool::new(CONNECTIONS, ACQUIRE_TIMEOUT, options);
        let companion = Companion { origin: Origin::random(), listening: None };
        Self::new(Arc::clone(&pool), pool, companion)
    }
}

fn options(url: &SecretString) -> Result<PgConnectOptions, OpenPostgresError> {
    let options = PgConnectOptions::from_str(url.expose_secret());
    // Connection poolers reject some startup parameters: this one is left out, and others are set
    // after connecting.
    Ok(options.map_err(|_| OpenPostgresError::Address)?.extra_float_digits(None))
}

#[async_trait]
impl Dialect for Postgres {
    const KIND: &'static str = "postgres";
    const IS_REMOTE: bool = true;
    const LIMIT: Option<Duration> = Some(LIMIT);
    const HOLDS_NUL: bool = false;
    const BEGIN: &'static str = "BEGIN; SELECT generation FROM schema_generation FOR SHARE";
    const FOR_UPDATE: Option<&'static str> = Some("FOR NO KEY UPDATE");
    const ROW_ID: Option<&'static str> = Some("ctid");
    const LOCK_COUNT: Option<&'static str> =
        Some("SELECT pg_advisory_xact_lock($1::int, hashtext($2))");
    const POSITION: &'static str = "strpos";

    type Companion = Companion;

    async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
        let mut connection = options.connect().await?;
        bound(&mut connection).await?;
        Ok(connection)
    }

    fn survives(error: &sqlx::Error) -> bool {
        match error {
            sqlx::Error::Database(error) => {
                error.try_downcast_ref::<PgDatabaseError>().is_some_and(|error| {
                    !matches!(error.severity(), PgSeverity::Panic | PgSeverity::Fatal)
                })
            }
            sqlx::Error::RowNotFound => true,
            _ => false,
        }
    }

    fn bind(arguments: &mut PgArguments, value: Value) -> Result<(), BoxDynError> {
        match value {
            Value::Text(text) => arguments.add(text),
            Value::Number(number) => arguments.add(number),
            Value::Truth(is_so) => arguments.add(is_so),
            Value::Bytes(bytes) => arguments.add(bytes),
            Value::Texts(texts) => arguments.add(texts),
            Value::Numbers(numbers) => arguments.add(numbers),
        }
    }

    fn rows_affected(done: &PgQueryResult) -> u64 {
        done.rows_affected()
    }

    fn is_in(list: &str) -> String {
        format!("= ANY ({list})")
    }

    fn is_locked_in(query: &str) -> String {
        format!("= ANY (ARRAY ({query} FOR UPDATE SKIP LOCKED))")
    }

    fn table_of(columns: &[(&str, &str, &str)]) -> String {
        let lists = columns.iter().map(|(_, of, list)| format!("{list}::{of}[]"));
        let names = columns.iter().map(|(name, ..)| *name);
        let (lists, names) = (lists.collect::<Vec<_>>(), names.collect::<Vec<_>>());
        format!("UNNEST({}) AS given ({})", lists.join(", "), names.join(", "))
    }

    fn claim(conditions: &[String]) -> String {
        let free = |condition: &String| {
            format!(
                "SELECT id FROM operations
                 WHERE {condition} AND (lease_owner IS NULL OR lease_until_ms <= $2)"
            )
        };
        let candidates = conditions.iter().map(free).collect::<Vec<_>>().join(" UNION ALL ");
        let still = conditions.iter().map(|condition| format!("({condition})"));
        // `MATERIALIZED`: otherwise a plan could run the subquery once for each row, and claim more
        // than `$4`. The locking query repeats the conditions, since another replica may have
        // claimed a candidate meanwhile.
        format!(
            "WITH candidates AS MATERIALIZED ({candidates}),
             free AS MATERIALIZED (
                 SELECT id FROM operations
                 WHERE id = ANY (ARRAY (SELECT id FROM candidates))
                   AND ({still}) AND (lease_owner IS NULL OR lease_until_ms <= $2)
                 ORDER BY started_ms, id LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED)
             UPDATE operations
             SET lease_owner = $1, lease_token = lease_token + 1, lease_until_ms = $2 + $3,
                 lease_former = NULLIF(lease_owner, '')
             FROM free WHERE operations.id = free.id
             RETURNING operations.id, lease_token, lease_former",
            still = still.collect::<Vec<_>>().join(" OR "),
        )
    }

    async fn notify(
        companion: &Companion,
        connection: &mut PgConnection,
        notification: &Notification,
    ) -> Result<()> {
        companion.origin.notify(connection, notification).await
    }

    async fn broken(companion: &Companion) {
        match &companion.listening {
            Some(listening) => listening.ended().await,
            None => std::future::pending().await,
        }
    }

    async fn before_close(companion: &Companion) {
        if let Some(listening) = &companion.listening {
            listening.stop().await;
        }
    }
}

/// Sets the time limits of a connection: a portal that hangs in the middle of a transaction must
/// not keep its row locks.
async fn bound(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "SELECT set_config('statement_timeout', $1, false),
                set_config('idle_in_transaction_session_timeout', $2, false)",
    )
    .bind(ACQUIRE_TIMEOUT.as_millis().to_string())
    .bind(LIMIT.as_millis().to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Connects to the database, and checks that it is not another program's or a newer version's.
async fn connect_to_own(options: &PgConnectOptions) -> Result<PgConnection, OpenPostgresError> {
    let connection = timeout(ACQUIRE_TIMEOUT, options.connect()).await;
    let mut connection: PgConnection = connection
        .map_err(|_| OpenPostgresError::Silent)?
        .map_err(OpenPostgresError::Unreachable)?;
    let unreachable = |error| of_database(error, OpenPostgresError::Unreachable);
    if is_of_other_program(&mut connection).await.map_err(unreachable)? {
        return Err(OpenPostgresError::OtherProgram);
    }
    let found = generation(&mut connection).await.map_err(unreachable)?;
    OtherVersion::of(found)?;
    Ok(connection)
}

/// Migrates the tables, one replica at a time.
async fn migrate(options: &PgConnectOptions) -> Result<(), OpenPostgresError> {
    let mut connection = connect_to_own(options).await?;
    POSTGRES.run_direct(None, &mut connection, false).await.map_err(of_migration)?;
    connection.close().await.map_err(OpenPostgresError::Unreachable)
}

/// Checks that the tables can be migrated, in a transaction that is rolled back.
async fn check_start(options: &PgConnectOptions) -> Result<(), OpenPostgresError> {
    let mut connection = connect_to_own(options).await?;
    let refused = |error: sqlx::Error| of_migration(error.into());
    bound(&mut connection).await.map_err(refused)?;
    let mut transaction = connection.begin().await.map_err(refused)?;
    // Another check at the same time has another name.
    let table = format!("CREATE TABLE check_{:032x} ()", rand::random::<u128>());
    sqlx::query(AssertSqlSafe(table)).execute(&mut *transaction).await.map_err(refused)?;
    let is_there = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
    let is_there = sqlx::query_scalar::<_, bool>(is_there).fetch_one(&mut *transaction).await;
    if is_there.map_err(refused)? {
        schema::check_applied(&POSTGRES, &mut *transaction).await.map_err(of_migration)?;
    }
    transaction.rollback().await.map_err(refused)?;
    connection.close().await.map_err(OpenPostgresError::Unreachable)
}

/// Converts an error of the migrations.
fn of_migration(error: MigrateError) -> OpenPostgresError {
    match OtherVersion::of_migration(&error) {
        Some(other) => other.into(),
        None => match error {
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
                of_database(source, |error| OpenPostgresError::Migration(error.into()))
            }
            error => OpenPostgresError::Migration(error),
        },
    }
}

/// Returns whether the schema has tables, but none of a portal. Those of extensions do not count.
async fn is_of_other_program(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let question = "SELECT to_regclass('deployments') IS NULL AND EXISTS (
            SELECT FROM pg_class AS tables
            WHERE relnamespace = to_regnamespace(quote_ident(current_schema()))
              AND relkind IN ('r', 'p') AND relname <> '_sqlx_migrations'
              AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = tables.oid AND deptype = 'e'))";
    sqlx::query_scalar(question).fetch_one(connection).await
}

/// Converts an error of the server at the start: what it refuses, or `otherwise`.
fn of_database(
    error: sqlx::Error,
    otherwise: impl FnOnce(sqlx::Error) -> OpenPostgresError,
) -> OpenPostgresError {
    match error.as_database_error().and_then(DatabaseError::code).as_deref() {
        // insufficient_privilege, and no schema that the role may use
        Some("42501" | "3F000") => OpenPostgresError::NoRight(error.into()),
        // read_only_sql_transaction
        Some("25006") => OpenPostgresError::ReadOnly(error.into()),
        Some(_) | None => otherwise(error),
    }
}

/// Reads the schema's generation; `None` if the tables have none yet.
async fn generation(connection: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    let is_there = "SELECT to_regclass('schema_generation') IS NOT NULL";
    if !sqlx::query_scalar::<_, bool>(is_there).fetch_one(&mut *connection).await? {
        return Ok(None);
    }
    let question = "SELECT generation FROM schema_generation";
    sqlx::query_scalar(question).fetch_optional(connection).await
}
