//! A service of the swarm: what it runs, what it ran before, and how its last update goes.
//!
//! These are the records only; other modules derive from them what Docker shows at a time.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::health_check::HealthCheck;
use super::images::Behaviour;
use super::programs::Files;

/// A service in the swarm, with or without an application's row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) app_name: String,
    /// What it runs, or tries to run.
    #[serde(flatten)]
    pub(crate) present: Generation,
    pub(crate) replicas: u64,
    #[serde(default)]
    pub(crate) standing: Standing,
    /// The tasks that the present ones have replaced or are replacing, newest first.
    #[serde(default)]
    pub(crate) formers: Vec<Former>,
    /// The last update; `None` after a first deployment, a change of the scale, or a start from
    /// nothing (recording day-two 600).
    #[serde(default)]
    pub(crate) rollout: Option<Rollout>,
    /// What it ran before the last change; `None` once an update was taken back.
    #[serde(default)]
    pub(crate) previous: Option<Box<Generation>>,
    /// A number that grows with every change.
    #[serde(default)]
    pub(crate) version: u64,
    #[serde(default)]
    pub(crate) created_at: Timestamp,
    #[serde(default)]
    pub(crate) updated_at: Timestamp,
}

/// An image with everything that a service gives to the containers of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Generation {
    pub(crate) image: String,
    pub(crate) behaviour: Behaviour,
    #[serde(flatten)]
    pub(crate) spec: Spec,
    /// The time from which its first container starts.
    pub(crate) since: Timestamp,
    /// What the program wrote into its container, which is lost with it.
    #[serde(default)]
    pub(crate) files: Files,
    /// The number of reloads and deployments of the service before it.
    #[serde(default)]
    pub(crate) force_update: u64,
}

/// What a service gives to its containers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spec {
    /// Its variables, each as `NAME=value`, with templates that are expanded for each container.
    #[serde(default)]
    pub(crate) env: Vec<String>,
    /// The labels of its containers.
    #[serde(default)]
    pub(crate) labels: Map<String, Value>,
    /// The volumes that its containers mount.
    #[serde(default)]
    pub(crate) mounts: Vec<VolumeMount>,
    /// What a node must be, such as `node.hostname==vm`.
    #[serde(default)]
    pub(crate) constraints: Vec<String>,
    #[serde(default)]
    pub(crate) health_check: Option<HealthCheck>,
    #[serde(default)]
    pub(crate) update: UpdateConfig,
    /// The most memory of a container, in bytes.
    #[serde(default)]
    pub(crate) memory_bytes: Option<u64>,
    /// The most CPU time of a container: 1 CPU is 1,000,000,000.
    #[serde(default)]
    pub(crate) cpu_nanos: Option<u64>,
}

/// How the swarm updates a service (recordings day-two 370, 547, 548).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UpdateConfig {
    #[serde(default)]
    pub(crate) is_stop_first: bool,
    #[serde(default)]
    pub(crate) on_failure: FailureAction,
    /// For how long a new container is watched; `None` for Docker's default.
    #[serde(default)]
    pub(crate) monitor: Option<Duration>,
}

/// What the swarm does when the container of an update fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FailureAction {
    /// It goes back to what it ran before, which is Dokploy's default.
    #[default]
    Rollback,
    /// It leaves the service as it is.
    Pause,
    /// It ignores the failure.
    Continue,
}

/// A volume that a container mounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VolumeMount {
    pub(crate) volume: String,
    pub(crate) path: String,
}

/// Whether the present task of a service has a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Standing {
    /// It has a node.
    #[default]
    Placed,
    /// It has waited for a node since then.
    Waiting(Timestamp),
}

/// A task that another one has replaced, or is replacing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Former {
    pub(crate) generation: Generation,
    /// Its number among the tasks of the generation.
    pub(crate) number: u64,
    /// The time from which it counts as a task.
    pub(crate) created_at: Timestamp,
    /// The time at which the swarm asks it to end; `None` as long as it goes on.
    pub(crate) leaves_at: Option<Timestamp>,
    /// The time at which its container has ended.
    pub(crate) stops_at: Option<Timestamp>,
    pub(crate) end: End,
}

/// How a task ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum End {
    /// The swarm asks its container to stop.
    Shutdown,
    /// Its container exits by itself.
    Crash,
    /// The kernel kills its container, which used too much memory.
    OutOfMemory,
    /// Its container fails the health check and is killed.
    Unhealthy,
    /// Docker cannot make its container.
    Rejected,
    /// It is not needed any more before its container starts (recording day-two 375).
    Unneeded,
    /// It never had a node.
    NoNode,
    /// The service is scaled to zero, so the swarm removes it with its container.
    Removed,
}

/// The last update of a service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rollout {
    pub(crate) started_at: Timestamp,
    pub(crate) stage: Stage,
}

/// The stage of an update (recordings day-two 373, 375).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Stage {
    /// It is under way.
    Updating {
        /// How it ends; `None` if its task waits for a node.
        outcome: Option<Outcome>,
    },
    /// The new container ran for as long as it is watched.
    Completed { at: Timestamp },
    /// The task failed, and the swarm leaves the service as it is.
    Paused { task: String },
    /// The task failed, and the swarm goes back to what it ran before.
    RollbackStarted { task: String, ends_at: Timestamp },
    /// The swarm has gone back.
    RollbackCompleted { at: Timestamp },
    /// What the swarm has gone back to fails as well (recording day-two 382).
    RollbackPaused { task: String },
}

/// How an update ends, which is decided when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) at: Timestamp,
    /// How the new task ends, if it does so while it is watched.
    pub(crate) failure: Option<End>,
}

/// A container as Docker lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Container {
    pub(crate) app_name: String,
    /// The name, `<appName>.<slot>.<task id>`.
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) service_id: String,
    #[serde(default)]
    pub(crate) image: String,
    #[serde(default)]
    pub(crate) behaviour: Behaviour,
    /// The environment variables, each as `NAME=value`.
    #[serde(default)]
    pub(crate) env: Vec<String>,
    #[serde(flatten)]
    pub(crate) spec: ContainerSpec,
    /// The time of its start; `None` if it was made and never started.
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) exit: Option<Exit>,
}

/// What a container has of its service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ContainerSpec {
    /// The labels that the service gives to its containers.
    #[serde(default)]
    pub(crate) labels: Map<String, Value>,
    /// The volumes that it holds, running or not.
    #[serde(default)]
    pub(crate) mounts: Vec<VolumeMount>,
    #[serde(default)]
    pub(crate) memory_bytes: Option<u64>,
}

/// The end of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exit {
    pub(crate) at: Timestamp,
    pub(crate) code: u8,
    pub(crate) is_out_of_memory: bool,
}

/// A container whose service was removed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LeavingContainer {
    #[serde(flatten)]
    pub(crate) container: Container,
    /// The time at which it stops.
    pub(crate) stops_at: Timestamp,
    /// The time at which Docker removes it.
    pub(crate) gone_at: Timestamp,
}

impl End {
    /// Returns Docker's word for the state of a task that has ended so.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Shutdown | Self::Unneeded | Self::NoNode | Self::Removed => "Shutdown",
            Self::Crash | Self::OutOfMemory | Self::Unhealthy => "Failed",
            Self::Rejected => "Rejected",
        }
    }

    /// Returns Docker's error without quotes (recordings 122, 231, day-two 382). The one of a
    /// rejection was not recorded.
    pub(crate) fn error(self) -> &'static str {
        match self {
            Self::Shutdown | Self::Unneeded | Self::NoNode | Self::Removed => "",
            Self::Crash => "task: non-zero exit (1)",
            Self::OutOfMemory => "task: non-zero exit (137)",
            Self::Unhealthy => "task: non-zero exit (137): dockerexec: unhealthy container",
            Self::Rejected => "container cannot be created",
        }
    }

    /// Returns the exit code of the container.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Shutdown | Self::Unneeded | Self::NoNode | Self::Removed | Self::Rejected => 0,
            Self::Crash => 1,
            Self::OutOfMemory | Self::Unhealthy => 137,
        }
    }
}

impl Standing {
    /// Returns whether the present task has a container.
    pub(crate) fn has_container(self) -> bool {
        match self {
            Self::Placed => true,
            Self::Waiting(_) => false,
        }
    }
}
