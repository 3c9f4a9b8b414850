//! The platform port: what the saga needs of the system that runs stacks.
//!
//! It does not show which server answers, or how it is reached. No method repeats a call: only the
//! saga retries, and a reading outside of it that is answered with 401 ([`retry_401`]).

use std::time::Duration;

use ::dokploy::encode_environment;
use async_trait::async_trait;
use clock::Clock;
use domain::stack_spec::CertificateSource;
use jiff::Timestamp;
use secrecy::SecretString;

pub(crate) use self::refusals::{Permitted, Refusals};
pub use self::retry_file::RetryFile;
pub use self::routes::{RouteFile, routes_host};
pub use ::dokploy::{
    Advice, AppName, Application, ApplicationId, ApplicationRow, ApplicationSummary, Breaker,
    BreakerState, Certificate, Configuration, Container, ContainerId, ContainerState,
    ContainerUsage, CreatedProject, Domain, DomainId, Environment, EnvironmentId,
    Error as PlatformError, Exit, FailureAction, HealthCheck, Host, InspectedTask, Job, JobId,
    JobStatus, LogEnd, LogQuery, Mount, MountId, NewApplication, NewDomain, NewMount, NewProject,
    NodeContainer, NodeName, Project, ProjectId, ProjectSummary, QueuedJob, Registry, Removal,
    RowDomain, Scale, ServiceSettings, ServiceSpec, ServiceState, ServiceUpdate, Task, TaskId,
    TaskState, UpdateOrder, UpdateSettings, UpdateState, Version, VolumeName, VolumeRemoval,
};

pub mod call_slots;
pub mod dokploy;
pub mod local_slots;
mod refusals;
mod retry_file;
mod routes;

/// The container's variable with the id of its deployment.
pub const OPERATION: &str = "STACK_OPERATION";
/// The container's variable with the number of its stack's revision.
pub const REVISION: &str = "STACK_REVISION";

/// Returns the platform's term for where a certificate comes from.
pub fn certificate(source: CertificateSource) -> Certificate {
    match source {
        CertificateSource::LetsEncrypt => Certificate::LetsEncrypt,
        CertificateSource::None => Certificate::None,
        CertificateSource::Custom => Certificate::Custom,
    }
}

/// Returns whether the platform can pass these variables on unchanged.
pub fn can_pass(variables: &[(String, SecretString)]) -> bool {
    encode_environment(variables).is_ok()
}

/// Repeats `read` after each of `pauses` while it is answered with 401, which the platform also
/// answers while its database is briefly unavailable. If the rejection of the key is known to
/// persist, it is not repeated.
///
/// # Errors
///
/// Returns the error of the last attempt.
pub async fn retry_401<T, F>(
    platform: &dyn PlatformOverview,
    clock: &dyn Clock,
    pauses: &[Duration],
    read: impl Fn() -> F,
) -> Result<T, PlatformError>
where
    F: Future<Output = Result<T, PlatformError>>,
{
    for pause in pauses {
        match read().await {
            Err(error) if error.is_unauthorized() && platform.problem().is_none() => {
                clock.sleep(*pause).await;
            }
            result => return result,
        }
    }
    read().await
}

/// The state of one container, as far as the portal uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// True if it runs, and is not being restarted.
    pub is_running: bool,
    /// The value of [`OPERATION`].
    pub operation: Option<String>,
}

/// The state of the platform as a whole, and what lies on it. Every method makes one call unless it
/// says otherwise, and takes a bounded time.
#[async_trait]
pub trait PlatformOverview: Send + Sync {
    /// Checks the platform's health, without a key and past the circuit breaker.
    async fn check_health(&self) -> Result<(), PlatformError>;
    /// Requests the platform's version, which also checks the key.
    async fn version(&self) -> Result<Version, PlatformError>;
    /// Returns the state of the circuit breaker, without a call.
    fn breaker(&self) -> Breaker;
    /// Returns the problem that only an operator can solve, if there is one, without a call.
    fn problem(&self) -> Option<domain::platform_problem::PlatformProblem> {
        None
    }
    /// Checks its health after a call that was not answered: if this is not answered either, the
    /// platform hangs.
    async fn diagnose(&self) -> Result<(), PlatformError> {
        self.check_health().await
    }
    /// Returns for how long it hung between the two times, as far as this process observed it.
    fn hung_for(&self, _: Timestamp, _: Timestamp) -> Duration {
        Duration::ZERO
    }
    /// Lists all projects with their applications, in the platform's order.
    async fn projects(&self) -> Result<Vec<ProjectSummary>, PlatformError>;
    /// Lists every host that the platform routes, with its application.
    async fn hosts(&self) -> Result<Vec<Host>, PlatformError>;
    /// Reads an application's row, which holds what its next container is made of; `None` if there is
    /// none.
    async fn application_row(
        &self,
        id: &ApplicationId,
    ) -> Result<Option<ApplicationRow>, PlatformError>;
}

/// The log of a container that is being read.
#[async_trait]
pub trait ContainerLog: Send {
    /// Waits for the next chunk, as Docker writes it. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// Returns the reason for which the log has ended.
    async fn next(&mut self) -> Result<String, LogEnd>;
}

/// The logs of containers.
#[async_trait]
pub trait PlatformLogs: Send + Sync {
    /// Lists the containers of exactly this service, running or stopped, newest first. The list is
    /// also empty while Docker is down.
    async fn containers_to_read(&self, name: &AppName) -> Result<Vec<Container>, PlatformError>;
    /// Opens the log of a container. Each open one is a process and a connection of the platform.
    /// Nothing is ever sent to it.
    async fn open_log(&self, query: &LogQuery<'_>) -> Result<Box<dyn ContainerLog>, PlatformError>;
}

/// The calls that make, find and remove the resources of a stack. Every method makes one call, and
/// takes a bounded time.
#[async_trait]
pub trait Platform: PlatformOverview + PlatformLogs {
    /// Creates a project and its default environment. Not idempotent.
    async fn create_project(&self, new: &NewProject) -> Result<CreatedProject, PlatformError>;
    /// Finds one project with everything in it.
    async fn project(&self, id: &ProjectId) -> Result<Option<Project>, PlatformError>;
    /// Removes a project's row. Services that still run in it become orphans.
    async fn remove_project(&self, id: &ProjectId) -> Result<Removal, PlatformError>;

    /// Creates an application. Not idempotent.
    async fn create_application(&self, new: &NewApplication) -> Result<Application, PlatformError>;
    /// Sets image, registry, environment, labels and limits in one call. Idempotent.
    async fn configure_application(
        &self,
        id: &ApplicationId,
        configuration: &Configuration,
    ) -> Result<(), PlatformError>;
    /// Does the same, and sets how the swarm runs the container. Idempotent.
    async fn configure_service(
        &self,
        id: &ApplicationId,
        configuration: &Configuration,
        settings: &ServiceSettings,
    ) -> Result<(), PlatformError>;
    /// Sets how many containers an application should have. Nothing happens before the next
    /// [`Self::reload_application`]. Idempotent.
    async fn set_replicas(&self, id: &ApplicationId, replicas: u32) -> Result<(), PlatformError>;
    /// Applies an application's row to its service, without pulling the image and without a job. It
    /// always replaces the container, also if nothing has changed, and makes a service that is gone
    /// anew.
    async fn reload_application(&self, application: &Application) -> Result<(), PlatformError>;
    /// Removes an application, its domains and its service. The platform does not report errors of
    /// Docker.
    async fn delete_application(&self, id: &ApplicationId) -> Result<Removal, PlatformError>;

    /// Adds a mount to an application. Not idempotent: a second one at the same path makes the next
    /// deployment fail. The next deployment mounts the volume, and makes it if it does not exist.
    async fn create_mount(&self, new: &NewMount) -> Result<MountId, PlatformError>;
    /// Lists an application's mounts.
    async fn mounts_of(&self, id: &ApplicationId) -> Result<Vec<Mount>, PlatformError>;
    /// Removes a mount; its volume stays.
    async fn remove_mount(&self, id: &MountId) -> Result<Removal, PlatformError>;
    /// Lists the volumes of the platform's own node, also those of others. The list is also empty
    /// while Docker is down.
    async fn volumes(&self) -> Result<Vec<VolumeName>, PlatformError>;
    /// Removes a volume of that node with its files, unless a container holds it. Idempotent.
    async fn remove_volume(&self, name: &VolumeName) -> Result<VolumeRemoval, PlatformError>;

    /// Attaches a host to an application. Not idempotent.
    async fn create_domain(&self, new: &NewDomain) -> Result<DomainId, PlatformError>;
    /// Lists an application's domains; none for an unknown application.
    async fn domains_of(&self, id: &ApplicationId) -> Result<Vec<Domain>, PlatformError>;
    /// Sets through which middlewares of the reverse proxy the requests for a domain pass, and
    /// nothing else. Idempotent.
    async fn set_middlewares(
        &self,
        domain: &Domain,
        middlewares: &[String],
    ) -> Result<(), PlatformError>;
    /// Sets to which port of the container a domain leads, and nothing else. Idempotent.
    async fn set_port(&self, domain: &Domain, port: u16) -> Result<(), PlatformError>;
    /// Detaches a host.
    async fn delete_domain(&self, id: &DomainId) -> Result<Removal, PlatformError>;

    /// Enqueues a deploy job with this `title`.
    async fn enqueue_deploy(&self, id: &ApplicationId, title: &str) -> Result<(), PlatformError>;
    /// Lists an application's deploy jobs that have started, newest first.
    async fn jobs(&self, id: &ApplicationId) -> Result<Vec<Job>, PlatformError>;
    /// Lists the platform's queue, next job first.
    async fn queue(&self) -> Result<Vec<QueuedJob>, PlatformError>;
    /// Reads a deploy job's log.
    async fn job_log(&self, id: &JobId) -> Result<String, PlatformError>;
    /// Removes an application's waiting jobs from the queue; a running one continues.
    async fn clear_queue(&self, id: &ApplicationId) -> Result<Removal, PlatformError>;

    /// Lists the tasks of a service, newest first. The list is also empty while Docker is down.
    async fn tasks(&self, name: &AppName) -> Result<Vec<Task>, PlatformError>;
    /// Lists the running containers of exactly this service. The list is also empty while Docker is
    /// down.
    async fn running_containers(&self, name: &AppName) -> Result<Vec<Container>, PlatformError>;
    /// Lists the containers of exactly this service, running or stopped. The list is also empty
    /// while Docker is down. Containers outlive their service and tasks by some seconds.
    async fn containers(&self, name: &AppName) -> Result<Vec<Container>, PlatformError>;
    /// Inspects one container; `None` if there is none with this id, or Docker is down.
    async fn inspect_container(&self, id: &ContainerId)
    -> Result<Option<Inspected>, PlatformError>;
    /// Returns how a container ended; `None` if it runs, there is none with this id, or Docker is
    /// down.
    async fn container_exit(&self, id: &ContainerId) -> Result<Option<Exit>, PlatformError>;
    /// Inspects one task; `None` if there is none with this id, or Docker is down.
    async fn inspect_task(&self, id: &TaskId) -> Result<Option<InspectedTask>, PlatformError>;
    /// Lists all containers of the platform's own node, running or not, also those of others. The
    /// list is also empty while Docker is down.
    async fn node_containers(&self) -> Result<Vec<NodeContainer>, PlatformError>;
    /// Returns what every running container of that node uses. The platform measures for two to
    /// three seconds. The list is also empty while Docker is down.
    async fn usage(&self) -> Result<Vec<ContainerUsage>, PlatformError>;
    /// Inspects a service, with the values of [`OPERATION`] and [`REVISION`]; `None` if there is none
    /// of this name, or Docker is down.
    async fn service(&self, name: &AppName) -> Result<Option<ServiceState>, PlatformError>;
    /// Lists the names of all services. The list is also empty while Docker is down.
    async fn services(&self) -> Result<Vec<AppName>, PlatformError>;
    /// Lists all services with their scale, if the platform reports it.
    async fn scales(&self) -> Result<Vec<(AppName, Option<Scale>)>, PlatformError>;
    /// Reads the file by which the reverse proxy routes to a service, if it exists.
    async fn route_file(&self, file: &RouteFile) -> Result<Option<String>, PlatformError>;
    /// Overwrites that file so that it routes nothing. The platform may report success although it
    /// failed: read the file afterwards.
    async fn clear_route_file(&self, file: &RouteFile) -> Result<(), PlatformError>;
    /// Reads the portal's own file of the reverse proxy, if it exists.
    async fn retry_file(&self, file: &RetryFile) -> Result<Option<String>, PlatformError>;
    /// Overwrites that file with its content. The platform may report success although it failed:
    /// read the file afterwards.
    async fn write_retry_file(&self, file: &RetryFile) -> Result<(), PlatformError>;
    /// Counts the nodes that run services; 0 means that Docker does not answer.
    async fn node_count(&self) -> Result<usize, PlatformError>;
    /// Returns the platform's own node; `None` means that Docker does not answer.
    async fn own_node(&self) -> Result<Option<NodeName>, PlatformError>;
}
