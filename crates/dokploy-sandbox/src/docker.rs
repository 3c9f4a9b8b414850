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
use super::service::Service;
use super::tasks::{Task, Vessel, human};

/// `docker.getServiceContainersByAppName`: the tasks of a service, with or without a row.
pub(super) fn service_containers(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    let app_name = input.required("appName")?;
    let service = core.state.service(&app_name).filter(|_| !core.outages.docker.lasts(now));
    let tasks = service.map(|service| service.tasks(now, &core.timing)).unwrap_or_default();
    let last = tasks.len().saturating_sub(1);
    let row = |(index, (task, _)): (usize, (Task, _))| {
        let error = match &*task.error {
            // The platform reads a table of Docker, in which the last cell may be empty (recording
            // day-two 44).
            "" if index == last => "Error:".to_owned(),
            "" => String::new(),
            error => format!("\"{error}\""),
        };
        json!({
            "containerId": task.id,
            "name": format!("{app_name}.1"),
            "state": task.desired,
            "currentState": format!("{} {} ago", task.word, human(task.since, now)),
            "node": task.node,
            "error": error,
        })
    };
    Ok(Body::Json(tasks.into_iter().enumerate().map(row).collect()))
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
        let tasks = service.tasks(now, &core.timing);
        let running = |(task, _): &&(Task, _)| task.vessel == Vessel::Running;
        let wanted = |(task, _): &&(Task, _)| task.desired == "running" && task.word == "Running";
        let running = match service.replicas {
            // While the container of a service scaled to 0 stops, Docker shows "1/0" (recording
            // day-two 343).
            0 => tasks.iter().filter(running).count(),
            _ => tasks.iter().filter(wanted).count().min(1),
        };
        json!({
            "ID": service.id,
            "Image": service.present.image,
            "Mode": "replicated",
            "Name": service.app_name,
            "Ports": "",
            "Replicas": format!("{running}/{}", service.replicas),
        })
    };
    Body::Json(core.state.services.iter().map(row).collect())
}
