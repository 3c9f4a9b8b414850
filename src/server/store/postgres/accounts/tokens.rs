//! API tokens.

use jiff::Timestamp;
use sqlx::PgConnection;

use crate::server::{
    audit::AuditEntry,
    auth::{
        access::OwnerId,
        accounts::{Digest, NewToken, Token},
    },
    store::{
        StoreError,
        postgres::{Pool, audit},
        rows::accounts as rows,
        unavailable,
    },
};

/// Keeps a token, unless its person has `max` already. Of several at once for one person, each
/// waits for the one before.
pub(super) async fn add(
    pool: Pool,
    NewToken { token, secret, audit_entry }: NewToken,
    max: u32,
) -> Result<bool, StoreError> {
    let mut tx = pool.begin().await?;
    sqlx::query("SELECT owner FROM people WHERE owner = $1 FOR NO KEY UPDATE")
        .bind(token.person.as_str())
        .fetch_optional(&mut *tx)
        .await
        .map_err(unavailable)?;
    let done = sqlx::query(
        "INSERT INTO tokens (id, digest, person, name, scope, made_ms, expires_ms)
         SELECT $1, $2, $3, $4, $5, $6, $7
         WHERE (SELECT count(*) FROM tokens
                WHERE person = $3 AND revoked_ms IS NULL AND expires_ms > $6) < $8",
    )
    .bind(&token.id)
    .bind(&secret.0)
    .bind(token.person.as_str())
    .bind(&token.name)
    .bind(token.scope.as_str())
    .bind(token.made.as_millisecond())
    .bind(token.expires.as_millisecond())
    .bind(i64::from(max))
    .execute(&mut *tx)
    .await
    .map_err(unavailable)?;
    let is_kept = done.rows_affected() == 1;
    audit::insert_audit_entry(&mut tx, audit_entry.filter(|_| is_kept).as_ref()).await?;
    tx.commit().await.map_err(unavailable)?;
    Ok(is_kept)
}

/// Lists a person's tokens, those that cannot be used at the end.
pub(super) async fn list(
    pool: &Pool,
    person: &OwnerId,
    now: Timestamp,
) -> Result<Vec<Token>, StoreError> {
    let found = sqlx::query(
        "SELECT id, person, name, scope, made_ms, expires_ms, used_ms, revoked_ms FROM tokens WHERE person = $1
         ORDER BY (revoked_ms IS NOT NULL OR expires_ms <= $2), made_ms DESC, id",
    )
    .bind(person.as_str())
    .bind(now.as_millisecond())
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    found.iter().map(rows::token).collect()
}

/// Revokes a token of this person.
pub(super) async fn revoke(
    pool: Pool,
    person: OwnerId,
    id: String,
    now: Timestamp,
    audit_entry: Option<AuditEntry>,
) -> Result<bool, StoreError> {
    let mut tx = pool.begin().await?;
    let done = sqlx::query(
        "UPDATE tokens SET revoked_ms = $1 WHERE person = $2 AND id = $3 AND revoked_ms IS NULL",
    )
    .bind(now.as_millisecond())
    .bind(person.as_str())
    .bind(id)
    .execute(&mut *tx)
    .await
    .map_err(unavailable)?;
    let is_revoked = done.rows_affected() == 1;
    audit::insert_audit_entry(&mut tx, audit_entry.filter(|_| is_revoked).as_ref()).await?;
    tx.commit().await.map_err(unavailable)?;
    Ok(is_revoked)
}

/// Revokes all tokens of a person that can be used at `now`.
pub(super) async fn revoke_all(
    tx: &mut PgConnection,
    person: &OwnerId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE tokens SET revoked_ms = $1
         WHERE person = $2 AND revoked_ms IS NULL AND expires_ms > $1",
    )
    .bind(now.as_millisecond())
    .bind(person.as_str())
    .execute(tx)
    .await
    .map_err(unavailable)?;
    Ok(done.rows_affected())
}

/// Finds a token that can be used.
pub(super) async fn find(
    pool: &Pool,
    secret: &Digest,
    now: Timestamp,
) -> Result<Option<Token>, StoreError> {
    let row = sqlx::query(
        "SELECT id, person, name, scope, made_ms, expires_ms, used_ms, revoked_ms FROM tokens WHERE digest = $1 AND revoked_ms IS NULL AND expires_ms > $2",
    )
    .bind(&secret.0)
    .bind(now.as_millisecond())
    .fetch_optional(pool)
    .await
    .map_err(unavailable)?;
    row.as_ref().map(rows::token).transpose()
}

/// Notes that a token was used.
pub(super) async fn use_at(pool: Pool, id: String, used: Timestamp) -> Result<(), StoreError> {
    let mut tx = pool.begin().await?;
    sqlx::query("UPDATE tokens SET used_ms = $1 WHERE id = $2")
        .bind(used.as_millisecond())
        .bind(&id)
        .execute(&mut *tx)
        .await
        .map_err(unavailable)?;
    tx.commit().await.map_err(unavailable)
}
