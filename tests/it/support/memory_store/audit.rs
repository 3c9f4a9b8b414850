//! The audit log in memory.

use ai_stack_deployer::server::audit::{AuditEntry, AuditFilter, AuditLog};
use ai_stack_deployer::server::store::Result;
use async_trait::async_trait;
use jiff::Timestamp;

use super::MemoryStore;

#[async_trait]
impl AuditLog for MemoryStore {
    async fn append(&self, entry: &AuditEntry) -> Result<()> {
        self.up()?.audit.push(entry.clone());
        Ok(())
    }

    async fn purge_entries(&self, cutoff: Timestamp, entry: &AuditEntry) -> Result<u64> {
        let mut tables = self.up()?;
        let is_later = |other: &AuditEntry| other.at >= cutoff && other.act != entry.act;
        if !tables.audit.iter().any(is_later) {
            return Ok(0);
        }
        let count = tables.audit.len();
        tables.audit.retain(|entry| entry.at >= cutoff);
        let purged = count - tables.audit.len();
        if purged > 0 {
            tables.audit.push(entry.clone());
        }
        Ok(purged as u64)
    }

    async fn entries(&self, filter: &AuditFilter) -> Result<Vec<(i64, AuditEntry)>> {
        let AuditFilter { who, act, target, since, before, limit } = filter;
        let tables = self.up()?;
        let found = (1..).zip(tables.audit.iter()).collect::<Vec<_>>().into_iter().rev();
        let found = found
            .filter(|(_, entry)| who.as_ref().is_none_or(|who| entry.who == *who))
            .filter(|(_, entry)| act.is_none_or(|act| entry.act == act))
            .filter(|(_, entry)| target.is_none() || entry.target == *target)
            .filter(|(_, entry)| since.is_none_or(|since| entry.at >= since))
            .filter(|(number, _)| before.is_none_or(|before| *number < before));
        let listed = found.take(*limit as usize);
        Ok(listed.map(|(number, entry)| (number, entry.clone())).collect())
    }
}
