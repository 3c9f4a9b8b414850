//! Connections to the server, and the tables that a portal finds there.

use async_trait::async_trait;
use sqlx::{
    ConnectOptions, Connection, PgConnection, Postgres, Row as _,
    postgres::{PgConnectOptions, PgDatabaseError, PgSeverity},
};
use tokio::time::timeout;

use super::{ACQUIRE_TIMEOUT, LIMIT, OpenPostgresError};
use crate::server::store::{OtherVersion, pool::Backend};

/// Bounds what a connection may take: a portal that hangs in the middle of a transaction must
/// let go of its rows.
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

#[async_trait]
impl Backend for Postgres {
    const IS_REMOTE: bool = true;

    async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
        let mut connection = options.connect().await?;
        bound(&mut connection).await?;
        Ok(connection)
    }

    async fn begin(connection: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
        // In one message, so that it costs no more than `BEGIN`.
        let begin = "BEGIN; SELECT generation FROM schema_generation FOR SHARE";
        let rows = sqlx::raw_sql(begin).fetch_all(connection).await?;
        rows.first().map(|row| row.try_get(0)).transpose()
    }

    async fn execute(connection: &mut PgConnection, word: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(word).execute(connection).await.map(drop)
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
}

/// Returns whether a question has failed because its connection was lost.
pub(super) fn is_loss(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    error.downcast_ref().is_some_and(|error| match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => false,
        error => !Postgres::survives(error),
    })
}

/// Brings the tables up to date, one portal after the other.
pub(super) async fn migrate(options: &PgConnectOptions) -> Result<(), OpenPostgresError> {
    let connection = timeout(ACQUIRE_TIMEOUT, options.connect()).await;
    let mut connection: PgConnection = connection
        .map_err(|_| OpenPostgresError::Silent)?
        .map_err(OpenPostgresError::Unreachable)?;
    let found = generation(&mut connection).await.map_err(OpenPostgresError::Unreachable)?;
    OtherVersion::of(found)?;
    let migrating = sqlx::migrate!("migrations/postgres").run_direct(None, &mut connection, false);
    if let Err(error) = migrating.await {
        return Err(match OtherVersion::of_migration(&error) {
            Some(other) => other.into(),
            None => OpenPostgresError::Migration(error),
        });
    }
    connection.close().await.map_err(OpenPostgresError::Unreachable)
}

/// Reads the schema's generation, where the tables have one yet.
async fn generation(connection: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    let is_there = "SELECT to_regclass('schema_generation') IS NOT NULL";
    if !sqlx::query_scalar::<_, bool>(is_there).fetch_one(&mut *connection).await? {
        return Ok(None);
    }
    let question = "SELECT generation FROM schema_generation";
    sqlx::query_scalar(question).fetch_optional(connection).await
}
