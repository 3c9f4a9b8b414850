//! The containers of the services, which may differ from the platform's rows and from the tasks.
//!
//! A removed service loses its tasks at once, but its container runs for some more seconds, and
//! then exists for some seconds as a stopped one (recordings day-two 424 and 546). Containers that an
//! update has replaced exist as long as their tasks (recordings day-two 44, 48). While Docker is down,
//! these calls return an empty list.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::core::Core;
use super::environment;
use super::ids;
use super::images::Timing;
use super::input::Input;
use super::refusal::Outcome;
use super::request::Body;
use super::service::{Container, ContainerSpec, Exit, Generation, LeavingContainer, Service};
use super::tasks::{Task, Vessel, after, human};

impl Container {
    /// Returns the short id that Docker shows. It is derived from the name, so it never changes.
    pub(crate) fn id(&self) -> String {
        ids::container_id(&self.name)
    }

    /// Returns the long id, which begins with the short one.
    pub(crate) fn long_id(&self) -> String {
        format!("{:0<64}", self.id())
    }

    pub(crate) fn is_running(&self) -> bool {
        self.started_at.is_some() && self.exit.is_none()
    }

    pub(crate) fn state(&self) -> &'static str {
        match (self.started_at, self.exit) {
            (_, Some(_)) => "exited",
            (Some(_), None) => "running",
            (None, None) => "created",
        }
    }

    /// Returns Docker's sentence about its state (recording day-two 48).
    fn status(&self, now: Timestamp) -> String {
        match (self.started_at, self.exit) {
            (_, Some(exit)) => format!("Exited ({}) {} ago", exit.code, capital(exit.at, now)),
            (Some(at), None) => format!("Up {}", capital(at, now)),
            (None, None) => "Created".to_owned(),
        }
    }
}

/// Returns an age, which begins with a capital here.
fn capital(since: Timestamp, now: Timestamp) -> String {
    let age = human(since, now);
    let (first, rest) = age.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}

impl Service {
    /// Lists the containers of the service at `now`, the newest first.
    pub(crate) fn containers(&self, now: Timestamp, timing: &Timing) -> Vec<Container> {
        let of_tasks = self.tasks(now, timing).into_iter();
        let of_tasks = of_tasks.filter_map(|(task, generation)| self.container(&task, generation));
        of_tasks.chain(self.removed_containers(now, timing)).collect()
    }

    /// Lists the containers that are left of tasks that the swarm has removed.
    fn removed_containers<'a>(
        &'a self,
        now: Timestamp,
        timing: &'a Timing,
    ) -> impl Iterator<Item = Container> + 'a {
        self.removed_tasks(now, timing).filter_map(|(task, of)| self.container(&task, of))
    }

    fn container(&self, task: &Task, generation: &Generation) -> Option<Container> {
        let (started_at, exit) = match task.vessel {
            Vessel::None => return None,
            Vessel::Created => (None, None),
            Vessel::Running => (Some(task.created_at), None),
            Vessel::Exited(exit) => (Some(task.created_at), Some(exit)),
        };
        let Generation { image, behaviour, spec, .. } = generation;
        let env = environment::of_container(&spec.env, &self.id, &self.app_name, &task.id);
        Some(Container {
            app_name: self.app_name.clone(),
            name: format!("{}.1.{}", self.app_name, task.id),
            service_id: self.id.clone(),
            image: image.clone(),
            behaviour: *behaviour,
            env: env.unwrap_or_default(),
            spec: ContainerSpec {
                labels: spec.labels.clone(),
                mounts: spec.mounts.clone(),
                memory_bytes: spec.memory_bytes,
            },
            started_at,
            exit,
        })
    }
}

impl Core {
    /// Lists the containers of all services at `now`, including those that are about to disappear.
    pub(super) fn containers(&self, now: Timestamp) -> Vec<Container> {
        let of_services =
            self.state.services.iter().flat_map(|service| service.containers(now, &self.timing));
        let leaving = self.state.leaving.iter().filter(|one| now < one.gone_at).map(|one| {
            let mut container = one.container.clone();
            if now >= one.stops_at && container.is_running() {
                let exit = Exit { at: one.stops_at, code: 0, is_out_of_memory: false };
                container.exit = Some(exit);
            }
            container
        });
        of_services.chain(leaving).collect()
    }

    /// Removes a service from the swarm, and schedules the end of its containers: they stop, and
    /// later disappear. Returns `false` if there is no service of that name.
    pub(super) fn remove_swarm_service(&mut self, now: Timestamp, app_name: &str) -> bool {
        let Some(service) = self.state.service(app_name) else { return false };
        let Timing { stop, reap, .. } = self.timing;
        for container in service.containers(now, &self.timing) {
            let stops_at = after(now, if container.is_running() { stop } else { Duration::ZERO });
            let gone_at = after(now, stop + reap);
            self.state.leaving.push(LeavingContainer { container, stops_at, gone_at });
        }
        self.state.leaving.retain(|one| now < one.gone_at);
        self.state.services.retain(|service| service.app_name != app_name);
        true
    }
}

/// Answers `docker.getContainersByAppLabel`: the running containers of exactly this service
/// (recordings day-two 46, 47, 386).
pub(super) fn by_app_label(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    let app_name = input.string("appName");
    input.choice("type", &["standalone", "swarm"], "swarm");
    input.check()?;
    let row =
        |one: Container| json!({ "containerId": one.id(), "name": one.name, "state": one.state() });
    let is_meant = |one: &Container| one.app_name == app_name && one.is_running();
    Ok(list(core, now, is_meant, row))
}

/// Answers `docker.getContainers`: the containers of the whole node, running or not (recording
/// day-two 48). Those that are not of services are left out.
pub(super) fn all(core: &Core, now: Timestamp) -> Body {
    let row = |one: Container| {
        json!({
            "containerId": one.id(),
            "name": one.name,
            "image": one.image,
            "ports": if one.is_running() { "8080/tcp" } else { "" },
            "state": one.state(),
            "status": one.status(now),
        })
    };
    list(core, now, |_| true, row)
}

/// Answers `docker.getContainersByAppNameMatch`: the containers, running or not, of every service
/// whose name begins with `appName` (recording day-two 45).
pub(super) fn by_app_name_match(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    let app_name = input.required("appName")?;
    let row = |one: Container| {
        json!({
            "containerId": one.id(),
            "name": one.name,
            "state": one.state(),
            "status": one.status(now),
        })
    };
    Ok(list(core, now, |one| one.name.starts_with(&app_name), row))
}

fn list(
    core: &Core,
    now: Timestamp,
    is_meant: impl Fn(&Container) -> bool,
    row: impl Fn(Container) -> Value,
) -> Body {
    if core.outages.docker.lasts(now) {
        return Body::Json(json!([]));
    }
    Body::Json(core.containers(now).into_iter().filter(is_meant).map(row).collect())
}
