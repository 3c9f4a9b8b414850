//! Mounts, which are rows of the platform, and volumes, which are Docker's.
//!
//! A mount names a volume; the first task of the service makes it (recording day-two 397). Neither
//! the removal of the application nor that of its project removes the volume (recordings day-two
//! 123, 426).

use super::{ApplicationId, MountId, VolumeName};

/// A volume to mount into an application's container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMount {
    /// The application.
    pub application: ApplicationId,
    /// The volume. The platform does not check the name (recording day-two 110).
    pub volume: VolumeName,
    /// The absolute path within the container.
    pub path: String,
}

/// A mount of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Its id.
    pub id: MountId,
    /// The volume; `None` for a folder or a file of the host.
    pub volume: Option<VolumeName>,
    /// The path within the container. It is not unique: two mounts with the same path make the next
    /// deployment fail (recordings day-two 106, 107).
    pub path: String,
}

/// A volume as Docker describes it (recording day-two 399).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeConfig {
    /// Its name.
    pub name: VolumeName,
    /// Its driver, such as `local`.
    pub driver: String,
    /// The folder of its files on the node.
    pub mountpoint: String,
    /// The time of its creation, as an RFC 3339 text with seconds.
    pub created_at: String,
}

/// The outcome of the removal of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeRemoval {
    /// It existed, and was removed with its files.
    Removed,
    /// A container holds it, running or exited, and nothing was removed. The containers of a removed
    /// application hold it for about six more seconds (recordings day-two 401, 410, 424).
    InUse,
    /// Docker has no volume of this name (recording day-two 402).
    Unknown,
}
