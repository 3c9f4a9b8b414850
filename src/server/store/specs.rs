//! What stacks are made of, and their sealed secrets: the statements, the same for every database.

use std::{collections::BTreeMap, marker::PhantomData};

use sqlx::{Encode, Executor, IntoArguments, Type};

use super::{
    KeyUsage, Lease, Resealed, SealedSpec, SecretKey, StoreError, StoredSecret,
    pool::{Backend, Pool},
    rows::Columns,
    unavailable,
};
use crate::server::secrets::SealedSecret;
use domain::{deployment::DeploymentId, stack_spec::StackSpec};

const CORRUPT: StoreError = StoreError::Corrupt { what: "spec" };

/// The tables `revisions` and `sealed_secrets` of a database.
pub(super) struct SpecTables<D>(PhantomData<D>);

impl<D> SpecTables<D>
where
    D: Backend<Row: Columns, Arguments: IntoArguments<D>>,
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    for<'q> &'q str: Encode<'q, D>,
    for<'q> &'q [u8]: Encode<'q, D>,
    for<'q> i64: Encode<'q, D>,
    str: Type<D>,
    [u8]: Type<D>,
    i64: Type<D>,
{
    /// Finds what the stack is made of that the deployment `id` creates.
    pub(super) async fn find(
        pool: &Pool<D>,
        id: &DeploymentId,
    ) -> Result<Option<SealedSpec>, StoreError> {
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
        let spec = StackSpec::from_json(&first.text("spec")?).map_err(|_| CORRUPT)?;
        let mut secrets = BTreeMap::new();
        for row in &found {
            if let Some(name) = row.optional_text("name")? {
                secrets.insert(name, sealed(row)?);
            }
        }
        Ok(Some(SealedSpec { spec, secrets }))
    }

    /// Inserts what the stack is made of that the deployment `id` creates, unless that is stored.
    pub(super) async fn insert(
        tx: &mut D::Connection,
        id: &DeploymentId,
        new: &SealedSpec,
    ) -> Result<(), StoreError> {
        let spec = new.spec.to_json().map_err(|_| CORRUPT)?;
        let inserted = sqlx::query(
            "INSERT INTO revisions (deployment_id, number, spec) VALUES ($1, 1, $2)
             ON CONFLICT DO NOTHING RETURNING number",
        )
        .bind(id.as_str())
        .bind(spec.as_str())
        .fetch_optional(&mut *tx)
        .await
        .map_err(unavailable)?;
        if inserted.is_none() {
            return Ok(());
        }
        for (name, sealed) in &new.secrets {
            sqlx::query(
                "INSERT INTO sealed_secrets
                     (deployment_id, name, key_id, wrapped_key, ciphertext, fingerprint)
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(id.as_str())
            .bind(name.as_str())
            .bind(sealed.key_id.as_str())
            .bind(sealed.wrapped_key.as_slice())
            .bind(sealed.ciphertext.as_slice())
            .bind(sealed.fingerprint.as_str())
            .execute(&mut *tx)
            .await
            .map_err(unavailable)?;
        }
        Ok(())
    }

    /// Inserts what the stack of the operation under `lease` is made of, if the lease is still
    /// held. `held` selects the operation's row by id, owner and token, and locks it where the
    /// database locks rows.
    pub(super) async fn store(
        pool: Pool<D>,
        lease: Lease,
        new: SealedSpec,
        held: &'static str,
    ) -> Result<(), StoreError> {
        let mut tx = pool.begin().await?;
        let held = sqlx::query(held)
            .bind(lease.id.as_str())
            .bind(lease.owner.as_str())
            .bind(lease.token)
            .fetch_optional(&mut *tx)
            .await
            .map_err(unavailable)?;
        held.ok_or(StoreError::LeaseLost)?;
        Self::insert(&mut tx, &lease.id, &new).await?;
        tx.commit().await.map_err(unavailable)
    }

    /// Counts the sealed secrets by the portal's key.
    pub(super) async fn key_usage(pool: &Pool<D>) -> Result<KeyUsage, StoreError> {
        let counts = "SELECT key_id, count(*) AS used FROM sealed_secrets GROUP BY key_id";
        let found = sqlx::query(counts).fetch_all(pool).await.map_err(unavailable)?;
        let read = |row: &D::Row| {
            let used = u64::try_from(row.number("used")?).unwrap_or_default();
            Ok((row.text("key_id")?, used))
        };
        found.iter().map(read).collect()
    }

    /// Lists secrets that are not sealed under the key `key_id`, in a fixed order after `after`.
    pub(super) async fn not_under(
        pool: &Pool<D>,
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
        let read = |row: &D::Row| {
            let key = SecretKey { owner: row.text("deployment_id")?, name: row.text("name")? };
            Ok(StoredSecret { key, sealed: sealed(row)? })
        };
        found.iter().map(read).collect()
    }

    /// Replaces the sealed keys of secrets that are as they were, and returns of how many.
    pub(super) async fn reseal(pool: Pool<D>, secrets: Vec<Resealed>) -> Result<u64, StoreError> {
        let mut tx = pool.begin().await?;
        let mut resealed = 0;
        for Resealed { old, new } in &secrets {
            let done = sqlx::query(
                "UPDATE sealed_secrets SET key_id = $1, wrapped_key = $2
                 WHERE deployment_id = $3 AND name = $4 AND wrapped_key = $5 RETURNING name",
            )
            .bind(new.key_id.as_str())
            .bind(new.wrapped_key.as_slice())
            .bind(old.key.owner.as_str())
            .bind(old.key.name.as_str())
            .bind(old.sealed.wrapped_key.as_slice())
            .fetch_optional(&mut *tx)
            .await
            .map_err(unavailable)?;
            resealed += u64::from(done.is_some());
        }
        tx.commit().await.map_err(unavailable)?;
        Ok(resealed)
    }
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
