//! The state of the platform: rows, services and routes.
//!
//! Rows and services are separate on purpose: the platform can delete rows without their services
//! and vice versa, which an orchestrator must handle.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::middleware::Middleware;
use super::programs::Files;
use super::service::{FailureAction, LeavingContainer, Service, UpdateConfig};

/// Everything that survives a restart of the platform.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) organization_id: String,
    pub(crate) projects: Vec<Project>,
    pub(crate) environments: Vec<Environment>,
    pub(crate) applications: Vec<Application>,
    pub(crate) domains: Vec<Domain>,
    pub(crate) deployments: Vec<Deployment>,
    pub(crate) services: Vec<Service>,
    /// Containers that still exist although their services are gone.
    #[serde(default)]
    pub(crate) leaving: Vec<LeavingContainer>,
    #[serde(default)]
    pub(crate) mounts: Vec<Mount>,
    /// The volumes of the node, by name.
    #[serde(default)]
    pub(crate) volumes: BTreeMap<String, Volume>,
    pub(crate) routes: Vec<Route>,
    pub(crate) last_config_key: u64,
    /// The contents that were written into files of the host, by path.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    /// The lines that were written into the logs of containers, by the container's name.
    #[serde(default)]
    pub(crate) logs: BTreeMap<String, Vec<LogLine>>,
    /// The routes that the reverse proxy uses; `None` until somebody has written a file.
    #[serde(default)]
    pub(crate) loaded: Option<Vec<Route>>,
    /// The middlewares that the reverse proxy has, by name.
    #[serde(default)]
    pub(crate) middlewares: BTreeMap<String, Middleware>,
}

/// A project's row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) env: String,
    pub(crate) created_at: Timestamp,
}

/// The row of a project's default environment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Environment {
    pub(crate) id: String,
    pub(crate) project_id: String,
    pub(crate) created_at: Timestamp,
}

/// An application's row: about a hundred columns, of which the sandbox uses a few.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Application {
    pub(crate) id: String,
    pub(crate) app_name: String,
    pub(crate) environment_id: String,
    pub(crate) status: ApplicationStatus,
    pub(crate) created_at: Timestamp,
    pub(crate) columns: Map<String, Value>,
}

/// The status of the last deployment in an application's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ApplicationStatus {
    Idle,
    Running,
    Done,
    Error,
}

/// A domain's row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Domain {
    pub(crate) id: String,
    pub(crate) host: String,
    pub(crate) https: bool,
    pub(crate) port: u64,
    pub(crate) path: String,
    pub(crate) kind: String,
    pub(crate) certificate_type: String,
    pub(crate) config_key: u64,
    pub(crate) application_id: Option<String>,
    pub(crate) created_at: Timestamp,
    #[serde(default)]
    pub(crate) middlewares: Vec<String>,
}

/// A deployment's row with its log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Deployment {
    pub(crate) id: String,
    pub(crate) application_id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) status: DeploymentStatus,
    pub(crate) log_path: String,
    pub(crate) log: String,
    pub(crate) created_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
}

/// The status in a deployment's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeploymentStatus {
    Running,
    Done,
    Error,
    Cancelled,
}

/// A line of a container's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogLine {
    pub(crate) at: Timestamp,
    pub(crate) text: String,
}

/// A route in the reverse proxy's files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Route {
    pub(crate) host: String,
    pub(crate) app_name: String,
    pub(crate) domain_id: String,
    /// The port of the container; `None` in the state of an older sandbox.
    #[serde(default)]
    pub(crate) port: Option<u64>,
    /// The names of the middlewares through which requests pass.
    #[serde(default)]
    pub(crate) middlewares: Vec<String>,
}

/// A mount's row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Mount {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) host_path: Option<String>,
    pub(crate) volume_name: Option<String>,
    pub(crate) file_path: Option<String>,
    pub(crate) content: Option<String>,
    pub(crate) path: String,
    pub(crate) application_id: String,
}

/// A volume on the node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) created_at: Timestamp,
    /// What the programs of containers wrote, by the name of the file.
    #[serde(default)]
    pub(crate) files: Files,
}

impl Volume {
    /// Returns whether Docker accepts a volume of this name.
    pub(crate) fn is_valid_name(name: &str) -> bool {
        let is_first = |c: char| c.is_ascii_alphanumeric();
        name.starts_with(is_first) && name.chars().all(Self::is_allowed)
    }

    /// Returns whether the name of a volume may have this character.
    pub(crate) fn is_allowed(c: char) -> bool {
        c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
    }
}

impl State {
    pub(crate) fn project(&self, id: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.id == id)
    }

    pub(crate) fn environment(&self, id: &str) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.id == id)
    }

    pub(crate) fn environments_of(&self, project_id: &str) -> impl Iterator<Item = &Environment> {
        self.environments.iter().filter(move |environment| environment.project_id == project_id)
    }

    pub(crate) fn application(&self, id: &str) -> Option<&Application> {
        self.applications.iter().find(|application| application.id == id)
    }

    pub(crate) fn application_mut(&mut self, id: &str) -> Option<&mut Application> {
        self.applications.iter_mut().find(|application| application.id == id)
    }

    /// Sets the status of an application, if it still exists.
    pub(crate) fn set_status(&mut self, application_id: &str, status: ApplicationStatus) {
        if let Some(application) = self.application_mut(application_id) {
            application.status = status;
        }
    }

    pub(crate) fn domain(&self, id: &str) -> Option<&Domain> {
        self.domains.iter().find(|domain| domain.id == id)
    }

    pub(crate) fn domains_of(&self, application_id: &str) -> impl Iterator<Item = &Domain> {
        self.domains.iter().filter(move |one| one.application_id.as_deref() == Some(application_id))
    }

    /// Returns an application's deployments, oldest first.
    pub(crate) fn deployments_of<'a>(
        &'a self,
        application_id: &'a str,
    ) -> impl DoubleEndedIterator<Item = &'a Deployment> {
        self.deployments.iter().filter(move |one| one.application_id == application_id)
    }

    pub(crate) fn service(&self, app_name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.app_name == app_name)
    }

    pub(crate) fn service_mut(&mut self, app_name: &str) -> Option<&mut Service> {
        self.services.iter_mut().find(|service| service.app_name == app_name)
    }

    pub(crate) fn deployment_mut(&mut self, id: &str) -> Option<&mut Deployment> {
        self.deployments.iter_mut().find(|deployment| deployment.id == id)
    }

    /// Cancels running deployments, as a restart does (recordings 181, 182).
    pub(crate) fn cancel_running(&mut self) {
        for deployment in &mut self.deployments {
            if deployment.status == DeploymentStatus::Running {
                deployment.status = DeploymentStatus::Cancelled;
            }
        }
        for application in &mut self.applications {
            if application.status == ApplicationStatus::Running {
                application.status = ApplicationStatus::Idle;
            }
        }
    }

    /// Removes an application's row and all related rows, as the database's cascade does.
    pub(crate) fn remove_application_rows(&mut self, id: &str) {
        self.applications.retain(|application| application.id != id);
        self.domains.retain(|domain| domain.application_id.as_deref() != Some(id));
        self.deployments.retain(|deployment| deployment.application_id != id);
        self.mounts.retain(|mount| mount.application_id != id);
    }
}

impl Application {
    /// Returns a text column; empty if it is null.
    pub(crate) fn text(&self, column: &str) -> &str {
        self.columns.get(column).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the labels of its containers (recording day-two 370).
    pub(crate) fn labels(&self) -> Map<String, Value> {
        self.columns.get("labelsSwarm").and_then(Value::as_object).cloned().unwrap_or_default()
    }

    /// Returns what the node of its containers must be (recordings day-two 412, 413).
    pub(crate) fn constraints(&self) -> Vec<String> {
        let placement = self.columns.get("placementSwarm");
        let listed = placement.and_then(|one| one.get("Constraints")).and_then(Value::as_array);
        listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Returns how the swarm updates its service.
    pub(crate) fn update_config(&self) -> UpdateConfig {
        let column = self.columns.get("updateConfigSwarm");
        let text = |key: &str| column.and_then(|one| one.get(key)).and_then(Value::as_str);
        let monitor = column.and_then(|one| one.get("Monitor")).and_then(Value::as_u64);
        UpdateConfig {
            is_stop_first: text("Order") == Some("stop-first"),
            on_failure: match text("FailureAction") {
                Some("pause") => FailureAction::Pause,
                Some("continue") => FailureAction::Continue,
                _ => FailureAction::Rollback,
            },
            monitor: monitor.map(Duration::from_nanos),
        }
    }
}
