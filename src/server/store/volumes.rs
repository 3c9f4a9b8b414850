//! The volumes that the operations of a stack named. Their undo reads them, and a removal that keeps
//! them.

use serde::{Deserialize, Serialize};

use super::{Result, StepRecord, StoreError};
use crate::server::platform::VolumeName;
use domain::receipt::{Line, Outcome, ResourceKind};

/// The volumes of a stack. Persisted: never rename.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VolumesOutput {
    /// The node that has them.
    pub node: String,
    /// The volumes, in the order of the template.
    pub volumes: Vec<NamedVolume>,
}

/// A volume of a stack. Persisted: never rename.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedVolume {
    /// Its name on the node.
    pub name: VolumeName,
    /// The folder in the container; `None` if the template has no such volume any more.
    pub path: Option<String>,
    /// True if it has the data of an earlier stack.
    pub is_brought_back: bool,
}

/// What is on record of the volumes of a stack: those of all its revisions, as long as they may exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackVolumes {
    /// The node that has them, unless no volume was ever named.
    pub node: Option<String>,
    /// The volumes, oldest first.
    pub volumes: Vec<NamedVolume>,
}

impl StackVolumes {
    /// Returns what is on record after these records of [steps that name volumes](domain::kind::VOLUME_STEPS), oldest
    /// first.
    ///
    /// # Errors
    ///
    /// Returns an error if what a step recorded cannot be read.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a StepRecord>) -> Result<Self> {
        let mut all = Self::default();
        for record in records {
            match record {
                StepRecord::Succeeded { output, .. } => {
                    let output = VolumesOutput::deserialize(output);
                    let output = output.map_err(|_| StoreError::Corrupt { what: "step output" })?;
                    all.node.get_or_insert(output.node);
                    all.add(output.volumes);
                }
                // What its undo could not remove is still there.
                StepRecord::Undone { lines, .. } => all.add(lines.iter().filter_map(left)),
                // A later step makes the volumes.
                StepRecord::Started | StepRecord::Failed { .. } => {}
            }
        }
        Ok(all)
    }

    /// Returns whether the volume of this name is among them.
    pub fn has(&self, name: &VolumeName) -> bool {
        self.volumes.iter().any(|volume| volume.name == *name)
    }

    /// Adds volumes that are not among them yet.
    pub fn add(&mut self, volumes: impl IntoIterator<Item = NamedVolume>) {
        for volume in volumes {
            if !self.has(&volume.name) {
                self.volumes.push(volume);
            }
        }
    }
}

/// Returns the volume that a receipt's line says is still there.
fn left(line: &Line) -> Option<NamedVolume> {
    let is_there = match line.outcome {
        Outcome::Kept | Outcome::Left => line.resource == ResourceKind::Volume,
        Outcome::Made | Outcome::Removed | Outcome::VerifiedGone | Outcome::Restored => false,
    };
    let name = VolumeName(line.name.clone());
    is_there.then_some(NamedVolume { name, path: None, is_brought_back: false })
}
