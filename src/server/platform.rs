//! The platform port: what the saga needs of the system that runs stacks.
//!
//! Its words are ours; which server answers, and over what, is the adapter's business. No
//! method repeats a call: retry is the saga's alone.

use std::time::Duration;

use async_trait::async_trait;
use domain::stack_spec::CertificateSource;
use jiff::Timestamp;

pub use self::routes::{RouteFile, routes_host};
pub use ::dokploy::{
    Advice, AppName, Application, ApplicationId, ApplicationSummary, Breaker, BreakerState,
    Certificate, Configuration, Container, ContainerId, CreatedProject, Domain, DomainId,
    Environment, EnvironmentId, Error as PlatformError, Host, Job, JobId, JobStatus,
    NewApplication, NewDomain, NewProject, Project, ProjectId, ProjectSummary, QueuedJob, Registry,
    Removal, Scale, Task, TaskState, Version,
};

pub mod call_slots;
pub mod dokploy;
pub mod local_slots;
mod routes;

/// The variable by which a container tells which deployment it is of.
pub const OPERATION: &str = "STACK_OPERATION";
/// The variable by which a container tells which revision of its stack it is.
pub const REVISION: &str = "STACK_REVISION";

/// Returns the platform's term for where a certificate comes from.
pub fn certificate(source: CertificateSource) -> Certificate {
    match source {
        CertificateSource::LetsEncrypt => Certificate::LetsEncrypt,
        CertificateSource::None => Certificate::None,
        CertificateSource::Custom => Certificate::Custom,
    }
}

/// What is known of one container, as far as anybody needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// Whether it runs, and is not about to be started again.
    pub is_running: bool,
    /// The value of [`OPERATION`].
    pub operation: Option<String>,
}

/// Drives the platform. Every method makes one call and waits at most a bounded time.
#[async_trait]
pub trait Platform: Send + Sync {
    /// Asks whether the platform works at all, without a key and past the breaker.
    async fn check_health(&self) -> Result<(), PlatformError>;
    /// Asks for the platform's version, which also checks the key.
    async fn version(&self) -> Result<Version, PlatformError>;
    /// Tells the state of the breaker, without a call.
    fn breaker(&self) -> Breaker;
    /// Returns what keeps it from working for us until an operator acts, without a call.
    fn problem(&self) -> Option<domain::platform_problem::PlatformProblem> {
        None
    }
    /// Asks about its health after a call without an answer: without one here, too, it hangs.
    async fn diagnose(&self) -> Result<(), PlatformError> {
        self.check_health().await
    }
    /// Returns for how long it hung between the two times, as far as is known.
    fn hung_for(&self, _: Timestamp, _: Timestamp) -> Duration {
        Duration::ZERO
    }

    /// Creates a project and its default environment. Not idempotent.
    async fn create_project(&self, new: &NewProject) -> Result<CreatedProject, PlatformError>;
    /// Lists all projects with their applications, in the platform's order.
    async fn projects(&self) -> Result<Vec<ProjectSummary>, PlatformError>;
    /// Finds one project with all it contains.
    async fn project(&self, id: &ProjectId) -> Result<Option<Project>, PlatformError>;
    /// Removes a project's record. What still runs in it becomes an orphan.
    async fn remove_project(&self, id: &ProjectId) -> Result<Removal, PlatformError>;

    /// Creates an application. Not idempotent.
    async fn create_application(&self, new: &NewApplication) -> Result<Application, PlatformError>;
    /// Sets image, registry, environment, labels and limits in one call. Idempotent.
    async fn configure_application(
        &self,
        id: &ApplicationId,
        configuration: &Configuration,
    ) -> Result<(), PlatformError>;
    /// Removes an application, its domains and its service. Docker's errors are swallowed.
    async fn delete_application(&self, id: &ApplicationId) -> Result<Removal, PlatformError>;

    /// Attaches a host to an application. Not idempotent.
    async fn create_domain(&self, new: &NewDomain) -> Result<DomainId, PlatformError>;
    /// Lists an application's domains; none for an unknown application.
    async fn domains_of(&self, id: &ApplicationId) -> Result<Vec<Domain>, PlatformError>;
    /// Lists every host that the platform routes, and where it leads.
    async fn hosts(&self) -> Result<Vec<Host>, PlatformError>;
    /// Detaches a host.
    async fn delete_domain(&self, id: &DomainId) -> Result<Removal, PlatformError>;

    /// Puts a deploy job into the platform's queue under `title`.
    async fn enqueue_deploy(&self, id: &ApplicationId, title: &str) -> Result<(), PlatformError>;
    /// Lists an application's deploy jobs that have begun, newest first.
    async fn jobs(&self, id: &ApplicationId) -> Result<Vec<Job>, PlatformError>;
    /// Lists the platform's queue in the order in which it will be worked off.
    async fn queue(&self) -> Result<Vec<QueuedJob>, PlatformError>;
    /// Reads a deploy job's log.
    async fn job_log(&self, id: &JobId) -> Result<String, PlatformError>;
    /// Removes an application's waiting jobs from the queue; an active one goes on.
    async fn clear_queue(&self, id: &ApplicationId) -> Result<Removal, PlatformError>;

    /// Lists the tasks of a service, newest first; none proves nothing while Docker is down.
    async fn tasks(&self, name: &AppName) -> Result<Vec<Task>, PlatformError>;
    /// Lists the containers of exactly this service that run; none proves nothing while Docker
    /// is down.
    async fn running_containers(&self, name: &AppName) -> Result<Vec<Container>, PlatformError>;
    /// Lists the containers of exactly this service, those that have ended as well; none proves
    /// nothing while Docker is down. They outlive service and tasks by some seconds.
    async fn containers(&self, name: &AppName) -> Result<Vec<Container>, PlatformError>;
    /// Looks at one container; `None` where there is none of that id, or Docker is down.
    async fn inspect_container(&self, id: &ContainerId)
    -> Result<Option<Inspected>, PlatformError>;
    /// Lists the names of all services; none proves nothing while Docker is down.
    async fn services(&self) -> Result<Vec<AppName>, PlatformError>;
    /// Lists the same, each with how many containers it runs, where the platform tells that.
    async fn scales(&self) -> Result<Vec<(AppName, Option<Scale>)>, PlatformError>;
    /// Reads the file by which the reverse proxy routes to a service, if there is one.
    async fn route_file(&self, file: &RouteFile) -> Result<Option<String>, PlatformError>;
    /// Overwrites that file so that it routes nothing. It may say that it did and have failed.
    async fn clear_route_file(&self, file: &RouteFile) -> Result<(), PlatformError>;
    /// Counts the nodes that run services; 0 means that Docker does not answer.
    async fn node_count(&self) -> Result<usize, PlatformError>;
}
