//! The calls for mounts and volumes.

use serde_json::json;

use crate::answer::Expected;
use crate::client::{Call, Dokploy};
use crate::exchange::Content;
use crate::{
    ApplicationId, Error, Mount, MountId, NewMount, Removal, VolumeConfig, VolumeName,
    VolumeRemoval, wire,
};

/// Docker's message about a volume that a container holds (recordings day-two 401, 410, 424). The
/// name of a volume has no space, so the message is not from the request.
const IN_USE: Expected = Expected { message: "volume is in use", result: "\"used\"" };
/// Docker's message about a volume that does not exist (recording day-two 402).
const UNKNOWN: Expected = Expected { message: "no such volume", result: "\"unknown\"" };
/// The same message of the call that describes a volume (recordings day-two 397, 404).
const NOTHING: Expected = Expected { result: "null", ..UNKNOWN };

#[expect(clippy::missing_errors_doc, reason = "each fails as `Error` says")]
impl Dokploy {
    /// Adds a mount to an application (recording day-two 395). Not idempotent: a second one with the
    /// same path is accepted, and makes the next deployment fail (recordings day-two 106, 107). The
    /// next deployment or reload mounts the volume, and makes it if it does not exist.
    pub async fn create_mount(&self, new: &NewMount) -> Result<MountId, Error> {
        let body = json!({
            "type": "volume",
            "volumeName": new.volume,
            "mountPath": new.path,
            "serviceType": "application",
            "serviceId": new.application,
        });
        let created: wire::MountRow = self.change("mounts.create", body).await?;
        Ok(created.into())
    }

    /// Lists an application's mounts (recordings day-two 102, 396).
    pub async fn mounts_of(&self, id: &ApplicationId) -> Result<Vec<Mount>, Error> {
        let parameters = [("serviceType", "application"), ("serviceId", id.0.as_str())];
        self.list::<wire::MountRow, _>("mounts.listByServiceId", &parameters).await
    }

    /// Removes a mount's row. The container keeps the volume until the next deployment or reload
    /// (recordings day-two 109, 422, 423).
    pub async fn remove_mount(&self, id: &MountId) -> Result<Removal, Error> {
        self.remove("mounts.remove", json!({ "mountId": id }), self.timeout).await
    }

    /// Lists all volumes of the platform's own node, also those of others (recording day-two 398).
    /// The list is also empty while Docker is down.
    pub async fn volumes(&self) -> Result<Vec<VolumeName>, Error> {
        let rows: Option<Vec<wire::VolumeRow>> = self.query("dockerVolume.getVolumes", &[]).await?;
        Ok(rows.into_iter().flatten().map(Into::into).collect())
    }

    /// Describes a volume of the platform's own node. `None` if there is none of this name: the
    /// first task that mounts it makes it (recordings day-two 397, 399, 404).
    pub async fn volume(&self, name: &VolumeName) -> Result<Option<VolumeConfig>, Error> {
        let parameters = [("volumeName", name.0.as_str())];
        let content = Content::Query(&parameters);
        let request = self.request("dockerVolume.getVolumeConfig", content);
        let request = Call { expected: &[NOTHING], ..request };
        let found: Option<wire::VolumeInspection> = self.call(request).await?;
        Ok(found.map(Into::into))
    }

    /// Removes a volume of the platform's own node with its files, unless a container holds it
    /// (recordings day-two 401, 402, 407). A service scaled to nothing has no container, so nothing
    /// holds its volume, and its files are lost (recordings day-two 407 to 409). A name with other
    /// characters than letters, digits, `.`, `-` and `_` is refused (recording day-two 403).
    pub async fn remove_volume(&self, name: &VolumeName) -> Result<VolumeRemoval, Error> {
        let content = Content::Mutation(json!({ "volumeName": name }));
        let request = self.request("dockerVolume.removeVolume", content);
        let request = Call { expected: &[IN_USE, UNKNOWN], ..request };
        let refused: Option<wire::RemovalWord> = self.call(request).await?;
        Ok(refused.map_or(VolumeRemoval::Removed, Into::into))
    }
}
