//! Leases, and the fencing tokens that reject writes of former holders.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use super::{Pool, rows, unavailable, unavailable_for};
use crate::server::store::{CancelRequest, Lane, Lease, StoreError};
use domain::deployment::DeploymentId;

/// Claims the oldest operations in `lane` that nobody holds at `now`, at most `max`.
pub(super) async fn claim(
    pool: Pool,
    lane: Lane,
    max: usize,
    owner: String,
    now: Timestamp,
    ttl: Duration,
) -> Result<Vec<Lease>, StoreError> {
    let mut tx = pool.begin().await?;
    // A due time that is later than the longest pause (30 min, plus 1 min for clocks that differ)
    // was written by a clock that was ahead, so the operation counts as due now. Each kind of
    // candidate has its own index and is therefore its own SELECT: a single condition with OR would
    // scan every operation that ever ended, each second.
    let (candidates, overdue): (&[_], _) = match lane {
        Lane::Forward => (&["state = 'active' AND started_ms <= ?5"], Timestamp::MAX),
        Lane::CleanUp { overdue } => (
            &[
                "state = 'active'
                 AND (cancel_ms IS NOT NULL OR removes IS NOT NULL OR started_ms <= ?5)",
                "state = 'stuck' AND (due_ms <= ?2 OR due_ms > ?2 + 1860000)",
                "state = 'live' AND due_ms IS NOT NULL
                 AND (due_ms <= ?2 OR due_ms > ?2 + 1860000)",
            ],
            overdue,
        ),
    };
    let candidates: Vec<_> = candidates.iter().map(|kind| free(kind)).collect();
    let statement = format!(
        "UPDATE deployments
         SET lease_owner = ?1, lease_token = lease_token + 1, lease_until_ms = ?2 + ?3
         WHERE id IN (SELECT id FROM ({}) ORDER BY started_ms, id LIMIT ?4)
         RETURNING id, lease_token",
        candidates.join(" UNION ALL ")
    );
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(&owner)
        .bind(now.as_millisecond())
        .bind(rows::millis(ttl))
        .bind(rows::limit(max))
        .bind(overdue.as_millisecond())
        .fetch_all(&mut *tx)
        .await
        .map_err(unavailable)?;
    tx.commit().await.map_err(unavailable)?;
    rows.iter().map(|row| rows::lease(row, &owner)).collect()
}

/// Returns the query for those of `candidates` that nobody holds.
fn free(candidates: &str) -> String {
    format!(
        "SELECT id, started_ms FROM deployments
         WHERE {candidates} AND (lease_owner IS NULL OR lease_until_ms <= ?2)"
    )
}

/// Claims the operation `id`, if it has ended and nobody holds it at `now`.
pub(super) async fn claim_ended(
    pool: Pool,
    id: DeploymentId,
    owner: String,
    now: Timestamp,
    ttl: Duration,
) -> Result<Option<Lease>, StoreError> {
    let mut tx = pool.begin().await?;
    let row = sqlx::query(
        "UPDATE deployments
         SET lease_owner = ?1, lease_token = lease_token + 1, lease_until_ms = ?2 + ?3
         WHERE id = ?4 AND state <> 'active' AND (lease_owner IS NULL OR lease_until_ms <= ?2)
         RETURNING id, lease_token",
    )
    .bind(&owner)
    .bind(now.as_millisecond())
    .bind(rows::millis(ttl))
    .bind(id.as_str())
    .fetch_optional(&mut *tx)
    .await
    .map_err(unavailable)?;
    tx.commit().await.map_err(unavailable)?;
    row.map(|row| rows::lease(&row, &owner)).transpose()
}

/// Extends `lease` until `until`, if it is still held, and returns whether a cancel was requested.
pub(super) async fn renew(
    pool: Pool,
    lease: Lease,
    until: Timestamp,
) -> Result<CancelRequest, StoreError> {
    let mut tx = pool.begin().await?;
    let row = sqlx::query(
        "UPDATE deployments SET lease_until_ms = ?
         WHERE id = ? AND lease_owner = ? AND lease_token = ?
         RETURNING cancel_ms",
    )
    .bind(until.as_millisecond())
    .bind(lease.id.as_str())
    .bind(&lease.owner)
    .bind(lease.token)
    .fetch_optional(&mut *tx)
    .await
    .map_err(unavailable)?
    .ok_or(StoreError::LeaseLost)?;
    tx.commit().await.map_err(unavailable)?;
    rows::cancel_request(&row)
}

/// Releases `lease`. Releasing a lost lease does nothing.
pub(super) async fn release(pool: Pool, lease: Lease) -> Result<(), StoreError> {
    let mut tx = pool.begin().await?;
    sqlx::query(
        "UPDATE deployments SET lease_owner = NULL
         WHERE id = ? AND lease_owner = ? AND lease_token = ?",
    )
    .bind(lease.id.as_str())
    .bind(&lease.owner)
    .bind(lease.token)
    .execute(&mut *tx)
    .await
    .map_err(unavailable)?;
    tx.commit().await.map_err(unavailable)?;
    Ok(())
}

/// Revokes `lease` after a panic of its holder, so that nobody claims the operation before `until`.
///
/// An operation under way keeps its owner until then, but a new token fences off the holder. An
/// operation that has ended becomes due then, or earlier on request.
pub(super) async fn suspend(pool: Pool, lease: Lease, until: Timestamp) -> Result<(), StoreError> {
    let mut tx = pool.begin().await?;
    let done = sqlx::query(
        "UPDATE deployments
         SET panics = panics + 1, lease_token = lease_token + 1, lease_until_ms = ?1,
             lease_owner = CASE WHEN state = 'active' THEN lease_owner END,
             tries = tries + CASE WHEN state = 'active' THEN 0 ELSE 1 END,
             due_ms = CASE WHEN state = 'active' THEN due_ms ELSE ?1 END
         WHERE id = ?2 AND lease_owner = ?3 AND lease_token = ?4",
    )
    .bind(until.as_millisecond())
    .bind(lease.id.as_str())
    .bind(&lease.owner)
    .bind(lease.token)
    .execute(&mut *tx)
    .await
    .map_err(unavailable)?;
    tx.commit().await.map_err(unavailable)?;
    if done.rows_affected() == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
}

/// Extends those of `leases` that are still held, in one statement, and returns their operations.
pub(super) async fn renew_all(
    pool: Pool,
    leases: Vec<Lease>,
    until: Timestamp,
) -> Result<Vec<(DeploymentId, CancelRequest)>, StoreError> {
    let Some(owner) = leases.first().map(|lease| &lease.owner) else { return Ok(Vec::new()) };
    let held: Vec<_> = leases.iter().map(|lease| (lease.id.as_str(), lease.token)).collect();
    let held = serde_json::to_string(&held).map_err(|error| unavailable_for(error.into()))?;
    let mut tx = pool.begin().await?;
    let rows = sqlx::query(
        "UPDATE deployments SET lease_until_ms = ?1
         FROM (SELECT value ->> 0 AS held_id, value ->> 1 AS held_token FROM json_each(?3))
         WHERE id = held_id AND lease_token = held_token AND lease_owner = ?2
         RETURNING id, cancel_ms",
    )
    .bind(until.as_millisecond())
    .bind(owner)
    .bind(held)
    .fetch_all(&mut *tx)
    .await
    .map_err(unavailable)?;
    tx.commit().await.map_err(unavailable)?;
    rows.iter().map(|row| Ok((rows::id(row, "id")?, rows::cancel_request(row)?))).collect()
}
