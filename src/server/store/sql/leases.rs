//! Implements the leases port. Fencing tokens reject the writes of former holders (promise P10).

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::SqlStore;
use super::dialect::Dialect;
use super::rows::{self, Columns as _};
use super::statement::Statement;
use crate::server::notifier::Notification;
use crate::server::store::{
    CancelRequest, Lane, Lease, Leases, Result, StoreError, TaskHolder, TaskLease, TaskLeases,
};
use domain::deployment::DeploymentId;
use domain::kind::KindName;

impl Lease {
    /// Creates a statement whose first parameters are the lease's operation, holder and fencing
    /// token. It must compare all three, so that it has no effect once the lease is lost.
    pub(super) fn guard(&self, text: &'static str) -> Statement {
        Statement::new(text).bind(&self.id).bind(&self.owner).bind(self.token)
    }
}

#[async_trait]
impl<D: Dialect> Leases for SqlStore<D> {
    async fn claim(
        &self,
        lane: Lane,
        kinds: &[KindName],
        max: usize,
        owner: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Vec<Lease>> {
        let (candidates, overdue) = candidates(lane);
        let names: Vec<_> = kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
        // A version that wrote no kind had only kinds that every version knows.
        let is_known = format!("(kind IS NULL OR kind {})", D::is_in("$6"));
        let candidates = candidates.iter().map(|one| format!("{one} AND {is_known}"));
        let claim = Statement::composed(D::claim(&candidates.collect::<Vec<_>>()));
        let claim = claim.bind(owner).bind(now).bind(ttl).bind(rows::limit(max)).bind(overdue);
        let found = self.change(claim.bind(names)).await?;
        found.iter().map(|row| rows::lease(row, owner)).collect()
    }

    async fn claim_ended(
        &self,
        id: &DeploymentId,
        owner: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<Lease>> {
        // Each claim has a new token, so whatever a former holder still writes is rejected.
        let claim = Statement::new(
            "UPDATE operations
             SET lease_owner = $1, lease_token = lease_token + 1, lease_until_ms = $2 + $3,
                 lease_former = NULLIF(lease_owner, '')
             WHERE id = $4 AND state <> 'active' AND (lease_owner IS NULL OR lease_until_ms <= $2)
             RETURNING id, lease_token, lease_former",
        );
        let found = self.change(claim.bind(owner).bind(now).bind(ttl).bind(id)).await?;
        found.first().map(|row| rows::lease(row, owner)).transpose()
    }

    async fn renew(&self, lease: &Lease, until: Timestamp) -> Result<CancelRequest> {
        let renew = lease.guard(
            "UPDATE operations SET lease_until_ms = $4
             WHERE id = $1 AND lease_owner = $2 AND lease_token = $3 RETURNING cancel_ms",
        );
        let found = self.change(renew.bind(until)).await?;
        rows::cancel_request(found.first().ok_or(StoreError::LeaseLost)?)
    }

    async fn renew_all(
        &self,
        leases: &[Lease],
        until: Timestamp,
    ) -> Result<Vec<(DeploymentId, CancelRequest)>> {
        let Some(owner) = leases.first().map(|lease| &lease.owner) else { return Ok(Vec::new()) };
        let ids: Vec<_> = leases.iter().map(|lease| lease.id.to_string()).collect();
        let tokens: Vec<_> = leases.iter().map(|lease| lease.token).collect();
        let given = D::table_of(&[("held_id", "text", "$2"), ("held_token", "bigint", "$3")]);
        // Locked rows are skipped: waiting for one while holding others could cause a deadlock.
        let renew = Statement::composed(format!(
            "WITH held AS MATERIALIZED (
                 SELECT operations.id FROM {given}
                 JOIN operations ON operations.id = held_id AND lease_token = held_token
                 WHERE lease_owner = $4 {skip})
             UPDATE operations SET lease_until_ms = $1
             FROM held WHERE operations.id = held.id
             RETURNING operations.id, cancel_ms",
            skip = D::FOR_UPDATE
                .map(|lock| format!("{lock} OF operations SKIP LOCKED"))
                .unwrap_or_default(),
        ));
        let found = self.change(renew.bind(until).bind(ids).bind(tokens).bind(owner)).await?;
        found.iter().map(|row| Ok((rows::id(row, "id")?, rows::cancel_request(row)?))).collect()
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let release = lease.guard(
            "UPDATE operations SET lease_owner = NULL
             WHERE id = $1 AND lease_owner = $2 AND lease_token = $3 RETURNING id",
        );
        let store = self.clone();
        self.finish(async move {
            let mut tx = store.transaction().await?;
            if release.fetch_optional(&mut tx).await?.is_some() {
                // An operation that has not ended is work for any replica.
                store.notify(&mut tx, &Notification::Work).await?;
            }
            tx.commit().await
        })
        .await
    }

    async fn suspend(&self, lease: &Lease, until: Timestamp) -> Result<()> {
        // An operation in progress has a lease of nobody until `until`, so that no worker claims it
        // before, and the new token rejects writes of the holder. An operation that has ended
        // becomes due at `until`, or earlier on request.
        let suspend = lease.guard(
            "UPDATE operations
             SET panics = panics + 1, lease_token = lease_token + 1, lease_until_ms = $4,
                 lease_owner = CASE WHEN state = 'active' THEN '' END,
                 tries = tries + CASE WHEN state = 'active' THEN 0 ELSE 1 END,
                 due_ms = CASE WHEN state = 'active' THEN due_ms ELSE $4 END
             WHERE id = $1 AND lease_owner = $2 AND lease_token = $3",
        );
        self.change_held(suspend.bind(until)).await
    }
}

/// Returns the conditions for the operations in `lane`, and the value of their parameter `$5`:
/// operations that began by then are in the lane.
///
/// A due time that is further away than the longest pause (30 min, plus 1 min for clocks that
/// differ) was written by a clock that was ahead, so the operation counts as due now. Each
/// condition has its own index and is therefore its own query: a single condition with OR would
/// scan every operation that ever ended, each second.
fn candidates(lane: Lane) -> (&'static [&'static str], Timestamp) {
    match lane {
        Lane::Forward => (&["state = 'active' AND started_ms <= $5"], Timestamp::MAX),
        Lane::CleanUp { overdue } => (
            &[
                "state = 'active'
                 AND (cancel_ms IS NOT NULL OR from_revision IS NOT NULL OR started_ms <= $5)",
                "state = 'stuck' AND (due_ms <= $2 OR due_ms > $2 + 1860000)",
                "state = 'live' AND due_ms IS NOT NULL
                 AND (due_ms <= $2 OR due_ms > $2 + 1860000)",
            ],
            overdue,
        ),
    }
}

#[async_trait]
impl<D: Dialect> TaskLeases for SqlStore<D> {
    async fn take_task_lease(&self, lease: &TaskLease) -> Result<TaskHolder> {
        self.finish(take(self.clone(), lease.clone())).await
    }
}

/// Takes, extends or releases `lease`, unless another replica has it.
async fn take<D: Dialect>(store: SqlStore<D>, lease: TaskLease) -> Result<TaskHolder> {
    let mut tx = store.transaction().await?;
    // A replica whose clock was ahead may have written a time after which no lease can end (`$6`):
    // such a lease has lapsed, otherwise nobody could do the task for a long time. The report stays
    // unless there is a new one.
    let take = Statement::new(
        "INSERT INTO turns AS kept (name, owner, until_ms, report) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE
         SET owner = $2, until_ms = $3, report = COALESCE($4, kept.report)
         WHERE kept.owner = $2 OR kept.until_ms <= $5 OR kept.until_ms > $6
         RETURNING report",
    );
    let take =
        take.bind(lease.task).bind(&lease.owner).bind(lease.until()).bind(lease.report.as_deref());
    let taken = take.bind(lease.now).bind(lease.impossible()).fetch_optional(&mut tx).await?;
    let holder = if let Some(row) = taken {
        TaskHolder::Ours(row.optional_text("report")?)
    } else {
        let kept = Statement::new("SELECT report FROM turns WHERE name = $1").bind(lease.task);
        TaskHolder::Theirs(kept.fetch_one(&mut tx).await?.optional_text("report")?)
    };
    tx.commit().await?;
    Ok(holder)
}
