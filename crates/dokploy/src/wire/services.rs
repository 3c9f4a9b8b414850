//! The fields of the answers of `docker.getConfig` for a service and for a task.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::running::{kept, moment};
use crate::{ContainerId, InspectedTask, ServiceSpec, ServiceState, ServiceUpdate, UpdateState};

/// The answer for a service (recordings day-two 370, 374, 376).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ServiceConfig {
    version: VersionFields,
    spec: SpecFields,
    previous_spec: Option<SpecFields>,
    update_status: Option<UpdateFields>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VersionFields {
    index: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SpecFields {
    task_template: TaskTemplate,
    mode: Option<Mode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TaskTemplate {
    container_spec: ContainerSpec,
    #[serde(default)]
    force_update: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerSpec {
    image: String,
    labels: Option<BTreeMap<String, String>>,
    env: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mode {
    replicated: Option<Replicated>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Replicated {
    replicas: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateFields {
    state: Option<UpdateWord>,
    started_at: Option<String>,
    completed_at: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum UpdateWord {
    Updating,
    Completed,
    Paused,
    RollbackStarted,
    RollbackCompleted,
    RollbackPaused,
    #[serde(other)]
    Other,
}

impl ServiceConfig {
    /// Keeps the variables in `names`.
    pub(crate) fn keep(self, names: &[&str]) -> ServiceState {
        ServiceState {
            version: self.version.index,
            spec: self.spec.keep(names),
            previous: self.previous_spec.map(|spec| spec.keep(names)),
            update: self.update_status.and_then(UpdateFields::into_update),
        }
    }
}

impl SpecFields {
    fn keep(self, names: &[&str]) -> ServiceSpec {
        let TaskTemplate { container_spec, force_update } = self.task_template;
        ServiceSpec {
            variables: kept(container_spec.env.iter().flatten(), names),
            image: container_spec.image,
            labels: container_spec.labels.unwrap_or_default(),
            replicas: self.mode.and_then(|mode| mode.replicated?.replicas),
            force_update,
        }
    }
}

impl UpdateFields {
    /// Returns the update; `None` for an empty object, which newer versions of Docker write.
    fn into_update(self) -> Option<ServiceUpdate> {
        let state = match self.state? {
            UpdateWord::Updating => UpdateState::Updating,
            UpdateWord::Completed => UpdateState::Completed,
            UpdateWord::Paused => UpdateState::Paused,
            UpdateWord::RollbackStarted => UpdateState::RollbackStarted,
            UpdateWord::RollbackCompleted => UpdateState::RollbackCompleted,
            UpdateWord::RollbackPaused => UpdateState::RollbackPaused,
            UpdateWord::Other => UpdateState::Other,
        };
        let at = |text: Option<String>| text.as_deref().and_then(moment);
        let (started_at, completed_at) = (at(self.started_at), at(self.completed_at));
        let message = self.message.unwrap_or_default();
        Some(ServiceUpdate { state, started_at, completed_at, message })
    }
}

/// The answer for a task (recordings day-two 381, 414).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TaskConfig {
    status: TaskStatus,
    desired_state: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TaskStatus {
    state: String,
    timestamp: Option<String>,
    err: Option<String>,
    container_status: Option<TaskContainer>,
}

#[derive(Deserialize)]
struct TaskContainer {
    #[serde(rename = "ContainerID")]
    id: Option<ContainerId>,
    #[serde(rename = "ExitCode")]
    exit_code: Option<i64>,
}

impl From<TaskConfig> for InspectedTask {
    fn from(answer: TaskConfig) -> Self {
        let TaskStatus { state, timestamp, err, container_status } = answer.status;
        let container = container_status.as_ref().and_then(|one| one.id.clone());
        // A container that runs has the exit code 0 as well.
        let has_ended = !matches!(state.as_str(), "running" | "starting");
        let exit_code = container_status.and_then(|one| one.exit_code).filter(|_| has_ended);
        Self {
            state,
            desired: answer.desired_state.unwrap_or_default(),
            since: timestamp.as_deref().and_then(moment),
            error: err.filter(|error| !error.is_empty()),
            exit_code,
            container: container.filter(|id| !id.0.is_empty()),
        }
    }
}
