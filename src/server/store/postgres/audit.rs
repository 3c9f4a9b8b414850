//! The audit log.

use async_trait::async_trait;
use sqlx::PgConnection;

use super::{NUL, Pool, PostgresStore, rows::audit::entry as read, unavailable};
use crate::server::{
    audit::{AuditEntry, AuditFilter, AuditLog},
    store::{StoreError, lists},
};

#[async_trait]
impl AuditLog for PostgresStore {
    async fn append(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.finish(append(self.pool.clone(), Some(entry.clone()))).await
    }

    async fn entries(&self, filter: &AuditFilter) -> Result<Vec<(i64, AuditEntry)>, StoreError> {
        self.read(|| entries(&self.pool, filter)).await
    }
}

/// Adds an entry, if there is one, in a transaction of its own.
pub(super) async fn append(pool: Pool, entry: Option<AuditEntry>) -> Result<(), StoreError> {
    let mut tx = pool.begin().await?;
    insert_audit_entry(&mut tx, entry.as_ref()).await?;
    tx.commit().await.map_err(unavailable)
}

/// Adds the entry of what the transaction does, if there is one.
pub(super) async fn insert_audit_entry(
    tx: &mut PgConnection,
    audit_entry: Option<&AuditEntry>,
) -> Result<(), StoreError> {
    match audit_entry {
        Some(entry) => add(tx, entry).await,
        None => Ok(()),
    }
}

/// Adds an entry. Whatever somebody sent, it is not lost for what the database cannot hold.
async fn add(tx: &mut PgConnection, entry: &AuditEntry) -> Result<(), StoreError> {
    let text = |text: &str| text.replace(NUL, "\u{fffd}");
    sqlx::query(
        "INSERT INTO audit (at_ms, who, act, target, address, outcome)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(entry.at.as_millisecond())
    .bind(text(&entry.who))
    .bind(entry.act.as_str())
    .bind(entry.target.as_deref().map(text))
    .bind(entry.from.map(|address| address.to_string()))
    .bind(text(&entry.outcome))
    .execute(tx)
    .await
    .map_err(unavailable)?;
    Ok(())
}

/// Lists the entries that pass `filter`, newest first.
async fn entries(pool: &Pool, filter: &AuditFilter) -> Result<Vec<(i64, AuditEntry)>, StoreError> {
    let mut wanted = [&filter.who, &filter.target].into_iter().flatten();
    if wanted.any(|text| text.contains(NUL)) {
        return Ok(Vec::new());
    }
    let mut query = lists::entries(filter);
    let found = query.build().fetch_all(pool).await.map_err(unavailable)?;
    found.iter().map(read).collect()
}
