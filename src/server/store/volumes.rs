//! The volumes that the step of a deployment named. Its undo reads them, and a removal that keeps them.

use serde::{Deserialize, Serialize};

use super::{Result, StepId, StepRecord, Steps, StoreError};
use crate::server::platform::VolumeName;

/// The volumes of a stack. Persisted: never rename.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VolumesOutput {
    /// The node that has them.
    pub node: String,
    /// The volumes, in the order of the template.
    pub volumes: Vec<NamedVolume>,
}

/// A volume of a stack. Persisted: never rename.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NamedVolume {
    /// Its name on the node.
    pub name: VolumeName,
    /// The folder in the container; `None` if the template has no such volume any more.
    pub path: Option<String>,
    /// True if it has the data of an earlier stack.
    pub is_brought_back: bool,
}

impl Steps {
    /// Returns the names of the volumes that the step `naming` recorded, if it is done; none if the
    /// stack has no volumes.
    ///
    /// # Errors
    ///
    /// Returns an error if what the step recorded cannot be read.
    pub fn volumes(&self, naming: StepId) -> Result<Vec<VolumeName>> {
        match self.records.get(&naming) {
            Some(StepRecord::Succeeded { output, .. }) => {
                let output = VolumesOutput::deserialize(output);
                let output = output.map_err(|_| StoreError::Corrupt { what: "step output" })?;
                Ok(output.volumes.into_iter().map(|volume| volume.name).collect())
            }
            Some(StepRecord::Started | StepRecord::Failed { .. } | StepRecord::Undone { .. })
            | None => Ok(Vec::new()),
        }
    }
}
