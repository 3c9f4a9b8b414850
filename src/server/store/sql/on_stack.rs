//! Inserts operations on a stack that is there and that they leave there.

use super::SqlStore;
use super::audit::insert_audit_entry;
use super::beginning::{commit, insert_first, lock_live};
use super::dialect::Dialect;
use super::pool::Transaction;
use super::rows::{self, Columns as _};
use super::statement::Statement;
use super::under_way::{Superseded, nobodys, supersede, under_way};
use super::{quotas, revisions, stack_events};
use crate::server::store::{Desired, NewOperation, OperationOutcome, Result, State, StoreError};
use domain::deployment::DeploymentId;
use domain::kind::Kind;
use domain::stack_event::Reason;
use domain::stack_name::StackName;

/// Inserts the operation on the stack `name`, unless another one is under way, another stack is
/// meant, or the stack is not in a state from which it may begin.
pub(super) async fn begin<D: Dialect>(
    store: SqlStore<D>,
    name: StackName,
    mut new: NewOperation,
) -> Result<OperationOutcome> {
    let mut tx = store.transaction().await?;
    revisions::use_key(&mut tx, &new).await?;
    let Some(live) = lock_live(&mut tx, &name).await? else { return Ok(OperationOutcome::NotLive) };
    if new.of.as_ref().is_some_and(|of| *of != live) {
        return Ok(OperationOutcome::DifferentStack);
    }
    let (desired, counted_as) = stack(&mut tx, &live).await?;
    let kind = new.kind;
    if let Some(under_way) = under_way(&mut tx, &live, State::Active).await? {
        let is_other = new.revision.is_some() || new.expired.is_some();
        if is_other || under_way.kind.as_deref() != Some(kind.name.as_str()) {
            return Ok(OperationOutcome::UnderWay(under_way.id));
        }
        insert_audit_entry(&mut tx, new.audit_entry.as_ref()).await?;
        tx.commit().await?;
        return Ok(OperationOutcome::Accepted(under_way.id));
    }
    let stuck = under_way(&mut tx, &live, State::Stuck).await?;
    if stuck.is_none() && !kind.starts_from.contains(&desired.state()) {
        return Ok(refused(kind, desired));
    }
    let later = match supersede(&mut tx, &live).await? {
        Superseded::Held(removal) => return Ok(OperationOutcome::UnderWay(removal.id)),
        Superseded::Free(until) => nobodys(until, new.started),
    };
    let is_later = later.is_some();
    new.claim = later.or(new.claim);
    if !stack_events::expires_at(&mut tx, &live, new.expired).await? {
        return Ok(OperationOutcome::DifferentStack);
    }
    if let (Some(limit), Some(counted_as)) = (&new.limit, counted_as) {
        quotas::admit_operation(&mut tx, &counted_as, limit, new.started).await?;
    }
    if let Some(present) = revisions::insert(&mut tx, &live, &new).await? {
        return Ok(OperationOutcome::RevisionChanged(present));
    }
    insert(&live, &new).execute(&mut tx).await?;
    let id = (&new.id, Reason::of(new.expired));
    insert_first(&store, &mut tx, id, &new.first, new.audit_entry.as_ref()).await?;
    commit(store, tx, new.claim.as_ref()).await?;
    Ok(if is_later { OperationOutcome::Later(new.id) } else { OperationOutcome::Accepted(new.id) })
}

/// Returns why an operation of `kind` does not begin on a stack that should be `desired`.
fn refused(kind: &Kind, desired: Desired) -> OperationOutcome {
    if kind.done == desired.state() {
        OperationOutcome::Unchanged
    } else {
        OperationOutcome::WrongState(desired)
    }
}

/// Returns what the stack that `live` created should be, and whose usage it counts as.
async fn stack<D: Dialect>(
    tx: &mut Transaction<D>,
    live: &DeploymentId,
) -> Result<(Desired, Option<String>)> {
    let find = Statement::new(
        "SELECT desired, counted_as FROM stacks
         WHERE stack = (SELECT stack FROM operations WHERE id = $1)",
    );
    let row = find.bind(live).fetch_optional(tx).await?;
    let row = row.ok_or(StoreError::Corrupt { what: "stack" })?;
    Ok((rows::desired(&row)?, row.optional_text("counted_as")?))
}

/// Returns the statement that inserts the operation on the stack that `live` created.
fn insert(live: &DeploymentId, new: &NewOperation) -> Statement {
    let claim = new.claim.as_ref();
    Statement::new(
        "INSERT INTO operations
             (id, stack, seq, started_ms, lease_owner, lease_token, lease_until_ms, kind,
              from_revision, to_revision)
         SELECT $1, stack, 1, $2, $4, $5, $6, $7, stacks.revision, COALESCE($8, stacks.revision)
         FROM operations JOIN stacks USING (stack) WHERE id = $3",
    )
    .bind(&new.id)
    .bind(new.started)
    .bind(live)
    .bind_claim(claim)
    .bind(new.kind.name.as_str())
    .bind(new.revision.as_ref().map(|revision| i64::from(revision.number)))
}
