//! Leases, and the fencing that guards what their holders write.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Row, SqliteConnection, SqlitePool};

use super::unavailable;
use crate::{
    domain::{deployment::DeploymentId, event::Seq},
    server::ports::store::{Fact, Lease, StoreError},
};

/// Claims the oldest unfinished deployment that nobody holds at `now`.
pub(super) async fn claim(
    pool: &SqlitePool,
    owner: &str,
    now: Timestamp,
    lasting: Duration,
) -> Result<Option<Lease>, StoreError> {
    let lasting = i64::try_from(lasting.as_millis()).unwrap_or(i64::MAX);
    let row = sqlx::query(
        "UPDATE deployments
         SET lease_owner = ?1, lease_token = lease_token + 1, lease_until_ms = ?2 + ?3
         WHERE id = (SELECT id FROM deployments
                     WHERE state = 'active' AND (lease_owner IS NULL OR lease_until_ms <= ?2)
                     ORDER BY started_ms, id LIMIT 1)
         RETURNING id, lease_token",
    )
    .bind(owner)
    .bind(now.as_millisecond())
    .bind(lasting)
    .fetch_optional(pool)
    .await
    .map_err(unavailable)?;
    let Some(row) = row else { return Ok(None) };
    let id: String = row.try_get("id").map_err(unavailable)?;
    Ok(Some(Lease {
        id: DeploymentId::parse(&id).map_err(|_| StoreError::Corrupt { what: "deployment id" })?,
        owner: owner.to_owned(),
        token: row.try_get("lease_token").map_err(unavailable)?,
    }))
}

/// Extends `lease`, if it is still held.
pub(super) async fn renew(
    pool: &SqlitePool,
    lease: &Lease,
    until: Timestamp,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE deployments SET lease_until_ms = ?
         WHERE id = ? AND lease_owner = ? AND lease_token = ? AND state = 'active'",
    )
    .bind(until.as_millisecond())
    .bind(lease.id.as_str())
    .bind(&lease.owner)
    .bind(lease.token)
    .execute(pool)
    .await
    .map_err(unavailable)?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// Hands `lease` back; one that is lost is nobody's business any more.
pub(super) async fn release(pool: &SqlitePool, lease: &Lease) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deployments SET lease_owner = NULL
         WHERE id = ? AND lease_owner = ? AND lease_token = ?",
    )
    .bind(lease.id.as_str())
    .bind(&lease.owner)
    .bind(lease.token)
    .execute(pool)
    .await
    .map_err(unavailable)?;
    Ok(())
}

/// Moves the deployment's last seq on by the fact's events, and ends it if the fact does.
pub(super) async fn advance(
    tx: &mut SqliteConnection,
    lease: &Lease,
    fact: &Fact,
) -> Result<Seq, StoreError> {
    let row = sqlx::query(
        "UPDATE deployments
         SET seq = seq + ?, state = COALESCE(?, state), completed_ms = ?
         WHERE id = ? AND lease_owner = ? AND lease_token = ? AND state = 'active'
         RETURNING seq",
    )
    .bind(i64::try_from(fact.events.len()).unwrap_or(i64::MAX))
    .bind(fact.end.map(|end| end.state.as_str()))
    .bind(fact.end.map(|end| end.at.as_millisecond()))
    .bind(lease.id.as_str())
    .bind(&lease.owner)
    .bind(lease.token)
    .fetch_optional(tx)
    .await
    .map_err(unavailable)?
    .ok_or(StoreError::LeaseLost)?;
    Ok(row.try_get::<i64, _>("seq").map_err(unavailable)?.cast_unsigned())
}
