//! What readers ask of the store.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Row, SqlitePool, sqlite::SqliteRow};

use super::{leases, unavailable, unavailable_for};
use crate::{
    domain::{
        deployment::{Deployment, DeploymentId, Links, Standing},
        event::Seq,
        stack_name::StackName,
    },
    server::ports::{
        platform::AppName,
        store::{CleanUp, Record, Stack, State, StepId, Steps, StoreError, StoredEvent},
    },
};

/// Finds a deployment.
pub(super) async fn find(
    pool: &SqlitePool,
    id: &DeploymentId,
) -> Result<Option<Record>, StoreError> {
    let row =
        sqlx::query("SELECT *, cancel_ms IS NOT NULL AS cancelled FROM deployments WHERE id = ?")
            .bind(id.as_str())
            .fetch_optional(pool)
            .await
            .map_err(unavailable)?;
    row.as_ref().map(record).transpose()
}

/// Lists the operations of which something is left, oldest first.
pub(super) async fn stuck(pool: &SqlitePool) -> Result<Vec<Record>, StoreError> {
    let rows = sqlx::query(
        "SELECT *, cancel_ms IS NOT NULL AS cancelled FROM deployments
         WHERE state = 'stuck' ORDER BY started_ms, id",
    )
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    rows.iter().map(record).collect()
}

fn record(row: &SqliteRow) -> Result<Record, StoreError> {
    let receipt: Option<String> = row.try_get("receipt").map_err(unavailable)?;
    let receipt = receipt.map(|text| serde_json::from_str(&text)).transpose();
    Ok(Record {
        deployment: deployment(row)?,
        host: row.try_get("host").map_err(unavailable)?,
        state: state(row.try_get("state").map_err(unavailable)?)?,
        standing: Standing {
            completed: optional_time(row, "completed_ms")?,
            receipt: receipt.map_err(|_| StoreError::Corrupt { what: "receipt" })?,
            links: Links {
                retry_of: optional_id(row, "retry_of")?,
                retried_by: optional_id(row, "retried_by")?,
                removes: optional_id(row, "removes")?,
            },
        },
        seq: row.try_get::<i64, _>("seq").map_err(unavailable)?.cast_unsigned(),
        wish: leases::wish(row)?,
        clean_up: CleanUp {
            tries: row.try_get("tries").map_err(unavailable)?,
            due: optional_time(row, "due_ms")?,
        },
    })
}

fn deployment(row: &SqliteRow) -> Result<Deployment, StoreError> {
    let text = |column| row.try_get::<String, _>(column).map_err(unavailable);
    Ok(Deployment {
        id: id(&text("id")?)?,
        name: StackName::parse(&text("name")?)
            .map_err(|_| StoreError::Corrupt { what: "stack name" })?,
        url: text("url")?,
        started: time(row.try_get("started_ms").map_err(unavailable)?)?,
    })
}

fn id(text: &str) -> Result<DeploymentId, StoreError> {
    DeploymentId::parse(text).map_err(|_| StoreError::Corrupt { what: "deployment id" })
}

fn optional_id(row: &SqliteRow, column: &str) -> Result<Option<DeploymentId>, StoreError> {
    let text: Option<String> = row.try_get(column).map_err(unavailable)?;
    text.as_deref().map(id).transpose()
}

fn time(ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(ms).map_err(|_| StoreError::Corrupt { what: "time" })
}

fn optional_time(row: &SqliteRow, column: &str) -> Result<Option<Timestamp>, StoreError> {
    let ms: Option<i64> = row.try_get(column).map_err(unavailable)?;
    ms.map(time).transpose()
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
         WHERE state <> 'rolled_back' AND removes IS NULL AND name IN (SELECT value FROM json_each(?))",
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

/// Lists the live stacks by name: all, or the one called `name`.
pub(super) async fn stacks(
    pool: &SqlitePool,
    name: Option<&StackName>,
) -> Result<Vec<Stack>, StoreError> {
    let rows = sqlx::query(
        "SELECT live.id, live.name, live.url, live.started_ms, live.completed_ms,
                removal.id AS removal, removal.state AS removal_state
         FROM deployments AS live
         LEFT JOIN deployments AS removal
             ON removal.removes = live.id AND removal.state <> 'rolled_back'
         WHERE live.state = 'live' AND live.removes IS NULL AND live.name = COALESCE(?, live.name)
         ORDER BY live.name",
    )
    .bind(name.map(StackName::as_str))
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    let stack = |row: &SqliteRow| {
        let removal = match optional_id(row, "removal")? {
            None => None,
            Some(id) => Some((id, state(row.try_get("removal_state").map_err(unavailable)?)?)),
        };
        let since = time(row.try_get("completed_ms").map_err(unavailable)?)?;
        Ok(Stack { deployment: deployment(row)?, since, removal })
    };
    rows.iter().map(stack).collect()
}

/// Returns how long the last deployments that came up took, newest first.
pub(super) async fn durations(pool: &SqlitePool, limit: u32) -> Result<Vec<Duration>, StoreError> {
    let rows = sqlx::query(
        "SELECT completed_ms - started_ms AS took_ms FROM deployments
         WHERE state = 'live' AND removes IS NULL ORDER BY completed_ms DESC LIMIT ?",
    )
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    let took = |row: &SqliteRow| {
        let ms: i64 = row.try_get("took_ms").map_err(unavailable)?;
        Ok(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
    };
    rows.iter().map(took).collect()
}

/// Counts the operations of which something is left.
pub(super) async fn stuck_count(pool: &SqlitePool) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT count(*) AS stuck FROM deployments WHERE state = 'stuck'")
        .fetch_one(pool)
        .await
        .map_err(unavailable)?;
    Ok(row.try_get::<i64, _>("stuck").map_err(unavailable)?.cast_unsigned())
}

/// Lists which services are known to be of which deployment.
pub(super) async fn services(
    pool: &SqlitePool,
) -> Result<Vec<(AppName, DeploymentId)>, StoreError> {
    let rows = sqlx::query("SELECT app_name, deployment_id FROM services")
        .fetch_all(pool)
        .await
        .map_err(unavailable)?;
    let service = |row: &SqliteRow| {
        let owner: String = row.try_get("deployment_id").map_err(unavailable)?;
        Ok((AppName(row.try_get("app_name").map_err(unavailable)?), id(&owner)?))
    };
    rows.iter().map(service).collect()
}

/// Reads the journal of a deployment.
pub(super) async fn journal(pool: &SqlitePool, id: &DeploymentId) -> Result<Steps, StoreError> {
    let records = sqlx::query("SELECT step, record FROM steps WHERE deployment_id = ?")
        .bind(id.as_str())
        .fetch_all(pool)
        .await
        .map_err(unavailable)?;
    let services = sqlx::query("SELECT app_name FROM services WHERE deployment_id = ?")
        .bind(id.as_str())
        .fetch_all(pool)
        .await
        .map_err(unavailable)?;
    let record = |row: &SqliteRow| {
        let corrupt = || StoreError::Corrupt { what: "journal" };
        let step: String = row.try_get("step").map_err(unavailable)?;
        let record: String = row.try_get("record").map_err(unavailable)?;
        let step = StepId::from_word(&step).ok_or_else(corrupt)?;
        Ok((step, serde_json::from_str(&record).map_err(|_| corrupt())?))
    };
    let service = |row: &SqliteRow| row.try_get("app_name").map(AppName).map_err(unavailable);
    Ok(Steps {
        records: records.iter().map(record).collect::<Result<_, _>>()?,
        services: services.iter().map(service).collect::<Result<_, _>>()?,
    })
}
