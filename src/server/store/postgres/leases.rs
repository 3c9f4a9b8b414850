//! Leases, and the fencing that guards what their holders write.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use super::{PostgresStore, rows, unavailable};
use crate::server::{
    notifier::Nudge,
    store::{CancelRequest, Lane, Lease, StoreError},
};
use domain::deployment::DeploymentId;

/// Claims the oldest operations in `lane` that nobody holds at `now`, at most `max`. Portals that
/// claim at the same moment get different ones.
pub(super) async fn claim(
    store: PostgresStore,
    lane: Lane,
    max: usize,
    owner: String,
    now: Timestamp,
    ttl: Duration,
) -> Result<Vec<Lease>, StoreError> {
    let mut tx = store.pool.begin().await?;
    // What is due later than the longest pause (30 min, and one for clocks that differ) was made so
    // by a clock that was ahead: it is due now. Each kind of candidate has an index of its own: in
    // one condition with OR between them, all that ever ended might be looked at, each second.
    let (candidates, overdue): (&[_], _) = match lane {
        Lane::Forward => (&["state = 'active' AND started_ms <= $5"], Timestamp::MAX),
        Lane::CleanUp { overdue } => (
            &[
                "state = 'active'
                 AND (cancel_ms IS NOT NULL OR removes IS NOT NULL OR started_ms <= $5)",
                "state = 'stuck' AND (due_ms <= $2 OR due_ms > $2 + 1860000)",
                "state = 'live' AND due_ms IS NOT NULL
                 AND (due_ms <= $2 OR due_ms > $2 + 1860000)",
            ],
            overdue,
        ),
    };
    let still = candidates.iter().map(|kind| format!("({kind})")).collect::<Vec<_>>().join(" OR ");
    let candidates: Vec<_> = candidates.iter().map(|kind| free(kind)).collect();
    let candidates = candidates.join(" UNION ALL ");
    // Materialized: a plan that ran the subquery once for each row would claim more than `max`.
    // What is locked is looked at once more, since somebody may have claimed it meanwhile.
    let statement = format!(
        "WITH candidates AS MATERIALIZED ({candidates}),
         free AS MATERIALIZED (
             SELECT id FROM deployments
             WHERE id = ANY (ARRAY (SELECT id FROM candidates))
               AND ({still}) AND (lease_owner IS NULL OR lease_until_ms <= $2)
             ORDER BY started_ms, id LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED)
         UPDATE deployments
         SET lease_owner = $1, lease_token = lease_token + 1, lease_until_ms = $2 + $3
         FROM free WHERE deployments.id = free.id
         RETURNING deployments.id, lease_token"
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

fn free(candidates: &str) -> String {
    format!(
        "SELECT id FROM deployments
         WHERE {candidates} AND (lease_owner IS NULL OR lease_until_ms <= $2)"
    )
}

/// Claims the operation `id`, if it has ended and nobody holds it at `now`.
pub(super) async fn claim_ended(
    store: PostgresStore,
    id: DeploymentId,
    owner: String,
    now: Timestamp,
    ttl: Duration,
) -> Result<Option<Lease>, StoreError> {
    let mut tx = store.pool.begin().await?;
    let row = sqlx::query(
        "UPDATE deployments
         SET lease_owner = $1, lease_token = lease_token + 1, lease_until_ms = $2 + $3
         WHERE id = $4 AND state <> 'active' AND (lease_owner IS NULL OR lease_until_ms <= $2)
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

/// Extends `lease`, if it is still held.
pub(super) async fn renew(
    store: PostgresStore,
    lease: Lease,
    until: Timestamp,
) -> Result<CancelRequest, StoreError> {
    let mut tx = store.pool.begin().await?;
    let row = sqlx::query(
        "UPDATE deployments SET lease_until_ms = $1
         WHERE id = $2 AND lease_owner = $3 AND lease_token = $4
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

/// Hands `lease` back; releasing a lost lease does nothing. What is not over yet is work for
/// another portal at once.
pub(super) async fn release(store: PostgresStore, lease: Lease) -> Result<(), StoreError> {
    let mut tx = store.pool.begin().await?;
    let row = sqlx::query(
        "UPDATE deployments SET lease_owner = NULL
         WHERE id = $1 AND lease_owner = $2 AND lease_token = $3
         RETURNING id",
    )
    .bind(lease.id.as_str())
    .bind(&lease.owner)
    .bind(lease.token)
    .fetch_optional(&mut *tx)
    .await
    .map_err(unavailable)?;
    if row.is_some() {
        store.origin.notify(&mut tx, &Nudge::Work).await?;
    }
    tx.commit().await.map_err(unavailable)
}

/// Takes `lease` away after a panic, and lets nobody claim the operation before `until`. An
/// operation under way is held until then; one that has ended is due then, or when somebody asks.
pub(super) async fn suspend(
    store: PostgresStore,
    lease: Lease,
    until: Timestamp,
) -> Result<(), StoreError> {
    let mut tx = store.pool.begin().await?;
    let done = sqlx::query(
        "UPDATE deployments
         SET panics = panics + 1, lease_token = lease_token + 1, lease_until_ms = $1,
             lease_owner = CASE WHEN state = 'active' THEN lease_owner END,
             tries = tries + CASE WHEN state = 'active' THEN 0 ELSE 1 END,
             due_ms = CASE WHEN state = 'active' THEN due_ms ELSE $1 END
         WHERE id = $2 AND lease_owner = $3 AND lease_token = $4",
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

/// Extends those of `leases` that are still held and to whose rows nobody writes: whoever does
/// may wait for another of these rows.
pub(super) async fn renew_all(
    store: PostgresStore,
    leases: Vec<Lease>,
    until: Timestamp,
) -> Result<Vec<(DeploymentId, CancelRequest)>, StoreError> {
    let Some(owner) = leases.first().map(|lease| &lease.owner) else { return Ok(Vec::new()) };
    let ids: Vec<_> = leases.iter().map(|lease| lease.id.as_str()).collect();
    let tokens: Vec<_> = leases.iter().map(|lease| lease.token).collect();
    let mut tx = store.pool.begin().await?;
    let rows = sqlx::query(
        "WITH held AS MATERIALIZED (
             SELECT deployments.id FROM deployments
             JOIN UNNEST($2::text[], $3::bigint[]) AS leases (id, token)
                 ON deployments.id = leases.id AND lease_token = leases.token
             WHERE lease_owner = $4 FOR NO KEY UPDATE OF deployments SKIP LOCKED)
         UPDATE deployments SET lease_until_ms = $1
         FROM held WHERE deployments.id = held.id
         RETURNING deployments.id, cancel_ms",
    )
    .bind(until.as_millisecond())
    .bind(ids)
    .bind(tokens)
    .bind(owner)
    .fetch_all(&mut *tx)
    .await
    .map_err(unavailable)?;
    tx.commit().await.map_err(unavailable)?;
    rows.iter().map(|row| Ok((rows::id(row, "id")?, rows::cancel_request(row)?))).collect()
}
