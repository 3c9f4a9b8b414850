//! Names the volumes of the stack, and chooses the node that has them. The undo deletes them, or
//! keeps them. That of a removal does so with those of all revisions.
//!
//! Running the step makes nothing: the first task of the service makes a volume (recording day-two
//! 397). Neither the application nor the project removes it, so the undo comes after that of the
//! application, and removes what only then nobody holds any more.

use std::time::Duration;

use crate::server::platform::{VolumeName, VolumeRemoval};
use crate::server::saga::absence;
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::saga::step::Step;
use crate::server::store::{Disposal, NamedVolume, StackVolumes, StepId, VolumesOutput};
use domain::kind::Direction;
use domain::message::MessageCode;
use domain::receipt::{Line, Outcome, ResourceKind};
use domain::stack_spec::StackSpec;
use domain::time::elapsed_ms;

/// The pause between two calls, for the node or for a volume that is in use.
const PAUSE: Duration = Duration::from_secs(1);
/// The time for which a volume may be in use after its containers are gone.
const LIMIT: Duration = Duration::from_secs(10);

/// Names the volumes.
pub(crate) struct NameVolumes;

impl Step for NameVolumes {
    const ID: StepId = StepId::VOLUMES;
    type Output = VolumesOutput;

    async fn run(&self, cx: &Context) -> Result<VolumesOutput, StepError> {
        let node = own_node(cx).await?;
        let former = cx.spec.stack.brought_back.as_ref().map(|data| data.volumes.clone());
        let mut former = former.unwrap_or_default();
        let mut volumes = own(cx, &cx.spec.stack);
        for (volume, own) in volumes.iter_mut().zip(&cx.spec.stack.volumes) {
            volume.is_brought_back = former.remove(&own.key).is_some();
        }
        let others = former.into_values().map(VolumeName);
        volumes.extend(others.map(|name| NamedVolume { name, path: None, is_brought_back: true }));
        Ok(VolumesOutput { node, volumes })
    }

    async fn undo(
        &self,
        cx: &Context,
        output: Option<&VolumesOutput>,
    ) -> Result<Vec<Line>, StepError> {
        let mut lines = Vec::new();
        for volume in named(cx, output).iter().rev() {
            let outcome = if is_kept(cx, volume) {
                Outcome::Kept
            } else if remove(cx, &volume.name).await? {
                Outcome::VerifiedGone
            } else {
                Outcome::Left
            };
            lines.push(line(cx, volume, outcome));
        }
        Ok(lines)
    }

    fn possible_leftovers(&self, cx: &Context, output: Option<&VolumesOutput>) -> Vec<Line> {
        let volumes = named(cx, output);
        let deleted = volumes.iter().rev().filter(|volume| !is_kept(cx, volume));
        deleted.map(|volume| line(cx, volume, Outcome::Left)).collect()
    }
}

/// Returns the volumes that the undo is about. Without an output, no later step has begun, so that
/// nothing has made a volume; but changes may have added some to the stack that is removed.
fn named(cx: &Context, output: Option<&VolumesOutput>) -> Vec<NamedVolume> {
    let mut all = StackVolumes::default();
    all.add(output.map(|output| output.volumes.clone()).unwrap_or_default());
    match cx.journal.kind().direction {
        Direction::Forward => {}
        Direction::Back => all.add(cx.lineage.volumes.volumes.clone()),
    }
    all.volumes
}

/// Names the volumes that only the new revision of a stack has. The undo deletes them, but those that a
/// container of that revision still holds: the swarm keeps the last containers of a service after their
/// end. They stay with the stack.
pub(crate) struct AddVolumes;

impl Step for AddVolumes {
    const ID: StepId = StepId::NEW_VOLUMES;
    type Output = VolumesOutput;

    async fn run(&self, cx: &Context) -> Result<VolumesOutput, StepError> {
        let node = match cx.lineage.volumes.node.clone() {
            Some(node) => node,
            None => own_node(cx).await?,
        };
        let mut volumes = own(cx, &cx.spec.stack);
        volumes.retain(|volume| !cx.lineage.volumes.has(&volume.name));
        Ok(VolumesOutput { node, volumes })
    }

    async fn undo(
        &self,
        cx: &Context,
        output: Option<&VolumesOutput>,
    ) -> Result<Vec<Line>, StepError> {
        let mut lines = Vec::new();
        for volume in output.iter().flat_map(|output| output.volumes.iter().rev()) {
            let outcome = match delete(cx, &volume.name, Duration::ZERO).await? {
                Deletion::Proved => Outcome::VerifiedGone,
                Deletion::InUse => Outcome::Kept,
                Deletion::Unproved => Outcome::Left,
            };
            lines.push(line(cx, volume, outcome));
        }
        Ok(lines)
    }

    fn possible_leftovers(&self, cx: &Context, output: Option<&VolumesOutput>) -> Vec<Line> {
        let volumes = output.iter().flat_map(|output| output.volumes.iter().rev());
        volumes.map(|volume| line(cx, volume, Outcome::Left)).collect()
    }
}

/// Returns the volumes of a revision in the order of its spec, with the names that they have in this
/// stack.
pub(super) fn own(cx: &Context, spec: &StackSpec) -> Vec<NamedVolume> {
    let named = spec.volumes.iter().map(|volume| NamedVolume {
        name: cx.volume(&volume.key),
        path: Some(volume.path.clone()),
        is_brought_back: false,
    });
    named.collect()
}

/// Returns whether the undo keeps `volume`: because the removal of its stack was asked to, or because
/// a start that failed had brought it back.
fn is_kept(cx: &Context, volume: &NamedVolume) -> bool {
    match cx.journal.kind().direction {
        Direction::Forward => volume.is_brought_back,
        Direction::Back => cx.disposal == Disposal::Keep,
    }
}

fn line(cx: &Context, volume: &NamedVolume, outcome: Outcome) -> Line {
    cx.line(ResourceKind::Volume, None, &volume.name.0, outcome)
}

/// Returns the name of the platform's own node, and waits until Docker tells it.
async fn own_node(cx: &Context) -> Result<String, StepError> {
    loop {
        if let Some(node) = cx.query("swarm.getNodes", || cx.platform.own_node()).await? {
            cx.journal.clear_message(|code| *code == MessageCode::WaitingForPlatform).await?;
            return Ok(node.0);
        }
        cx.journal.set_message(MessageCode::WaitingForPlatform).await?;
        cx.wait(PAUSE).await?;
    }
}

/// Removes a volume of a stack that is removed, and returns whether it is proved gone. It removes
/// nothing while a container of the stack may exist.
async fn remove(cx: &Context, name: &VolumeName) -> Result<bool, StepError> {
    match cx.journal.kind().direction {
        Direction::Forward => {}
        Direction::Back => cx.journal.set_message(MessageCode::RemovingVolumes).await?,
    }
    for service in cx.journal.services() {
        if !absence::service_is_gone(cx, &service).await? {
            return Ok(false);
        }
    }
    Ok(match delete(cx, name, LIMIT).await? {
        Deletion::Proved => true,
        Deletion::InUse | Deletion::Unproved => false,
    })
}

/// What became of the deletion of a volume.
enum Deletion {
    /// It is proved gone.
    Proved,
    /// A container holds it.
    InUse,
    /// Docker does not answer.
    Unproved,
}

/// Deletes a volume of ours, which may be in use for as long as `limit`.
async fn delete(cx: &Context, name: &VolumeName, limit: Duration) -> Result<Deletion, StepError> {
    let since = cx.clock.now();
    if !absence::docker_is_up(cx).await? {
        return Ok(Deletion::Unproved);
    }
    let asked = cx.now();
    let call = || cx.platform.remove_volume(name);
    loop {
        match cx.mutate_unlogged("dockerVolume.removeVolume", call).await? {
            VolumeRemoval::Removed | VolumeRemoval::Unknown => break,
            VolumeRemoval::InUse => {}
        }
        if u128::from(elapsed_ms(asked, cx.now())) >= limit.as_millis() {
            cx.warn("volume.remove", "The volume is still in use: it was not removed");
            return Ok(Deletion::InUse);
        }
        cx.wait(PAUSE).await?;
    }
    if !absence::volume_is_gone(cx, name).await? {
        return Ok(Deletion::Unproved);
    }
    cx.info("volume.verify", "Removed the volume, and verified that it is gone", since);
    Ok(Deletion::Proved)
}
