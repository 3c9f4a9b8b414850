//! Inserts new operations: a deployment with its stack, and the removal of a live stack.

use sqlx::error::DatabaseError;

use super::audit::{append, insert_audit_entry};
use super::dialect::Dialect;
use super::journal::insert_events;
use super::operations::make_due;
use super::pool::Transaction;
use super::purge::delete_expired;
use super::rows::{self, Columns as _};
use super::statement::Statement;
use super::under_way::{Superseded, nobodys, supersede};
use super::{SqlStore, kept, quotas, responses, specs, stack_events, templates};
use crate::server::audit::AuditEntry;
use crate::server::notifier::Notification;
use crate::server::store::{
    Claim, NewDeployment, NewRemoval, RemovalOutcome, Result, State, StoreError, StoredResponse,
};
use domain::deployment::DeploymentId;
use domain::event::EventBody;
use domain::stack_event::Reason;
use domain::stack_id::{RevisionId, StackId};
use domain::stack_name::StackName;

/// Reserves the name, and inserts the deployment, its first event and the stored response, if the
/// quota allows it.
pub(super) async fn begin<D: Dialect>(
    store: SqlStore<D>,
    new: NewDeployment,
    response: Option<StoredResponse>,
) -> Result<()> {
    let deployment = &new.deployment;
    let mut tx = store.transaction().await?;
    // The order decides which error a request gets that has several: a used idempotency key comes
    // first, then the name, then the limits.
    delete_expired::<D>("answers", "caller, key", "expires_ms", deployment.started)
        .execute(&mut tx)
        .await?;
    if let Some(response) = &response
        && responses::insert(response).execute(&mut tx).await? == 0
    {
        return Err(StoreError::KeyUsed);
    }
    let revision = RevisionId::first_of(&deployment.id);
    insert_stack(revision.stack, &new).execute(&mut tx).await.map_err(name_taken)?;
    insert(revision, &new).execute(&mut tx).await?;
    let (made, by, at) = (Some(&deployment.id), new.owner.as_ref(), Some(deployment.started));
    specs::insert(&mut tx, revision, &new.spec, specs::Maker { made, by, at }).await?;
    templates::insert(&mut tx, &new.template, deployment.started).await?;
    if let Some(from) = new.data {
        kept::give(&mut tx, from, revision.stack).await?;
    }
    if let Some(tried) = &new.retry_of {
        let link = Statement::new("UPDATE operations SET retried_by = $1 WHERE id = $2");
        link.bind(&deployment.id).bind(tried).execute(&mut tx).await?;
    }
    insert_first(&store, &mut tx, (&deployment.id, None), &new.first, new.audit_entry.as_ref())
        .await?;
    store.notify(&mut tx, &Notification::Name(deployment.name.clone())).await?;
    // The quotas come last: the locks on what they count make the starts of others wait.
    quotas::admit(&mut tx, &new).await?;
    commit(store, tx, new.claim.as_ref()).await
}

/// Returns the statement that inserts the stack of a deployment, which reserves its name.
fn insert_stack(stack: StackId, new: &NewDeployment) -> Statement {
    let deployment = &new.deployment;
    Statement::new(
        "INSERT INTO stacks (stack, name, host, url, owner, counted_as, created_ms, template)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(stack)
    .bind(&deployment.name)
    .bind(&new.host)
    .bind(&deployment.url)
    .bind(new.owner.as_ref())
    .bind(new.quota.counted_as.as_deref())
    .bind(deployment.started)
    .bind(&new.template.reference.id)
}

/// Returns the statement that inserts the row of a deployment, which creates `revision`.
fn insert(revision: RevisionId, new: &NewDeployment) -> Statement {
    let (deployment, claim) = (&new.deployment, new.claim.as_ref());
    Statement::new(
        "INSERT INTO operations
             (id, stack, seq, started_ms, retry_of, lease_owner, lease_token, lease_until_ms, kind,
              to_revision)
         VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&deployment.id)
    .bind(revision.stack)
    .bind(deployment.started)
    .bind(new.retry_of.as_ref())
    .bind_claim(claim)
    .bind(deployment.kind.as_str())
    .bind(i64::from(revision.number))
}

/// Inserts the first event of an operation, that of its stack, and its audit entry.
pub(super) async fn insert_first<D: Dialect>(
    store: &SqlStore<D>,
    tx: &mut Transaction<D>,
    (id, reason): (&DeploymentId, Option<Reason>),
    first: &EventBody,
    audit_entry: Option<&AuditEntry>,
) -> Result<()> {
    insert_events(tx, id, 1, std::slice::from_ref(first)).await?;
    stack_events::begun(store, tx, id, reason).await?;
    insert_audit_entry(tx, audit_entry).await
}

/// Commits a new operation. One with a claim is driven by this portal, so the others need no
/// notification of it.
pub(super) async fn commit<D: Dialect>(
    store: SqlStore<D>,
    mut tx: Transaction<D>,
    claim: Option<&Claim>,
) -> Result<()> {
    if claim.is_none() {
        store.notify(&mut tx, &Notification::Work).await?;
    }
    tx.commit().await
}

/// Inserts the removal of the live stack `name`, unless it has an unfinished removal or another
/// stack is meant.
pub(super) async fn begin_removal<D: Dialect>(
    store: SqlStore<D>,
    name: StackName,
    mut new: NewRemoval,
) -> Result<RemovalOutcome> {
    let mut tx = store.transaction().await?;
    let Some(live) = lock_live(&mut tx, &name).await? else { return Ok(RemovalOutcome::NotLive) };
    let unfinished = unfinished(&mut tx, &live).await?;
    if !new.means(&live, unfinished.as_ref().map(|(id, _)| id)) {
        return Ok(RemovalOutcome::DifferentStack);
    }
    if let Some((id, _)) = &unfinished
        && new.expired.is_some()
    {
        return Ok(RemovalOutcome::UnderWay(id.clone()));
    }
    if let Some((id, is_stuck)) = unfinished {
        reuse_removal(store, tx, &id, is_stuck, new).await?;
        return Ok(RemovalOutcome::Accepted(id));
    }
    let later = match supersede(&mut tx, &live).await? {
        Superseded::Held(under_way) => return Ok(RemovalOutcome::UnderWay(under_way.id)),
        Superseded::Free(until) => nobodys(until, new.started),
    };
    let is_later = later.is_some();
    new.claim = later.or(new.claim);
    if !stack_events::expires_at(&mut tx, &live, new.expired).await? {
        return Ok(RemovalOutcome::DifferentStack);
    }
    if let Some(data) = &new.kept
        && let Some(most) = kept::insert(&mut tx, &live, data).await?
    {
        return Ok(RemovalOutcome::KeptFull(most));
    }
    insert_removal(&live, &new).execute(&mut tx).await?;
    let id = (&new.id, Reason::of(new.expired));
    insert_first(&store, &mut tx, id, &new.first, new.audit_entry.as_ref()).await?;
    commit(store, tx, new.claim.as_ref()).await?;
    Ok(if is_later { RemovalOutcome::Later(new.id) } else { RemovalOutcome::Accepted(new.id) })
}

/// Lets the unfinished removal `id` serve in place of `new`. A stuck one becomes due.
pub(super) async fn reuse_removal<D: Dialect>(
    store: SqlStore<D>,
    mut tx: Transaction<D>,
    id: &DeploymentId,
    is_stuck: bool,
    new: NewRemoval,
) -> Result<()> {
    if !is_stuck {
        insert_audit_entry(&mut tx, new.audit_entry.as_ref()).await?;
    }
    // Commit first, to release the lock on the live deployment: a worker that ends the removal
    // locks the removal first and then the deployment, so keeping this lock would cause a deadlock.
    tx.commit().await?;
    let entry = new.audit_entry.clone();
    if is_stuck && !make_due(store.clone(), id.clone(), new.started, entry).await? {
        // It is not stuck any more: a clean-up has finished meanwhile.
        append(store, new.audit_entry).await?;
    }
    Ok(())
}

/// Returns the statement that inserts the removal of the stack that `live` created.
pub(super) fn insert_removal(live: &DeploymentId, new: &NewRemoval) -> Statement {
    let claim = new.claim.as_ref();
    Statement::new(
        "INSERT INTO operations
             (id, stack, seq, started_ms, removes, lease_owner, lease_token, lease_until_ms, kind,
              from_revision, disposal)
         SELECT $1, stack, 1, $2, id, $4, $5, $6, $7, stacks.revision, $8
         FROM operations JOIN stacks USING (stack) WHERE id = $3",
    )
    .bind(&new.id)
    .bind(new.started)
    .bind(live)
    .bind_claim(claim)
    .bind(new.kind.as_str())
    .bind(new.disposal.as_str())
}

/// Locks the deployment that created the live stack `name`, so that no other transaction can begin
/// or end its removal, and returns it.
pub(super) async fn lock_live<D: Dialect>(
    tx: &mut Transaction<D>,
    name: &StackName,
) -> Result<Option<DeploymentId>> {
    let hold = Statement::new(
        "SELECT id FROM operations WHERE state = 'live'
           AND stack = (SELECT stack FROM stacks WHERE name = $1 AND gone_ms IS NULL) ",
    );
    let hold = hold.push(D::FOR_UPDATE.unwrap_or_default()).bind(name);
    hold.fetch_optional(tx).await?.map(|row| rows::id(&row, "id")).transpose()
}

/// Finds the removal of `live` that is in progress or stuck, and returns whether it is stuck.
pub(super) async fn unfinished<D: Dialect>(
    tx: &mut Transaction<D>,
    live: &DeploymentId,
) -> Result<Option<(DeploymentId, bool)>> {
    let find = Statement::new(
        "SELECT id, state FROM operations WHERE removes = $1 AND state <> 'rolled_back'",
    );
    let Some(row) = find.bind(live).fetch_optional(tx).await? else { return Ok(None) };
    Ok(Some((rows::id(&row, "id")?, row.text("state")? == State::Stuck.as_str())))
}

/// Converts the error of the insertion of a stack: a unique violation means that the name is taken.
fn name_taken(error: StoreError) -> StoreError {
    let is_taken = |error: &sqlx::Error| {
        error.as_database_error().is_some_and(DatabaseError::is_unique_violation)
    };
    match &error {
        StoreError::Unavailable(source) if source.downcast_ref().is_some_and(is_taken) => {
            StoreError::NameTaken
        }
        _ => error,
    }
}
