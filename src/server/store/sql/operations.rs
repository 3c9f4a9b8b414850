//! Implements the operations port: finds, lists and cancels operations, and makes their clean-up
//! due.

use async_trait::async_trait;
use jiff::Timestamp;

use super::audit::{can_hold, insert_audit_entry};
use super::dialect::Dialect;
use super::rows::{self, Columns as _};
use super::statement::Statement;
use super::{SqlStore, lists, purge};
use crate::server::audit::AuditEntry;
use crate::server::metrics::OperationCounts;
use crate::server::notifier::Notification;
use crate::server::store::{CancelOutcome, OperationFilter, Operations, Record, Result};
use domain::deployment::DeploymentId;

#[async_trait]
impl<D: Dialect> Operations for SqlStore<D> {
    async fn find(&self, id: &DeploymentId) -> Result<Option<Record>> {
        let find = Statement::new(lists::RECORD).push(" WHERE id = ").push_bind(id);
        self.row(find).await?.as_ref().map(rows::record).transpose()
    }

    async fn operations(&self, filter: &OperationFilter) -> Result<Vec<Record>> {
        if filter.search.as_deref().is_some_and(|search| !can_hold::<D>(search)) {
            return Ok(Vec::new());
        }
        self.rows(lists::operations::<D>(filter)).await?.iter().map(rows::record).collect()
    }

    async fn stuck(&self) -> Result<Vec<Record>> {
        let stuck = Statement::new(lists::RECORD);
        let stuck = stuck.push(" WHERE state = 'stuck' ORDER BY started_ms, id");
        self.rows(stuck).await?.iter().map(rows::record).collect()
    }

    async fn counts(&self, now: Timestamp) -> Result<OperationCounts> {
        // Separate subqueries, so that each uses the index of its state.
        let counts = Statement::new(
            "SELECT (SELECT count(*) FROM operations WHERE state = 'active') AS active,
                    (SELECT count(*) FROM operations WHERE state = 'active'
                     AND lease_owner IS NOT NULL AND lease_until_ms > $1) AS leased,
                    (SELECT count(*) FROM operations WHERE state = 'stuck') AS stuck",
        );
        let found = self.row(counts.bind(now)).await?;
        found.map_or(Ok(OperationCounts::default()), |row| {
            let number = |column| Ok(row.number(column)?.cast_unsigned());
            let leased: u64 = number("leased")?;
            let waiting = number("active")?.saturating_sub(leased);
            Ok(OperationCounts { waiting, leased, stuck: number("stuck")? })
        })
    }

    async fn cancel(
        &self,
        id: &DeploymentId,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<CancelOutcome> {
        let (store, id, audit_entry) = (self.clone(), id.clone(), audit_entry.cloned());
        self.finish(async move {
            let mut tx = store.transaction().await?;
            // The time of the first request is kept, since it was shown to a person.
            let cancel = Statement::new(
                "UPDATE operations SET cancel_ms = COALESCE(cancel_ms, $1)
                 WHERE id = $2 AND state = 'active'",
            );
            if cancel.bind(now).bind(&id).execute(&mut tx).await? == 1 {
                insert_audit_entry(&mut tx, audit_entry.as_ref()).await?;
                store.notify(&mut tx, &Notification::CancelRequest(id)).await?;
                store.notify(&mut tx, &Notification::Work).await?;
                tx.commit().await?;
                return Ok(CancelOutcome::Accepted);
            }
            let find = Statement::new("SELECT 1 FROM operations WHERE id = $1").bind(&id);
            let known = find.fetch_optional(&mut tx).await?;
            tx.commit().await?;
            Ok(if known.is_some() { CancelOutcome::AlreadyEnded } else { CancelOutcome::Unknown })
        })
        .await
    }

    async fn make_due_now(
        &self,
        id: &DeploymentId,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool> {
        let now = Timestamp::UNIX_EPOCH;
        self.finish(make_due(self.clone(), id.clone(), now, audit_entry.cloned())).await
    }

    async fn purge(&self, before: Timestamp) -> Result<u64> {
        purge::purge(self, before).await
    }

    async fn forget_secrets(&self, gone_before: Timestamp) -> Result<u64> {
        purge::secrets(self, gone_before).await
    }
}

/// Makes the clean-up of a stuck operation due at `due`, and resets its panics. Returns `false` if
/// it is not stuck.
pub(super) async fn make_due<D: Dialect>(
    store: SqlStore<D>,
    id: DeploymentId,
    due: Timestamp,
    audit_entry: Option<AuditEntry>,
) -> Result<bool> {
    let mut tx = store.transaction().await?;
    let make_due = Statement::new(
        "UPDATE operations SET due_ms = $1, panics = 0 WHERE id = $2 AND state = 'stuck'",
    );
    let is_stuck = make_due.bind(due).bind(&id).execute(&mut tx).await? == 1;
    if is_stuck {
        insert_audit_entry(&mut tx, audit_entry.as_ref()).await?;
        store.notify(&mut tx, &Notification::Work).await?;
    }
    tx.commit().await?;
    Ok(is_stuck)
}
