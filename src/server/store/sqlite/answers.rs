//! First answers, kept for idempotency keys.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{Pool, rows, unavailable};
use crate::server::ports::store::{Answer, AnswerKey, StoreError};

/// Keeps `answer` unless its key has one; tells whether it did.
pub(super) async fn keep(
    connection: &mut SqliteConnection,
    answer: &Answer,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO answers (caller, key, fingerprint, status, location, body, expires_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(&answer.key.caller)
    .bind(&answer.key.key)
    .bind(&answer.fingerprint)
    .bind(i64::from(answer.status))
    .bind(&answer.location)
    .bind(&answer.body)
    .bind(answer.expires.as_millisecond())
    .execute(connection)
    .await
    .map_err(unavailable)?;
    Ok(done.rows_affected() == 1)
}

/// Keeps `answer` unless its key has one.
pub(super) async fn keep_alone(pool: Pool, answer: Answer) -> Result<(), StoreError> {
    let mut tx = pool.begin().await?;
    keep(&mut tx, &answer).await?;
    tx.commit().await.map_err(unavailable)
}

/// Finds the answer under `key` that has not expired at `now`.
pub(super) async fn find(
    pool: &Pool,
    key: &AnswerKey,
    now: Timestamp,
) -> Result<Option<Answer>, StoreError> {
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
    row.map(|row| rows::answer(&row, key)).transpose()
}

/// Forgets answers that have expired at `now`, a bounded number of them.
pub(super) async fn forget(
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
