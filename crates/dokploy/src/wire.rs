//! The fields of Dokploy's answers that are used. All others are ignored.
//!
//! Dokploy's documentation does not describe the answers, so they were derived from the recordings
//! in `recordings`. It must not know which call an answer belongs to.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    AppName, Application, ApplicationId, ApplicationSummary, CreatedProject, Domain, DomainId,
    Environment, EnvironmentId, Host, Job, JobId, JobStatus, NodeName, Project, ProjectId,
    ProjectSummary, QueuedJob,
};

mod row;
mod running;
mod services;
mod volumes;

pub(super) use self::row::WholeApplication;
pub(super) use self::running::{
    ContainerConfig, ContainerRow, NodeContainerRow, ServiceRow, TaskRow, UsageRow,
};
pub(super) use self::services::{ServiceConfig, TaskConfig};
pub(super) use self::volumes::{MountRow, RemovalWord, VolumeInspection, VolumeRow};

/// The answer of `project.create` (recording 204).
#[derive(Deserialize)]
pub(super) struct ProjectCreated {
    project: ProjectRow,
    environment: Option<EnvironmentKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnvironmentKey {
    environment_id: EnvironmentId,
}

impl From<ProjectCreated> for CreatedProject {
    fn from(answer: ProjectCreated) -> Self {
        let environment = answer.environment.map(|environment| environment.environment_id);
        Self { id: answer.project.project_id, environment }
    }
}

/// A row of `project.all`, and the answer of `project.one` (recordings 240, 241).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProjectRow {
    project_id: ProjectId,
    name: Option<String>,
    description: Option<String>,
    created_at: Option<String>,
}

impl From<ProjectRow> for ProjectSummary {
    fn from(row: ProjectRow) -> Self {
        let ProjectRow { project_id: id, name, description, created_at } = row;
        let (name, created_at) = (name.unwrap_or_default(), created_at.unwrap_or_default());
        Self { id, name, description, created_at }
    }
}

/// The answer of `project.one` (recording 240).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProjectWhole {
    project_id: ProjectId,
    description: Option<String>,
    environments: Vec<EnvironmentRow>,
}

impl From<ProjectWhole> for Project {
    fn from(answer: ProjectWhole) -> Self {
        let environments = answer.environments.into_iter().map(Into::into).collect();
        Self { id: answer.project_id, description: answer.description, environments }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnvironmentRow {
    environment_id: EnvironmentId,
    is_default: Option<bool>,
    applications: Vec<ApplicationRow>,
    /// Every other list contains services of another kind.
    #[serde(flatten)]
    rest: HashMap<String, Value>,
}

impl From<EnvironmentRow> for Environment {
    fn from(row: EnvironmentRow) -> Self {
        let other_services =
            row.rest.values().filter_map(Value::as_array).map(Vec::len).sum::<usize>();
        let applications = row.applications.into_iter().map(Into::into).collect();
        let is_default = row.is_default.unwrap_or_default();
        Self { id: row.environment_id, is_default, applications, other_services }
    }
}

/// An application in `project.one`, and the answer of `application.create` (recording 206).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApplicationRow {
    application_id: ApplicationId,
    name: Option<String>,
    app_name: AppName,
    description: Option<String>,
    created_at: Option<String>,
}

impl From<ApplicationRow> for ApplicationSummary {
    fn from(row: ApplicationRow) -> Self {
        let ApplicationRow { application_id: id, name, app_name, description, created_at } = row;
        let (name, created_at) = (name.unwrap_or_default(), created_at.unwrap_or_default());
        Self { id, name, app_name, description, created_at }
    }
}

impl From<ApplicationRow> for Application {
    fn from(row: ApplicationRow) -> Self {
        Self { id: row.application_id, app_name: row.app_name }
    }
}

/// A row of `domain.byApplicationId`, and the answer of `domain.create` (recordings 67, 210).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DomainRow {
    domain_id: DomainId,
    host: String,
    port: Option<u16>,
    created_at: Option<String>,
    middlewares: Option<Vec<String>>,
}

impl From<DomainRow> for Domain {
    fn from(row: DomainRow) -> Self {
        let DomainRow { domain_id: id, host, port, created_at, middlewares } = row;
        let middlewares = middlewares.unwrap_or_default();
        Self { id, host, port, created_at: created_at.unwrap_or_default(), middlewares }
    }
}

impl From<DomainRow> for DomainId {
    fn from(row: DomainRow) -> Self {
        row.domain_id
    }
}

/// A row of `overview.domains` (recording 215).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HostRow {
    host: String,
    domain_id: DomainId,
    service_owner_id: Option<ApplicationId>,
}

impl From<HostRow> for Host {
    fn from(row: HostRow) -> Self {
        let HostRow { host: name, domain_id: domain, service_owner_id: leads_to } = row;
        Self { name, domain, leads_to }
    }
}

/// A row of `deployment.all` (recordings 76, 103, 182).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobRow {
    deployment_id: JobId,
    title: Option<String>,
    status: Option<JobWord>,
    pub(super) created_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum JobWord {
    Done,
    Error,
    Cancelled,
    /// `running`, or an unknown word of a newer server, which does not mean that it has ended.
    #[serde(other)]
    Running,
}

impl From<JobRow> for Job {
    fn from(row: JobRow) -> Self {
        let status = match row.status {
            Some(JobWord::Running) | None => JobStatus::Running,
            Some(JobWord::Done) => JobStatus::Done,
            Some(JobWord::Error) => JobStatus::Failed,
            Some(JobWord::Cancelled) => JobStatus::Cancelled,
        };
        Self { id: row.deployment_id, title: row.title.unwrap_or_default(), status }
    }
}

/// A row of `deployment.queueList` (recording 175).
#[derive(Deserialize)]
pub(super) struct QueueRow {
    id: String,
    state: Option<String>,
    timestamp: Option<u64>,
    data: QueueData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueueData {
    /// `None` for a job that deploys something else. It occupies a place in the queue as well.
    application_id: Option<ApplicationId>,
    title_log: Option<String>,
}

impl QueueRow {
    /// Returns the sort key of the queue: the running job first, then the order of arrival.
    pub(super) fn order(&self) -> (bool, u64, u64) {
        let number = self.id.trim_start_matches("job-").parse().unwrap_or(u64::MAX);
        (!self.is_active(), self.timestamp.unwrap_or_default(), number)
    }

    fn is_active(&self) -> bool {
        self.state.as_deref() == Some("active")
    }
}

impl From<QueueRow> for QueuedJob {
    fn from(row: QueueRow) -> Self {
        let active = row.is_active();
        let application = row.data.application_id.unwrap_or(ApplicationId(String::new()));
        Self { application, title: row.data.title_log.unwrap_or_default(), active }
    }
}

/// A row of `swarm.getNodes` (recordings 242, day-two 190).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NodeRow {
    status: Option<String>,
    hostname: Option<NodeName>,
    #[serde(rename = "Self")]
    is_own: Option<bool>,
}

impl NodeRow {
    /// Returns whether Docker can use it.
    pub(super) fn is_ready(&self) -> bool {
        self.status.as_deref() == Some("Ready")
    }

    /// Returns its hostname if it is the node whose Docker the platform asks.
    pub(super) fn into_own_name(self) -> Option<NodeName> {
        self.hostname.filter(|_| self.is_own == Some(true))
    }
}

#[cfg(test)]
mod tests;
