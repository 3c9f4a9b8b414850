//! Ends and what comes after: cancelling, clean-up, and purging.

use jiff::Timestamp;
use sqlx::PgConnection;

use super::{PostgresStore, audit, unavailable, unavailable_for};
use crate::server::{
    audit::AuditEntry,
    notifier::Nudge,
    store::{
        CancelOutcome, CleanupRecord, Lease, StoreError,
        purge::{self, Batch},
    },
};
use domain::deployment::DeploymentId;

/// Records the request to cancel, unless the end came first.
pub(super) async fn cancel(
    store: PostgresStore,
    id: DeploymentId,
    now: Timestamp,
    audit_entry: Option<AuditEntry>,
) -> Result<CancelOutcome, StoreError> {
    let mut tx = store.pool.begin().await?;
    let done = sqlx::query(
        "UPDATE deployments SET cancel_ms = COALESCE(cancel_ms, $1)
         WHERE id = $2 AND state = 'active'",
    )
    .bind(now.as_millisecond())
    .bind(id.as_str())
    .execute(&mut *tx)
    .await
    .map_err(unavailable)?;
    if done.rows_affected() == 1 {
        audit::insert_audit_entry(&mut tx, audit_entry.as_ref()).await?;
        store.origin.notify(&mut tx, &Nudge::CancelRequest(id.clone())).await?;
        store.origin.notify(&mut tx, &Nudge::Work).await?;
        tx.commit().await.map_err(unavailable)?;
        return Ok(CancelOutcome::Accepted);
    }
    let known = sqlx::query("SELECT 1 FROM deployments WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(&mut *tx)
        .await
        .map_err(unavailable)?;
    Ok(if known.is_some() { CancelOutcome::AlreadyEnded } else { CancelOutcome::Unknown })
}

/// Makes the clean-up of a stuck operation due at `due`.
pub(super) async fn make_due_now(
    store: PostgresStore,
    id: DeploymentId,
    due: Timestamp,
    audit_entry: Option<AuditEntry>,
) -> Result<bool, StoreError> {
    let mut tx = store.pool.begin().await?;
    let done = sqlx::query(
        "UPDATE deployments SET due_ms = $1, panics = 0 WHERE id = $2 AND state = 'stuck'",
    )
    .bind(due.as_millisecond())
    .bind(id.as_str())
    .execute(&mut *tx)
    .await
    .map_err(unavailable)?;
    let is_stuck = done.rows_affected() == 1;
    if is_stuck {
        audit::insert_audit_entry(&mut tx, audit_entry.as_ref()).await?;
        store.origin.notify(&mut tx, &Nudge::Work).await?;
    }
    tx.commit().await.map_err(unavailable)?;
    Ok(is_stuck)
}

/// Records the result of a clean-up after the end.
pub(super) async fn record_cleanup(
    store: PostgresStore,
    lease: Lease,
    cleanup: CleanupRecord,
) -> Result<(), StoreError> {
    let CleanupRecord { receipt, at, due } = &cleanup;
    let text = serde_json::to_string(receipt).map_err(|error| unavailable_for(error.into()))?;
    let mut tx = store.pool.begin().await?;
    let done = sqlx::query(
        "UPDATE deployments
         SET receipt = $1, tries = tries + 1,
             state = CASE WHEN $2 THEN 'rolled_back' ELSE state END,
             released_ms = CASE WHEN $2 THEN $3 ELSE released_ms END,
             due_ms = CASE WHEN $2 THEN NULL ELSE $4 END
         WHERE id = $5 AND lease_owner = $6 AND lease_token = $7 AND state = 'stuck'",
    )
    .bind(text)
    .bind(receipt.clean)
    .bind(at.as_millisecond())
    .bind(due.as_millisecond())
    .bind(lease.id.as_str())
    .bind(&lease.owner)
    .bind(lease.token)
    .execute(&mut *tx)
    .await
    .map_err(unavailable)?;
    if done.rows_affected() == 0 {
        return Err(StoreError::LeaseLost);
    }
    if receipt.clean {
        release_removed(&mut tx, &lease.id, *at).await?;
    }
    tx.commit().await.map_err(unavailable)
}

/// Records that somebody looked for the duplicates of a live stack, and when to look again.
pub(super) async fn rechecked(
    store: PostgresStore,
    lease: Lease,
    again: Option<Timestamp>,
) -> Result<(), StoreError> {
    let mut tx = store.pool.begin().await?;
    let done = sqlx::query(
        "UPDATE deployments SET tries = tries + 1, due_ms = $1
         WHERE id = $2 AND lease_owner = $3 AND lease_token = $4 AND state = 'live'",
    )
    .bind(again.map(Timestamp::as_millisecond))
    .bind(lease.id.as_str())
    .bind(&lease.owner)
    .bind(lease.token)
    .execute(&mut *tx)
    .await
    .map_err(unavailable)?;
    tx.commit().await.map_err(unavailable)?;
    if done.rows_affected() == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
}

/// Where `id` is a removal that left nothing, frees the name of the stack that it removed.
pub(super) async fn release_removed(
    tx: &mut PgConnection,
    id: &DeploymentId,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deployments SET state = 'rolled_back', released_ms = $1
         WHERE id = (SELECT removes FROM deployments WHERE id = $2)",
    )
    .bind(at.as_millisecond())
    .bind(id.as_str())
    .execute(tx)
    .await
    .map_err(unavailable)?;
    Ok(())
}

/// Purges what has had nothing left since before `before`, but for what another portal is purging:
/// one batch, so that it is done within the time that a statement has. Tells how many, and whether
/// there is more.
pub(super) async fn purge(
    store: PostgresStore,
    before: Timestamp,
) -> Result<(u64, bool), StoreError> {
    let mut tx = store.pool.begin().await?;
    let result = match batch(&mut tx, before).await? {
        Batch::Nothing => (0, false),
        Batch::Deployments(ids) => {
            let deleted = delete(&mut tx, &ids, before).await?;
            (deleted, deleted > 0)
        }
        Batch::Events(id) => (0, delete_events(&mut tx, &id).await? > 0),
    };
    tx.commit().await.map_err(unavailable)?;
    Ok(result)
}

async fn batch(tx: &mut PgConnection, before: Timestamp) -> Result<Batch, StoreError> {
    let candidates = sqlx::query(
        "SELECT id, (SELECT count(*) FROM (SELECT 1 FROM events
                     WHERE deployment_id = deployments.id LIMIT $3) AS few) AS events
         FROM deployments WHERE released_ms < $1 ORDER BY released_ms LIMIT $2",
    )
    .bind(before.as_millisecond())
    .bind(purge::CANDIDATES)
    .bind(purge::ROWS)
    .fetch_all(tx)
    .await
    .map_err(unavailable)?;
    purge::batch(&candidates)
}

async fn delete(
    tx: &mut PgConnection,
    ids: &[DeploymentId],
    before: Timestamp,
) -> Result<u64, StoreError> {
    let ids: Vec<_> = ids.iter().map(DeploymentId::as_str).collect();
    let done = sqlx::query(
        "DELETE FROM deployments WHERE id = ANY (ARRAY
             (SELECT id FROM deployments WHERE id = ANY ($1) AND released_ms < $2
              ORDER BY id FOR UPDATE SKIP LOCKED))",
    )
    .bind(ids)
    .bind(before.as_millisecond())
    .execute(tx)
    .await
    .map_err(unavailable)?;
    Ok(done.rows_affected())
}

/// Deletes the oldest events of `id`: its end goes last, so that it never looks unfinished.
async fn delete_events(tx: &mut PgConnection, id: &DeploymentId) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "DELETE FROM events WHERE deployment_id = $1 AND seq = ANY (ARRAY
             (SELECT seq FROM events WHERE deployment_id = $1 ORDER BY seq LIMIT $2
              FOR UPDATE SKIP LOCKED))",
    )
    .bind(id.as_str())
    .bind(purge::ROWS)
    .execute(tx)
    .await
    .map_err(unavailable)?;
    Ok(done.rows_affected())
}
