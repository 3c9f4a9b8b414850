//! Connects to the server, and migrates the tables.

use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::time::timeout;

use super::{ACQUIRE_TIMEOUT, LIMIT, OpenPostgresError};
use crate::server::schema::{OtherVersion, POSTGRES};

/// Sets the time limits of a connection: a portal that hangs in the middle of a transaction must
/// not keep its row locks.
pub(super) async fn bound(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
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

/// Migrates the tables, one replica at a time.
pub(super) async fn migrate(options: &PgConnectOptions) -> Result<(), OpenPostgresError> {
    let connection = timeout(ACQUIRE_TIMEOUT, options.connect()).await;
    let mut connection: PgConnection = connection
        .map_err(|_| OpenPostgresError::Silent)?
        .map_err(OpenPostgresError::Unreachable)?;
    let found = generation(&mut connection).await.map_err(OpenPostgresError::Unreachable)?;
    OtherVersion::of(found)?;
    let migrating = POSTGRES.run_direct(None, &mut connection, false);
    if let Err(error) = migrating.await {
        return Err(match OtherVersion::of_migration(&error) {
            Some(other) => other.into(),
            None => OpenPostgresError::Migration(error),
        });
    }
    connection.close().await.map_err(OpenPostgresError::Unreachable)
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
