//! Beginnings: a deployment with its name, and a removal of what is live.

use sqlx::SqliteConnection;

use super::{Pool, audit, quota, responses, rows, sealed, unavailable, writing::insert_event};
use crate::server::{
    auth::access::OwnerId,
    store::{NewDeployment, NewRemoval, RemovalOutcome, StoreError, StoredResponse},
};
use domain::{deployment::DeploymentId, event::Event, kind::KindName, stack_name::StackName};

/// Reserves the name and inserts the deployment, its first event and the stored response, if the
/// quota lets it begin.
pub(super) async fn begin(
    pool: Pool,
    new: NewDeployment,
    response: Option<StoredResponse>,
) -> Result<(), StoreError> {
    let (deployment, claim) = (&new.deployment, new.claim.as_ref());
    let mut tx = pool.begin().await?;
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
         VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?)",
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
        sqlx::query("UPDATE deployments SET retried_by = ? WHERE id = ?")
            .bind(deployment.id.as_str())
            .bind(tried.as_str())
            .execute(&mut *tx)
            .await
            .map_err(unavailable)?;
    }
    let event = Event { seq: 1, body: new.first.clone() };
    insert_event(&mut tx, &deployment.id, &event).await?;
    audit::insert_audit_entry(&mut tx, new.audit_entry.as_ref()).await?;
    tx.commit().await.map_err(unavailable)
}

/// Inserts the removal of the live stack `name`, unless there is one or another stack is meant.
pub(super) async fn begin_removal(
    pool: Pool,
    name: StackName,
    new: NewRemoval,
) -> Result<RemovalOutcome, StoreError> {
    let mut tx = pool.begin().await?;
    let Some(live) = live(&mut tx, &name).await? else { return Ok(RemovalOutcome::NotLive) };
    let unfinished = unfinished(&mut tx, &live).await?;
    if !new.means(&live, unfinished.as_ref()) {
        return Ok(RemovalOutcome::DifferentStack);
    }
    let id = if let Some(removal) = unfinished {
        make_due_now(&mut tx, &removal, &new).await?;
        removal
    } else {
        insert_removal(&mut tx, &live, &new).await?;
        new.id.clone()
    };
    audit::insert_audit_entry(&mut tx, new.audit_entry.as_ref()).await?;
    tx.commit().await.map_err(unavailable)?;
    Ok(RemovalOutcome::Accepted(id))
}

/// Finds the deployment that brought the live stack `name` up.
async fn live(
    tx: &mut SqliteConnection,
    name: &StackName,
) -> Result<Option<DeploymentId>, StoreError> {
    let row = sqlx::query(
        "SELECT id FROM deployments WHERE name = ? AND state = 'live' AND removes IS NULL",
    )
    .bind(name.as_str())
    .fetch_optional(tx)
    .await
    .map_err(unavailable)?;
    row.map(|row| rows::id(&row, "id")).transpose()
}

/// Finds the removal of `live` that has not ended well.
async fn unfinished(
    tx: &mut SqliteConnection,
    live: &DeploymentId,
) -> Result<Option<DeploymentId>, StoreError> {
    let row =
        sqlx::query("SELECT id FROM deployments WHERE removes = ? AND state <> 'rolled_back'")
            .bind(live.as_str())
            .fetch_optional(tx)
            .await
            .map_err(unavailable)?;
    row.map(|row| rows::id(&row, "id")).transpose()
}

/// Makes `removal` due where it is stuck.
async fn make_due_now(
    tx: &mut SqliteConnection,
    removal: &DeploymentId,
    new: &NewRemoval,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE deployments SET due_ms = ? WHERE id = ? AND state = 'stuck'")
        .bind(new.started.as_millisecond())
        .bind(removal.as_str())
        .execute(tx)
        .await
        .map_err(unavailable)?;
    Ok(())
}

/// Inserts the removal of what `live` brought up, with its first event.
async fn insert_removal(
    tx: &mut SqliteConnection,
    live: &DeploymentId,
    new: &NewRemoval,
) -> Result<(), StoreError> {
    let claim = new.claim.as_ref();
    sqlx::query(
        "INSERT INTO deployments
             (id, name, host, url, seq, started_ms, removes, owner, counted_as,
              lease_owner, lease_token, lease_until_ms, kind)
         SELECT ?1, name, host, url, 1, ?2, id, owner, counted_as, ?4, ?5, ?6, ?7
         FROM deployments WHERE id = ?3",
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
    insert_event(tx, &new.id, &Event { seq: 1, body: new.first.clone() }).await
}

fn name_taken(error: sqlx::Error) -> StoreError {
    match error.as_database_error() {
        Some(database) if database.is_unique_violation() => StoreError::NameTaken,
        Some(_) | None => unavailable(error),
    }
}
