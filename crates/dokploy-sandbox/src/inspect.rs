//! `docker.getConfig`: Docker's whole inspection of a container, a service or a task, with variables
//! in plain text.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::core::Core;
use super::environment;
use super::input::Input;
use super::refusal::Outcome;
use super::request::Body;
use super::rows::{into_fields, merged};
use super::service::Container;

/// The recorded inspection of a container (day-two 49), in which the fields that differ for each
/// container are replaced.
const RECORDED: &str = include_str!("container_config.json");

/// `docker.getConfig`: finds the container by its short or long id, or its name; else the service by
/// its name or id, or the task by its id. The body is empty if there is none, or Docker is down
/// (recordings day-two 49, 50, 370, 381).
pub(super) fn config(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    let wanted = input.filled("containerId");
    input.check()?;
    if core.outages.docker.lasts(now) {
        return Ok(Body::Empty);
    }
    let is_meant = |one: &Container| one.name == wanted || wanted.starts_with(&one.id());
    let container = core.containers(now).into_iter().find(is_meant);
    let found = container
        .map(|container| whole(&container))
        .or_else(|| core.service_config(&wanted))
        .or_else(|| core.task_config(now, &wanted));
    Ok(found.map_or(Body::Empty, Body::Json))
}

fn whole(container: &Container) -> Value {
    let mut whole: Value = serde_json::from_str(RECORDED).unwrap_or_default();
    let id = container.long_id();
    let task = container.name.rsplit('.').next().unwrap_or_default();
    fill(&mut whole, "State", |state| state.extend(state_of(container)));
    fill(&mut whole, "Config", |config| {
        config.insert("Env".to_owned(), json!(container.env));
        config.insert("Hostname".to_owned(), json!(container.id()));
        config.insert("Image".to_owned(), json!(container.image));
        let swarms = json!({
            "com.docker.swarm.node.id": environment::NODE_ID,
            "com.docker.swarm.service.id": container.service_id,
            "com.docker.swarm.service.name": container.app_name,
            "com.docker.swarm.task": "",
            "com.docker.swarm.task.id": task,
            "com.docker.swarm.task.name": container.name,
        });
        let labels = merged(Value::Object(container.spec.labels.clone()), swarms);
        config.insert("Labels".to_owned(), labels);
    });
    if let Some(own) = whole.as_object_mut() {
        own.insert("Id".to_owned(), json!(id));
        own.insert("Name".to_owned(), json!(format!("/{}", container.name)));
    }
    whole
}

/// Returns the fields of the state that differ for each container (recordings day-two 49, 382).
fn state_of(container: &Container) -> Map<String, Value> {
    const NEVER: &str = "0001-01-01T00:00:00Z";
    let is_running = container.is_running();
    let at = |time: Option<Timestamp>| time.map_or_else(|| NEVER.to_owned(), |at| at.to_string());
    into_fields(json!({
        "Status": container.state(),
        "Running": is_running,
        "Pid": if is_running { 14_128 } else { 0 },
        "OOMKilled": container.exit.is_some_and(|exit| exit.is_out_of_memory),
        "ExitCode": container.exit.map_or(0, |exit| exit.code),
        "StartedAt": at(container.started_at),
        "FinishedAt": at(container.exit.map(|exit| exit.at)),
    }))
}

fn fill(whole: &mut Value, part: &str, with: impl FnOnce(&mut Map<String, Value>)) {
    if let Some(part) = whole.get_mut(part).and_then(Value::as_object_mut) {
        with(part);
    }
}
