//! The mounts of applications: rows that name a volume, or a folder or a file of the host.
//!
//! The platform checks neither the path nor the name of the volume (recordings day-two 106, 110).
//! A row takes effect with the next deployment or reload (recording day-two 423).

use jiff::Timestamp;

use super::core::Core;
use super::input::Input;
use super::refusal::{Outcome, Refusal};
use super::request::Body;
use super::service::VolumeMount;
use super::state::{Mount, State};
use super::{ids, rows};

const TYPES: [&str; 3] = ["bind", "volume", "file"];
const SERVICES: [&str; 8] =
    ["application", "postgres", "mysql", "mariadb", "mongo", "redis", "compose", "libsql"];

impl State {
    /// Returns an application's mounts, oldest first.
    pub(crate) fn mounts_of<'a>(
        &'a self,
        application_id: &'a str,
    ) -> impl Iterator<Item = &'a Mount> {
        self.mounts.iter().filter(move |mount| mount.application_id == application_id)
    }

    /// Returns the volumes that the containers of an application mount.
    pub(crate) fn volume_mounts(&self, application_id: &str) -> Vec<VolumeMount> {
        let of_volumes = self.mounts_of(application_id).filter(|mount| mount.kind == "volume");
        let volume = |mount: &Mount| VolumeMount {
            volume: mount.volume_name.clone().unwrap_or_default(),
            path: mount.path.clone(),
        };
        of_volumes.map(volume).collect()
    }

    /// Returns the first path that two mounts of an application have.
    pub(crate) fn duplicate_mount_path<'a>(&'a self, application_id: &'a str) -> Option<&'a str> {
        let mut seen = Vec::new();
        self.mounts_of(application_id).map(|mount| mount.path.as_str()).find(|path| {
            let is_known = seen.contains(path);
            seen.push(*path);
            is_known
        })
    }
}

/// `mounts.create`: always creates one, even at the same path (recordings day-two 395, 106). That
/// an unknown application is not found is assumed.
pub(super) fn create(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let kind = input.choice("type", &TYPES, "");
    if kind.is_empty() {
        input.string("type");
    }
    let path = input.filled("mountPath");
    input.choice("serviceType", &SERVICES, "application");
    let application_id = input.filled("serviceId");
    let mount = Mount {
        id: ids::row_id(&mut core.rng),
        kind,
        host_path: input.optional("hostPath"),
        volume_name: input.optional("volumeName"),
        file_path: input.optional("filePath"),
        content: input.optional("content"),
        path,
        application_id,
    };
    input.check()?;
    if core.state.application(&mount.application_id).is_none() {
        return Err(Refusal::not_found(input.call(), "Application"));
    }
    let answer = rows::mount(&mount);
    core.state.mounts.push(mount);
    Ok(Body::Json(answer))
}

/// `mounts.listByServiceId` (recordings day-two 102, 396). That it is empty for an unknown
/// application is assumed.
pub(super) fn of_service(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    input.choice("serviceType", &SERVICES, "application");
    let id = input.required("serviceId")?;
    Ok(Body::Json(core.state.mounts_of(&id).map(rows::mount).collect()))
}

/// `mounts.remove`: answers with the removed row (recordings day-two 109, 422).
pub(super) fn remove(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let id = input.required("mountId")?;
    let Some(found) = core.state.mounts.iter().find(|mount| mount.id == id).cloned() else {
        return Err(Refusal::not_found(input.call(), "Mount"));
    };
    core.state.mounts.retain(|mount| mount.id != id);
    Ok(Body::Json(rows::mount(&found)))
}
