//! The audit log.

use async_trait::async_trait;

use super::{SqliteStore, rows::audit::entry as read, unavailable};
use crate::server::{
    ports::{
        audit::{AuditEntry, AuditFilter, AuditLog},
        store::StoreError,
    },
    store::lists,
};

#[async_trait]
impl AuditLog for SqliteStore {
    async fn note(&self, entry: &AuditEntry) -> Result<(), StoreError> {
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
        .execute(&self.writer)
        .await
        .map_err(unavailable)?;
        Ok(())
    }

    async fn entries(&self, filter: &AuditFilter) -> Result<Vec<(i64, AuditEntry)>, StoreError> {
        let mut query = lists::entries(filter);
        let found = query.build().fetch_all(&self.readers).await.map_err(unavailable)?;
        found.iter().map(read).collect()
    }
}
