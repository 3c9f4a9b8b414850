//! Queries of readers.

use std::{collections::HashMap, time::Duration};

use sqlx::AssertSqlSafe;

use super::{NUL, Pool, rows, rows::Columns, unavailable};
use crate::server::{
    platform::AppName,
    store::{OperationFilter, Record, Stack, Steps, StoreError, StoredEvent, lists},
};
use domain::{deployment::DeploymentId, event::Seq, stack_name::StackName};

/// Finds a deployment.
pub(super) async fn find(pool: &Pool, id: &DeploymentId) -> Result<Option<Record>, StoreError> {
    let row = sqlx::query(AssertSqlSafe(format!("{} WHERE id = $1", lists::RECORD)))
        .bind(id.as_str())
        .fetch_optional(pool)
        .await
        .map_err(unavailable)?;
    row.as_ref().map(rows::record).transpose()
}

/// Lists the operations of which something is left, oldest first.
pub(super) async fn stuck(pool: &Pool) -> Result<Vec<Record>, StoreError> {
    let stuck = format!("{} WHERE state = 'stuck' ORDER BY started_ms, id", lists::RECORD);
    let found = sqlx::query(AssertSqlSafe(stuck)).fetch_all(pool).await.map_err(unavailable)?;
    found.iter().map(rows::record).collect()
}

/// Lists operations that pass `filter`, newest first.
pub(super) async fn operations(
    pool: &Pool,
    filter: &OperationFilter,
) -> Result<Vec<Record>, StoreError> {
    if filter.search.as_deref().is_some_and(|search| search.contains(NUL)) {
        return Ok(Vec::new());
    }
    let mut query = lists::operations(filter, "strpos");
    let found = query.build().fetch_all(pool).await.map_err(unavailable)?;
    found.iter().map(rows::record).collect()
}

/// Lists a deployment's events after `after`, in order, at most `limit`.
pub(super) async fn events(
    pool: &Pool,
    id: &DeploymentId,
    after: Seq,
    limit: u32,
) -> Result<Vec<StoredEvent>, StoreError> {
    let found = sqlx::query(
        "SELECT seq, name, data FROM events
         WHERE deployment_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
    )
    .bind(id.as_str())
    .bind(i64::try_from(after).unwrap_or(i64::MAX))
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    found.iter().map(rows::event).collect()
}

/// Finds the last event of each of these.
pub(super) async fn last_events(
    pool: &Pool,
    ids: &[&DeploymentId],
) -> Result<Vec<(DeploymentId, StoredEvent)>, StoreError> {
    let wanted: Vec<_> = ids.iter().map(|id| id.as_str()).collect();
    let found = sqlx::query(
        "SELECT events.deployment_id, events.seq, events.name, events.data
         FROM deployments JOIN events
             ON events.deployment_id = deployments.id AND events.seq = deployments.seq
         WHERE deployments.id = ANY($1)",
    )
    .bind(wanted)
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    found.iter().map(|row| Ok((rows::id(row, "deployment_id")?, rows::event(row)?))).collect()
}

/// Returns which of `names` are reserved.
pub(super) async fn reserved(
    pool: &Pool,
    names: &[StackName],
) -> Result<Vec<StackName>, StoreError> {
    let wanted: Vec<_> = names.iter().map(StackName::as_str).collect();
    let found = sqlx::query(
        "SELECT name FROM deployments
         WHERE state <> 'rolled_back' AND removes IS NULL AND name = ANY($1)",
    )
    .bind(wanted)
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    found.iter().map(rows::name).collect()
}

/// Lists the live stacks by name: all, or the one called `name`.
pub(super) async fn stacks(
    pool: &Pool,
    name: Option<&StackName>,
) -> Result<Vec<Stack>, StoreError> {
    let found = sqlx::query(
        "SELECT live.id, live.name, live.url, live.started_ms, live.completed_ms,
                live.owner, removal.id AS removal, removal.state AS removal_state
         FROM deployments AS live
         LEFT JOIN deployments AS removal
             ON removal.removes = live.id AND removal.state <> 'rolled_back'
         WHERE live.state = 'live' AND live.removes IS NULL AND live.name = COALESCE($1, live.name)
         ORDER BY live.name",
    )
    .bind(name.map(StackName::as_str))
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    found.iter().map(rows::stack).collect()
}

/// Returns how long the last deployments that came up took, newest first. What is gone by now
/// came up where there is a removal of it.
pub(super) async fn durations(pool: &Pool, limit: u32) -> Result<Vec<Duration>, StoreError> {
    let found = sqlx::query(
        "SELECT completed_ms - started_ms AS took_ms FROM deployments AS ended
         WHERE removes IS NULL AND completed_ms IS NOT NULL
           AND (state = 'live' OR (state = 'rolled_back' AND EXISTS
                (SELECT 1 FROM deployments AS removal WHERE removal.removes = ended.id)))
         ORDER BY completed_ms DESC LIMIT $1",
    )
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    found.iter().map(rows::took).collect()
}

/// Counts the operations of which something is left.
pub(super) async fn stuck_count(pool: &Pool) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT count(*) AS stuck FROM deployments WHERE state = 'stuck'")
        .fetch_one(pool)
        .await
        .map_err(unavailable)?;
    Ok(row.number("stuck")?.cast_unsigned())
}

/// Lists which services are known to be of which deployment.
pub(super) async fn services(pool: &Pool) -> Result<Vec<(AppName, DeploymentId)>, StoreError> {
    let found = sqlx::query("SELECT app_name, deployment_id FROM services")
        .fetch_all(pool)
        .await
        .map_err(unavailable)?;
    found.iter().map(rows::service).collect()
}

/// Reads the journal of a deployment.
pub(super) async fn journal(pool: &Pool, id: &DeploymentId) -> Result<Steps, StoreError> {
    let records = sqlx::query("SELECT step, record FROM steps WHERE deployment_id = $1")
        .bind(id.as_str())
        .fetch_all(pool)
        .await
        .map_err(unavailable)?;
    let services = sqlx::query("SELECT app_name FROM services WHERE deployment_id = $1")
        .bind(id.as_str())
        .fetch_all(pool)
        .await
        .map_err(unavailable)?;
    Ok(Steps {
        records: records.iter().map(rows::step).collect::<Result<_, _>>()?,
        services: services.iter().map(rows::app_name).collect::<Result<_, _>>()?,
    })
}

/// Reads the platform's logs that these operations keep.
pub(super) async fn platform_logs(
    pool: &Pool,
    ids: &[DeploymentId],
) -> Result<HashMap<DeploymentId, String>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = lists::deploy_steps(ids).build().fetch_all(pool).await.map_err(unavailable)?;
    found.iter().filter_map(|row| rows::platform_log(row).transpose()).collect()
}
