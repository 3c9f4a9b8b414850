//! The fields of the answers about containers and tasks.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    AppName, Container, ContainerId, ContainerState, ContainerUsage, Exit, Inspected,
    NodeContainer, Scale, Task, TaskId, TaskState, usage,
};

/// A row of `docker.getServiceContainersByAppName` (recordings 213, 231, 233, 234).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaskRow {
    container_id: Option<TaskId>,
    state: Option<String>,
    current_state: Option<String>,
    error: Option<String>,
}

#[cfg(test)]
impl TaskRow {
    /// Returns a row with this text about its state.
    pub(crate) fn of(words: &str) -> Self {
        let current_state = Some(words.to_owned());
        Self { container_id: None, state: None, current_state, error: None }
    }
}

impl From<TaskRow> for Task {
    fn from(row: TaskRow) -> Self {
        let state = match row.current_state.unwrap_or_default().split(' ').next() {
            Some("Running") => TaskState::Running,
            // Docker also restarts a container that exits with success, so that counts as a
            // failure.
            Some("Failed" | "Rejected" | "Complete") => TaskState::Failed,
            _ => TaskState::Other,
        };
        let error = row.error.unwrap_or_default();
        let error = error.trim();
        let error = error.strip_prefix('"').unwrap_or(error);
        let error = error.strip_suffix('"').unwrap_or(error).trim();
        let error = Some(error).filter(|error| !matches!(*error, "" | "Error:"));
        let id = row.container_id.unwrap_or_else(|| TaskId(String::new()));
        let is_wanted = matches!(row.state.as_deref(), Some("running" | "ready" | "accepted"));
        Self { id, is_wanted, state, error: error.map(ToOwned::to_owned) }
    }
}

/// A row of `docker.getContainersByAppLabel` and `docker.getContainersByAppNameMatch` (recordings
/// day-two 45 and 46).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContainerRow {
    container_id: ContainerId,
    name: String,
    state: Option<String>,
}

impl From<ContainerRow> for Container {
    fn from(row: ContainerRow) -> Self {
        let is_running = row.state.as_deref() == Some("running");
        Self { id: row.container_id, name: row.name, is_running }
    }
}

/// The answer of `docker.getConfig` for a container (recording day-two 49).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ContainerConfig {
    state: ContainerStateFields,
    config: ContainerVariables,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerStateFields {
    /// One of `created`, `running`, `paused`, `restarting`, `removing`, `exited` and `dead`.
    status: String,
    #[serde(default)]
    restarting: bool,
    #[serde(default, rename = "OOMKilled")]
    is_out_of_memory: bool,
    exit_code: Option<i64>,
    started_at: Option<String>,
    finished_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerVariables {
    env: Option<Vec<String>>,
    image: Option<String>,
}

impl ContainerConfig {
    /// Keeps the variables in `names`. Of duplicates the last one counts, as for a process.
    pub(crate) fn keep(self, names: &[&str]) -> Inspected {
        let state = self.state;
        let exit = matches!(state.status.as_str(), "exited" | "dead").then(|| Exit {
            code: state.exit_code.unwrap_or_default(),
            is_out_of_memory: state.is_out_of_memory,
            at: state.finished_at.as_deref().and_then(moment),
        });
        Inspected {
            is_running: state.status == "running" && !state.restarting,
            image: self.config.image.unwrap_or_default(),
            variables: kept(self.config.env.iter().flatten(), names),
            started_at: state.started_at.as_deref().and_then(moment),
            exit,
        }
    }
}

/// Returns the variables in `names`.
pub(crate) fn kept<'a>(
    variables: impl Iterator<Item = &'a String>,
    names: &[&str],
) -> BTreeMap<String, String> {
    let variables = variables.filter_map(|variable| variable.split_once('='));
    let named = variables.filter(|(name, _)| names.contains(name));
    named.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Parses a time. Docker writes the year 1 for a time that has not come.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|at| *at > Timestamp::UNIX_EPOCH)
}

/// A row of `docker.getContainers` (recording day-two 48).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeContainerRow {
    container_id: ContainerId,
    name: String,
    image: Option<String>,
    state: Option<String>,
    status: Option<String>,
}

impl From<NodeContainerRow> for NodeContainer {
    fn from(row: NodeContainerRow) -> Self {
        let state = match row.state.as_deref() {
            Some("created") => ContainerState::Created,
            Some("running") => ContainerState::Running,
            Some("exited" | "dead") => {
                let code = row.status.as_deref().and_then(exit_code);
                ContainerState::Exited { code }
            }
            _ => ContainerState::Other,
        };
        Self { id: row.container_id, name: row.name, image: row.image.unwrap_or_default(), state }
    }
}

/// Parses Docker's sentence about an exited container, such as `Exited (3) 7 seconds ago`.
fn exit_code(status: &str) -> Option<i64> {
    status.strip_prefix("Exited (")?.split(')').next()?.parse().ok()
}

/// A row of `swarm.getContainerStats` (recording day-two 385).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UsageRow {
    #[serde(rename = "ID")]
    id: ContainerId,
    name: String,
    #[serde(rename = "CPUPerc")]
    cpu: Option<String>,
    mem_usage: Option<String>,
    #[serde(rename = "NetIO")]
    traffic: Option<String>,
}

impl From<UsageRow> for ContainerUsage {
    fn from(row: UsageRow) -> Self {
        let pair = |text: Option<String>| usage::pair(text.as_deref().unwrap_or_default());
        let (memory, memory_limit) = pair(row.mem_usage);
        let (received, sent) = pair(row.traffic);
        let cpus = row.cpu.as_deref().and_then(usage::cpus);
        Self { container: row.id, name: row.name, cpus, memory, memory_limit, received, sent }
    }
}

/// A row of `swarm.getNodeApps` (recordings 244, day-two 343).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ServiceRow {
    name: AppName,
    replicas: Option<String>,
}

impl From<ServiceRow> for (AppName, Option<Scale>) {
    fn from(row: ServiceRow) -> Self {
        (row.name, row.replicas.as_deref().and_then(scale))
    }
}

/// Parses Docker's text about a service's replicas, such as `1/1` or `1/2 (max 1 per node)`.
fn scale(text: &str) -> Option<Scale> {
    let (running, rest) = text.split_once('/')?;
    let wanted = rest.split(' ').next()?;
    Some(Scale { running: running.parse().ok()?, wanted: wanted.parse().ok()? })
}

impl From<ServiceRow> for AppName {
    fn from(row: ServiceRow) -> Self {
        row.name
    }
}
