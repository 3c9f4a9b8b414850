//! Kept data: deletes it once its time is over, and marks that whose volumes are gone.

use super::{Finding, Reconciler, SurveyError};
use crate::server::audit::{AuditAction, AuditEntry};
use crate::server::notifier::Notification;
use crate::server::operations::data_deletion;
use crate::server::platform::VolumeName;
use crate::server::saga::Ports;
use crate::server::store::{KeptData, KeptFilter, KeptState, NewRemoval, Result};

impl Reconciler {
    /// Begins to delete the kept data whose time is over, on the record.
    ///
    /// # Errors
    ///
    /// Returns a `StoreError` if the database fails.
    pub async fn delete_due_data(&self) -> Result<()> {
        let Ports { store, clock, notifier, .. } = &self.ports;
        for data in store.kept_data(&KeptFilter::Due(clock.now())).await? {
            let (now, id) = (clock.now(), data.stack.data_id());
            let entry = AuditEntry::of_portal(now, AuditAction::DeleteData, id);
            let new = NewRemoval::of_data(data.stack, data_deletion(), now, entry);
            let begun = store.begin_deletion(data.stack, &new).await?;
            tracing::info!(data.id = %data.stack.data_id(), ?begun, "Kept data is deleted: its time is over");
            notifier.notify(&Notification::Work);
        }
        Ok(())
    }

    /// Marks the kept data of which `found` says that all its volumes are gone, so that nobody brings
    /// an empty volume back. It stays listed, and nothing is deleted before its time. Data whose
    /// volumes somebody has made again is not lost any more.
    ///
    /// # Errors
    ///
    /// Returns which side could not be read, or that the database fails.
    pub async fn mark_lost_data(&self, found: &[Finding]) -> Result<(), SurveyError> {
        let Ports { store, clock, platform, .. } = &self.ports;
        let mut listed = None;
        for data in store.kept_data(&KeptFilter::All).await? {
            let is_lost = is_lost(&data, found);
            match &data.state {
                KeptState::Kept if is_lost => {
                    let (id, name) = (data.stack.data_id(), &data.name);
                    tracing::warn!(data.id = id, stack.name = %name, "Kept data is lost: its volumes are gone");
                    store.mark_lost(data.stack, Some(clock.now())).await?;
                }
                KeptState::Lost(_) if !is_lost => {
                    let there = match &mut listed {
                        Some(there) => there,
                        None => listed.insert(platform.volumes().await?),
                    };
                    let is_there = |name: &String| there.contains(&VolumeName(name.clone()));
                    if data.volumes.iter().all(|volume| is_there(&volume.name)) {
                        store.mark_lost(data.stack, None).await?;
                    }
                }
                KeptState::Kept
                | KeptState::Lost(_)
                | KeptState::Removing
                | KeptState::InUse(_)
                | KeptState::Deleting => {}
            }
        }
        Ok(())
    }
}

/// Returns whether `found` says of each volume of `data` that it is gone.
fn is_lost(data: &KeptData, found: &[Finding]) -> bool {
    let is_gone = |name: &str| {
        found.iter().any(|one| matches!(one, Finding::LostData { volume, .. } if volume == name))
    };
    data.volumes.iter().all(|volume| is_gone(&volume.name))
}
