//! Facts: what a worker records, guarded by its lease.

use sqlx::SqliteConnection;

use super::{Pool, ending, rows, unavailable, unavailable_for};
use crate::server::store::{Fact, Lease, Recorded, State, StepId, StepRecord, StoreError};
use domain::{
    deployment::DeploymentId,
    event::{Event, Seq},
};

/// Writes the one row that is there to be written.
pub(super) async fn check(pool: Pool) -> Result<(), StoreError> {
    let mut tx = pool.begin().await?;
    let write = sqlx::query("UPDATE write_probe SET writes = writes + 1").execute(&mut *tx);
    if write.await.map_err(unavailable)?.rows_affected() != 1 {
        return Err(StoreError::Corrupt { what: "table write_probe" });
    }
    tx.commit().await.map_err(unavailable)
}

/// Records a fact, all of it or nothing.
pub(super) async fn record(pool: Pool, lease: Lease, fact: Fact) -> Result<Recorded, StoreError> {
    let mut tx = pool.begin().await?;
    let recorded = advance(&mut tx, &lease, &fact).await?;
    let first = recorded.seq - fact.events.len() as Seq + 1;
    for (seq, body) in (first..).zip(&fact.events) {
        insert_event(&mut tx, &lease.id, &Event { seq, body: body.clone() }).await?;
    }
    if let Some((step, record)) = &fact.step {
        write_step(&mut tx, &lease.id, *step, record).await?;
    }
    for service in &fact.services {
        sqlx::query(
            "INSERT INTO services (deployment_id, app_name) VALUES (?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(lease.id.as_str())
        .bind(&service.0)
        .execute(&mut *tx)
        .await
        .map_err(unavailable)?;
    }
    if let Some(end) = fact.end
        && end.state == State::RolledBack
    {
        ending::release_removed(&mut tx, &lease.id, end.at).await?;
    }
    tx.commit().await.map_err(unavailable)?;
    Ok(recorded)
}

/// Moves the deployment's last seq on by the fact's events, and ends it if the fact does.
async fn advance(
    tx: &mut SqliteConnection,
    lease: &Lease,
    fact: &Fact,
) -> Result<Recorded, StoreError> {
    let end = fact.end.as_ref();
    let at = end.map(|end| end.at.as_millisecond());
    let released = end.filter(|end| end.state == State::RolledBack).and(at);
    let row = sqlx::query(
        "UPDATE deployments
         SET seq = seq + ?1, state = COALESCE(?2, state), completed_ms = COALESCE(?3, completed_ms),
             released_ms = COALESCE(?4, released_ms), due_ms = COALESCE(?5, due_ms)
         WHERE id = ?6 AND lease_owner = ?7 AND lease_token = ?8
           AND (state = 'active' OR (?1 = 0 AND ?2 IS NULL))
         RETURNING seq, cancel_ms",
    )
    .bind(i64::try_from(fact.events.len()).unwrap_or(i64::MAX))
    .bind(end.map(|end| end.state.as_str()))
    .bind(at)
    .bind(released)
    .bind(end.and_then(|end| end.due).map(jiff::Timestamp::as_millisecond))
    .bind(lease.id.as_str())
    .bind(&lease.owner)
    .bind(lease.token)
    .fetch_optional(tx)
    .await
    .map_err(unavailable)?
    .ok_or(StoreError::LeaseLost)?;
    let recorded = rows::recorded(&row)?;
    if end.is_some_and(|end| end.cancel_request != recorded.cancel_request) {
        return Err(StoreError::CancelPending);
    }
    Ok(recorded)
}

/// Inserts an event.
pub(super) async fn insert_event(
    tx: &mut SqliteConnection,
    id: &DeploymentId,
    event: &Event,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO events (deployment_id, seq, name, data) VALUES (?, ?, ?, ?)")
        .bind(id.as_str())
        .bind(event.seq.cast_signed())
        .bind(event.name())
        .bind(event.data())
        .execute(tx)
        .await
        .map_err(unavailable)?;
    Ok(())
}

async fn write_step(
    tx: &mut SqliteConnection,
    id: &DeploymentId,
    step: StepId,
    record: &StepRecord,
) -> Result<(), StoreError> {
    let record = serde_json::to_string(record).map_err(|error| unavailable_for(error.into()))?;
    sqlx::query(
        "INSERT INTO steps (deployment_id, step, record) VALUES (?, ?, ?)
         ON CONFLICT (deployment_id, step) DO UPDATE SET record = excluded.record",
    )
    .bind(id.as_str())
    .bind(step.as_str())
    .bind(record)
    .execute(tx)
    .await
    .map_err(unavailable)?;
    Ok(())
}
