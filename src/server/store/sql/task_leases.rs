//! Implements the port of task leases.

use async_trait::async_trait;

use super::{SqlStore, dialect::Dialect, rows::Columns as _, statement::Statement};
use crate::server::store::{Result, TaskHolder, TaskLease, TaskLeases};

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
