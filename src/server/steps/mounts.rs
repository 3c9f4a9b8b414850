//! Mounts the volumes into the application. There is nothing to undo: mounts are removed with the
//! application, and volumes by the step that names them.
//!
//! Mounts take effect with the next container (recording day-two 423).

use super::volumes;
use crate::server::platform::{Application, Mount, MountId, NewMount, VolumeName};
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::saga::step::Step;
use crate::server::store::{NamedVolume, StepId, VolumesOutput};
use domain::stack_spec::StackSpec;

/// Mounts the volumes.
pub(crate) struct MountVolumes {
    pub(crate) application: Application,
    pub(crate) volumes: VolumesOutput,
}

/// A volume, and its folder in the container.
type Mounted = (VolumeName, String);

impl Step for MountVolumes {
    const ID: StepId = StepId::MOUNTS;
    type Output = ();

    async fn run(&self, cx: &Context) -> Result<(), StepError> {
        let mounted = mounted(self.volumes.volumes.clone());
        create(cx, Self::ID, &self.application, &mounted).await?;
        settle(cx, Self::ID, &self.application, &mounted).await
    }
}

/// Lets the application have the mounts that `spec` says, and no other of the stack's volumes. Those
/// that somebody else made stay. `step` is the one that does this.
pub(super) async fn replace(
    cx: &Context,
    step: StepId,
    application: &Application,
    spec: &StackSpec,
) -> Result<(), StepError> {
    let wanted = mounted(volumes::own(cx, spec));
    let mut missing = wanted.clone();
    // Data that was brought back has the names that a former stack gave it.
    let is_own =
        |name: &VolumeName| name.0.starts_with(&cx.volume_prefix) || cx.lineage.volumes.has(name);
    for mount in list(cx, application).await? {
        let Some(name) = mount.volume.as_ref().filter(|name| is_own(name)) else { continue };
        if let Some(place) =
            missing.iter().position(|(one, path)| one == name && *path == mount.path)
        {
            missing.swap_remove(place);
        } else {
            let done = format!("Took the volume at {} out of the application", mount.path);
            cx.mutate("mounts.remove", &done, || cx.platform.remove_mount(&mount.id)).await?;
        }
    }
    create(cx, step, application, &missing).await?;
    settle(cx, step, application, &wanted).await
}

/// Returns those of `volumes` that have a folder.
fn mounted(volumes: Vec<NamedVolume>) -> Vec<Mounted> {
    volumes.into_iter().filter_map(|volume| Some((volume.name, volume.path?))).collect()
}

/// Mounts these volumes for `step`, unless an earlier attempt of it did.
async fn create(
    cx: &Context,
    step: StepId,
    application: &Application,
    mounted: &[Mounted],
) -> Result<(), StepError> {
    for (name, path) in mounted {
        let new = NewMount {
            application: application.id.clone(),
            volume: name.clone(),
            path: path.clone(),
        };
        let make = || cx.platform.create_mount(&new);
        let done = format!("Mounted a volume at {path}");
        let adopt = || adopt(cx, application, name, path);
        cx.create_or_adopt(step, "mounts.create", &done, make, adopt).await?;
    }
    Ok(())
}

/// Waits until a call of `step` whose response was lost has had its effect, and removes the duplicates
/// of these mounts: a second one at the same path makes the deployment fail.
async fn settle(
    cx: &Context,
    step: StepId,
    application: &Application,
    mounted: &[Mounted],
) -> Result<(), StepError> {
    if cx.journal.late_commit_until(step).is_some() {
        cx.wait_out_late_commit(step).await?;
        for (name, path) in mounted {
            adopt(cx, application, name, path).await?;
        }
    }
    Ok(())
}

/// Adopts the mount of our application for this volume, and removes its duplicates.
async fn adopt(
    cx: &Context,
    application: &Application,
    name: &VolumeName,
    path: &str,
) -> Result<Option<MountId>, StepError> {
    let is_ours = |mount: &Mount| mount.path == path && mount.volume.as_ref() == Some(name);
    let mut ours = list(cx, application).await?.into_iter().filter(is_ours);
    let Some(first) = ours.next() else { return Ok(None) };
    for other in ours {
        cx.warn("mounts.create", "Removing a duplicate mount of this deployment");
        let remove = || cx.platform.remove_mount(&other.id);
        cx.mutate("mounts.remove", "Removed the duplicate mount", remove).await?;
    }
    Ok(Some(first.id))
}

async fn list(cx: &Context, application: &Application) -> Result<Vec<Mount>, StepError> {
    cx.query("mounts.listByServiceId", || cx.platform.mounts_of(&application.id)).await
}
