//! Folds a deployment's events, a page at a time.

use std::collections::HashMap;

use super::{Record, Store, StoreError};
use domain::{
    deployment::DeploymentId,
    event::{Event, EventBody, Seq},
    progress::{End, Progress},
    receipt::Receipt,
};

/// The number of events that are read at a time.
pub const PAGE: u32 = 500;

impl dyn Store + '_ {
    /// Folds all events of a deployment, a page at a time.
    ///
    /// # Errors
    ///
    /// Returns an error when the store does not answer, or holds an event that is none.
    pub async fn progress(&self, id: &DeploymentId) -> Result<Progress, StoreError> {
        self.replay(id, |_| ()).await
    }

    /// Folds all events of a deployment, a page at a time, and shows each to `look`.
    ///
    /// # Errors
    ///
    /// Returns an error when the store does not answer, or holds an event that is none.
    pub async fn replay(
        &self,
        id: &DeploymentId,
        mut look: impl FnMut(&Event) + Send,
    ) -> Result<Progress, StoreError> {
        let mut progress = Progress::default();
        loop {
            let before = progress.seq;
            for event in self.events(id, before, PAGE).await? {
                let event = event.decode().map_err(|_| StoreError::Corrupt { what: "event" })?;
                look(&event);
                progress.apply(event);
            }
            if progress.is_finished() || progress.seq < before + Seq::from(PAGE) {
                return Ok(progress);
            }
        }
    }

    /// Returns what became of everything that an operation made, as far as is known by now.
    ///
    /// # Errors
    ///
    /// Returns an error when the store does not answer, or holds an event that is none.
    pub async fn receipt(&self, record: &Record) -> Result<Receipt, StoreError> {
        if let Some(receipt) = &record.metadata.receipt {
            return Ok(receipt.clone());
        }
        let progress = self.progress(&record.deployment.id).await?;
        Ok(match progress.end {
            Some(End::Failed(failure)) => failure.receipt,
            Some(End::Live(_) | End::Removed(_)) | None => Receipt::default(),
        })
    }

    /// Returns the same for each of these, which have ended, in their order.
    ///
    /// # Errors
    ///
    /// Returns an error when the store does not answer, or holds an event that is none.
    pub async fn receipts(&self, ended: &[Record]) -> Result<Vec<Receipt>, StoreError> {
        let unknown = ended.iter().filter(|record| record.metadata.receipt.is_none());
        let ids: Vec<_> = unknown.map(|record| &record.deployment.id).collect();
        let mut last = HashMap::new();
        if !ids.is_empty() {
            for (id, event) in self.last_events(&ids).await? {
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
}
