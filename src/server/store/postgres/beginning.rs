//! Beginnings: a deployment with its name, and a removal of what is live.

use sqlx::PgConnection;

use super::{
    PostgresStore, audit, ending, quota, responses, rows, rows::Columns, sealed, unavailable,
    writing::insert_events,
};
use crate::server::{
    auth::access::OwnerId,
    notifier::Nudge,
    store::{NewDeployment, NewRemoval, RemovalOutcome, StoreError, StoredResponse},
};
use domain::{deployment::DeploymentId, kind::KindName, stack_name::StackName};

/// Reserves the name and inserts the deployment, its first event and the stored response, if the
/// quota lets it begin.
pub(super) async fn begin(
    store: PostgresStore,
    new: NewDeployment,
    response: Option<StoredResponse>,
) -> Result<(), StoreError> {
    let (deployment, claim) = (&new.deployment, new.claim.as_ref());
    let mut tx = store.pool.begin().await?;
    responses::purge(&mut tx, deployment.started).await?;
    if let Some(response) = &response
        && !responses::keep(&mut tx, response).await?
    {
        return Err(StoreError::KeyUsed);
    }
    sqlx::query(
        "INSERT INTO deployments
             (id, name, host, url, seq, started_ms, retry_of, owner, counted_as,
              lease_owner, lease_token, lease_until_ms, kind)
         VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(deployment.id.as_str())
    .bind(deployment.name.as_str())
    .bind(&new.host)
    .bind(&deployment.url)
    .bind(deployment.started.as_millisecond())
    .bind(new.retry_of.as_ref().map(DeploymentId::as_str))
    .bind(new.owner.as_ref().map(OwnerId::as_str))
    .bind(&new.quota.counted_as)
    .bind(claim.map(|claim| claim.owner.as_str()))
    .bind(claim.map_or(0, |claim| claim.token))
    .bind(claim.map_or(0, |claim| claim.until.as_millisecond()))
    .bind(new.kind.as_str())
    .execute(&mut *tx)
    .await
    .map_err(name_taken)?;
    quota::admit(&mut tx, &new).await?;
    sealed::Specs::insert(&mut tx, &deployment.id, &new.spec).await?;
    if let Some(tried) = &new.retry_of {
        sqlx::query("UPDATE deployments SET retried_by = $1 WHERE id = $2")
            .bind(deployment.id.as_str())
            .bind(tried.as_str())
            .execute(&mut *tx)
            .await
            .map_err(unavailable)?;
    }
    insert_events(&mut tx, &deployment.id, 1, std::slice::from_ref(&new.first)).await?;
    audit::insert_audit_entry(&mut tx, new.audit_entry.as_ref()).await?;
    if claim.is_none() {
        store.origin.notify(&mut tx, &Nudge::Work).await?;
    }
    tx.commit().await.map_err(unavailable)
}

/// Inserts the removal of the live stack `name`, unless there is one or another stack is meant.
pub(super) async fn begin_removal(
    store: PostgresStore,
    name: StackName,
    new: NewRemoval,
) -> Result<RemovalOutcome, StoreError> {
    let mut tx = store.pool.begin().await?;
    let Some(live) = hold_live(&mut tx, &name).await? else { return Ok(RemovalOutcome::NotLive) };
    let unfinished = unfinished(&mut tx, &live).await?;
    if !new.means(&live, unfinished.as_ref().map(|(id, _)| id)) {
        return Ok(RemovalOutcome::DifferentStack);
    }
    if let Some((id, is_stuck)) = unfinished {
        if !is_stuck {
            audit::insert_audit_entry(&mut tx, new.audit_entry.as_ref()).await?;
        }
        // First let go of the stack: whoever ends its removal holds the removal and waits for it.
        tx.commit().await.map_err(unavailable)?;
        if is_stuck
            && !ending::make_due_now(
                store.clone(),
                id.clone(),
                new.started,
                new.audit_entry.clone(),
            )
            .await?
        {
            // It has come loose meanwhile.
            audit::append(store.pool, new.audit_entry).await?;
        }
        return Ok(RemovalOutcome::Accepted(id));
    }
    let claim = new.claim.as_ref();
    sqlx::query(
        "INSERT INTO deployments
             (id, name, host, url, seq, started_ms, removes, owner, counted_as,
              lease_owner, lease_token, lease_until_ms, kind)
         SELECT $1, name, host, url, 1, $2, id, owner, counted_as, $4, $5, $6, $7
         FROM deployments WHERE id = $3",
    )
    .bind(new.id.as_str())
    .bind(new.started.as_millisecond())
    .bind(live.as_str())
    .bind(claim.map(|claim| claim.owner.as_str()))
    .bind(claim.map_or(0, |claim| claim.token))
    .bind(claim.map_or(0, |claim| claim.until.as_millisecond()))
    .bind(KindName::REMOVE.as_str())
    .execute(&mut *tx)
    .await
    .map_err(unavailable)?;
    insert_events(&mut tx, &new.id, 1, std::slice::from_ref(&new.first)).await?;
    audit::insert_audit_entry(&mut tx, new.audit_entry.as_ref()).await?;
    if claim.is_none() {
        store.origin.notify(&mut tx, &Nudge::Work).await?;
    }
    tx.commit().await.map_err(unavailable)?;
    Ok(RemovalOutcome::Accepted(new.id.clone()))
}

/// Lets nobody else begin or end a removal of the live stack `name`; returns the deployment that
/// brought it up.
async fn hold_live(
    tx: &mut PgConnection,
    name: &StackName,
) -> Result<Option<DeploymentId>, StoreError> {
    let row = sqlx::query(
        "SELECT id FROM deployments WHERE name = $1 AND state = 'live' AND removes IS NULL
         FOR NO KEY UPDATE",
    )
    .bind(name.as_str())
    .fetch_optional(tx)
    .await
    .map_err(unavailable)?;
    row.map(|row| rows::id(&row, "id")).transpose()
}

/// Finds the removal of `live` that has not ended well, and tells whether it is stuck.
async fn unfinished(
    tx: &mut PgConnection,
    live: &DeploymentId,
) -> Result<Option<(DeploymentId, bool)>, StoreError> {
    let row = sqlx::query(
        "SELECT id, state FROM deployments WHERE removes = $1 AND state <> 'rolled_back'",
    )
    .bind(live.as_str())
    .fetch_optional(tx)
    .await
    .map_err(unavailable)?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some((rows::id(&row, "id")?, row.text("state")? == "stuck")))
}

fn name_taken(error: sqlx::Error) -> StoreError {
    match error.as_database_error() {
        Some(database) if database.is_unique_violation() => StoreError::NameTaken,
        Some(_) | None => unavailable(error),
    }
}
