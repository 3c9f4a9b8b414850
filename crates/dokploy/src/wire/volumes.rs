//! The fields of the answers about mounts and volumes.

use serde::Deserialize;

use crate::{Mount, MountId, VolumeConfig, VolumeName, VolumeRemoval};

/// A row of `mounts.listByServiceId`, and the answer of `mounts.create` (recordings day-two 395,
/// 396).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MountRow {
    mount_id: MountId,
    volume_name: Option<VolumeName>,
    mount_path: String,
}

impl From<MountRow> for Mount {
    fn from(row: MountRow) -> Self {
        let MountRow { mount_id: id, volume_name: volume, mount_path: path } = row;
        Self { id, volume, path }
    }
}

impl From<MountRow> for MountId {
    fn from(row: MountRow) -> Self {
        row.mount_id
    }
}

/// A row of `dockerVolume.getVolumes` (recording day-two 398).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VolumeRow {
    name: VolumeName,
}

impl From<VolumeRow> for VolumeName {
    fn from(row: VolumeRow) -> Self {
        row.name
    }
}

/// The answer of `dockerVolume.getVolumeConfig` (recording day-two 399).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VolumeInspection {
    name: VolumeName,
    driver: Option<String>,
    mountpoint: Option<String>,
    created_at: Option<String>,
}

impl From<VolumeInspection> for VolumeConfig {
    fn from(answer: VolumeInspection) -> Self {
        let VolumeInspection { name, driver, mountpoint, created_at } = answer;
        let (driver, mountpoint) = (driver.unwrap_or_default(), mountpoint.unwrap_or_default());
        Self { name, driver, mountpoint, created_at: created_at.unwrap_or_default() }
    }
}

/// The refusals of `dockerVolume.removeVolume` that are results of it.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RemovalWord {
    Used,
    Unknown,
}

impl From<RemovalWord> for VolumeRemoval {
    fn from(word: RemovalWord) -> Self {
        match word {
            RemovalWord::Used => Self::InUse,
            RemovalWord::Unknown => Self::Unknown,
        }
    }
}
