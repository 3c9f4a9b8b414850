//! Quotas: counts the usage, and decides whether a deployment may begin.
//!
//! A transaction does not see the uncommitted rows of others, so it locks what it counts until it
//! ends. All transactions take their locks in the same order, which prevents deadlocks: the name
//! (by the insert), then the owner or address, then the count of all deployments.

use jiff::Timestamp;
use sqlx::{PgConnection, PgExecutor};

use super::{Pool, rows, unavailable};
use crate::server::{
    auth::access::OwnerId,
    store::{NewDeployment, StoreError, Usage, hour_before},
};
use domain::{deployment::DeploymentId, stack_name::StackName};

/// The class of advisory locks for the usage of one owner or address.
const COUNTED_AS: i32 = 1;
/// The class of the advisory lock for all deployments under way.
const IN_ALL: i32 = 2;

/// Decides whether a deployment may begin. The transaction has already inserted its row, which the
/// counts therefore leave out.
pub(super) async fn admit(tx: &mut PgConnection, new: &NewDeployment) -> Result<(), StoreError> {
    let NewDeployment { deployment, owner, quota, .. } = new;
    let started = deployment.started;
    if let Some(since) = quota.held_since(started) {
        let freed = freed(&mut *tx, &deployment.name, since).await?;
        quota.admit_name(owner.as_ref(), freed.as_ref(), started)?;
    }
    let usage = match quota.counts() {
        Some(counted_as) => {
            lock(tx, COUNTED_AS, counted_as).await?;
            usage(&mut *tx, counted_as, hour_before(started), Some(&deployment.id)).await?
        }
        None => Usage::default(),
    };
    let in_all = match quota.under_way_in_all {
        Some(_) => {
            lock(tx, IN_ALL, "").await?;
            under_way_in_all(tx, &deployment.id).await?
        }
        None => 0,
    };
    quota.admit(&usage, in_all, started)
}

/// Takes an advisory lock on `counted`, which the end of the transaction releases. Waits as long as
/// another transaction holds it.
async fn lock(tx: &mut PgConnection, kind: i32, counted: &str) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock($1, hashtext($2))")
        .bind(kind)
        .bind(counted)
        .execute(tx)
        .await
        .map_err(unavailable)?;
    Ok(())
}

/// Counts the usage of `counted_as`, without the deployment `apart_from`.
async fn usage(
    database: impl PgExecutor<'_>,
    counted_as: &str,
    hour_ago: Timestamp,
    apart_from: Option<&DeploymentId>,
) -> Result<Usage, StoreError> {
    let found = sqlx::query(
        "SELECT state, started_ms FROM deployments
         WHERE counted_as = $1 AND removes IS NULL AND state <> 'rolled_back' AND id <> $3
         UNION ALL
         SELECT state, started_ms FROM deployments
         WHERE counted_as = $1 AND removes IS NULL AND state = 'rolled_back' AND started_ms > $2",
    )
    .bind(counted_as)
    .bind(hour_ago.as_millisecond())
    .bind(apart_from.map_or("", DeploymentId::as_str))
    .fetch_all(database)
    .await
    .map_err(unavailable)?;
    rows::usage(&found, hour_ago)
}

/// Counts all deployments under way, without the deployment `apart_from`.
async fn under_way_in_all(
    tx: &mut PgConnection,
    apart_from: &DeploymentId,
) -> Result<u32, StoreError> {
    let row = sqlx::query(
        "SELECT count(*) AS count FROM deployments
         WHERE state = 'active' AND removes IS NULL AND id <> $1",
    )
    .bind(apart_from.as_str())
    .fetch_one(tx)
    .await
    .map_err(unavailable)?;
    rows::count(&row)
}

/// Finds the last removal of `name` that finished completely after `since`: the owner, and the time
/// at which the name became free.
async fn freed(
    database: impl PgExecutor<'_>,
    name: &StackName,
    since: Timestamp,
) -> Result<Option<(Option<OwnerId>, Timestamp)>, StoreError> {
    let row = sqlx::query(
        "SELECT owner, released_ms FROM deployments
         WHERE name = $1 AND removes IS NOT NULL AND released_ms > $2
         ORDER BY released_ms DESC, started_ms DESC LIMIT 1",
    )
    .bind(name.as_str())
    .bind(since.as_millisecond())
    .fetch_optional(database)
    .await
    .map_err(unavailable)?;
    row.as_ref().map(rows::freed).transpose()
}

/// Counts the usage of `counted_as`, outside a transaction.
pub(super) async fn usage_alone(
    pool: &Pool,
    counted_as: &str,
    hour_ago: Timestamp,
) -> Result<Usage, StoreError> {
    usage(pool, counted_as, hour_ago, None).await
}

/// Counts the usage of each of `counted_as`, in their order.
pub(super) async fn usages(
    pool: &Pool,
    counted_as: &[&str],
    hour_ago: Timestamp,
) -> Result<Vec<Usage>, StoreError> {
    let found = sqlx::query(
        "SELECT counted_as, state, started_ms FROM deployments
         WHERE counted_as = ANY($1) AND removes IS NULL AND state <> 'rolled_back'
         UNION ALL
         SELECT counted_as, state, started_ms FROM deployments
         WHERE counted_as = ANY($1) AND removes IS NULL AND state = 'rolled_back' AND started_ms > $2",
    )
    .bind(counted_as)
    .bind(hour_ago.as_millisecond())
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    rows::usages(&found, counted_as, hour_ago)
}

/// Finds the last removal of `name` that finished completely after `since`: the owner, and the time
/// at which the name became free.
pub(super) async fn freed_alone(
    pool: &Pool,
    name: &StackName,
    since: Timestamp,
) -> Result<Option<(Option<OwnerId>, Timestamp)>, StoreError> {
    freed(pool, name, since).await
}
