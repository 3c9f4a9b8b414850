//! Ends and what comes after: cancelling, clean-up, and purging.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{Pool, audit, unavailable, unavailable_for};
use crate::server::{
    audit::AuditEntry,
    store::{
        CancelOutcome, CleanupRecord, Lease, StoreError,
        purge::{self, Batch},
    },
};
use domain::deployment::DeploymentId;

/// Records the request to cancel, unless the end came first.
pub(super) async fn cancel(
    pool: Pool,
    id: DeploymentId,
    now: Timestamp,
    audit_entry: Option<AuditEntry>,
) -> Result<CancelOutcome, StoreError> {
    let mut tx = pool.begin().await?;
    let done = sqlx::query(
        "UPDATE deployments SET cancel_ms = COALESCE(cancel_ms, ?)
         WHERE id = ? AND state = 'active'",
    )
    .bind(now.as_millisecond())
    .bind(id.as_str())
    .execute(&mut *tx)
    .await
    .map_err(unavailable)?;
    if done.rows_affected() == 1 {
        audit::insert_audit_entry(&mut tx, audit_entry.as_ref()).await?;
        tx.commit().await.map_err(unavailable)?;
        return Ok(CancelOutcome::Accepted);
    }
    let known = sqlx::query("SELECT 1 FROM deployments WHERE id = ?")
        .bind(id.as_str())
        .fetch_optional(&mut *tx)
        .await
        .map_err(unavailable)?;
    tx.commit().await.map_err(unavailable)?;
    Ok(if known.is_some() { CancelOutcome::AlreadyEnded } else { CancelOutcome::Unknown })
}

/// Makes the clean-up of a stuck operation due at once.
pub(super) async fn make_due_now(
    pool: Pool,
    id: DeploymentId,
    audit_entry: Option<AuditEntry>,
) -> Result<bool, StoreError> {
    let mut tx = pool.begin().await?;
    let done = sqlx::query(
        "UPDATE deployments SET due_ms = 0, panics = 0 WHERE id = ? AND state = 'stuck'",
    )
    .bind(id.as_str())
    .execute(&mut *tx)
    .await
    .map_err(unavailable)?;
    let is_stuck = done.rows_affected() == 1;
    if is_stuck {
        audit::insert_audit_entry(&mut tx, audit_entry.as_ref()).await?;
    }
    tx.commit().await.map_err(unavailable)?;
    Ok(is_stuck)
}

/// Records the result of a clean-up after the end.
pub(super) async fn record_cleanup(
    pool: Pool,
    lease: Lease,
    cleanup: CleanupRecord,
) -> Result<(), StoreError> {
    let CleanupRecord { receipt, at, due } = &cleanup;
    let text = serde_json::to_string(receipt).map_err(|error| unavailable_for(error.into()))?;
    let mut tx = pool.begin().await?;
    let done = sqlx::query(
        "UPDATE deployments
         SET receipt = ?1, tries = tries + 1,
             state = CASE WHEN ?2 THEN 'rolled_back' ELSE state END,
             released_ms = CASE WHEN ?2 THEN ?3 ELSE released_ms END,
             due_ms = CASE WHEN ?2 THEN NULL ELSE ?4 END
         WHERE id = ?5 AND lease_owner = ?6 AND lease_token = ?7 AND state = 'stuck'",
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
    pool: Pool,
    lease: Lease,
    again: Option<Timestamp>,
) -> Result<(), StoreError> {
    let mut tx = pool.begin().await?;
    let done = sqlx::query(
        "UPDATE deployments SET tries = tries + 1, due_ms = ?
         WHERE id = ? AND lease_owner = ? AND lease_token = ? AND state = 'live'",
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
    tx: &mut SqliteConnection,
    id: &DeploymentId,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deployments SET state = 'rolled_back', released_ms = ?
         WHERE id = (SELECT removes FROM deployments WHERE id = ?)",
    )
    .bind(at.as_millisecond())
    .bind(id.as_str())
    .execute(tx)
    .await
    .map_err(unavailable)?;
    Ok(())
}

/// Finds the next batch of what has had nothing left since before `before`.
pub(super) async fn batch(readers: &Pool, before: Timestamp) -> Result<Batch, StoreError> {
    let candidates = sqlx::query(
        "SELECT id, (SELECT count(*) FROM (SELECT 1 FROM events
                     WHERE deployment_id = deployments.id LIMIT ?3)) AS events
         FROM deployments WHERE released_ms < ?1 ORDER BY released_ms LIMIT ?2",
    )
    .bind(before.as_millisecond())
    .bind(purge::CANDIDATES)
    .bind(purge::ROWS)
    .fetch_all(readers)
    .await
    .map_err(unavailable)?;
    purge::batch(&candidates)
}

/// Purges a batch, and tells how many deployments went; `None` where there was nothing to delete.
pub(super) async fn purge(
    pool: Pool,
    batch: Batch,
    before: Timestamp,
) -> Result<Option<u64>, StoreError> {
    let mut tx = pool.begin().await?;
    let deleted = match batch {
        Batch::Nothing => None,
        Batch::Deployments(ids) => {
            let deleted = delete(&mut tx, &ids, before).await?;
            (deleted > 0).then_some(deleted)
        }
        Batch::Events(id) => (delete_events(&mut tx, &id).await? > 0).then_some(0),
    };
    tx.commit().await.map_err(unavailable)?;
    Ok(deleted)
}

async fn delete(
    tx: &mut SqliteConnection,
    ids: &[DeploymentId],
    before: Timestamp,
) -> Result<u64, StoreError> {
    let ids = serde_json::to_string(ids).map_err(|error| unavailable_for(error.into()))?;
    let done = sqlx::query(
        "DELETE FROM deployments
         WHERE id IN (SELECT value FROM json_each(?)) AND released_ms < ?",
    )
    .bind(ids)
    .bind(before.as_millisecond())
    .execute(tx)
    .await
    .map_err(unavailable)?;
    Ok(done.rows_affected())
}

/// Deletes the oldest events of `id`: its end goes last, so that it never looks unfinished.
async fn delete_events(tx: &mut SqliteConnection, id: &DeploymentId) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "DELETE FROM events WHERE deployment_id = ?1 AND seq IN
             (SELECT seq FROM events WHERE deployment_id = ?1 ORDER BY seq LIMIT ?2)",
    )
    .bind(id.as_str())
    .bind(purge::ROWS)
    .execute(tx)
    .await
    .map_err(unavailable)?;
    Ok(done.rows_affected())
}
