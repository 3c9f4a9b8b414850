//! The platform port over a Dokploy server.

use std::sync::Arc;
use std::time::Duration;

use ::dokploy::{Dokploy, DokployConfig, LogStream, OnCall, Problem};
use async_trait::async_trait;
use domain::platform_problem::PlatformProblem;
use domain::words;
use jiff::Timestamp;
use secrecy::SecretString;
use transport::Outbound;

use crate::server::metrics::Metrics;

use super::{
    AppName, Application, ApplicationId, ApplicationRow, Breaker, Configuration, Container,
    ContainerId, ContainerLog, ContainerUsage, CreatedProject, Domain, DomainId, Exit, Host,
    Inspected, InspectedTask, Job, JobId, LogEnd, LogQuery, Mount, MountId, NewApplication,
    NewDomain, NewMount, NewProject, NodeContainer, NodeName, OPERATION, Platform, PlatformError,
    PlatformLogs, PlatformOverview, Project, ProjectId, ProjectSummary, QueuedJob, REVISION,
    Removal, RetryFile, RouteFile, Scale, ServiceSettings, ServiceState, Task, TaskId, Version,
    VolumeName, VolumeRemoval,
};

/// Converts a problem of the server into the portal's type.
fn into_platform_problem(problem: Problem) -> PlatformProblem {
    match problem {
        Problem::KeyRefused => PlatformProblem::KeyRefused,
        Problem::Hangs => PlatformProblem::Wedged,
    }
}

/// Makes the configuration of a client whose problems are reported in the portal's terms.
pub fn config(url: impl Into<String>, key: SecretString, outbound: Outbound) -> DokployConfig {
    DokployConfig { report_problem, outbound, ..DokployConfig::new(url, key) }
}

/// Adds the calls of a client to the `metrics`.
pub fn counted(config: DokployConfig, metrics: Arc<Metrics>) -> DokployConfig {
    let on_call = OnCall::new(move |call| metrics.called(call.call, call.outcome, call.took));
    DokployConfig { on_call, ..config }
}

/// Logs the beginning of a problem, with its code and the remedy.
fn report_problem(problem: Problem) {
    let problem = into_platform_problem(problem);
    tracing::error!(code = problem.code(), "{}", words::fault::advice(problem));
}

/// Implements a port: the calls of the list by the client's calls of the same name, and the other
/// methods as they are written.
macro_rules! implement {
    ($port:ident { $($call:ident($($name:ident: $of:ty),*) -> $answer:ty;)* } $($others:tt)*) => {
        #[async_trait]
        impl $port for Dokploy {
            $(async fn $call(&self, $($name: $of),*) -> Result<$answer, PlatformError> {
                Self::$call(self, $($name),*).await
            })*
            $($others)*
        }
    };
}

implement! {
    PlatformOverview {
        check_health() -> ();
        version() -> Version;
        diagnose() -> ();
        projects() -> Vec<ProjectSummary>;
        hosts() -> Vec<Host>;
        application_row(id: &ApplicationId) -> Option<ApplicationRow>;
    }

    fn breaker(&self) -> Breaker {
        Self::breaker(self)
    }

    fn problem(&self) -> Option<PlatformProblem> {
        Self::problem(self).map(into_platform_problem)
    }

    fn hung_for(&self, from: Timestamp, now: Timestamp) -> Duration {
        Self::hung_for(self, from, now)
    }
}

implement! {
    Platform {
        create_project(new: &NewProject) -> CreatedProject;
        project(id: &ProjectId) -> Option<Project>;
        remove_project(id: &ProjectId) -> Removal;
        create_application(new: &NewApplication) -> Application;
        configure_application(id: &ApplicationId, configuration: &Configuration) -> ();
        configure_service(
            id: &ApplicationId,
            configuration: &Configuration,
            settings: &ServiceSettings
        ) -> ();
        set_replicas(id: &ApplicationId, replicas: u32) -> ();
        reload_application(application: &Application) -> ();
        delete_application(id: &ApplicationId) -> Removal;
        create_mount(new: &NewMount) -> MountId;
        mounts_of(id: &ApplicationId) -> Vec<Mount>;
        remove_mount(id: &MountId) -> Removal;
        volumes() -> Vec<VolumeName>;
        remove_volume(name: &VolumeName) -> VolumeRemoval;
        create_domain(new: &NewDomain) -> DomainId;
        domains_of(id: &ApplicationId) -> Vec<Domain>;
        set_middlewares(domain: &Domain, middlewares: &[String]) -> ();
        set_port(domain: &Domain, port: u16) -> ();
        delete_domain(id: &DomainId) -> Removal;
        enqueue_deploy(id: &ApplicationId, title: &str) -> ();
        jobs(id: &ApplicationId) -> Vec<Job>;
        queue() -> Vec<QueuedJob>;
        job_log(id: &JobId) -> String;
        clear_queue(id: &ApplicationId) -> Removal;
        tasks(name: &AppName) -> Vec<Task>;
        inspect_task(id: &TaskId) -> Option<InspectedTask>;
        node_containers() -> Vec<NodeContainer>;
        usage() -> Vec<ContainerUsage>;
        running_containers(name: &AppName) -> Vec<Container>;
        containers(name: &AppName) -> Vec<Container>;
        services() -> Vec<AppName>;
        scales() -> Vec<(AppName, Option<Scale>)>;
        node_count() -> usize;
        own_node() -> Option<NodeName>;
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

    async fn container_exit(&self, id: &ContainerId) -> Result<Option<Exit>, PlatformError> {
        let found = Self::inspect_container(self, id, &[]).await?;
        Ok(found.and_then(|found| found.exit))
    }

    async fn service(&self, name: &AppName) -> Result<Option<ServiceState>, PlatformError> {
        Self::service(self, name, &[OPERATION, REVISION]).await
    }

    async fn route_file(&self, file: &RouteFile) -> Result<Option<String>, PlatformError> {
        self.read_traefik_file(&file.path()).await
    }

    async fn clear_route_file(&self, file: &RouteFile) -> Result<(), PlatformError> {
        self.update_traefik_file(&file.path(), &file.without_routes()).await
    }

    async fn retry_file(&self, file: &RetryFile) -> Result<Option<String>, PlatformError> {
        self.read_traefik_file(&file.path()).await
    }

    async fn write_retry_file(&self, file: &RetryFile) -> Result<(), PlatformError> {
        self.update_traefik_file(&file.path(), &file.content()).await
    }
}

#[async_trait]
impl ContainerLog for LogStream {
    async fn next(&mut self) -> Result<String, LogEnd> {
        Self::next(self).await
    }
}

#[async_trait]
impl PlatformLogs for Dokploy {
    async fn containers_to_read(&self, name: &AppName) -> Result<Vec<Container>, PlatformError> {
        Self::containers(self, name).await
    }

    async fn open_log(&self, query: &LogQuery<'_>) -> Result<Box<dyn ContainerLog>, PlatformError> {
        Ok(Box::new(Self::open_log(self, query).await?))
    }
}
