//! Quotas: counts the usage, and decides whether a deployment may begin.
//!
//! Where transactions run beside each other, none sees the uncommitted rows of others, so it locks
//! what it counts until it ends. All transactions take their locks in the same order, which
//! prevents deadlocks: the name (by the insert), then the owner or address, then the count of all
//! deployments.

use jiff::Timestamp;

use super::dialect::Dialect;
use super::lists;
use super::pool::Transaction;
use super::rows::{self, Columns as _};
use super::statement::Statement;
use crate::server::store::{NewDeployment, OperationLimit, Result, Usage, hour_before};
use domain::deployment::DeploymentId;
use domain::stack_name::StackName;

/// The class of locks for the usage of one owner or address.
pub(super) const COUNTED_AS: i64 = 1;
/// The class of the lock for all deployments under way.
const IN_ALL: i64 = 2;
/// The class of the lock for the purge of the audit log.
pub(super) const AUDIT_PURGE: i64 = 3;

/// Decides whether a deployment may begin. The transaction has already inserted its row, which the
/// counts therefore leave out.
pub(super) async fn admit<D: Dialect>(tx: &mut Transaction<D>, new: &NewDeployment) -> Result<()> {
    let NewDeployment { deployment, owner, quota, .. } = new;
    let started = deployment.started;
    if let Some(since) = quota.held_since(started) {
        let row = freed(&deployment.name, since).fetch_optional(tx).await?;
        let freed = row.as_ref().map(rows::freed).transpose()?;
        quota.admit_name(owner.as_ref(), freed.as_ref(), started)?;
    }
    let usage = match quota.counts() {
        Some(counted_as) => {
            lock(tx, COUNTED_AS, counted_as).await?;
            let hour_ago = hour_before(started);
            let usages = usages::<D>(&[counted_as], hour_ago, Some(&deployment.id));
            let found = usages.fetch_all(tx).await?;
            rows::usages(&found, &[counted_as], hour_ago)?.pop().unwrap_or_default()
        }
        None => Usage::default(),
    };
    let in_all = match quota.under_way_in_all {
        Some(_) => {
            lock(tx, IN_ALL, "").await?;
            rows::count(&under_way_in_all(&deployment.id).fetch_one(tx).await?)?
        }
        None => 0,
    };
    quota.admit(&usage, in_all, started)
}

/// Decides whether another operation on a stack of `counted_as` may begin at `started`. Those on stacks
/// that are gone do not count: each needs a deployment, which has a limit of its own.
pub(super) async fn admit_operation<D: Dialect>(
    tx: &mut Transaction<D>,
    counted_as: &str,
    limit: &OperationLimit,
    started: Timestamp,
) -> Result<()> {
    lock(tx, COUNTED_AS, counted_as).await?;
    let begun = Statement::composed(format!(
        "SELECT started_ms FROM stacks JOIN operations USING (stack)
         WHERE counted_as = $1 AND gone_ms IS NULL AND started_ms > $2 AND kind {is_counted}
         ORDER BY started_ms",
        is_counted = D::is_in("$3"),
    ));
    let kinds: Vec<_> = limit.kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
    let begun = begun.bind(counted_as).bind(hour_before(started)).bind(kinds);
    let begun = begun.fetch_all(tx).await?;
    let begun = begun.iter().map(|row| rows::time(row.number("started_ms")?));
    limit.admit(begun.collect::<Result<_>>()?, started)
}

/// Locks the count of `counted` until the end of the transaction, if the database allows concurrent
/// writers. It waits while another transaction has the lock.
pub(super) async fn lock<D: Dialect>(
    tx: &mut Transaction<D>,
    class: i64,
    counted: &str,
) -> Result<()> {
    let Some(lock) = D::LOCK_COUNT else { return Ok(()) };
    Statement::new(lock).bind(class).bind(counted).execute(tx).await.map(drop)
}

/// Returns the query of the usage of each of `counted_as`, without the deployment `apart_from`.
pub(super) fn usages<D: Dialect>(
    counted_as: &[&str],
    hour_ago: Timestamp,
    apart_from: Option<&DeploymentId>,
) -> Statement {
    let is_wanted = D::is_in("$1");
    Statement::composed(format!(
        "SELECT counted_as, state, started_ms FROM stacks JOIN operations USING (stack)
         WHERE counted_as {is_wanted} AND gone_ms IS NULL AND from_revision IS NULL
           AND id IS DISTINCT FROM $3
         UNION ALL
         SELECT counted_as, 'rolled_back', created_ms FROM stacks
         WHERE counted_as {is_wanted} AND created_ms > $2 AND gone_ms IS NOT NULL"
    ))
    .bind(lists::texts(counted_as))
    .bind(hour_ago)
    .bind(apart_from)
}

/// Returns the query of the number of all deployments in progress, without the deployment
/// `apart_from`.
fn under_way_in_all(apart_from: &DeploymentId) -> Statement {
    Statement::new(
        "SELECT count(*) AS count FROM operations
         WHERE state = 'active' AND from_revision IS NULL AND id <> $1",
    )
    .bind(apart_from)
}

/// Returns the query of the last stack called `name` that was live and whose name became free after
/// `since`: its owner, and that time.
pub(super) fn freed(name: &StackName, since: Timestamp) -> Statement {
    Statement::new(
        "SELECT owner, gone_ms AS released_ms FROM stacks
         WHERE name = $1 AND live_ms IS NOT NULL AND gone_ms > $2
         ORDER BY gone_ms DESC, created_ms DESC LIMIT 1",
    )
    .bind(name)
    .bind(since)
}
