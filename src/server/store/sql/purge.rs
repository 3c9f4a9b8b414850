//! Purges old records in batches, so that other writers never wait for more than one batch.

use std::time::Duration;

use jiff::Timestamp;

use super::dialect::Dialect;
use super::rows::{self, Columns};
use super::statement::Statement;
use super::{SqlStore, lists};
use crate::server::store::Result;
use domain::deployment::DeploymentId;
use domain::stack_id::StackId;
use domain::time::earlier;

/// The maximum number of rows that one transaction deletes, including dependent rows of other
/// tables.
const ROWS: i64 = 1_000;
/// The maximum number of operations that are candidates for one transaction.
const CANDIDATES: i64 = 100;
/// An estimate of the rows of an operation that are not counted: its own row, its stack, its steps
/// and its services.
const UNCOUNTED_ROWS: i64 = 16;

/// How far back the stacks are looked for whose secrets are deleted. The portal does so every hour, and
/// may not have run for a while.
const LOOK_BACK: Duration = Duration::from_hours(30 * 24);

/// An operation to delete, and its stack.
#[derive(Debug, PartialEq, Eq)]
struct Candidate {
    id: DeploymentId,
    stack: StackId,
}

/// The rows that one transaction deletes.
#[derive(Debug, PartialEq, Eq)]
enum Batch {
    /// Nothing is left to delete.
    Nothing,
    /// These operations with their dependent rows, and stacks that have no operation left
    /// afterwards.
    Operations(Vec<Candidate>),
    /// The oldest events of this operation, which has too many for one transaction.
    Events(DeploymentId),
}

/// Chooses the rows to delete next. `candidates` are operations, oldest first, with the columns
/// `id`, `stack`, `events` (the number of events) and `others` (the number of revisions, sealed
/// secrets and events of its stack).
fn batch<R: Columns>(candidates: &[R]) -> Result<Batch> {
    let mut all = Vec::new();
    let mut count = 0;
    for row in candidates {
        let id = rows::id(row, "id")?;
        let events = row.number("events")?;
        count += events + row.number("others")? + UNCOUNTED_ROWS;
        // Without events, there is nothing to delete before the operation itself.
        if count > ROWS && (events > 0 || !all.is_empty()) {
            return Ok(if all.is_empty() { Batch::Events(id) } else { Batch::Operations(all) });
        }
        all.push(Candidate { id, stack: rows::stack_id(row)? });
    }
    Ok(if all.is_empty() { Batch::Nothing } else { Batch::Operations(all) })
}

/// Purges the operations of which nothing is left, neither on the platform nor as kept data, since a time
/// before `before`, and returns how many. Operations that another replica is purging are skipped.
pub(super) async fn purge<D: Dialect>(store: &SqlStore<D>, before: Timestamp) -> Result<u64> {
    let mut purged = 0;
    loop {
        // Readers select the rows, so that the writer is busy only while it deletes them.
        let candidates = store.rows(candidates(before)).await?;
        let (deleted, whole) = match batch(&candidates)? {
            Batch::Nothing => return Ok(purged),
            Batch::Operations(all) => {
                let deleted = store.finish(delete(store.clone(), all, before)).await?;
                (deleted, deleted)
            }
            Batch::Events(id) => (store.change_rows(delete_events::<D>(&id)).await?, 0),
        };
        if deleted == 0 {
            return Ok(purged);
        }
        purged += whole;
    }
}

/// Deletes the sealed secrets of the stacks that were gone before `gone_before`, and returns their
/// number.
pub(super) async fn secrets<D: Dialect>(
    store: &SqlStore<D>,
    gone_before: Timestamp,
) -> Result<u64> {
    let (mut deleted, since) = (0, earlier(gone_before, LOOK_BACK));
    let key = D::ROW_ID.unwrap_or("stack, revision, name");
    loop {
        let is_of_gone = D::is_locked_in(&format!(
            "SELECT {key} FROM sealed_secrets
             WHERE stack IN (SELECT stack FROM operations JOIN stacks USING (stack)
                             WHERE released_ms < $1 AND released_ms > $3 AND gone_ms < $1)
             ORDER BY stack, revision, name LIMIT $2"
        ));
        let delete =
            Statement::composed(format!("DELETE FROM sealed_secrets WHERE ({key}) {is_of_gone}"));
        let count = store.change_rows(delete.bind(gone_before).bind(ROWS).bind(since)).await?;
        deleted += count;
        if count < ROWS.cast_unsigned() {
            return Ok(deleted);
        }
    }
}

/// Returns the condition that nothing needs the journal of an operation any more: it names the data that
/// was kept, or volumes that a change added to a stack that is not gone.
fn is_not_needed() -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM kept_data WHERE kept_data.stack = operations.stack)
         AND NOT EXISTS (SELECT 1 FROM steps JOIN stacks ON stacks.stack = operations.stack
                         WHERE deployment_id = operations.id AND step IN ({}) AND gone_ms IS NULL)",
        lists::volume_steps()
    )
}

fn candidates(before: Timestamp) -> Statement {
    Statement::composed(format!(
        "SELECT id, stack, (SELECT count(*) FROM (SELECT 1 FROM events
                     WHERE deployment_id = operations.id LIMIT $3) AS few) AS events,
                (SELECT count(*) FROM revisions WHERE stack = operations.stack)
                + (SELECT count(*) FROM sealed_secrets WHERE stack = operations.stack)
                + (SELECT count(*) FROM (SELECT 1 FROM stack_events
                       WHERE stack = operations.stack LIMIT $3) AS few)
                AS others
         FROM operations WHERE released_ms < $1
           AND {}
         ORDER BY released_ms LIMIT $2",
        is_not_needed()
    ))
    .bind(before)
    .bind(CANDIDATES)
    .bind(ROWS)
}

/// Deletes operations, and stacks that have no operation left afterwards, and returns the number of
/// operations.
async fn delete<D: Dialect>(
    store: SqlStore<D>,
    all: Vec<Candidate>,
    before: Timestamp,
) -> Result<u64> {
    let (ids, stacks): (Vec<_>, Vec<_>) =
        all.into_iter().map(|one| (one.id.to_string(), one.stack.to_string())).unzip();
    let is_wanted = D::is_in("$1");
    let is_gone = D::is_locked_in(&format!(
        "SELECT id FROM operations WHERE id {is_wanted} AND released_ms < $2
           AND {} ORDER BY id",
        is_not_needed()
    ));
    let mut tx = store.transaction().await?;
    let operations = Statement::composed(format!("DELETE FROM operations WHERE id {is_gone}"));
    let deleted = operations.bind(ids).bind(before).execute(&mut tx).await?;
    let empty = D::is_locked_in(&format!(
        "SELECT stack FROM stacks WHERE stack {is_wanted} AND NOT EXISTS
             (SELECT 1 FROM operations WHERE operations.stack = stacks.stack) ORDER BY stack"
    ));
    let stacks_without = Statement::composed(format!("DELETE FROM stacks WHERE stack {empty}"));
    stacks_without.bind(stacks).execute(&mut tx).await?;
    tx.commit().await?;
    Ok(deleted)
}

/// Returns the statement that deletes the oldest events of `id`. The terminal event is deleted
/// last, so that the operation never looks unfinished.
fn delete_events<D: Dialect>(id: &DeploymentId) -> Statement {
    let is_oldest =
        D::is_locked_in("SELECT seq FROM events WHERE deployment_id = $1 ORDER BY seq LIMIT $2");
    Statement::composed(format!("DELETE FROM events WHERE deployment_id = $1 AND seq {is_oldest}"))
        .bind(id)
        .bind(ROWS)
}

/// Returns the statement that deletes up to 100 rows of `table` whose column `expiry` is not after
/// `now`. `key` is the primary key: one column, or several separated by commas.
pub(super) fn delete_expired<D: Dialect>(
    table: &str,
    key: &str,
    expiry: &str,
    now: Timestamp,
) -> Statement {
    let key = D::ROW_ID.unwrap_or(key);
    let has_expired = D::is_locked_in(&format!(
        "SELECT {key} FROM {table} WHERE {expiry} <= $1 ORDER BY {expiry} LIMIT 100"
    ));
    Statement::composed(format!("DELETE FROM {table} WHERE ({key}) {has_expired}")).bind(now)
}
