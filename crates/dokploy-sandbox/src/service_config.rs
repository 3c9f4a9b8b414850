//! Docker's whole inspection of a service and of a task (recordings day-two 370, 374, 376, 381, 414).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::core::Core;
use super::environment;
use super::rows::merged;
use super::service::{End, FailureAction, Generation, Rollout, Service, Stage};
use super::state::Volume;
use super::tasks::{Task, Vessel};

/// The network of all services.
const NETWORK: &str = "qlm4c2ir37zri28bo7ghngtmw";
/// The time for which the platform lets a rollback be watched.
const ROLLBACK_MONITOR: Duration = Duration::from_secs(5);

impl Core {
    /// Returns the inspection of the service of this name or id.
    pub(super) fn service_config(&self, wanted: &str) -> Option<Value> {
        let is_meant = |one: &&Service| one.app_name == wanted || one.id == wanted;
        Some(inspection(self.state.services.iter().find(is_meant)?))
    }

    /// Returns the inspection of the task of this id.
    pub(super) fn task_config(&self, now: Timestamp, wanted: &str) -> Option<Value> {
        let of_services = |one: &Service| {
            let tasks = one.tasks(now, &self.timing).into_iter();
            let mut found = tasks.filter(|(task, _)| task.id == wanted);
            found.next().map(|(task, _)| task_inspection(one, &task))
        };
        self.state.services.iter().find_map(of_services)
    }
}

fn inspection(service: &Service) -> Value {
    let network = json!([{ "NetworkID": NETWORK, "Addr": "10.0.1.51/24" }]);
    let mut whole = json!({
        "ID": service.id,
        "Version": { "Index": service.version },
        "CreatedAt": service.created_at,
        "UpdatedAt": service.updated_at,
        "Spec": spec(service, &service.present, service.replicas),
        "Endpoint": { "Spec": { "Mode": "vip" }, "VirtualIPs": network },
    });
    if let Some(previous) = &service.previous {
        let previous = without_defaults(spec(service, previous, service.replicas));
        whole = merged(whole, json!({ "PreviousSpec": previous }));
    }
    // The field is missing, not null, without an update (recording day-two 370).
    match &service.rollout {
        Some(rollout) => merged(whole, json!({ "UpdateStatus": status(rollout) })),
        None => whole,
    }
}

fn spec(service: &Service, generation: &Generation, replicas: u64) -> Value {
    let own = &generation.spec;
    let mut container = json!({
        "Image": generation.image,
        "Labels": own.labels,
        "Env": own.env,
        "StopGracePeriod": 10_000_000_000_u64,
        "DNSConfig": {},
        "Isolation": "default",
    });
    if let Some(check) = &own.health_check {
        container = merged(container, json!({ "Healthcheck": check.written }));
    }
    if !own.mounts.is_empty() {
        let mount = |(volume, path)| json!({ "Type": "volume", "Source": volume, "Target": path });
        let mounts = own.mounts.iter().filter(|mount| Volume::is_valid_name(&mount.volume));
        let mounts: Vec<_> = mounts.map(|one| mount((&one.volume, &one.path))).collect();
        container = merged(container, json!({ "Mounts": mounts }));
    }
    json!({
        "Name": service.app_name,
        "Labels": {},
        "TaskTemplate": {
            "ContainerSpec": container,
            "Resources": { "Limits": limits(generation), "Reservations": {} },
            "RestartPolicy": {
                "Condition": "any", "Delay": 5_000_000_000_u64, "MaxAttempts": 0,
            },
            "Placement": placement(generation),
            "Networks": [{ "Target": NETWORK }],
            "ForceUpdate": generation.force_update,
            "Runtime": "container",
        },
        "Mode": { "Replicated": { "Replicas": replicas } },
        "UpdateConfig": update_config(generation),
        "RollbackConfig": {
            "Parallelism": 1,
            "FailureAction": "pause",
            "Monitor": nanoseconds(ROLLBACK_MONITOR),
            "MaxFailureRatio": 0,
            "Order": "start-first",
        },
        "EndpointSpec": { "Mode": "vip" },
    })
}

/// Returns a specification without what Docker adds to the present one only (recording day-two 374).
fn without_defaults(mut spec: Value) -> Value {
    for (parent, key) in [
        ("/TaskTemplate/ContainerSpec", "StopGracePeriod"),
        ("/TaskTemplate/ContainerSpec", "DNSConfig"),
        ("/TaskTemplate", "RestartPolicy"),
        ("/RollbackConfig", "Monitor"),
    ] {
        if let Some(fields) = spec.pointer_mut(parent).and_then(Value::as_object_mut) {
            fields.remove(key);
        }
    }
    spec
}

/// Returns the limits that are set (recording day-two 27).
fn limits(generation: &Generation) -> Value {
    let cpu = generation.spec.cpu_nanos.map(|nanos| json!({ "NanoCPUs": nanos }));
    let memory = generation.spec.memory_bytes.map(|bytes| json!({ "MemoryBytes": bytes }));
    merged(cpu.unwrap_or(json!({})), memory.unwrap_or(json!({})))
}

/// Returns the placement: a mount pins a service without constraints to a manager (recording day-two
/// 406).
fn placement(generation: &Generation) -> Value {
    let own = &generation.spec;
    match (own.constraints.is_empty(), own.mounts.is_empty()) {
        (true, true) => json!({}),
        (true, false) => json!({ "Constraints": ["node.role==manager"] }),
        (false, _) => json!({ "Constraints": own.constraints }),
    }
}

fn update_config(generation: &Generation) -> Value {
    let update = &generation.spec.update;
    let action = match update.on_failure {
        FailureAction::Rollback => "rollback",
        FailureAction::Pause => "pause",
        FailureAction::Continue => "continue",
    };
    let fields = json!({
        "Parallelism": 1,
        "FailureAction": action,
        "MaxFailureRatio": 0,
        "Order": if update.is_stop_first { "stop-first" } else { "start-first" },
    });
    match update.monitor {
        Some(monitor) => merged(fields, json!({ "Monitor": nanoseconds(monitor) })),
        None => fields,
    }
}

fn nanoseconds(duration: Duration) -> Option<u64> {
    u64::try_from(duration.as_nanos()).ok()
}

/// Returns the state of an update (recordings day-two 373 to 376).
fn status(rollout: &Rollout) -> Value {
    let failed = |verb: &str, task: &str| {
        format!("update {verb} due to failure or early termination of task {task}")
    };
    let (state, message, completed) = match &rollout.stage {
        Stage::Updating { .. } => ("updating", "update in progress".to_owned(), None),
        Stage::Completed { at } => ("completed", "update completed".to_owned(), Some(at)),
        Stage::Paused { task } => ("paused", failed("paused", task), None),
        Stage::RollbackStarted { task, .. } => {
            ("rollback_started", failed("rolled back", task), None)
        }
        Stage::RollbackCompleted { at } => {
            ("rollback_completed", "rollback completed".to_owned(), Some(at))
        }
        // The message is assumed: only the state was recorded (day-two 382).
        Stage::RollbackPaused { task } => ("rollback_paused", failed("paused", task), None),
    };
    let fields = json!({ "State": state, "StartedAt": rollout.started_at, "Message": message });
    match completed {
        Some(at) => merged(fields, json!({ "CompletedAt": at })),
        None => fields,
    }
}

fn task_inspection(service: &Service, task: &Task) -> Value {
    let mut status = json!({
        "Timestamp": task.since,
        "State": task.word.to_lowercase(),
        "Message": message(task),
        "PortStatus": {},
    });
    if !task.error.is_empty() {
        status = merged(status, json!({ "Err": task.error }));
    }
    if let Some(end) = task.end.filter(|_| matches!(task.vessel, Vessel::Exited(_))) {
        let container = json!({
            "ContainerID": container_id(service, task), "PID": 0, "ExitCode": end.exit_code(),
        });
        status = merged(status, json!({ "ContainerStatus": container }));
    } else if task.vessel == Vessel::Running {
        let container = json!({
            "ContainerID": container_id(service, task), "PID": 14_128, "ExitCode": 0,
        });
        status = merged(status, json!({ "ContainerStatus": container }));
    }
    let mut whole = json!({
        "ID": task.id,
        "CreatedAt": task.created_at,
        "ServiceID": service.id,
        "Slot": 1,
        "Status": status,
        "DesiredState": task.desired,
    });
    if !task.node.is_empty() {
        whole = merged(whole, json!({ "NodeID": environment::NODE_ID }));
    }
    whole
}

fn container_id(service: &Service, task: &Task) -> String {
    let name = format!("{}.1.{}", service.app_name, task.id);
    format!("{:0<64}", super::ids::container_id(&name))
}

/// Returns the swarm's word for how far a task is. Those of a task that starts or ends by a failure
/// are recorded, the others are of Docker's source.
fn message(task: &Task) -> &'static str {
    match (task.end, task.vessel) {
        (Some(End::Shutdown | End::Unneeded | End::NoNode | End::Removed), _) => "shutdown",
        (Some(End::Rejected), _) => "preparing",
        (None, Vessel::None) => "pending task scheduling",
        (None, Vessel::Created) => "prepared",
        (Some(End::Crash | End::OutOfMemory | End::Unhealthy), _)
        | (None, Vessel::Running | Vessel::Exited(_)) => "started",
    }
}
