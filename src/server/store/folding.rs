//! Folds the events of an operation into its progress and its receipt, a page at a time.

use std::collections::HashMap;

use super::{Journal, Record, Result, StoreError};
use domain::deployment::DeploymentId;
use domain::event::{Event, EventBody, Seq};
use domain::progress::{End, Progress};
use domain::receipt::Receipt;

/// The number of events that are read at a time.
pub const PAGE: u32 = 500;

/// Folds all events of an operation, a page at a time.
///
/// # Errors
///
/// Returns a [`StoreError`] if the store does not answer, or contains an unreadable event.
pub async fn progress(journal: &dyn Journal, id: &DeploymentId) -> Result<Progress> {
    replay(journal, id, |_| ()).await
}

/// Folds all events of an operation, a page at a time, and passes each to `look`.
///
/// # Errors
///
/// Returns a [`StoreError`] if the store does not answer, or contains an unreadable event.
pub async fn replay(
    journal: &dyn Journal,
    id: &DeploymentId,
    mut look: impl FnMut(&Event) + Send,
) -> Result<Progress> {
    let mut progress = Progress::default();
    loop {
        let before = progress.seq;
        for event in journal.events(id, before, PAGE).await? {
            let event = event.decode().map_err(|_| StoreError::Corrupt { what: "event" })?;
            look(&event);
            progress.apply(event);
        }
        if progress.is_finished() || progress.seq < before + Seq::from(PAGE) {
            return Ok(progress);
        }
    }
}

/// Returns how each of these operations is, or has ended: its phase, its percentage and its message,
/// without its steps. One query serves all.
///
/// # Errors
///
/// Returns a [`StoreError`] if the store does not answer, or contains an unreadable event.
pub async fn told(
    journal: &dyn Journal,
    ids: &[&DeploymentId],
) -> Result<HashMap<DeploymentId, Progress>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut told = HashMap::new();
    for (id, event) in journal.last_told(ids).await? {
        let event = event.decode().map_err(|_| StoreError::Corrupt { what: "event" })?;
        let mut progress = Progress::default();
        // It is the only one that counts.
        progress.apply(Event { seq: 1, ..event });
        told.insert(id, progress);
    }
    Ok(told)
}

/// Returns the receipt of an operation: the outcome of each resource, as known by now. It is
/// empty if nothing was undone.
///
/// # Errors
///
/// Returns a [`StoreError`] if the store does not answer, or contains an unreadable event.
pub async fn receipt(journal: &dyn Journal, record: &Record) -> Result<Receipt> {
    if let Some(receipt) = &record.metadata.receipt {
        return Ok(receipt.clone());
    }
    let progress = progress(journal, &record.deployment.id).await?;
    Ok(match progress.end {
        Some(End::Failed(failure)) => failure.receipt,
        Some(End::Live(_) | End::Removed(_)) | None => Receipt::default(),
    })
}

/// Returns the receipt of each of these operations in their order. All must have ended.
///
/// # Errors
///
/// Returns a [`StoreError`] if the store does not answer, or contains an unreadable event.
pub async fn receipts(journal: &dyn Journal, ended: &[Record]) -> Result<Vec<Receipt>> {
    let unknown = ended.iter().filter(|record| record.metadata.receipt.is_none());
    let ids: Vec<_> = unknown.map(|record| &record.deployment.id).collect();
    let mut last = HashMap::new();
    if !ids.is_empty() {
        for (id, event) in journal.last_events(&ids).await? {
            let event = event.decode().map_err(|_| StoreError::Corrupt { what: "event" })?;
            if let EventBody::Error(failure) = event.body {
                last.insert(id, failure.receipt);
            }
        }
    }
    let receipt = |record: &Record| {
        let known = record.metadata.receipt.clone();
        known.or_else(|| last.remove(&record.deployment.id)).unwrap_or_default()
    };
    Ok(ended.iter().map(receipt).collect())
}
