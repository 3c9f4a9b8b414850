//! Mounts the volumes into the application. There is nothing to undo: mounts are removed with the
//! application, and volumes by the step that names them.

use super::volumes::{NamedVolume, VolumesOutput};
use crate::server::platform::{Application, Mount, MountId, NewMount};
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::saga::step::Step;
use crate::server::store::StepId;

/// Mounts the volumes.
pub(crate) struct MountVolumes {
    pub(crate) application: Application,
    pub(crate) volumes: VolumesOutput,
}

impl Step for MountVolumes {
    const ID: StepId = StepId::MOUNTS;
    type Output = ();

    async fn run(&self, cx: &Context) -> Result<(), StepError> {
        for volume in &self.volumes.volumes {
            let new = NewMount {
                application: self.application.id.clone(),
                volume: volume.name.clone(),
                path: volume.path.clone(),
            };
            let make = || cx.platform.create_mount(&new);
            let done = format!("Mounted a volume at {}", volume.path);
            let adopt = || self.adopt(cx, volume);
            cx.create_or_adopt(Self::ID, "mounts.create", &done, make, adopt).await?;
        }
        // A second mount at the same path makes the deployment fail, so a lost call must have had
        // its effect before that.
        if cx.journal.late_commit_until(Self::ID).is_some() {
            cx.wait_out_late_commit(Self::ID).await?;
            for volume in &self.volumes.volumes {
                self.adopt(cx, volume).await?;
            }
        }
        Ok(())
    }
}

impl MountVolumes {
    /// Adopts the mount of our application for this volume, and removes its duplicates.
    async fn adopt(
        &self,
        cx: &Context,
        volume: &NamedVolume,
    ) -> Result<Option<MountId>, StepError> {
        let list = || cx.platform.mounts_of(&self.application.id);
        let mounts = cx.query("mounts.listByServiceId", list).await?.into_iter();
        let is_ours = |mount: &Mount| {
            mount.path == volume.path && mount.volume.as_ref() == Some(&volume.name)
        };
        let mut ours = mounts.filter(is_ours);
        let Some(first) = ours.next() else { return Ok(None) };
        for other in ours {
            cx.warn("mounts.create", "Removing a duplicate mount of this deployment");
            let remove = || cx.platform.remove_mount(&other.id);
            cx.mutate("mounts.remove", "Removed the duplicate mount", remove).await?;
        }
        Ok(Some(first.id))
    }
}
