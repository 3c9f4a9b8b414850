//! `docker.getConfig`: Docker's whole inspection of one container, with its variables in plain
//! text.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::core::Core;
use super::environment;
use super::input::Input;
use super::refusal::Outcome;
use super::request::Body;
use super::rows::merged;
use super::state::Container;

/// The recorded inspection of a container (day-two 49), in which the fields that differ for each
/// container are replaced.
const RECORDED: &str = include_str!("container_config.json");

/// `docker.getConfig`: finds the container by its short or long id, or its name. The body is empty
/// if there is none, or Docker is down (recordings day-two 49, 50).
pub(super) fn config(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    let wanted = input.filled("containerId");
    input.check()?;
    if core.outages.docker.lasts(now) {
        return Ok(Body::Empty);
    }
    let is_meant = |one: &Container| one.name == wanted || wanted.starts_with(&one.id());
    let found = core.containers(now).into_iter().find(is_meant);
    Ok(found.map_or(Body::Empty, |container| Body::Json(whole(&container))))
}

fn whole(container: &Container) -> Value {
    let mut whole: Value = serde_json::from_str(RECORDED).unwrap_or_default();
    let id = container.long_id();
    let task = container.name.rsplit('.').next().unwrap_or_default();
    let is_running = container.is_running;
    fill(&mut whole, "State", |state| {
        state.insert("Status".to_owned(), json!(container.state()));
        state.insert("Running".to_owned(), json!(is_running));
        state.insert("Pid".to_owned(), json!(if is_running { 14_128 } else { 0 }));
    });
    fill(&mut whole, "Config", |config| {
        config.insert("Env".to_owned(), json!(container.env));
        config.insert("Hostname".to_owned(), json!(container.id()));
        let swarms = json!({
            "com.docker.swarm.node.id": environment::NODE_ID,
            "com.docker.swarm.service.id": container.service_id,
            "com.docker.swarm.service.name": container.app_name,
            "com.docker.swarm.task": "",
            "com.docker.swarm.task.id": task,
            "com.docker.swarm.task.name": container.name,
        });
        let labels = merged(Value::Object(container.labels.clone()), swarms);
        config.insert("Labels".to_owned(), labels);
    });
    if let Some(own) = whole.as_object_mut() {
        own.insert("Id".to_owned(), json!(id));
        own.insert("Name".to_owned(), json!(format!("/{}", container.name)));
    }
    whole
}

fn fill(whole: &mut Value, part: &str, with: impl FnOnce(&mut Map<String, Value>)) {
    if let Some(part) = whole.get_mut(part).and_then(Value::as_object_mut) {
        with(part);
    }
}
