//! Implements the ports of specs and of sealed secrets.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{
    SqlStore, dialect::Dialect, pool::Transaction, rows, rows::Columns, statement::Statement,
};
use crate::server::{
    secrets::SealedSecret,
    store::{
        KeyUsage, Lease, Resealed, SealedSecrets, SealedSpec, SecretKey, Specs, StoreError,
        StoredSecret,
    },
};
use domain::{deployment::DeploymentId, stack_spec::StackSpec};

const CORRUPT: StoreError = StoreError::Corrupt { what: "spec" };

#[async_trait]
impl<D: Dialect> Specs for SqlStore<D> {
    async fn spec(&self, id: &DeploymentId) -> Result<Option<SealedSpec>, StoreError> {
        let find = Statement::new(
            "SELECT spec, name, key_id, wrapped_key, ciphertext, fingerprint
             FROM revisions LEFT JOIN sealed_secrets USING (deployment_id)
             WHERE deployment_id = $1 AND number = 1",
        );
        let found = self.rows(find.bind(id)).await?;
        let Some(first) = found.first() else { return Ok(None) };
        let spec = StackSpec::from_json(&first.text("spec")?).map_err(|_| CORRUPT)?;
        let mut secrets = BTreeMap::new();
        for row in &found {
            if let Some(name) = row.optional_text("name")? {
                secrets.insert(name, sealed(row)?);
            }
        }
        Ok(Some(SealedSpec { spec, secrets }))
    }

    async fn store_spec(&self, lease: &Lease, spec: &SealedSpec) -> Result<(), StoreError> {
        self.finish(store_spec(self.clone(), lease.clone(), spec.clone())).await
    }
}

#[async_trait]
impl<D: Dialect> SealedSecrets for SqlStore<D> {
    async fn key_usage(&self) -> Result<KeyUsage, StoreError> {
        let usage =
            Statement::new("SELECT key_id, count(*) AS count FROM sealed_secrets GROUP BY key_id");
        let read = |row: &D::Row| Ok((row.text("key_id")?, u64::from(rows::count(row)?)));
        self.rows(usage).await?.iter().map(read).collect()
    }

    async fn samples(&self) -> Result<Vec<StoredSecret>, StoreError> {
        let samples = Statement::new(
            "SELECT deployment_id, name, key_id, wrapped_key, ciphertext, fingerprint
             FROM sealed_secrets JOIN (
                 SELECT key_id, min(deployment_id) AS deployment_id FROM sealed_secrets
                 GROUP BY key_id
             ) AS samples USING (key_id, deployment_id)",
        );
        self.rows(samples).await?.iter().map(stored).collect()
    }

    async fn secrets_after(
        &self,
        after: Option<&SecretKey>,
        limit: u32,
    ) -> Result<Vec<StoredSecret>, StoreError> {
        let next = Statement::new(
            "SELECT deployment_id, name, key_id, wrapped_key, ciphertext, fingerprint
             FROM sealed_secrets WHERE (deployment_id, name) > ($1, $2)
             ORDER BY deployment_id, name LIMIT $3",
        )
        .bind(after.map_or("", |after| &after.owner))
        .bind(after.map_or("", |after| &after.name))
        .bind(i64::from(limit));
        self.rows(next).await?.iter().map(stored).collect()
    }

    async fn reseal(&self, secrets: &[Resealed]) -> Result<u64, StoreError> {
        self.finish(reseal(self.clone(), secrets.to_vec())).await
    }
}

/// Reads a row of `sealed_secrets` with the identity of the secret.
fn stored(row: &impl Columns) -> Result<StoredSecret, StoreError> {
    let key = SecretKey { owner: row.text("deployment_id")?, name: row.text("name")? };
    Ok(StoredSecret { key, sealed: sealed(row)? })
}

/// Reads a row of `sealed_secrets`.
fn sealed(row: &impl Columns) -> Result<SealedSecret, StoreError> {
    Ok(SealedSecret {
        key_id: row.text("key_id")?,
        wrapped_key: row.bytes("wrapped_key")?,
        ciphertext: row.bytes("ciphertext")?,
        fingerprint: row.text("fingerprint")?,
    })
}

/// Inserts the spec of the stack that the deployment `id` creates, unless one is stored.
pub(super) async fn insert<D: Dialect>(
    tx: &mut Transaction<D>,
    id: &DeploymentId,
    new: &SealedSpec,
) -> Result<(), StoreError> {
    let spec = new.spec.to_json().map_err(|_| CORRUPT)?;
    let insert = Statement::new(
        "INSERT INTO revisions (deployment_id, number, spec) VALUES ($1, 1, $2)
         ON CONFLICT DO NOTHING",
    );
    if insert.bind(id).bind(spec).execute(tx).await? == 0 {
        return Ok(());
    }
    for (name, sealed) in &new.secrets {
        Statement::new(
            "INSERT INTO sealed_secrets
                 (deployment_id, name, key_id, wrapped_key, ciphertext, fingerprint)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id)
        .bind(name)
        .bind(&sealed.key_id)
        .bind(&*sealed.wrapped_key)
        .bind(&*sealed.ciphertext)
        .bind(&sealed.fingerprint)
        .execute(tx)
        .await?;
    }
    Ok(())
}

/// Inserts the spec of the operation of `lease`, if the lease is still held.
async fn store_spec<D: Dialect>(
    store: SqlStore<D>,
    lease: Lease,
    new: SealedSpec,
) -> Result<(), StoreError> {
    let mut tx = store.transaction().await?;
    let hold = lease
        .guard("SELECT 1 FROM operations WHERE id = $1 AND lease_owner = $2 AND lease_token = $3 ");
    let hold = hold.push(D::FOR_UPDATE.unwrap_or_default());
    hold.fetch_optional(&mut tx).await?.ok_or(StoreError::LeaseLost)?;
    insert(&mut tx, &lease.id, &new).await?;
    tx.commit().await
}

/// Replaces those of `secrets` that have not changed since they were read, and returns how many.
async fn reseal<D: Dialect>(store: SqlStore<D>, secrets: Vec<Resealed>) -> Result<u64, StoreError> {
    let mut tx = store.transaction().await?;
    let mut resealed = 0;
    for Resealed { old, new } in &secrets {
        let reseal = Statement::new(
            "UPDATE sealed_secrets SET key_id = $1, wrapped_key = $2, ciphertext = $3
             WHERE deployment_id = $4 AND name = $5 AND wrapped_key = $6",
        );
        resealed += reseal
            .bind(&new.key_id)
            .bind(&*new.wrapped_key)
            .bind(&*new.ciphertext)
            .bind(&old.key.owner)
            .bind(&old.key.name)
            .bind(&*old.sealed.wrapped_key)
            .execute(&mut tx)
            .await?;
    }
    tx.commit().await?;
    Ok(resealed)
}
