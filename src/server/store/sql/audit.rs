//! Implements the audit port.

use async_trait::async_trait;
use jiff::Timestamp;

use super::dialect::Dialect;
use super::pool::Transaction;
use super::rows::{self, Columns};
use super::statement::Statement;
use super::{SqlStore, lists, quotas};
use crate::server::audit::{AuditEntry, AuditFilter, AuditLog};
use crate::server::store::{Result, StoreError};

#[async_trait]
impl<D: Dialect> AuditLog for SqlStore<D> {
    async fn append(&self, entry: &AuditEntry) -> Result<()> {
        self.finish(append(self.clone(), Some(entry.clone()))).await
    }

    async fn purge_entries(&self, cutoff: Timestamp, entry: &AuditEntry) -> Result<u64> {
        self.finish(purge(self.clone(), cutoff, entry.clone())).await
    }

    async fn entries(&self, filter: &AuditFilter) -> Result<Vec<(i64, AuditEntry)>> {
        let AuditFilter { who, target, .. } = filter;
        if [who, target].into_iter().flatten().any(|text| !can_hold::<D>(text)) {
            return Ok(Vec::new());
        }
        self.rows(lists::entries(filter)).await?.iter().map(entry).collect()
    }
}

/// Returns whether the database can store this text: PostgreSQL cannot store NUL characters.
pub(super) fn can_hold<D: Dialect>(text: &str) -> bool {
    D::HOLDS_NUL || !text.contains('\0')
}

/// Adds an entry, if there is one, in its own transaction.
pub(super) async fn append<D: Dialect>(
    store: SqlStore<D>,
    entry: Option<AuditEntry>,
) -> Result<()> {
    let mut tx = store.transaction().await?;
    insert_audit_entry(&mut tx, entry.as_ref()).await?;
    tx.commit().await
}

/// Records the cut-off, by which the database deletes the oldest entries before it, and returns
/// their number. Without a later entry the clock is probably wrong: then nothing is deleted.
async fn purge<D: Dialect>(
    store: SqlStore<D>,
    cutoff: Timestamp,
    entry: AuditEntry,
) -> Result<u64> {
    let mut tx = store.transaction().await?;
    quotas::lock(&mut tx, quotas::AUDIT_PURGE, "").await?;
    let before = count_before(&mut tx, cutoff).await?;
    if before == 0 {
        return Ok(0);
    }
    let later =
        "SELECT number FROM audit WHERE at_ms >= $1 AND cutoff_ms IS NULL ORDER BY at_ms LIMIT 1";
    if Statement::new(later).bind(cutoff).fetch_all(&mut tx).await?.is_empty() {
        tracing::warn!(%cutoff, "No audit entry is purged, since none is newer: check the clock");
        return Ok(0);
    }
    insert::<D>(&entry).bind(cutoff).execute(&mut tx).await?;
    let purged = before - count_before(&mut tx, cutoff).await?;
    tx.commit().await?;
    Ok(purged)
}

/// Counts the entries before `cutoff`.
async fn count_before<D: Dialect>(tx: &mut Transaction<D>, cutoff: Timestamp) -> Result<u64> {
    let count = Statement::new("SELECT count(*) AS count FROM audit WHERE at_ms < $1");
    let found = count.bind(cutoff).fetch_optional(tx).await?;
    Ok(found.map_or(Ok(0), |row| row.number("count"))?.unsigned_abs())
}

/// Adds an entry, if there is one, in the transaction of its action. Characters that the database
/// cannot store are replaced, so that no client can prevent its entry.
pub(super) async fn insert_audit_entry<D: Dialect>(
    tx: &mut Transaction<D>,
    audit_entry: Option<&AuditEntry>,
) -> Result<()> {
    let Some(entry) = audit_entry else { return Ok(()) };
    insert::<D>(entry).bind(None::<Timestamp>).execute(tx).await.map(drop)
}

/// Returns the statement that adds an entry. Its last value, which is missing, is the cut-off.
fn insert<D: Dialect>(entry: &AuditEntry) -> Statement {
    let text = |text: &str| {
        if D::HOLDS_NUL { text.to_owned() } else { text.replace('\0', "\u{fffd}") }
    };
    Statement::new(
        "INSERT INTO audit (at_ms, who, act, target, address, outcome, cutoff_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(entry.at)
    .bind(text(&entry.who))
    .bind(entry.act.as_str())
    .bind(entry.target.as_deref().map(text))
    .bind(entry.from.map(|address| address.to_string()))
    .bind(text(&entry.outcome))
}

/// Parses a row of the table `audit` into its number and its entry.
fn entry(row: &impl Columns) -> Result<(i64, AuditEntry)> {
    let corrupt = || StoreError::Corrupt { what: "audit entry" };
    let from = row.optional_text("address")?.map(|text| text.parse().map_err(|_| corrupt()));
    let entry = AuditEntry {
        at: rows::time(row.number("at_ms")?)?,
        who: row.text("who")?,
        act: row.text("act")?.parse().map_err(|_| corrupt())?,
        target: row.optional_text("target")?,
        from: from.transpose()?,
        outcome: row.text("outcome")?,
    };
    Ok((row.number("number")?, entry))
}
