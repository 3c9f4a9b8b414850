//! The calls that read the swarm instead of the platform's rows.
//!
//! While Docker is down, they answer as if nothing existed (recordings 246 to 248).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::core::Core;
use super::environment;
use super::input::Input;
use super::refusal::Outcome;
use super::request::Body;
use super::state::{Container, Service};
use super::tasks::Task;

/// `docker.getServiceContainersByAppName`: the tasks of a service, with or without a row.
pub(super) fn service_containers(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    let app_name = input.required("appName")?;
    let service = core.state.service(&app_name).filter(|_| !core.outages.docker.lasts(now));
    let tasks = service.map(|service| service.tasks(now, &core.timing)).unwrap_or_default();
    let row = |task: Task| {
        json!({
            "containerId": task.id,
            "name": format!("{app_name}.1"),
            "state": task.state,
            "currentState": task.current_state,
            "node": task.node,
            "error": task.error,
        })
    };
    Ok(Body::Json(tasks.into_iter().map(row).collect()))
}

/// `swarm.getNodes`: an empty body while Docker is down.
pub(super) fn nodes(core: &Core, now: Timestamp) -> Body {
    if core.outages.docker.lasts(now) {
        return Body::Empty;
    }
    Body::Json(json!([{
        "Availability": "Active",
        "EngineVersion": "20.10.24+dfsg1",
        "Hostname": environment::NODE_NAME,
        "ID": environment::NODE_ID,
        "ManagerStatus": "Leader",
        "Self": true,
        "Status": "Ready",
        "TLSStatus": "Ready",
    }]))
}

/// `swarm.getNodeApps`: every service in the swarm, with or without a row.
pub(super) fn node_apps(core: &Core, now: Timestamp) -> Body {
    if core.outages.docker.lasts(now) {
        return Body::Json(json!([]));
    }
    let row = |service: &Service| -> Value {
        let is_leaving = |one: &Container| one.app_name == service.app_name && one.is_running;
        let running = match service.replicas {
            // While the container of a service scaled to 0 stops, Docker shows "1/0" (recording
            // day-two 343).
            0 => core.containers(now).iter().filter(|one| is_leaving(one)).count(),
            _ => usize::from(service.answers(now, &core.timing)),
        };
        json!({
            "ID": service.id,
            "Image": service.image,
            "Mode": "replicated",
            "Name": service.app_name,
            "Ports": "",
            "Replicas": format!("{running}/{}", service.replicas),
        })
    };
    Body::Json(core.state.services.iter().map(row).collect())
}
