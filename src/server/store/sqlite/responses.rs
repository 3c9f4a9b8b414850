//! Stored responses of idempotent requests.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{Pool, rows, unavailable};
use crate::server::store::{IdempotencyKey, StoreError, StoredResponse};

/// Keeps `response` unless its key has one; tells whether it did.
pub(super) async fn keep(
    connection: &mut SqliteConnection,
    response: &StoredResponse,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO answers (caller, key, fingerprint, status, location, body, expires_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(&response.key.caller)
    .bind(&response.key.key)
    .bind(&response.fingerprint)
    .bind(i64::from(response.status))
    .bind(&response.location)
    .bind(&response.body)
    .bind(response.expires.as_millisecond())
    .execute(connection)
    .await
    .map_err(unavailable)?;
    Ok(done.rows_affected() == 1)
}

/// Keeps `response` unless its key has one.
pub(super) async fn keep_alone(pool: Pool, response: StoredResponse) -> Result<(), StoreError> {
    let mut tx = pool.begin().await?;
    keep(&mut tx, &response).await?;
    tx.commit().await.map_err(unavailable)
}

/// Finds the answer under `key` that has not expired at `now`.
pub(super) async fn find(
    pool: &Pool,
    key: &IdempotencyKey,
    now: Timestamp,
) -> Result<Option<StoredResponse>, StoreError> {
    let row = sqlx::query(
        "SELECT fingerprint, status, location, body, expires_ms FROM answers
         WHERE caller = ? AND key = ? AND expires_ms > ?",
    )
    .bind(&key.caller)
    .bind(&key.key)
    .bind(now.as_millisecond())
    .fetch_optional(pool)
    .await
    .map_err(unavailable)?;
    row.map(|row| rows::stored_response(&row, key)).transpose()
}

/// Purges answers that have expired at `now`, a bounded number of them.
pub(super) async fn purge(
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM answers WHERE (caller, key) IN
             (SELECT caller, key FROM answers WHERE expires_ms <= ? ORDER BY expires_ms LIMIT 100)",
    )
    .bind(now.as_millisecond())
    .execute(connection)
    .await
    .map_err(unavailable)?;
    Ok(())
}
