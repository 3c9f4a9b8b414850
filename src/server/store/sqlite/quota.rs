//! Quotas: what counts against them, and whether a deployment may begin.

use jiff::Timestamp;
use sqlx::{SqliteConnection, SqliteExecutor};

use super::{Pool, rows, unavailable, unavailable_for};
use crate::server::{
    auth::access::OwnerId,
    store::{NewDeployment, StoreError, Usage, hour_before},
};
use domain::{deployment::DeploymentId, stack_name::StackName};

/// Decides whether a deployment that is inserted already may begin. The transaction is the only
/// one that writes.
pub(super) async fn admit(
    tx: &mut SqliteConnection,
    new: &NewDeployment,
) -> Result<(), StoreError> {
    let NewDeployment { deployment, owner, quota, .. } = new;
    let started = deployment.started;
    if let Some(since) = quota.held_since(started) {
        let freed = freed(&mut *tx, &deployment.name, since).await?;
        quota.admit_name(owner.as_ref(), freed.as_ref(), started)?;
    }
    let usage = match quota.counts() {
        Some(counted_as) => {
            usage(&mut *tx, counted_as, hour_before(started), Some(&deployment.id)).await?
        }
        None => Usage::default(),
    };
    let in_all = match quota.under_way_in_all {
        Some(_) => under_way_in_all(tx, &deployment.id).await?,
        None => 0,
    };
    quota.admit(&usage, in_all, started)
}

/// Counts what is counted as `counted_as`, apart from one deployment.
async fn usage(
    database: impl SqliteExecutor<'_>,
    counted_as: &str,
    hour_ago: Timestamp,
    apart_from: Option<&DeploymentId>,
) -> Result<Usage, StoreError> {
    let found = sqlx::query(
        "SELECT state, started_ms FROM deployments
         WHERE counted_as = ?1 AND removes IS NULL AND state <> 'rolled_back' AND id <> ?3
         UNION ALL
         SELECT state, started_ms FROM deployments
         WHERE counted_as = ?1 AND removes IS NULL AND state = 'rolled_back' AND started_ms > ?2",
    )
    .bind(counted_as)
    .bind(hour_ago.as_millisecond())
    .bind(apart_from.map_or("", DeploymentId::as_str))
    .fetch_all(database)
    .await
    .map_err(unavailable)?;
    rows::usage(&found, hour_ago)
}

/// Counts the deployments under way, apart from one.
async fn under_way_in_all(
    tx: &mut SqliteConnection,
    apart_from: &DeploymentId,
) -> Result<u32, StoreError> {
    let row = sqlx::query(
        "SELECT count(*) AS count FROM deployments
         WHERE state = 'active' AND removes IS NULL AND id <> ?",
    )
    .bind(apart_from.as_str())
    .fetch_one(tx)
    .await
    .map_err(unavailable)?;
    rows::count(&row)
}

/// Finds the last removal of `name` that ended with nothing left after `since`.
async fn freed(
    database: impl SqliteExecutor<'_>,
    name: &StackName,
    since: Timestamp,
) -> Result<Option<(Option<OwnerId>, Timestamp)>, StoreError> {
    let row = sqlx::query(
        "SELECT owner, released_ms FROM deployments
         WHERE name = ? AND removes IS NOT NULL AND released_ms > ?
         ORDER BY released_ms DESC, started_ms DESC LIMIT 1",
    )
    .bind(name.as_str())
    .bind(since.as_millisecond())
    .fetch_optional(database)
    .await
    .map_err(unavailable)?;
    row.as_ref().map(rows::freed).transpose()
}

/// Counts what is counted as `counted_as`.
pub(super) async fn usage_alone(
    pool: &Pool,
    counted_as: &str,
    hour_ago: Timestamp,
) -> Result<Usage, StoreError> {
    usage(pool, counted_as, hour_ago, None).await
}

/// Counts what is counted as each of `counted_as`, in their order.
pub(super) async fn usages(
    pool: &Pool,
    counted_as: &[&str],
    hour_ago: Timestamp,
) -> Result<Vec<Usage>, StoreError> {
    let wanted =
        serde_json::to_string(counted_as).map_err(|error| unavailable_for(error.into()))?;
    let found = sqlx::query(
        "SELECT counted_as, state, started_ms FROM deployments
         WHERE counted_as IN (SELECT value FROM json_each(?1)) AND removes IS NULL AND state <> 'rolled_back'
         UNION ALL
         SELECT counted_as, state, started_ms FROM deployments
         WHERE counted_as IN (SELECT value FROM json_each(?1)) AND removes IS NULL AND state = 'rolled_back' AND started_ms > ?2",
    )
    .bind(wanted)
    .bind(hour_ago.as_millisecond())
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    rows::usages(&found, counted_as, hour_ago)
}

/// Finds the last removal of `name` that ended with nothing left after `since`.
pub(super) async fn freed_alone(
    pool: &Pool,
    name: &StackName,
    since: Timestamp,
) -> Result<Option<(Option<OwnerId>, Timestamp)>, StoreError> {
    freed(pool, name, since).await
}
