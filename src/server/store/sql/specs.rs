//! Implements the ports of specs and of sealed secrets.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use async_trait::async_trait;
use jiff::Timestamp;

use super::dialect::Dialect;
use super::pool::Transaction;
use super::rows::{self, Columns};
use super::statement::Statement;
use super::{SqlStore, lists, templates, under_way};
use crate::server::secrets::SealedSecret;
use crate::server::secrets::sealed::{KeyUsage, Resealed, SealedSecrets, SecretKey, StoredSecret};
use crate::server::store::{
    LearnedSpec, Lease, Result, Revision, RevisionOutcome, SealedSpec, SpecOrigin, Specs, State,
    StoreError,
};
use domain::deployment::DeploymentId;
use domain::owner::OwnerId;
use domain::stack_id::{RevisionId, StackId};
use domain::stack_spec::StackSpec;

const CORRUPT: StoreError = StoreError::Corrupt { what: "spec" };

/// Who makes a revision, and when.
#[derive(Clone, Copy)]
pub(super) struct Maker<'a> {
    /// The operation; `None` if it may be another one.
    pub(super) made: Option<&'a DeploymentId>,
    pub(super) by: Option<&'a OwnerId>,
    pub(super) at: Option<Timestamp>,
}

#[async_trait]
impl<D: Dialect> Specs for SqlStore<D> {
    async fn spec(&self, revision: RevisionId) -> Result<Option<SealedSpec>> {
        let find = Statement::new(
            "SELECT origin, spec, name, key_id, wrapped_key, ciphertext, fingerprint
             FROM revisions LEFT JOIN sealed_secrets USING (stack, revision)
             WHERE stack = $1 AND revision = $2",
        );
        let found = self.rows(of(find, revision)).await?;
        let Some(first) = found.first() else { return Ok(None) };
        let origin = SpecOrigin::from_str(&first.text("origin")?).map_err(|_| CORRUPT)?;
        let spec = StackSpec::from_json(&first.text("spec")?).map_err(|_| CORRUPT)?;
        let mut secrets = BTreeMap::new();
        for row in &found {
            if let Some(name) = row.optional_text("name")? {
                secrets.insert(name, sealed(row)?);
            }
        }
        Ok(Some(SealedSpec { origin, spec, secrets }))
    }

    async fn present_specs(&self, stacks: &[StackId]) -> Result<Vec<(RevisionId, StackSpec)>> {
        let is_wanted = D::is_in("$1");
        let find = Statement::composed(format!(
            "SELECT stack, revision, spec FROM stacks JOIN revisions USING (stack, revision)
             WHERE stack {is_wanted} AND origin <> 'assumed'"
        ));
        let mut specs = Vec::new();
        for row in self.rows(find.bind(lists::texts(stacks))).await? {
            if let Ok(spec) = StackSpec::from_json(&row.text("spec")?) {
                specs.push((rows::revision(&row)?, spec));
            }
        }
        Ok(specs)
    }

    async fn revisions(&self, stack: StackId) -> Result<Vec<Revision>> {
        list(self, stack).await
    }

    async fn store_spec(&self, lease: &Lease, spec: &SealedSpec) -> Result<()> {
        self.finish(store_spec(self.clone(), lease.clone(), spec.clone())).await
    }

    async fn learn_spec(&self, learned: &LearnedSpec) -> Result<()> {
        self.finish(learn_spec(self.clone(), learned.clone())).await
    }
}

#[async_trait]
impl<D: Dialect> SealedSecrets for SqlStore<D> {
    async fn key_usage(&self) -> Result<KeyUsage> {
        let usage =
            Statement::new("SELECT key_id, count(*) AS count FROM sealed_secrets GROUP BY key_id");
        let read = |row: &D::Row| Ok((row.text("key_id")?, u64::from(rows::count(row)?)));
        self.rows(usage).await?.iter().map(read).collect()
    }

    async fn samples(&self) -> Result<Vec<StoredSecret>> {
        let samples = Statement::new(
            "SELECT stack, revision, name, key_id, wrapped_key, ciphertext, fingerprint
             FROM sealed_secrets JOIN (
                 SELECT key_id, min(stack) AS stack FROM sealed_secrets GROUP BY key_id
             ) AS samples USING (key_id, stack)",
        );
        self.rows(samples).await?.iter().map(stored).collect()
    }

    async fn secrets_after(
        &self,
        after: Option<&SecretKey>,
        limit: u32,
    ) -> Result<Vec<StoredSecret>> {
        let next = Statement::new(
            "SELECT stack, revision, name, key_id, wrapped_key, ciphertext, fingerprint
             FROM sealed_secrets WHERE (stack, revision, name) > ($1, $2, $3)
             ORDER BY stack, revision, name LIMIT $4",
        )
        .bind(after.map_or_else(String::new, |after| after.revision.stack.to_string()))
        .bind(after.map_or(0, |after| i64::from(after.revision.number)))
        .bind(after.map_or("", |after| &after.name))
        .bind(i64::from(limit));
        self.rows(next).await?.iter().map(stored).collect()
    }

    async fn reseal(&self, secrets: &[Resealed]) -> Result<u64> {
        self.finish(reseal(self.clone(), secrets.to_vec())).await
    }
}

/// Lists the revisions of a stack, newest first.
async fn list<D: Dialect>(store: &SqlStore<D>, stack: StackId) -> Result<Vec<Revision>> {
    let list = Statement::new(
        "SELECT revision, outcome, origin, spec, made, made_by, made_ms
         FROM revisions WHERE stack = $1 ORDER BY revision DESC",
    );
    let read = |row: &D::Row| {
        let outcome = row.optional_text("outcome")?;
        let number = u32::try_from(row.number("revision")?).map_err(|_| CORRUPT)?;
        Ok(Revision {
            number,
            outcome: outcome.map(|word| word.parse()).transpose().map_err(|_| CORRUPT)?,
            origin: row.text("origin")?.parse::<SpecOrigin>().map_err(|_| CORRUPT)?,
            spec: StackSpec::from_json(&row.text("spec")?).map_err(|_| CORRUPT)?,
            made: rows::optional_id(row, "made")?,
            by: rows::optional_owner(row, "made_by")?,
            at: rows::optional_time(row, "made_ms")?,
        })
    };
    store.rows(list.bind(stack)).await?.iter().map(read).collect()
}

/// Binds the two parts of a revision's id.
fn of(statement: Statement, revision: RevisionId) -> Statement {
    statement.bind(revision.stack).bind(i64::from(revision.number))
}

/// Reads a row of `sealed_secrets` with the identity of the secret.
fn stored(row: &impl Columns) -> Result<StoredSecret> {
    let key = SecretKey { revision: rows::revision(row)?, name: row.text("name")? };
    Ok(StoredSecret { key, sealed: sealed(row)? })
}

/// Reads a row of `sealed_secrets`.
fn sealed(row: &impl Columns) -> Result<SealedSecret> {
    Ok(SealedSecret {
        key_id: row.text("key_id")?,
        wrapped_key: row.bytes("wrapped_key")?,
        ciphertext: row.bytes("ciphertext")?,
        fingerprint: row.text("fingerprint")?,
    })
}

/// Inserts a revision, unless one of this number is stored. Returns whether it did.
pub(super) async fn insert<D: Dialect>(
    tx: &mut Transaction<D>,
    revision: RevisionId,
    new: &SealedSpec,
    maker: Maker<'_>,
) -> Result<bool> {
    let spec = new.spec.to_json().map_err(|_| CORRUPT)?;
    let outcome = match new.origin {
        SpecOrigin::Begun => None,
        SpecOrigin::Assumed | SpecOrigin::Read => Some(RevisionOutcome::Unknown.as_str()),
    };
    let insert = Statement::new(
        "INSERT INTO revisions (stack, revision, origin, spec, outcome, made, made_by, made_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    );
    let insert = of(insert, revision).bind(<&str>::from(new.origin)).bind(spec).bind(outcome);
    let insert = insert.bind(maker.made).bind(maker.by).bind(maker.at);
    if insert.execute(tx).await? == 0 {
        return Ok(false);
    }
    for (name, sealed) in &new.secrets {
        let insert = Statement::new(
            "INSERT INTO sealed_secrets
                 (stack, revision, name, key_id, wrapped_key, ciphertext, fingerprint)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        );
        of(insert, revision)
            .bind(name)
            .bind(&sealed.key_id)
            .bind(&*sealed.wrapped_key)
            .bind(&*sealed.ciphertext)
            .bind(&sealed.fingerprint)
            .execute(tx)
            .await?;
    }
    Ok(true)
}

/// Inserts the spec of the operation of `lease`, if the lease is still held.
async fn store_spec<D: Dialect>(store: SqlStore<D>, lease: Lease, new: SealedSpec) -> Result<()> {
    let mut tx = store.transaction().await?;
    let hold = lease.guard(
        "SELECT stack, COALESCE(to_revision, from_revision) AS revision FROM operations
         WHERE id = $1 AND lease_owner = $2 AND lease_token = $3 ",
    );
    let hold = hold.push(D::FOR_UPDATE.unwrap_or_default());
    let row = hold.fetch_optional(&mut tx).await?.ok_or(StoreError::LeaseLost)?;
    let maker = Maker { made: None, by: None, at: None };
    insert(&mut tx, rows::revision(&row)?, &new, maker).await?;
    tx.commit().await
}

/// Stores the spec of the revision that a live stack has, unless that is known.
async fn learn_spec<D: Dialect>(store: SqlStore<D>, learned: LearnedSpec) -> Result<()> {
    let LearnedSpec { revision, spec, template, by, began } = &learned;
    let live = revision.stack.deployment();
    let mut tx = store.transaction().await?;
    // Whoever begins or ends an operation on the stack holds the same lock.
    let hold = Statement::new("SELECT id FROM operations WHERE id = $1 AND state = 'live' ");
    let hold = hold.push(D::FOR_UPDATE.unwrap_or_default()).bind(&live);
    let is_live = hold.fetch_optional(&mut tx).await?.is_some();
    if !is_live || under_way::under_way(&mut tx, &live, State::Active).await?.is_some() {
        return Ok(());
    }
    let present = Statement::new("SELECT stack FROM stacks WHERE stack = $1 AND revision = $2");
    if of(present, *revision).fetch_optional(&mut tx).await?.is_none() {
        return Ok(());
    }
    let forget = "DELETE FROM sealed_secrets WHERE stack = $1 AND revision = $2 AND EXISTS
             (SELECT 1 FROM revisions WHERE stack = $1 AND revision = $2 AND origin = 'assumed')";
    of(Statement::new(forget), *revision).execute(&mut tx).await?;
    let forget = "DELETE FROM revisions WHERE stack = $1 AND revision = $2 AND origin = 'assumed'";
    of(Statement::new(forget), *revision).execute(&mut tx).await?;
    let maker = Maker { made: Some(&live), by: by.as_ref(), at: Some(*began) };
    if !insert(&mut tx, *revision, spec, maker).await? {
        return Ok(());
    }
    templates::insert(&mut tx, template, *began).await?;
    tx.commit().await
}

/// Replaces those of `secrets` that have not changed since they were read, and returns how many.
async fn reseal<D: Dialect>(store: SqlStore<D>, secrets: Vec<Resealed>) -> Result<u64> {
    let mut tx = store.transaction().await?;
    let mut resealed = 0;
    for Resealed { old, new } in &secrets {
        let reseal = Statement::new(
            "UPDATE sealed_secrets SET key_id = $1, wrapped_key = $2, ciphertext = $3
             WHERE wrapped_key = $4 AND name = $5 AND stack = $6 AND revision = $7",
        );
        let reseal = reseal
            .bind(&new.key_id)
            .bind(&*new.wrapped_key)
            .bind(&*new.ciphertext)
            .bind(&*old.sealed.wrapped_key)
            .bind(&old.key.name);
        resealed += of(reseal, old.key.revision).execute(&mut tx).await?;
    }
    tx.commit().await?;
    Ok(resealed)
}
