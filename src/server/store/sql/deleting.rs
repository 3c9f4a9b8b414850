//! Implements the port of kept data: lists it, and begins to delete it.

use async_trait::async_trait;
use jiff::Timestamp;

use super::beginning::{commit, insert_first, insert_removal, reuse_removal, unfinished};
use super::dialect::Dialect;
use super::rows::Columns as _;
use super::statement::Statement;
use super::{SqlStore, kept};
use crate::server::store::{DataDeletion, Kept, KeptData, KeptFilter, NewRemoval, Result};
use domain::stack_id::StackId;

#[async_trait]
impl<D: Dialect> Kept for SqlStore<D> {
    async fn kept_data(&self, filter: &KeptFilter) -> Result<Vec<KeptData>> {
        self.rows(kept::list(filter)).await?.iter().map(kept::kept).collect()
    }

    async fn mark_lost(&self, stack: StackId, lost: Option<Timestamp>) -> Result<()> {
        self.change_rows(kept::mark_lost(stack, lost)).await.map(drop)
    }

    async fn begin_deletion(&self, stack: StackId, new: &NewRemoval) -> Result<DataDeletion> {
        self.finish(begin_deletion(self.clone(), stack, new.clone())).await
    }
}

/// Inserts the operation that deletes the kept data of `stack`, unless there is one.
async fn begin_deletion<D: Dialect>(
    store: SqlStore<D>,
    stack: StackId,
    new: NewRemoval,
) -> Result<DataDeletion> {
    let mut tx = store.transaction().await?;
    let made = stack.deployment();
    let mark = Statement::new(
        "UPDATE kept_data SET deleting = 1
         WHERE stack = $1 AND kept_ms IS NOT NULL AND used_by IS NULL AND deleting = 0",
    );
    if mark.bind(stack).execute(&mut tx).await? == 1 {
        insert_removal(&made, &new).execute(&mut tx).await?;
        insert_first(&store, &mut tx, (&new.id, None), &new.first, new.audit_entry.as_ref())
            .await?;
        commit(store, tx, new.claim.as_ref()).await?;
        return Ok(DataDeletion::Accepted(new.id));
    }
    let find = Statement::new("SELECT deleting FROM kept_data WHERE stack = $1");
    let Some(row) = find.bind(stack).fetch_optional(&mut tx).await? else {
        return Ok(DataDeletion::Unknown);
    };
    if row.number("deleting")? == 0 {
        return Ok(DataDeletion::InUse);
    }
    let Some((id, is_stuck)) = unfinished(&mut tx, &made).await? else {
        return Ok(DataDeletion::Unknown);
    };
    reuse_removal(store, tx, &id, is_stuck, new).await?;
    Ok(DataDeletion::Accepted(id))
}
