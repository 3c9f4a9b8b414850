//! The platform port: what the orchestrator needs of the system that runs stacks.
//!
//! Its words are ours; which server answers, and over what, is the adapter's business. No
//! method repeats a call: retry is the orchestrator's alone.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use container::{Container, ContainerId, Inspected, OPERATION, Scale, Task, TaskState};
pub use error::{Advice, PlatformError};
pub use routes::{Host, RouteFile, routes_host};

mod container;
mod error;
mod routes;

/// Makes a newtype around the platform's own text ids.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A project's id.
    ProjectId
);
id!(
    /// An environment's id.
    EnvironmentId
);
id!(
    /// An application's id.
    ApplicationId
);
id!(
    /// A domain's id.
    DomainId
);
id!(
    /// The id of one deploy job's row.
    JobId
);
id!(
    /// The name of an application's service: made by the platform, never what was asked for.
    AppName
);

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
    fn problem(&self) -> Option<crate::domain::platform_problem::PlatformProblem> {
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
    /// Sets image, registry, environment and limits in one call. Idempotent.
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

/// The version that the platform has, and whether it will do. Which will is the adapter's to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// As the platform tells it.
    pub text: String,
    /// True if it has every call that we need.
    pub is_supported: bool,
    /// The oldest that has.
    pub oldest: &'static str,
}

/// A project to create.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// Its name.
    pub name: String,
    /// Our marker, by which it is found again.
    pub marker: String,
}

/// A project just created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedProject {
    /// Its id.
    pub id: ProjectId,
    /// Its default environment, which servers before v0.25 do not tell.
    pub environment: Option<EnvironmentId>,
}

/// A project in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectSummary {
    /// Its id.
    pub id: ProjectId,
    /// Its name; not unique.
    pub name: String,
    /// The description, which holds our marker.
    pub description: Option<String>,
    /// When it was created, as an ISO 8601 text, which sorts by time.
    pub created_at: String,
}

/// A project with all it contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// The description, which holds our marker.
    pub description: Option<String>,
    /// Its environments.
    pub environments: Vec<Environment>,
}

/// An environment of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its id.
    pub id: EnvironmentId,
    /// True if it is the one that came with the project.
    pub is_default: bool,
    /// Its applications.
    pub applications: Vec<ApplicationSummary>,
    /// How many other services it holds: databases, compose files.
    pub other_services: usize,
}

/// An application in a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationSummary {
    /// Its id.
    pub id: ApplicationId,
    /// Its name; not unique.
    pub name: String,
    /// Its service's name.
    pub app_name: AppName,
    /// The description, which holds our marker.
    pub description: Option<String>,
    /// When it was created, as an ISO 8601 text, which sorts by time.
    pub created_at: String,
}

/// An application to create.
#[derive(Clone, Debug)]
pub struct NewApplication {
    /// Its name.
    pub name: String,
    /// The prefix of its service's name; the platform adds a random suffix.
    pub app_name_base: String,
    /// Our marker, by which it is found again.
    pub marker: String,
    /// The environment that it belongs to.
    pub environment: EnvironmentId,
}

/// An application just created, or found again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Its id.
    pub id: ApplicationId,
    /// Its service's name: after the application's removal nothing else leads to the service.
    pub app_name: AppName,
}

/// The configuration of an application.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The image, with its tag or digest.
    pub image: String,
    /// The private registry it comes from.
    pub registry: Option<Registry>,
    /// The container's environment, in the order in which it is written.
    pub environment: Vec<(String, SecretString)>,
    /// CPU limit in nano-CPUs: 1 CPU is 1,000,000,000.
    pub cpu_nanos: Option<u64>,
    /// Memory limit in bytes.
    pub memory_bytes: Option<u64>,
}

/// A private registry and its credentials.
#[derive(Clone, Debug)]
pub struct Registry {
    /// Its address.
    pub url: Option<String>,
    /// The one who logs in.
    pub user: String,
    /// With what.
    pub password: SecretString,
}

/// A host to attach.
#[derive(Clone, Debug)]
pub struct NewDomain {
    /// The application it leads to.
    pub application: ApplicationId,
    /// The host.
    pub host: String,
    /// The port on which the container listens.
    pub port: u16,
    /// True if it is served over TLS.
    pub https: bool,
    /// The source of its certificate.
    pub certificate: Certificate,
}

/// The source of a host's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Let's Encrypt, one for each host.
    LetsEncrypt,
    /// Nowhere: the router has a default, or there is no TLS.
    None,
    /// A resolver that the platform's operator has set up.
    Custom,
}

/// A domain of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Its id.
    pub id: DomainId,
    /// The host.
    pub host: String,
    /// When it was created, as an ISO 8601 text, which sorts by time.
    pub created_at: String,
}

/// A deploy job that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The title it was put into the queue under.
    pub title: String,
    /// The progress of it.
    pub status: JobStatus,
}

/// The progress of a deploy job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// Under way.
    Running,
    /// The platform accepted the service, which says nothing of its health.
    Done,
    /// It failed; the reason is in its log.
    Failed,
    /// The platform restarted while it ran.
    Cancelled,
}

/// A deploy job in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedJob {
    /// The application it deploys.
    pub application: ApplicationId,
    /// The title it was put into the queue under.
    pub title: String,
    /// True if it is being worked on.
    pub active: bool,
}

/// The outcome of a removal that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It was there and is removed.
    Removed,
    /// It was not there.
    AlreadyGone,
}

/// The state of the circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// The state of the circuit breaker.
    pub state: BreakerState,
    /// Failed calls since the last success.
    pub consecutive_failures: u32,
    /// The time until a call may go through, while it is open.
    pub retry_after: Option<Duration>,
}

/// The state of the circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// All do.
    Closed,
    /// None does.
    Open,
    /// One does, to see.
    HalfOpen,
}
