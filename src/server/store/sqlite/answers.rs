//! First answers, kept for idempotency keys.

use jiff::Timestamp;
use sqlx::{Row, SqliteConnection, SqlitePool};

use super::unavailable;
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

/// Finds the answer under `key` that has not expired at `now`.
pub(super) async fn find(
    pool: &SqlitePool,
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
    let Some(row) = row else { return Ok(None) };
    let corrupt = || StoreError::Corrupt { what: "answer" };
    Ok(Some(Answer {
        key: key.clone(),
        fingerprint: row.try_get("fingerprint").map_err(unavailable)?,
        status: u16::try_from(row.try_get::<i64, _>("status").map_err(unavailable)?)
            .map_err(|_| corrupt())?,
        location: row.try_get("location").map_err(unavailable)?,
        body: row.try_get("body").map_err(unavailable)?,
        expires: Timestamp::from_millisecond(row.try_get("expires_ms").map_err(unavailable)?)
            .map_err(|_| corrupt())?,
    }))
}

/// Forgets the answers that have expired at `now`.
pub(super) async fn forget(
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM answers WHERE expires_ms <= ?")
        .bind(now.as_millisecond())
        .execute(connection)
        .await
        .map_err(unavailable)?;
    Ok(())
}
