//! The platform port over a Dokploy server.

use std::time::Duration;

use ::dokploy::{Dokploy, DokployConfig, Problem};
use async_trait::async_trait;
use domain::{platform_problem::PlatformProblem, words};
use jiff::Timestamp;
use secrecy::SecretString;

use super::{
    AppName, Application, ApplicationId, Breaker, Configuration, Container, ContainerId,
    CreatedProject, Domain, DomainId, Host, Inspected, Job, JobId, NewApplication, NewDomain,
    NewProject, OPERATION, Platform, PlatformError, PlatformOverview, Project, ProjectId,
    ProjectSummary, QueuedJob, Removal, RouteFile, Scale, Task, Version,
};

/// Converts a problem of the server into the portal's type.
fn into_platform_problem(problem: Problem) -> PlatformProblem {
    match problem {
        Problem::KeyRefused => PlatformProblem::KeyRefused,
        Problem::Hangs => PlatformProblem::Wedged,
    }
}

/// Makes the configuration of a client whose problems are reported in the portal's terms.
pub fn config(url: impl Into<String>, key: SecretString) -> DokployConfig {
    DokployConfig { report_problem, ..DokployConfig::new(url, key) }
}

/// Logs the beginning of a problem, with its code and the remedy.
fn report_problem(problem: Problem) {
    let problem = into_platform_problem(problem);
    tracing::error!(code = problem.code(), "{}", words::fault::advice(problem));
}

#[async_trait]
impl PlatformOverview for Dokploy {
    async fn check_health(&self) -> Result<(), PlatformError> {
        Self::check_health(self).await
    }

    async fn version(&self) -> Result<Version, PlatformError> {
        Self::version(self).await
    }

    fn breaker(&self) -> Breaker {
        Self::breaker(self)
    }

    fn problem(&self) -> Option<PlatformProblem> {
        Self::problem(self).map(into_platform_problem)
    }

    async fn diagnose(&self) -> Result<(), PlatformError> {
        Self::diagnose(self).await
    }

    fn hung_for(&self, from: Timestamp, now: Timestamp) -> Duration {
        Self::hung_for(self, from, now)
    }

    async fn projects(&self) -> Result<Vec<ProjectSummary>, PlatformError> {
        Self::projects(self).await
    }

    async fn hosts(&self) -> Result<Vec<Host>, PlatformError> {
        Self::hosts(self).await
    }
}

#[async_trait]
impl Platform for Dokploy {
    async fn create_project(&self, new: &NewProject) -> Result<CreatedProject, PlatformError> {
        Self::create_project(self, new).await
    }

    async fn project(&self, id: &ProjectId) -> Result<Option<Project>, PlatformError> {
        Self::project(self, id).await
    }

    async fn remove_project(&self, id: &ProjectId) -> Result<Removal, PlatformError> {
        Self::remove_project(self, id).await
    }

    async fn create_application(&self, new: &NewApplication) -> Result<Application, PlatformError> {
        Self::create_application(self, new).await
    }

    async fn configure_application(
        &self,
        id: &ApplicationId,
        configuration: &Configuration,
    ) -> Result<(), PlatformError> {
        Self::configure_application(self, id, configuration).await
    }

    async fn delete_application(&self, id: &ApplicationId) -> Result<Removal, PlatformError> {
        Self::delete_application(self, id).await
    }

    async fn create_domain(&self, new: &NewDomain) -> Result<DomainId, PlatformError> {
        Self::create_domain(self, new).await
    }

    async fn domains_of(&self, id: &ApplicationId) -> Result<Vec<Domain>, PlatformError> {
        Self::domains_of(self, id).await
    }

    async fn delete_domain(&self, id: &DomainId) -> Result<Removal, PlatformError> {
        Self::delete_domain(self, id).await
    }

    async fn enqueue_deploy(&self, id: &ApplicationId, title: &str) -> Result<(), PlatformError> {
        Self::enqueue_deploy(self, id, title).await
    }

    async fn jobs(&self, id: &ApplicationId) -> Result<Vec<Job>, PlatformError> {
        Self::jobs(self, id).await
    }

    async fn queue(&self) -> Result<Vec<QueuedJob>, PlatformError> {
        Self::queue(self).await
    }

    async fn job_log(&self, id: &JobId) -> Result<String, PlatformError> {
        Self::job_log(self, id).await
    }

    async fn clear_queue(&self, id: &ApplicationId) -> Result<Removal, PlatformError> {
        Self::clear_queue(self, id).await
    }

    async fn tasks(&self, name: &AppName) -> Result<Vec<Task>, PlatformError> {
        Self::tasks(self, name).await
    }

    async fn running_containers(&self, name: &AppName) -> Result<Vec<Container>, PlatformError> {
        Self::running_containers(self, name).await
    }

    async fn containers(&self, name: &AppName) -> Result<Vec<Container>, PlatformError> {
        Self::containers(self, name).await
    }

    async fn inspect_container(
        &self,
        id: &ContainerId,
    ) -> Result<Option<Inspected>, PlatformError> {
        let found = Self::inspect_container(self, id, &[OPERATION]).await?;
        Ok(found.map(|mut found| Inspected {
            is_running: found.is_running,
            operation: found.variables.remove(OPERATION),
        }))
    }

    async fn services(&self) -> Result<Vec<AppName>, PlatformError> {
        Self::services(self).await
    }

    async fn scales(&self) -> Result<Vec<(AppName, Option<Scale>)>, PlatformError> {
        Self::scales(self).await
    }

    async fn route_file(&self, file: &RouteFile) -> Result<Option<String>, PlatformError> {
        self.read_traefik_file(&file.path()).await
    }

    async fn clear_route_file(&self, file: &RouteFile) -> Result<(), PlatformError> {
        self.update_traefik_file(&file.path(), &file.without_routes()).await
    }

    async fn node_count(&self) -> Result<usize, PlatformError> {
        Self::node_count(self).await
    }
}
