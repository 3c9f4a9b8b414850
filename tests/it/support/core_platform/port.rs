//! The platform port over the sandbox's core: each call's form, and what its answer means.

use std::time::Duration;

use ai_stack_deployer::server::platform::{
    AppName, Application, ApplicationId, ApplicationSummary, Breaker, BreakerState, Certificate,
    Configuration, Container, ContainerId, CreatedProject, Domain, DomainId, Environment,
    EnvironmentId, Host, Inspected, Job, JobId, JobStatus, NewApplication, NewDomain, NewProject,
    Platform, PlatformError, Project, ProjectId, ProjectSummary, QueuedJob, Removal, RouteFile,
    Scale, Task, TaskState, Version,
};
use async_trait::async_trait;
use dokploy::encode_environment;
use domain::platform_problem::PlatformProblem;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::CorePlatform;

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn optional(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().map(ToOwned::to_owned)
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn removal(result: Result<Value, PlatformError>) -> Result<Removal, PlatformError> {
    match result {
        Ok(_) => Ok(Removal::Removed),
        Err(PlatformError::NotFound { .. }) => Ok(Removal::AlreadyGone),
        Err(error) => Err(error),
    }
}

fn application(row: &Value) -> ApplicationSummary {
    ApplicationSummary {
        id: ApplicationId(text(row, "applicationId")),
        name: text(row, "name"),
        app_name: AppName(text(row, "appName")),
        description: optional(row, "description"),
        created_at: text(row, "createdAt"),
    }
}

fn environment(row: &Value) -> Environment {
    Environment {
        id: EnvironmentId(text(row, "environmentId")),
        is_default: row["isDefault"] == true,
        applications: list(&row["applications"]).iter().map(application).collect(),
        other_services: 0,
    }
}

fn container(row: &Value) -> Container {
    Container {
        id: ContainerId(text(row, "containerId")),
        name: text(row, "name"),
        is_running: row["state"] == "running",
    }
}

fn job_status(word: &str) -> JobStatus {
    match word {
        "running" => JobStatus::Running,
        "done" => JobStatus::Done,
        "cancelled" => JobStatus::Cancelled,
        _ => JobStatus::Failed,
    }
}

fn task_state(current: &str) -> TaskState {
    if current.starts_with("Running") {
        TaskState::Running
    } else if current.starts_with("Failed") || current.starts_with("Rejected") {
        TaskState::Failed
    } else {
        TaskState::Other
    }
}

#[async_trait]
impl Platform for CorePlatform {
    async fn check_health(&self) -> Result<(), PlatformError> {
        self.get("trpc/settings.health", "").await.map(drop)
    }

    async fn diagnose(&self) -> Result<(), PlatformError> {
        let since = self.clock.now();
        let health = self.check_health().await;
        let mut hangs = self.hangs.lock().unwrap();
        let hanging = hangs.last_mut().filter(|(_, until)| until.is_none());
        match (&health, hanging) {
            (Ok(()), Some((_, until))) => *until = Some(self.clock.now()),
            (Err(error), None) if error.is_timeout() => hangs.push((since, None)),
            _ => {}
        }
        health
    }

    fn problem(&self) -> Option<PlatformProblem> {
        let hangs = self.hangs.lock().unwrap();
        let is_hanging = hangs.last().is_some_and(|(_, until)| until.is_none());
        is_hanging.then_some(PlatformProblem::Wedged).or(*self.problem.lock().unwrap())
    }

    fn hung_for(&self, from: Timestamp, now: Timestamp) -> Duration {
        let hangs = self.hangs.lock().unwrap();
        let within = |(since, until): &(Timestamp, Option<Timestamp>)| {
            let (since, until) = ((*since).max(from), until.unwrap_or(now).min(now));
            Duration::try_from(until.duration_since(since)).unwrap_or_default()
        };
        hangs.iter().map(within).sum()
    }

    async fn version(&self) -> Result<Version, PlatformError> {
        let version = self.get("settings.getDokployVersion", "").await?;
        let text = version.as_str().unwrap_or_default().to_owned();
        Ok(Version { text, is_supported: true, oldest: "v0.30" })
    }

    fn breaker(&self) -> Breaker {
        Breaker { state: BreakerState::Closed, consecutive_failures: 0, retry_after: None }
    }

    async fn create_project(&self, new: &NewProject) -> Result<CreatedProject, PlatformError> {
        let body = json!({ "name": new.name, "description": new.marker, "env": "" });
        let made = self.post("project.create", body).await?;
        Ok(CreatedProject {
            id: ProjectId(text(&made["project"], "projectId")),
            environment: optional(&made["environment"], "environmentId").map(EnvironmentId),
        })
    }

    async fn projects(&self) -> Result<Vec<ProjectSummary>, PlatformError> {
        let summary = |row: &Value| ProjectSummary {
            id: ProjectId(text(row, "projectId")),
            name: text(row, "name"),
            description: optional(row, "description"),
            created_at: text(row, "createdAt"),
        };
        Ok(list(&self.get("project.all", "").await?).iter().map(summary).collect())
    }

    async fn project(&self, id: &ProjectId) -> Result<Option<Project>, PlatformError> {
        match self.get("project.one", &format!("?projectId={id}")).await {
            Ok(row) => Ok(Some(Project {
                id: ProjectId(text(&row, "projectId")),
                description: optional(&row, "description"),
                environments: list(&row["environments"]).iter().map(environment).collect(),
            })),
            Err(PlatformError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn remove_project(&self, id: &ProjectId) -> Result<Removal, PlatformError> {
        removal(self.post("project.remove", json!({ "projectId": id })).await)
    }

    async fn create_application(&self, new: &NewApplication) -> Result<Application, PlatformError> {
        let body = json!({
            "name": new.name,
            "appName": new.app_name_base,
            "description": new.marker,
            "environmentId": new.environment,
            "sourceType": "docker",
        });
        Ok(application(&self.post("application.create", body).await?).into())
    }

    async fn configure_application(
        &self,
        id: &ApplicationId,
        configuration: &Configuration,
    ) -> Result<(), PlatformError> {
        let environment = encode_environment(&configuration.environment).unwrap();
        let body = json!({
            "applicationId": id,
            "dockerImage": configuration.image,
            "env": environment,
        });
        self.post("application.update", body).await.map(drop)
    }

    async fn delete_application(&self, id: &ApplicationId) -> Result<Removal, PlatformError> {
        removal(self.post("application.delete", json!({ "applicationId": id })).await)
    }

    async fn create_domain(&self, new: &NewDomain) -> Result<DomainId, PlatformError> {
        let certificate = match new.certificate {
            Certificate::LetsEncrypt => "letsencrypt",
            Certificate::None => "none",
            Certificate::Custom => "custom",
        };
        let body = json!({
            "host": new.host,
            "port": new.port,
            "https": new.https,
            "certificateType": certificate,
            "applicationId": new.application,
            "domainType": "application",
        });
        Ok(DomainId(text(&self.post("domain.create", body).await?, "domainId")))
    }

    async fn domains_of(&self, id: &ApplicationId) -> Result<Vec<Domain>, PlatformError> {
        let domain = |row: &Value| Domain {
            id: DomainId(text(row, "domainId")),
            host: text(row, "host"),
            created_at: text(row, "createdAt"),
        };
        let rows = self.get("domain.byApplicationId", &format!("?applicationId={id}")).await?;
        Ok(list(&rows).iter().map(domain).collect())
    }

    async fn hosts(&self) -> Result<Vec<Host>, PlatformError> {
        let host = |row: &Value| Host {
            name: text(row, "host"),
            domain: DomainId(text(row, "domainId")),
            leads_to: optional(row, "serviceOwnerId").map(ApplicationId),
        };
        Ok(list(&self.get("overview.domains", "").await?).iter().map(host).collect())
    }

    async fn delete_domain(&self, id: &DomainId) -> Result<Removal, PlatformError> {
        removal(self.post("domain.delete", json!({ "domainId": id })).await)
    }

    async fn enqueue_deploy(&self, id: &ApplicationId, title: &str) -> Result<(), PlatformError> {
        let body = json!({ "applicationId": id, "title": title });
        self.post("application.deploy", body).await.map(drop)
    }

    async fn jobs(&self, id: &ApplicationId) -> Result<Vec<Job>, PlatformError> {
        let job = |row: &Value| Job {
            id: JobId(text(row, "deploymentId")),
            title: text(row, "title"),
            status: job_status(&text(row, "status")),
        };
        let rows = self.get("deployment.all", &format!("?applicationId={id}")).await?;
        Ok(list(&rows).iter().map(job).collect())
    }

    async fn queue(&self) -> Result<Vec<QueuedJob>, PlatformError> {
        let job = |row: &Value| QueuedJob {
            application: ApplicationId(text(&row["data"], "applicationId")),
            title: text(&row["data"], "titleLog"),
            active: row["state"] == "active",
        };
        let rows = self.get("deployment.queueList", "").await?;
        Ok(list(&rows).iter().rev().map(job).collect())
    }

    async fn job_log(&self, id: &JobId) -> Result<String, PlatformError> {
        let log = self.get("deployment.readLogs", &format!("?deploymentId={id}")).await?;
        Ok(log.as_str().unwrap_or_default().to_owned())
    }

    async fn clear_queue(&self, id: &ApplicationId) -> Result<Removal, PlatformError> {
        removal(self.post("application.cleanQueues", json!({ "applicationId": id })).await)
    }

    async fn tasks(&self, name: &AppName) -> Result<Vec<Task>, PlatformError> {
        let task = |row: &Value| Task {
            state: task_state(&text(row, "currentState")),
            error: Some(text(row, "error").trim_matches('"').to_owned())
                .filter(|error| !error.is_empty() && error != "Error:"),
        };
        let query = format!("?appName={name}");
        let rows = self.get("docker.getServiceContainersByAppName", &query).await?;
        Ok(list(&rows).iter().map(task).collect())
    }

    async fn running_containers(&self, name: &AppName) -> Result<Vec<Container>, PlatformError> {
        let query = format!("?appName={name}&type=swarm");
        let rows = self.get("docker.getContainersByAppLabel", &query).await?;
        Ok(list(&rows).iter().map(container).collect())
    }

    async fn containers(&self, name: &AppName) -> Result<Vec<Container>, PlatformError> {
        let rows =
            self.get("docker.getContainersByAppNameMatch", &format!("?appName={name}")).await?;
        let containers = list(&rows).iter().map(container).collect::<Vec<_>>();
        Ok(containers.into_iter().filter(|one| name.owns_container(&one.name)).collect())
    }

    async fn inspect_container(
        &self,
        id: &ContainerId,
    ) -> Result<Option<Inspected>, PlatformError> {
        let config = self.get("docker.getConfig", &format!("?containerId={}", id.0)).await?;
        let variables = list(&config["Config"]["Env"]);
        let operation = |variable: &Value| {
            variable.as_str()?.strip_prefix("STACK_OPERATION=").map(ToOwned::to_owned)
        };
        Ok(config.is_object().then(|| Inspected {
            is_running: config["State"]["Running"] == true,
            operation: variables.iter().find_map(operation),
        }))
    }

    async fn services(&self) -> Result<Vec<AppName>, PlatformError> {
        let rows = self.get("swarm.getNodeApps", "").await?;
        Ok(list(&rows).iter().map(|row| AppName(text(row, "Name"))).collect())
    }

    async fn route_file(&self, file: &RouteFile) -> Result<Option<String>, PlatformError> {
        let text = self.get("settings.readTraefikFile", &format!("?path={}", file.path())).await?;
        Ok(text.as_str().filter(|text| *text != "null").map(ToOwned::to_owned))
    }

    async fn clear_route_file(&self, file: &RouteFile) -> Result<(), PlatformError> {
        let body = json!({ "path": file.path(), "traefikConfig": file.without_routes() });
        self.post("settings.updateTraefikFile", body).await.map(drop)
    }

    async fn scales(&self) -> Result<Vec<(AppName, Option<Scale>)>, PlatformError> {
        let scale = |row: &Value| {
            let replicas = text(row, "Replicas");
            let (running, wanted) = replicas.split_once('/')?;
            Some(Scale { running: running.parse().ok()?, wanted: wanted.parse().ok()? })
        };
        let rows = self.get("swarm.getNodeApps", "").await?;
        Ok(list(&rows).iter().map(|row| (AppName(text(row, "Name")), scale(row))).collect())
    }

    async fn node_count(&self) -> Result<usize, PlatformError> {
        Ok(list(&self.get("swarm.getNodes", "").await?).len())
    }
}
