//! The table of kept data, and what the beginnings and ends of operations mean for it.

use std::time::Duration;

use jiff::Timestamp;

use super::dialect::Dialect;
use super::pool::Transaction;
use super::quotas;
use super::rows::{self, Columns};
use super::statement::Statement;
use crate::server::store::{
    KeptData, KeptFilter, KeptState, NewKept, Result, StoreError, unavailable_for,
};
use domain::deployment::DeploymentId;
use domain::stack_id::StackId;
use domain::time::later;

/// The shortest time for which data stays that a start which failed gives back.
const LEAST: Duration = Duration::from_hours(24);

/// Returns the query of the kept data that passes `filter`.
pub(super) fn list(filter: &KeptFilter) -> Statement {
    let all = Statement::new(
        "SELECT kept_data.stack AS stack, name, owner, template, volumes, until_ms, kept_ms, used_by,
                deleting
         FROM kept_data JOIN stacks ON stacks.stack = kept_data.stack WHERE ",
    );
    let chosen = match filter {
        KeptFilter::Stack(stack) => all.push("kept_data.stack = ").push_bind(*stack),
        KeptFilter::Owner(owner) => all.push("owner = ").push_bind(owner),
        KeptFilter::Due(now) => all
            .push("kept_ms IS NOT NULL AND used_by IS NULL AND deleting = 0 AND until_ms <= ")
            .push_bind(*now),
    };
    chosen.push(" ORDER BY until_ms, kept_data.stack")
}

/// Reads kept data.
pub(super) fn kept(row: &impl Columns) -> Result<KeptData> {
    let volumes = serde_json::from_str(&row.text("volumes")?);
    let is_kept = row.optional_number("kept_ms")?.is_some();
    let is_used = row.optional_text("used_by")?.is_some();
    Ok(KeptData {
        stack: rows::stack_id(row)?,
        name: rows::name(row)?,
        owner: rows::optional_owner(row, "owner")?,
        template: row.text("template")?,
        volumes: volumes.map_err(|_| StoreError::Corrupt { what: "kept volumes" })?,
        until: rows::time(row.number("until_ms")?)?,
        state: match (is_kept, is_used, row.number("deleting")? != 0) {
            (false, _, _) => KeptState::Removing,
            (true, true, _) => KeptState::InUse,
            (true, false, true) => KeptState::Deleting,
            (true, false, false) => KeptState::Kept,
        },
    })
}

/// Inserts the data that the removal of the stack that `live` created keeps. Returns the limit if it
/// is reached.
pub(super) async fn insert<D: Dialect>(
    tx: &mut Transaction<D>,
    live: &DeploymentId,
    new: &NewKept,
) -> Result<Option<u32>> {
    let find = Statement::new(
        "SELECT counted_as FROM stacks
         WHERE stack = (SELECT stack FROM operations WHERE id = $1)",
    );
    let row = find.bind(live).fetch_one(tx).await?;
    if let (Some(counted_as), Some(most)) = (row.optional_text("counted_as")?, new.most) {
        quotas::lock(tx, quotas::COUNTED_AS, &counted_as).await?;
        let count = Statement::new(
            "SELECT count(*) AS count FROM kept_data JOIN stacks ON stacks.stack = kept_data.stack
             WHERE counted_as = $1 AND used_by IS NULL",
        );
        if rows::count(&count.bind(counted_as).fetch_one(tx).await?)? >= most {
            return Ok(Some(most));
        }
    }
    let volumes = serde_json::to_string(&new.volumes);
    let volumes = volumes.map_err(|error| unavailable_for(error.into()))?;
    let insert = Statement::new(
        "INSERT INTO kept_data (stack, volumes, until_ms)
         SELECT stack, $2, $3 FROM operations WHERE id = $1",
    );
    insert.bind(live).bind(volumes).bind(new.until).execute(tx).await?;
    Ok(None)
}

/// Gives the kept data of `from` to the new stack `to`.
///
/// # Errors
///
/// [`StoreError::DataInUse`] if it is not kept any more.
pub(super) async fn give<D: Dialect>(
    tx: &mut Transaction<D>,
    from: StackId,
    to: StackId,
) -> Result<()> {
    let give = Statement::new(
        "UPDATE kept_data SET used_by = $2
         WHERE stack = $1 AND kept_ms IS NOT NULL AND used_by IS NULL AND deleting = 0",
    );
    match give.bind(from).bind(to).execute(tx).await? {
        0 => Err(StoreError::DataInUse),
        _ => Ok(()),
    }
}

/// Records what the end of the operation `id`, after which its stack is gone, means for kept data. A
/// removal keeps the data, or has deleted it; a start that failed gives it back.
pub(super) async fn settle<D: Dialect>(
    tx: &mut Transaction<D>,
    id: &DeploymentId,
    at: Timestamp,
) -> Result<()> {
    let deleted = Statement::new(
        "DELETE FROM kept_data
         WHERE (used_by = (SELECT stack FROM operations WHERE id = $1 AND removes IS NOT NULL))
            OR (stack = (SELECT stack FROM operations WHERE id = $1 AND removes IS NOT NULL)
                AND deleting = 1)",
    );
    deleted.bind(id).execute(tx).await?;
    let kept = Statement::new(
        "UPDATE kept_data
         SET kept_ms = COALESCE(kept_ms, $2), used_by = NULL,
             until_ms = CASE WHEN used_by IS NULL OR until_ms > $3 THEN until_ms ELSE $3 END
         WHERE stack = (SELECT stack FROM operations WHERE id = $1)
            OR used_by = (SELECT stack FROM operations WHERE id = $1)",
    );
    kept.bind(id).bind(at).bind(later(at, LEAST)).execute(tx).await.map(drop)
}
