//! Reads rows of the audit log.

use super::{Columns, time};
use crate::server::{
    audit::AuditEntry,
    store::{Result, StoreError},
};

/// Parses a row of the table `audit` into its number and its entry.
pub(in crate::server::store) fn entry(row: &impl Columns) -> Result<(i64, AuditEntry)> {
    let corrupt = || StoreError::Corrupt { what: "audit entry" };
    let from = row.optional_text("address")?.map(|text| text.parse().map_err(|_| corrupt()));
    let entry = AuditEntry {
        at: time(row.number("at_ms")?)?,
        who: row.text("who")?,
        act: row.text("act")?.parse().map_err(|_| corrupt())?,
        target: row.optional_text("target")?,
        from: from.transpose()?,
        outcome: row.text("outcome")?,
    };
    Ok((row.number("number")?, entry))
}
