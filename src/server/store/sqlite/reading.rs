//! What readers ask of the store.

use jiff::Timestamp;
use sqlx::{Row, SqlitePool, sqlite::SqliteRow};

use super::{unavailable, unavailable_for};
use crate::{
    domain::{
        deployment::{Deployment, DeploymentId},
        event::Seq,
        stack_name::StackName,
    },
    server::ports::store::{Record, State, StepId, StepRecord, StoreError, StoredEvent},
};

/// Finds a deployment.
pub(super) async fn find(
    pool: &SqlitePool,
    id: &DeploymentId,
) -> Result<Option<Record>, StoreError> {
    let row = sqlx::query(
        "SELECT name, host, url, state, seq, started_ms, completed_ms
         FROM deployments WHERE id = ?",
    )
    .bind(id.as_str())
    .fetch_optional(pool)
    .await
    .map_err(unavailable)?;
    row.map(|row| record(id, &row)).transpose()
}

fn record(id: &DeploymentId, row: &SqliteRow) -> Result<Record, StoreError> {
    let text = |column| row.try_get::<String, _>(column).map_err(unavailable);
    let time =
        |ms| Timestamp::from_millisecond(ms).map_err(|_| StoreError::Corrupt { what: "time" });
    let completed: Option<i64> = row.try_get("completed_ms").map_err(unavailable)?;
    Ok(Record {
        deployment: Deployment {
            id: id.clone(),
            name: StackName::parse(&text("name")?)
                .map_err(|_| StoreError::Corrupt { what: "stack name" })?,
            url: text("url")?,
            started: time(row.try_get("started_ms").map_err(unavailable)?)?,
        },
        host: text("host")?,
        state: state(&text("state")?)?,
        completed: completed.map(time).transpose()?,
        seq: row.try_get::<i64, _>("seq").map_err(unavailable)?.cast_unsigned(),
    })
}

fn state(word: &str) -> Result<State, StoreError> {
    [State::Active, State::Live, State::RolledBack, State::Stuck]
        .into_iter()
        .find(|state| state.as_str() == word)
        .ok_or(StoreError::Corrupt { what: "deployment state" })
}

/// Lists a deployment's events after `after`, in order, at most `limit`.
pub(super) async fn events(
    pool: &SqlitePool,
    id: &DeploymentId,
    after: Seq,
    limit: u32,
) -> Result<Vec<StoredEvent>, StoreError> {
    let rows = sqlx::query(
        "SELECT seq, name, data FROM events
         WHERE deployment_id = ? AND seq > ? ORDER BY seq LIMIT ?",
    )
    .bind(id.as_str())
    .bind(i64::try_from(after).unwrap_or(i64::MAX))
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    let event = |row: SqliteRow| {
        Ok(StoredEvent {
            seq: row.try_get::<i64, _>("seq").map_err(unavailable)?.cast_unsigned(),
            name: row.try_get("name").map_err(unavailable)?,
            data: row.try_get("data").map_err(unavailable)?,
        })
    };
    rows.into_iter().map(event).collect()
}

/// Tells which of `names` are reserved.
pub(super) async fn reserved(
    pool: &SqlitePool,
    names: &[StackName],
) -> Result<Vec<StackName>, StoreError> {
    let wanted = serde_json::to_string(names).map_err(|error| unavailable_for(error.into()))?;
    let rows = sqlx::query(
        "SELECT name FROM deployments
         WHERE state <> 'rolled_back' AND name IN (SELECT value FROM json_each(?))",
    )
    .bind(wanted)
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    let name = |row: SqliteRow| {
        StackName::parse(row.try_get("name").map_err(unavailable)?)
            .map_err(|_| StoreError::Corrupt { what: "stack name" })
    };
    rows.into_iter().map(name).collect()
}

/// Counts the deployments of which something is left.
pub(super) async fn stuck_count(pool: &SqlitePool) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT count(*) AS stuck FROM deployments WHERE state = 'stuck'")
        .fetch_one(pool)
        .await
        .map_err(unavailable)?;
    Ok(row.try_get::<i64, _>("stuck").map_err(unavailable)?.cast_unsigned())
}

/// Reads the journal of a deployment.
pub(super) async fn journal(
    pool: &SqlitePool,
    id: &DeploymentId,
) -> Result<Vec<(StepId, StepRecord)>, StoreError> {
    let rows = sqlx::query("SELECT step, record FROM steps WHERE deployment_id = ?")
        .bind(id.as_str())
        .fetch_all(pool)
        .await
        .map_err(unavailable)?;
    let entry = |row: SqliteRow| {
        let corrupt = || StoreError::Corrupt { what: "journal" };
        let step: String = row.try_get("step").map_err(unavailable)?;
        let record: String = row.try_get("record").map_err(unavailable)?;
        let step = StepId::from_word(&step).ok_or_else(corrupt)?;
        Ok((step, serde_json::from_str(&record).map_err(|_| corrupt())?))
    };
    rows.into_iter().map(entry).collect()
}
