//! The containers of the services, which may differ from the platform's rows and from the tasks.
//!
//! A removed service loses its tasks at once, but its container runs for some more seconds, and
//! then exists for some seconds as a stopped one (recordings day-two 424 and 546). While Docker is
//! down, these calls return an empty list.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::core::Core;
use super::images::{Behaviour, Timing};
use super::input::Input;
use super::refusal::Outcome;
use super::request::Body;
use super::state::{Container, LeavingContainer, Service};
use super::tasks::Task;
use super::{environment, ids};

impl Container {
    /// Returns the short id that Docker shows. It is derived from the name, so it never changes.
    pub(crate) fn id(&self) -> String {
        ids::container_id(&self.name)
    }

    /// Returns the long id, which begins with the short one.
    pub(crate) fn long_id(&self) -> String {
        format!("{:0<64}", self.id())
    }

    pub(crate) fn state(&self) -> &'static str {
        if self.is_running { "running" } else { "exited" }
    }

    fn status(&self) -> &'static str {
        if self.is_running { "Up 6 seconds" } else { "Exited (0) 2 seconds ago" }
    }
}

impl Service {
    /// Lists the containers of the service at `now`, the newest first.
    pub(crate) fn containers(&self, now: Timestamp, timing: &Timing) -> Vec<Container> {
        if self.replicas == 0 {
            return Vec::new();
        }
        if self.behaviour == Behaviour::Rejected {
            return Vec::new();
        }
        let crashes = self.behaviour == Behaviour::Crashloop;
        let tasks = self.placed_tasks(now, timing).into_iter();
        // A service that crashes repeatedly has only containers that have exited.
        let with_container = tasks.filter(|task| !crashes || task.state == "shutdown");
        // A container that fails its health check runs until it is killed.
        let container = |task: Task| Container {
            app_name: self.app_name.clone(),
            name: format!("{}.1.{}", self.app_name, task.id),
            is_running: task.state != "shutdown",
            service_id: self.id.clone(),
            env: environment::of_container(&self.spec.env, &self.id, &self.app_name, &task.id)
                .unwrap_or_default(),
            labels: self.spec.labels.clone(),
            mounts: self.spec.mounts.clone(),
        };
        with_container.map(container).collect()
    }
}

impl Core {
    /// Lists the containers of all services at `now`, including those that are about to disappear.
    pub(super) fn containers(&self, now: Timestamp) -> Vec<Container> {
        let of_services =
            self.state.services.iter().flat_map(|service| service.containers(now, &self.timing));
        let leaving = self.state.leaving.iter().filter(|one| now < one.gone_at);
        let leaving = leaving
            .map(|one| Container { is_running: now < one.stops_at, ..one.container.clone() });
        of_services.chain(leaving).collect()
    }

    /// Schedules the end of a service's containers: they stop, and later disappear.
    pub(super) fn let_containers_leave(&mut self, now: Timestamp, app_name: &str) {
        let Some(service) = self.state.service(app_name) else { return };
        let Timing { stop, reap, .. } = self.timing;
        for container in service.containers(now, &self.timing) {
            let stops_at = after(now, if container.is_running { stop } else { Duration::ZERO });
            let gone_at = after(now, stop + reap);
            self.state.leaving.push(LeavingContainer { container, stops_at, gone_at });
        }
        self.state.leaving.retain(|one| now < one.gone_at);
    }

    /// Removes a service from the swarm, and schedules the end of its containers. Returns `false`
    /// if there is no service of that name.
    pub(super) fn remove_swarm_service(&mut self, now: Timestamp, app_name: &str) -> bool {
        self.let_containers_leave(now, app_name);
        let before = self.state.services.len();
        self.state.services.retain(|service| service.app_name != app_name);
        self.state.services.len() < before
    }
}

fn after(now: Timestamp, pause: Duration) -> Timestamp {
    now.checked_add(pause).unwrap_or(now)
}

/// Answers `docker.getContainersByAppLabel`: the running containers of exactly this service
/// (recordings day-two 46, 47, 386).
pub(super) fn by_app_label(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    let app_name = input.string("appName");
    input.choice("type", &["standalone", "swarm"], "swarm");
    input.check()?;
    let row =
        |one: Container| json!({ "containerId": one.id(), "name": one.name, "state": one.state() });
    let is_meant = |one: &Container| one.app_name == app_name && one.is_running;
    Ok(list(core, now, is_meant, row))
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
            "status": one.status(),
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
