//! Mounts the volumes into the application. There is nothing to undo: mounts are removed with the
//! application, and volumes by the step that names them.

use crate::server::platform::{Application, Mount, MountId, NewMount, VolumeName};
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::saga::step::Step;
use crate::server::store::{StepId, VolumesOutput};

/// Mounts the volumes.
pub(crate) struct MountVolumes {
    pub(crate) application: Application,
    pub(crate) volumes: VolumesOutput,
}

impl Step for MountVolumes {
    const ID: StepId = StepId::MOUNTS;
    type Output = ();

    async fn run(&self, cx: &Context) -> Result<(), StepError> {
        for (name, path) in self.mounted() {
            let new = NewMount {
                application: self.application.id.clone(),
                volume: name.clone(),
                path: path.to_owned(),
            };
            let make = || cx.platform.create_mount(&new);
            let done = format!("Mounted a volume at {path}");
            let adopt = || self.adopt(cx, name, path);
            cx.create_or_adopt(Self::ID, "mounts.create", &done, make, adopt).await?;
        }
        // A second mount at the same path makes the deployment fail, so a lost call must have had
        // its effect before that.
        if cx.journal.late_commit_until(Self::ID).is_some() {
            cx.wait_out_late_commit(Self::ID).await?;
            for (name, path) in self.mounted() {
                self.adopt(cx, name, path).await?;
            }
        }
        Ok(())
    }
}

impl MountVolumes {
    /// Returns the volumes that the template has, with their folders in the container.
    fn mounted(&self) -> impl Iterator<Item = (&VolumeName, &str)> {
        let volumes = self.volumes.volumes.iter();
        volumes.filter_map(|volume| Some((&volume.name, volume.path.as_deref()?)))
    }

    /// Adopts the mount of our application for this volume, and removes its duplicates.
    async fn adopt(
        &self,
        cx: &Context,
        name: &VolumeName,
        path: &str,
    ) -> Result<Option<MountId>, StepError> {
        let list = || cx.platform.mounts_of(&self.application.id);
        let mounts = cx.query("mounts.listByServiceId", list).await?.into_iter();
        let is_ours = |mount: &Mount| mount.path == path && mount.volume.as_ref() == Some(name);
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
