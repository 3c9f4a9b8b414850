//! The table of kept data, and what the beginnings and ends of operations mean for it.

use std::time::Duration;

use jiff::Timestamp;

use super::dialect::Dialect;
use super::pool::Transaction;
use super::quotas;
use super::rows::{self, Columns};
use super::statement::Statement;
use crate::server::store::{
    DataUser, KeptData, KeptFilter, KeptState, NewKept, Result, StoreError, unavailable_for,
};
use domain::deployment::DeploymentId;
use domain::stack_id::StackId;
use domain::stack_name::StackName;
use domain::time::later;

/// The shortest time for which data stays that a start which failed gives back.
const LEAST: Duration = Duration::from_hours(24);

/// Returns the query of the kept data that passes `filter`.
pub(super) fn list(filter: &KeptFilter) -> Statement {
    let all = Statement::new(
        "SELECT kept_data.stack AS stack, stacks.name AS name, stacks.owner AS owner,
                stacks.template AS template, volumes, until_ms, kept_ms, lost_ms, used_by, deleting,
                users.name AS user_name, users.live_ms AS user_live_ms
         FROM kept_data JOIN stacks ON stacks.stack = kept_data.stack
         LEFT JOIN stacks AS users ON users.stack = used_by WHERE ",
    );
    let chosen = match filter {
        KeptFilter::All => all.push("TRUE"),
        KeptFilter::Stack(stack) => all.push("kept_data.stack = ").push_bind(*stack),
        KeptFilter::Owner(owner) => all.push("stacks.owner = ").push_bind(owner),
        KeptFilter::Due(now) => all
            .push("kept_ms IS NOT NULL AND used_by IS NULL AND deleting = 0 AND until_ms <= ")
            .push_bind(*now),
    };
    chosen.push(" ORDER BY until_ms, kept_data.stack")
}

/// Reads kept data.
pub(super) fn kept(row: &impl Columns) -> Result<KeptData> {
    let volumes = serde_json::from_str(&row.text("volumes")?);
    Ok(KeptData {
        stack: rows::stack_id(row)?,
        name: rows::name(row)?,
        owner: rows::optional_owner(row, "owner")?,
        template: row.text("template")?,
        volumes: volumes.map_err(|_| StoreError::Corrupt { what: "kept volumes" })?,
        until: rows::time(row.number("until_ms")?)?,
        state: state(row)?,
    })
}

/// Reads what happens to kept data.
fn state(row: &impl Columns) -> Result<KeptState> {
    if row.optional_number("kept_ms")?.is_none() {
        return Ok(KeptState::Removing);
    }
    if let Some(user) = row.optional_text("used_by")? {
        let corrupt = || StoreError::Corrupt { what: "user of kept data" };
        let name = row.optional_text("user_name")?.ok_or_else(corrupt)?;
        return Ok(KeptState::InUse(DataUser {
            deployment: StackId::parse(&user).ok_or_else(corrupt)?.deployment(),
            name: StackName::parse(&name).map_err(|_| corrupt())?,
            is_live: row.optional_number("user_live_ms")?.is_some(),
        }));
    }
    if row.number("deleting")? != 0 {
        return Ok(KeptState::Deleting);
    }
    let lost = row.optional_number("lost_ms")?.map(rows::time).transpose()?;
    Ok(lost.map_or(KeptState::Kept, KeptState::Lost))
}

/// Returns the statement that marks the kept data of `stack` as lost since then, or as there.
pub(super) fn mark_lost(stack: StackId, lost: Option<Timestamp>) -> Statement {
    let mark = Statement::new(
        "UPDATE kept_data SET lost_ms = $2
         WHERE stack = $1 AND kept_ms IS NOT NULL AND used_by IS NULL AND deleting = 0",
    );
    mark.bind(stack).bind(lost)
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
         WHERE stack = $1 AND kept_ms IS NOT NULL AND used_by IS NULL AND deleting = 0
           AND lost_ms IS NULL",
    );
    match give.bind(from).bind(to).execute(tx).await? {
        0 => Err(StoreError::DataInUse),
        _ => Ok(()),
    }
}

/// Records what the end of the operation `id`, after which its stack is gone, means for kept data. A
/// removal keeps the data, or has deleted it; a start that failed gives it back. What a removal keeps
/// stays in the list: if the stack had brought it back, and the removal has no row of its own, the
/// former one stays. The time for which it is kept counts from now on.
pub(super) async fn settle<D: Dialect>(
    tx: &mut Transaction<D>,
    id: &DeploymentId,
    at: Timestamp,
) -> Result<()> {
    let deleted = Statement::new(
        "DELETE FROM kept_data
         WHERE (used_by = (SELECT stack FROM operations
                           WHERE id = $1 AND removes IS NOT NULL
                             AND (COALESCE(disposal, 'delete') <> 'keep'
                                  OR stack IN (SELECT own.stack FROM kept_data AS own))))
            OR (stack = (SELECT stack FROM operations WHERE id = $1 AND removes IS NOT NULL)
                AND deleting = 1)",
    );
    deleted.bind(id).execute(tx).await?;
    let kept = Statement::new(
        "UPDATE kept_data
         SET kept_ms = COALESCE(kept_ms, $2), used_by = NULL,
             until_ms = CASE
                 WHEN kept_ms IS NULL
                     THEN until_ms + $2 - (SELECT started_ms FROM operations WHERE id = $1)
                 WHEN used_by IS NULL OR until_ms > $3 THEN until_ms
                 ELSE $3
             END
         WHERE stack = (SELECT stack FROM operations WHERE id = $1)
            OR used_by = (SELECT stack FROM operations WHERE id = $1)",
    );
    kept.bind(id).bind(at).bind(later(at, LEAST)).execute(tx).await.map(drop)
}
