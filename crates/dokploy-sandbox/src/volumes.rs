//! The volumes of the node, and Docker's calls about them.
//!
//! A task makes a volume when it is prepared, not the row of a mount (recording day-two 397). Every
//! container that mounts it holds it, running or exited; a service without containers holds it by
//! nothing (recordings day-two 401, 407, 410, 424).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::core::Core;
use super::ids;
use super::input::Input;
use super::programs::Files;
use super::refusal::{Code, Outcome, Refusal};
use super::request::Body;
use super::rotation::Place;
use super::service::VolumeMount;
use super::state::Volume;

impl Core {
    /// Makes the volumes that a task mounts, unless they exist.
    pub(super) fn make_volumes(&mut self, now: Timestamp, mounts: &[VolumeMount]) {
        for mount in mounts.iter().filter(|mount| Volume::is_valid_name(&mount.volume)) {
            self.make_volume(now, &mount.volume);
        }
    }

    /// Returns the files in a folder of a container of a service: those of the volume that is
    /// mounted there, else those of the container. `None` if the volume is lost.
    pub(super) fn files_in(
        &mut self,
        app_name: &str,
        place: Place,
        folder: &str,
    ) -> Option<&mut Files> {
        let service = self.state.services.iter_mut().find(|one| one.app_name == app_name)?;
        let generation = service.generation_mut(place);
        match generation.spec.mounts.iter().find(|mount| mount.path == folder) {
            Some(mount) => {
                let volume = self.state.volumes.get_mut(&mount.volume)?;
                Some(&mut volume.files)
            }
            None => Some(&mut generation.files),
        }
    }

    /// Makes a volume, as `docker volume create` does, unless it exists.
    pub fn make_volume(&mut self, now: Timestamp, name: &str) {
        let volume = || Volume { created_at: now, files: Files::new() };
        self.state.volumes.entry(name.to_owned()).or_insert_with(volume);
    }

    /// Lists the long ids of the containers that hold a volume at `now`.
    pub(super) fn holders_of(&self, now: Timestamp, name: &str) -> Vec<String> {
        let containers = self.containers(now).into_iter();
        let holds =
            containers.filter(|one| one.spec.mounts.iter().any(|mount| mount.volume == name));
        let held = self.held.get(name).filter(|outage| outage.lasts(now));
        // The container that a fault stands for is no one's.
        let stranger = held.map(|_| format!("{:0<64}", ids::container_id(name)));
        holds.map(|one| one.long_id()).chain(stranger).collect()
    }
}

/// `dockerVolume.getVolumes`: all volumes of the node by name (recording day-two 398). The answer
/// while Docker is down is assumed: the empty body of `swarm.getNodes`.
pub(super) fn all(core: &Core, now: Timestamp) -> Body {
    if core.outages.docker.lasts(now) {
        return Body::Empty;
    }
    let row = |name: &String| {
        json!({
            "Availability": "N/A",
            "Driver": "local",
            "Group": "N/A",
            "Labels": "",
            "Links": "N/A",
            "Mountpoint": mountpoint(name),
            "Name": name,
            "Scope": "local",
            "Size": "N/A",
            "Status": "N/A",
        })
    };
    Body::Json(core.state.volumes.keys().map(row).collect())
}

fn mountpoint(name: &str) -> String {
    format!("/var/lib/docker/volumes/{name}/_data")
}

/// `dockerVolume.getVolumeConfig` (recordings day-two 397, 399, 404).
pub(super) fn config(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    let name = volume_name(input)?;
    let failed = |why: &str| failed(input, &format!("docker volume inspect {name}"), why);
    if core.outages.docker.lasts(now) {
        return Err(failed(NO_DOCKER));
    }
    match core.state.volumes.get(&name) {
        Some(volume) => Ok(Body::Json(inspection(&name, volume))),
        None => Err(failed(&format!("get {name}: no such volume"))),
    }
}

fn inspection(name: &str, volume: &Volume) -> Value {
    json!({
        "CreatedAt": format!("{:.0}", volume.created_at),
        "Driver": "local",
        "Labels": null,
        "Mountpoint": mountpoint(name),
        "Name": name,
        "Options": null,
        "Scope": "local",
    })
}

/// `dockerVolume.removeVolume`: removes the volume with its files, unless a container holds it
/// (recordings day-two 196, 401 to 403, 407, 410).
pub(super) fn remove(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    let name = volume_name(input)?;
    let failed = |why: &str| failed(input, &format!("docker volume rm {name}"), why);
    if core.outages.docker.lasts(now) {
        return Err(failed(NO_DOCKER));
    }
    if !core.state.volumes.contains_key(&name) {
        return Err(failed(&format!("get {name}: no such volume")));
    }
    let holders = core.holders_of(now, &name);
    if !holders.is_empty() {
        let holders = holders.join(", ");
        return Err(failed(&format!("remove {name}: volume is in use - [{holders}]")));
    }
    core.state.volumes.remove(&name);
    Ok(Body::Empty)
}

/// Docker's message while it is down. That these calls answer with it is assumed.
const NO_DOCKER: &str = "Cannot connect to the Docker daemon";

fn failed(input: &Input, command: &str, why: &str) -> Refusal {
    let source = if why == NO_DOCKER { "" } else { "Error response from daemon: " };
    let message = format!("Command execution failed: Command failed: {command}\n{source}{why}\n");
    Refusal::new(Code::InternalServerError, input.call(), message)
}

fn volume_name(input: &mut Input) -> Result<String, Refusal> {
    let name = input.string("volumeName");
    let is_given = input.fields().get("volumeName").is_some_and(Value::is_string);
    if is_given && (name.is_empty() || !name.chars().all(Volume::is_allowed)) {
        let details = json!({
            "origin": "string", "code": "invalid_format", "format": "regex",
            "pattern": "/^[a-zA-Z0-9.\\-_]+$/",
        });
        input.issue("volumeName", "Invalid volume name.", details);
    }
    input.check()?;
    Ok(name)
}
