//! What stacks are made of, and their sealed secrets.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{Pool, SqliteStore, unavailable};
use crate::server::{
    secrets::SealedSecret,
    store::{
        KeyUsage, Lease, Resealed, SealedSecrets, SealedSpec, SecretKey, StoreError, StoredSecret,
    },
};
use domain::{deployment::DeploymentId, stack_spec::StackSpec};

const CORRUPT: StoreError = StoreError::Corrupt { what: "spec" };

#[async_trait]
impl SealedSecrets for SqliteStore {
    async fn key_usage(&self) -> Result<KeyUsage, StoreError> {
        key_usage(&self.readers).await
    }

    async fn secrets_not_under(
        &self,
        key_id: &str,
        after: Option<&SecretKey>,
        limit: u32,
    ) -> Result<Vec<StoredSecret>, StoreError> {
        not_under(&self.readers, key_id, after, limit).await
    }

    async fn reseal(&self, secrets: &[Resealed]) -> Result<u64, StoreError> {
        self.finish(reseal(self.writer.clone(), secrets.to_vec())).await
    }
}

/// Finds what the stack is made of that the deployment `id` creates.
pub(super) async fn find(pool: &Pool, id: &DeploymentId) -> Result<Option<SealedSpec>, StoreError> {
    let found = sqlx::query(
        "SELECT spec, name, key_id, wrapped_key, ciphertext, fingerprint
         FROM revisions LEFT JOIN sealed_secrets USING (deployment_id)
         WHERE deployment_id = $1 AND number = 1",
    )
    .bind(id.as_str())
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    let Some(first) = found.first() else { return Ok(None) };
    let spec = StackSpec::from_json(first.try_get("spec").map_err(unavailable)?);
    let spec = spec.map_err(|_| CORRUPT)?;
    let mut secrets = BTreeMap::new();
    for row in &found {
        let name: Option<String> = row.try_get("name").map_err(unavailable)?;
        if let Some(name) = name {
            secrets.insert(name, sealed(row)?);
        }
    }
    Ok(Some(SealedSpec { spec, secrets }))
}

fn sealed(row: &SqliteRow) -> Result<SealedSecret, StoreError> {
    let read = || {
        Ok(SealedSecret {
            key_id: row.try_get("key_id")?,
            wrapped_key: row.try_get("wrapped_key")?,
            ciphertext: row.try_get("ciphertext")?,
            fingerprint: row.try_get("fingerprint")?,
        })
    };
    read().map_err(unavailable)
}

/// Inserts what the stack is made of that the deployment `id` creates, unless that is stored.
pub(super) async fn insert(
    tx: &mut SqliteConnection,
    id: &DeploymentId,
    new: &SealedSpec,
) -> Result<(), StoreError> {
    let spec = new.spec.to_json().map_err(|_| CORRUPT)?;
    let inserted = sqlx::query(
        "INSERT INTO revisions (deployment_id, number, spec) VALUES ($1, 1, $2)
         ON CONFLICT DO NOTHING",
    )
    .bind(id.as_str())
    .bind(spec)
    .execute(&mut *tx)
    .await
    .map_err(unavailable)?;
    if inserted.rows_affected() == 0 {
        return Ok(());
    }
    for (name, sealed) in &new.secrets {
        sqlx::query(
            "INSERT INTO sealed_secrets
                 (deployment_id, name, key_id, wrapped_key, ciphertext, fingerprint)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id.as_str())
        .bind(name)
        .bind(&sealed.key_id)
        .bind(&sealed.wrapped_key)
        .bind(&sealed.ciphertext)
        .bind(&sealed.fingerprint)
        .execute(&mut *tx)
        .await
        .map_err(unavailable)?;
    }
    Ok(())
}

/// Inserts what the stack of the operation under `lease` is made of, if the lease is still held.
pub(super) async fn store(pool: Pool, lease: Lease, new: SealedSpec) -> Result<(), StoreError> {
    let mut tx = pool.begin().await?;
    let held = sqlx::query(
        "SELECT 1 FROM deployments WHERE id = $1 AND lease_owner = $2 AND lease_token = $3",
    )
    .bind(lease.id.as_str())
    .bind(&lease.owner)
    .bind(lease.token)
    .fetch_optional(&mut *tx)
    .await
    .map_err(unavailable)?;
    held.ok_or(StoreError::LeaseLost)?;
    insert(&mut tx, &lease.id, &new).await?;
    tx.commit().await.map_err(unavailable)
}

/// Counts the sealed secrets by the portal's key.
pub(super) async fn key_usage(pool: &Pool) -> Result<KeyUsage, StoreError> {
    let found = sqlx::query("SELECT key_id, count(*) AS used FROM sealed_secrets GROUP BY key_id")
        .fetch_all(pool)
        .await
        .map_err(unavailable)?;
    let read = |row: &SqliteRow| {
        let used: i64 = row.try_get("used")?;
        Ok((row.try_get("key_id")?, u64::try_from(used).unwrap_or_default()))
    };
    found.iter().map(read).collect::<Result<_, _>>().map_err(unavailable)
}

/// Lists secrets that are not sealed under the key `key_id`, in a fixed order after `after`.
pub(super) async fn not_under(
    pool: &Pool,
    key_id: &str,
    after: Option<&SecretKey>,
    limit: u32,
) -> Result<Vec<StoredSecret>, StoreError> {
    let found = sqlx::query(
        "SELECT deployment_id, name, key_id, wrapped_key, ciphertext, fingerprint
         FROM sealed_secrets WHERE key_id <> $1 AND (deployment_id, name) > ($2, $3)
         ORDER BY deployment_id, name LIMIT $4",
    )
    .bind(key_id)
    .bind(after.map_or("", |after| &after.owner))
    .bind(after.map_or("", |after| &after.name))
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
    .map_err(unavailable)?;
    let read = |row: &SqliteRow| {
        let owner = row.try_get("deployment_id").map_err(unavailable)?;
        let name = row.try_get("name").map_err(unavailable)?;
        Ok(StoredSecret { key: SecretKey { owner, name }, sealed: sealed(row)? })
    };
    found.iter().map(read).collect()
}

/// Replaces the sealed keys of secrets that are as they were, and returns of how many.
pub(super) async fn reseal(pool: Pool, secrets: Vec<Resealed>) -> Result<u64, StoreError> {
    let mut tx = pool.begin().await?;
    let mut resealed = 0;
    for Resealed { old, new } in &secrets {
        let done = sqlx::query(
            "UPDATE sealed_secrets SET key_id = $1, wrapped_key = $2
             WHERE deployment_id = $3 AND name = $4 AND wrapped_key = $5",
        )
        .bind(&new.key_id)
        .bind(&new.wrapped_key)
        .bind(&old.key.owner)
        .bind(&old.key.name)
        .bind(&old.sealed.wrapped_key)
        .execute(&mut *tx)
        .await
        .map_err(unavailable)?;
        resealed += done.rows_affected();
    }
    tx.commit().await.map_err(unavailable)?;
    Ok(resealed)
}
