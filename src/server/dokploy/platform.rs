//! The port's methods as Dokploy's calls: what each sends, and what it reads of the answer.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};

use super::{
    answer::Discretion,
    client::{Content, Dokploy, Request},
    environment::encode_environment,
    version, wire,
};
use crate::domain::platform_problem::PlatformProblem;
use crate::server::ports::platform::{
    AppName, Application, ApplicationId, Breaker, Certificate, Configuration, Container,
    ContainerId, CreatedProject, Domain, DomainId, Host, Inspected, Job, JobId, NewApplication,
    NewDomain, NewProject, Platform, PlatformError, Project, ProjectId, ProjectSummary, QueuedJob,
    Removal, RouteFile, Scale, Task, Version,
};

/// The number of lines of a job's log that are read: its end, where the reason stands.
const LOG_LINES: &str = "200";

impl Dokploy {
    /// Asks for something.
    async fn query<T: DeserializeOwned>(
        &self,
        call: &'static str,
        parameters: &[(&'static str, &str)],
    ) -> Result<T, PlatformError> {
        let content = Content::Query(parameters);
        let (discretion, limit) = (Discretion::Ordinary, self.timeout);
        self.call(Request { call, content, discretion, limit }).await
    }

    /// Asks for a list.
    async fn list<Row: DeserializeOwned, T: From<Row>>(
        &self,
        call: &'static str,
        parameters: &[(&'static str, &str)],
    ) -> Result<Vec<T>, PlatformError> {
        let rows: Vec<Row> = self.query(call, parameters).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Changes something.
    async fn change<T: DeserializeOwned>(
        &self,
        call: &'static str,
        body: Value,
    ) -> Result<T, PlatformError> {
        let content = Content::Mutation(body);
        let (discretion, limit) = (Discretion::Ordinary, self.timeout);
        self.call(Request { call, content, discretion, limit }).await
    }

    /// Removes something; that it is not there is no failure.
    async fn remove(
        &self,
        call: &'static str,
        body: Value,
        limit: Duration,
    ) -> Result<Removal, PlatformError> {
        let content = Content::Mutation(body);
        let discretion = Discretion::Ordinary;
        match self.call::<IgnoredAny>(Request { call, content, discretion, limit }).await {
            Ok(_) => Ok(Removal::Removed),
            Err(PlatformError::NotFound { .. }) => Ok(Removal::AlreadyGone),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl Platform for Dokploy {
    async fn check_health(&self) -> Result<(), PlatformError> {
        self.ask_health().await
    }

    async fn version(&self) -> Result<Version, PlatformError> {
        let text: String = self.query("settings.getDokployVersion", &[]).await?;
        Ok(version::judge(text))
    }

    fn breaker(&self) -> Breaker {
        self.breaker_snapshot()
    }

    fn problem(&self) -> Option<PlatformProblem> {
        self.problems.current()
    }

    async fn diagnose(&self) -> Result<(), PlatformError> {
        let since = self.now();
        let health = self.ask_health().await;
        if health.as_ref().is_err_and(PlatformError::is_timeout) {
            self.problems.hangs(since);
        }
        health
    }

    fn hung_for(&self, from: Timestamp, now: Timestamp) -> Duration {
        self.problems.hung_for(from, now)
    }

    async fn create_project(&self, new: &NewProject) -> Result<CreatedProject, PlatformError> {
        let body = json!({ "name": new.name, "description": new.marker });
        let created: wire::ProjectCreated = self.change("project.create", body).await?;
        Ok(created.into())
    }

    async fn projects(&self) -> Result<Vec<ProjectSummary>, PlatformError> {
        self.list::<wire::ProjectRow, _>("project.all", &[]).await
    }

    async fn project(&self, id: &ProjectId) -> Result<Option<Project>, PlatformError> {
        match self.query::<wire::ProjectWhole>("project.one", &[("projectId", &id.0)]).await {
            Ok(project) => Ok(Some(project.into())),
            Err(PlatformError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn remove_project(&self, id: &ProjectId) -> Result<Removal, PlatformError> {
        self.remove("project.remove", json!({ "projectId": id }), self.timeout).await
    }

    async fn create_application(&self, new: &NewApplication) -> Result<Application, PlatformError> {
        let body = json!({
            "name": new.name,
            "appName": new.app_name_base,
            "description": new.marker,
            "environmentId": new.environment,
            "sourceType": "docker",
        });
        let created: wire::ApplicationRow = self.change("application.create", body).await?;
        Ok(created.into())
    }

    async fn configure_application(
        &self,
        id: &ApplicationId,
        configuration: &Configuration,
    ) -> Result<(), PlatformError> {
        let call = "application.update";
        let content = Content::Mutation(configuration_body(call, id, configuration)?);
        let (discretion, limit) = (Discretion::Confidential, self.timeout);
        self.call::<IgnoredAny>(Request { call, content, discretion, limit }).await?;
        Ok(())
    }

    async fn delete_application(&self, id: &ApplicationId) -> Result<Removal, PlatformError> {
        let body = json!({ "applicationId": id });
        self.remove("application.delete", body, self.removal_timeout).await
    }

    async fn create_domain(&self, new: &NewDomain) -> Result<DomainId, PlatformError> {
        let body = json!({
            "host": new.host,
            "path": "/",
            "port": new.port,
            "https": new.https,
            "certificateType": certificate_word(new.certificate),
            "applicationId": new.application,
            "domainType": "application",
        });
        let created: wire::DomainRow = self.change("domain.create", body).await?;
        Ok(created.into())
    }

    async fn domains_of(&self, id: &ApplicationId) -> Result<Vec<Domain>, PlatformError> {
        let parameters = [("applicationId", id.0.as_str())];
        self.list::<wire::DomainRow, _>("domain.byApplicationId", &parameters).await
    }

    async fn hosts(&self) -> Result<Vec<Host>, PlatformError> {
        self.list::<wire::HostRow, _>("overview.domains", &[]).await
    }

    async fn delete_domain(&self, id: &DomainId) -> Result<Removal, PlatformError> {
        self.remove("domain.delete", json!({ "domainId": id }), self.timeout).await
    }

    async fn enqueue_deploy(&self, id: &ApplicationId, title: &str) -> Result<(), PlatformError> {
        let body = json!({ "applicationId": id, "title": title });
        self.change::<IgnoredAny>("application.deploy", body).await?;
        Ok(())
    }

    async fn jobs(&self, id: &ApplicationId) -> Result<Vec<Job>, PlatformError> {
        let parameters = [("applicationId", id.0.as_str())];
        let mut rows: Vec<wire::JobRow> = self.query("deployment.all", &parameters).await?;
        rows.sort_by(|a, b| b.created_at.cmp(&a.created_at));
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn queue(&self) -> Result<Vec<QueuedJob>, PlatformError> {
        let mut rows: Vec<wire::QueueRow> = self.query("deployment.queueList", &[]).await?;
        rows.sort_by_key(wire::QueueRow::order);
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn job_log(&self, id: &JobId) -> Result<String, PlatformError> {
        let parameters = [("deploymentId", id.0.as_str()), ("tail", LOG_LINES)];
        let log: Option<String> = self.query("deployment.readLogs", &parameters).await?;
        Ok(log.unwrap_or_default())
    }

    async fn clear_queue(&self, id: &ApplicationId) -> Result<Removal, PlatformError> {
        self.remove("application.cleanQueues", json!({ "applicationId": id }), self.timeout).await
    }

    async fn tasks(&self, name: &AppName) -> Result<Vec<Task>, PlatformError> {
        let parameters = [("appName", name.0.as_str())];
        self.list::<wire::TaskRow, _>("docker.getServiceContainersByAppName", &parameters).await
    }

    async fn running_containers(&self, name: &AppName) -> Result<Vec<Container>, PlatformError> {
        let parameters = [("appName", name.0.as_str()), ("type", "swarm")];
        self.list::<wire::ContainerRow, _>("docker.getContainersByAppLabel", &parameters).await
    }

    async fn containers(&self, name: &AppName) -> Result<Vec<Container>, PlatformError> {
        let (call, parameters) =
            ("docker.getContainersByAppNameMatch", [("appName", name.0.as_str())]);
        let mut containers: Vec<Container> =
            self.list::<wire::ContainerRow, _>(call, &parameters).await?;
        // It lists those of every service whose name begins like this one's (day-two 45).
        containers.retain(|container| name.owns_container(&container.name));
        Ok(containers)
    }

    async fn inspect_container(
        &self,
        id: &ContainerId,
    ) -> Result<Option<Inspected>, PlatformError> {
        let call = "docker.getConfig";
        // The answer holds every variable of the container.
        let discretion = Discretion::Confidential;
        let content = Content::Query(&[("containerId", id.0.as_str())]);
        let limit = self.timeout;
        let config: Option<wire::ContainerConfig> =
            self.call(Request { call, content, discretion, limit }).await?;
        Ok(config.map(Into::into))
    }

    async fn services(&self) -> Result<Vec<AppName>, PlatformError> {
        self.list::<wire::ServiceRow, _>("swarm.getNodeApps", &[]).await
    }

    async fn route_file(&self, file: &RouteFile) -> Result<Option<String>, PlatformError> {
        let path = file.path();
        let text: Option<String> =
            self.query("settings.readTraefikFile", &[("path", path.as_str())]).await?;
        // A file that is not there is the text "null" (recording day-two 153).
        Ok(text.filter(|text| !matches!(text.trim(), "" | "null")))
    }

    async fn clear_route_file(&self, file: &RouteFile) -> Result<(), PlatformError> {
        let body = json!({ "path": file.path(), "traefikConfig": file.without_routes() });
        self.change::<IgnoredAny>("settings.updateTraefikFile", body).await?;
        Ok(())
    }

    async fn scales(&self) -> Result<Vec<(AppName, Option<Scale>)>, PlatformError> {
        self.list::<wire::ServiceRow, _>("swarm.getNodeApps", &[]).await
    }

    async fn node_count(&self) -> Result<usize, PlatformError> {
        // With Docker down the body is empty (recording 246).
        let rows: Option<Vec<wire::NodeRow>> = self.query("swarm.getNodes", &[]).await?;
        Ok(rows.unwrap_or_default().iter().filter(|row| row.is_ready()).count())
    }
}

/// Writes everything that an application runs as one body (recording 224).
///
/// # Errors
/// [`PlatformError::Refused`] for a variable that the platform would not read as it is.
fn configuration_body(
    call: &'static str,
    id: &ApplicationId,
    configuration: &Configuration,
) -> Result<Value, PlatformError> {
    let environment = encode_environment(&configuration.environment)
        .map_err(|error| PlatformError::Refused { call, status: 400, detail: error.to_string() })?;
    let registry = configuration.registry.as_ref();
    Ok(json!({
        "applicationId": id,
        "sourceType": "docker",
        "dockerImage": configuration.image,
        "username": registry.map(|registry| &registry.user),
        "password": registry.map(|registry| registry.password.expose_secret()),
        "registryUrl": registry.and_then(|registry| registry.url.as_ref()),
        "env": environment,
        "createEnvFile": false,
        // Limits are texts: a number is refused (recording 54).
        "memoryLimit": configuration.memory_bytes.map(|bytes| bytes.to_string()),
        "cpuLimit": configuration.cpu_nanos.map(|nanos| nanos.to_string()),
        "replicas": 1,
        "autoDeploy": false,
    }))
}

/// Returns Dokploy's word for where a certificate comes from.
fn certificate_word(certificate: Certificate) -> &'static str {
    match certificate {
        Certificate::LetsEncrypt => "letsencrypt",
        Certificate::None => "none",
        Certificate::Custom => "custom",
    }
}
