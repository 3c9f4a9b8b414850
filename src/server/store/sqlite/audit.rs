//! The audit log.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::{Pool, SqliteStore, rows::audit::entry as read, unavailable};
use crate::server::{
    audit::{AuditEntry, AuditFilter, AuditLog},
    store::{StoreError, lists},
};

#[async_trait]
impl AuditLog for SqliteStore {
    async fn append(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.finish(append(self.writer.clone(), entry.clone())).await
    }

    async fn entries(&self, filter: &AuditFilter) -> Result<Vec<(i64, AuditEntry)>, StoreError> {
        let mut query = lists::entries(filter);
        let found = query.build().fetch_all(&self.readers).await.map_err(unavailable)?;
        found.iter().map(read).collect()
    }
}

async fn append(pool: Pool, entry: AuditEntry) -> Result<(), StoreError> {
    let mut tx = pool.begin().await?;
    add(&mut tx, &entry).await?;
    tx.commit().await.map_err(unavailable)
}

/// Adds the entry of what the transaction does, if there is one.
pub(super) async fn insert_audit_entry(
    tx: &mut SqliteConnection,
    audit_entry: Option<&AuditEntry>,
) -> Result<(), StoreError> {
    match audit_entry {
        Some(entry) => add(tx, entry).await,
        None => Ok(()),
    }
}

/// Adds an entry.
async fn add(tx: &mut SqliteConnection, entry: &AuditEntry) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (at_ms, who, act, target, address, outcome)
         VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(entry.at.as_millisecond())
    .bind(&entry.who)
    .bind(entry.act.as_str())
    .bind(&entry.target)
    .bind(entry.from.map(|address| address.to_string()))
    .bind(&entry.outcome)
    .execute(tx)
    .await
    .map_err(unavailable)?;
    Ok(())
}
