//! Inserts operations on a stack that is there and that they leave there.

use super::SqlStore;
use super::audit::insert_audit_entry;
use super::beginning::{commit, insert_first, lock_live};
use super::dialect::Dialect;
use super::pool::Transaction;
use super::rows::{self, Columns as _};
use super::statement::Statement;
use crate::server::store::{Desired, NewOperation, OperationOutcome, Result, State, StoreError};
use domain::deployment::DeploymentId;
use domain::stack_name::StackName;

/// An operation on a stack that is under way.
pub(super) struct UnderWay {
    pub(super) id: DeploymentId,
    /// Its kind, as the database has it.
    kind: Option<String>,
}

/// Inserts the operation on the stack `name`, unless another one is under way, another stack is
/// meant, or the stack is not in a state from which it may begin.
pub(super) async fn begin<D: Dialect>(
    store: SqlStore<D>,
    name: StackName,
    new: NewOperation,
) -> Result<OperationOutcome> {
    let mut tx = store.transaction().await?;
    let Some(live) = lock_live(&mut tx, &name).await? else { return Ok(OperationOutcome::NotLive) };
    if new.of.as_ref().is_some_and(|of| *of != live) {
        return Ok(OperationOutcome::DifferentStack);
    }
    let desired = desired(&mut tx, &live).await?;
    let kind = new.kind;
    if let Some(under_way) = under_way(&mut tx, &live, State::Active).await? {
        if under_way.kind.as_deref() != Some(kind.name.as_str()) {
            return Ok(OperationOutcome::UnderWay(under_way.id));
        }
        insert_audit_entry(&mut tx, new.audit_entry.as_ref()).await?;
        tx.commit().await?;
        return Ok(OperationOutcome::Accepted(under_way.id));
    }
    if !kind.starts_from.contains(&desired.state()) {
        let is_so = kind.done == desired.state();
        return Ok(if is_so {
            OperationOutcome::Unchanged
        } else {
            OperationOutcome::WrongState(desired)
        });
    }
    if let Some(removal) = supersede(&mut tx, &live).await? {
        return Ok(OperationOutcome::UnderWay(removal.id));
    }
    insert(&live, &new).execute(&mut tx).await?;
    insert_first(&mut tx, &new.id, &new.first, new.audit_entry.as_ref()).await?;
    commit(store, tx, new.claim.as_ref()).await?;
    Ok(OperationOutcome::Accepted(new.id))
}

/// Ends the stuck operation on the stack that `live` created, if there is one, so that another one
/// can begin: its clean-up loses its lease. Returns the operation that is under way instead, which
/// stays. A stuck removal stays as well, since only it can finish.
pub(super) async fn supersede<D: Dialect>(
    tx: &mut Transaction<D>,
    live: &DeploymentId,
) -> Result<Option<UnderWay>> {
    let end = Statement::new(
        "UPDATE operations
         SET state = 'rolled_back', released_ms = COALESCE(completed_ms, started_ms), due_ms = NULL,
             lease_owner = NULL, lease_token = lease_token + 1
         WHERE stack = (SELECT stack FROM operations WHERE id = $1) AND state = 'stuck'
           AND removes IS NULL",
    );
    end.bind(live).execute(tx).await?;
    match under_way(tx, live, State::Active).await? {
        Some(active) => Ok(Some(active)),
        None => under_way(tx, live, State::Stuck).await,
    }
}

/// Finds the operation in `state` on the stack that `live` created.
async fn under_way<D: Dialect>(
    tx: &mut Transaction<D>,
    live: &DeploymentId,
    state: State,
) -> Result<Option<UnderWay>> {
    let find = Statement::new(
        "SELECT id, kind FROM operations
         WHERE stack = (SELECT stack FROM operations WHERE id = $1) AND state = $2",
    );
    let Some(row) = find.bind(live).bind(state.as_str()).fetch_optional(tx).await? else {
        return Ok(None);
    };
    Ok(Some(UnderWay { id: rows::id(&row, "id")?, kind: row.optional_text("kind")? }))
}

/// Returns what the stack that `live` created should be.
async fn desired<D: Dialect>(tx: &mut Transaction<D>, live: &DeploymentId) -> Result<Desired> {
    let find = Statement::new(
        "SELECT desired FROM stacks WHERE stack = (SELECT stack FROM operations WHERE id = $1)",
    );
    let row = find.bind(live).fetch_optional(tx).await?;
    rows::desired(&row.ok_or(StoreError::Corrupt { what: "stack" })?)
}

/// Returns the statement that inserts the operation on the stack that `live` created.
fn insert(live: &DeploymentId, new: &NewOperation) -> Statement {
    let claim = new.claim.as_ref();
    Statement::new(
        "INSERT INTO operations
             (id, stack, seq, started_ms, lease_owner, lease_token, lease_until_ms, kind,
              from_revision, to_revision)
         SELECT $1, stack, 1, $2, $4, $5, $6, $7, stacks.revision, stacks.revision
         FROM operations JOIN stacks USING (stack) WHERE id = $3",
    )
    .bind(&new.id)
    .bind(new.started)
    .bind(live)
    .bind(claim.map(|claim| claim.owner.as_str()))
    .bind(claim.map_or(0, |claim| claim.token))
    .bind(claim.map_or(0, |claim| claim.until.as_millisecond()))
    .bind(new.kind.name.as_str())
}
