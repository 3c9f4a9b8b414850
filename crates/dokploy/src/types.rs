//! The parameters and results of the calls, independent of Dokploy's JSON.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Defines newtypes for text ids of the platform.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A project's id.
    ProjectId,
    /// An environment's id.
    EnvironmentId,
    /// An application's id.
    ApplicationId,
    /// A domain's id.
    DomainId,
    /// The id of one deploy job's row.
    JobId,
    /// The id of a mount's row.
    MountId,
    /// The name of a volume, which is unique on its node.
    VolumeName,
    /// The hostname of a node of the swarm.
    NodeName,
    /// The short or long id of a container, as Docker shows it.
    ContainerId,
    /// The id of a task, which is the end of the name of its container.
    TaskId,
    /// The name of an application's service. The platform chooses it, and it differs from the
    /// requested one.
    AppName,
}

/// The version of the platform, and whether this crate supports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The version as the platform reports it.
    pub text: String,
    /// True if it has all calls of this crate.
    pub is_supported: bool,
    /// The oldest supported version.
    pub oldest: &'static str,
}

/// A project to create.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// Its name.
    pub name: String,
    /// The caller's marker, by which the resource is found again. It is stored as its description.
    pub marker: String,
}

/// A project just created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedProject {
    /// Its id.
    pub id: ProjectId,
    /// Its default environment, which servers before v0.25 do not return.
    pub environment: Option<EnvironmentId>,
}

/// A project in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectSummary {
    /// Its id.
    pub id: ProjectId,
    /// Its name; not unique.
    pub name: String,
    /// The description, which contains the caller's marker.
    pub description: Option<String>,
    /// The time of its creation, as an ISO 8601 text, which sorts by time.
    pub created_at: String,
}

/// A project with everything in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// The description, which contains the caller's marker.
    pub description: Option<String>,
    /// Its environments.
    pub environments: Vec<Environment>,
}

/// An environment of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its id.
    pub id: EnvironmentId,
    /// True if it was created together with the project.
    pub is_default: bool,
    /// Its applications.
    pub applications: Vec<ApplicationSummary>,
    /// The number of its other services, such as databases and compose files.
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
    /// The description, which contains the caller's marker.
    pub description: Option<String>,
    /// The time of its creation, as an ISO 8601 text, which sorts by time.
    pub created_at: String,
}

/// An application to create.
#[derive(Clone, Debug)]
pub struct NewApplication {
    /// Its name.
    pub name: String,
    /// The prefix of its service's name; the platform adds a random suffix.
    pub app_name_base: String,
    /// The caller's marker, by which the resource is found again. It is stored as its description.
    pub marker: String,
    /// The environment that it belongs to.
    pub environment: EnvironmentId,
}

/// An application just created, or found again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Its id.
    pub id: ApplicationId,
    /// The name of its service, which is the only way to find the service after the application was
    /// removed.
    pub app_name: AppName,
}

impl From<ApplicationSummary> for Application {
    fn from(summary: ApplicationSummary) -> Self {
        Self { id: summary.id, app_name: summary.app_name }
    }
}

/// The configuration of an application.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The image, with its tag or digest.
    pub image: String,
    /// The private registry of the image, if it needs a login.
    pub registry: Option<Registry>,
    /// The container's environment variables, in order.
    pub environment: Vec<(String, SecretString)>,
    /// The container's labels.
    pub labels: Vec<(String, String)>,
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
    /// The user name.
    pub user: String,
    /// The password.
    pub password: SecretString,
}

/// A host to attach.
#[derive(Clone, Debug)]
pub struct NewDomain {
    /// The application to which it routes.
    pub application: ApplicationId,
    /// The host.
    pub host: String,
    /// The port on which the container listens.
    pub port: u16,
    /// True if it is served over TLS.
    pub https: bool,
    /// The source of its certificate.
    pub certificate: Certificate,
    /// The reverse proxy's middlewares through which requests pass, such as `retry@file`. While one
    /// of them does not exist, the host answers with 404 (recording day-two 476).
    pub middlewares: Vec<String>,
}

/// The source of a host's certificate, serialized as Dokploy's word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Certificate {
    /// Let's Encrypt, one for each host.
    LetsEncrypt,
    /// None: the reverse proxy has a default certificate, or there is no TLS.
    None,
    /// A certificate resolver that the platform's operator has configured.
    Custom,
}

/// A domain of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Its id.
    pub id: DomainId,
    /// The host.
    pub host: String,
    /// The port of the container to which it leads; `None` if the platform does not say.
    pub port: Option<u16>,
    /// The time of its creation, as an ISO 8601 text, which sorts by time.
    pub created_at: String,
    /// The reverse proxy's middlewares through which requests pass.
    pub middlewares: Vec<String>,
}

/// A host that the platform routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The host.
    pub name: String,
    /// The domain by which it is routed; several may have the same host.
    pub domain: DomainId,
    /// The application to which it routes, if the platform reports one.
    pub leads_to: Option<ApplicationId>,
}

/// A deploy job that has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The title with which it was enqueued.
    pub title: String,
    /// Its state.
    pub status: JobStatus,
}

/// The state of a deploy job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// It runs.
    Running,
    /// Docker accepted the service, which says nothing about its health.
    Done,
    /// It failed; the reason is in its log.
    Failed,
    /// The platform restarted while it ran.
    Cancelled,
}

/// A deploy job in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedJob {
    /// The application that it deploys.
    pub application: ApplicationId,
    /// The title with which it was enqueued.
    pub title: String,
    /// True if it runs.
    pub active: bool,
}

/// The outcome of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The resource existed and was removed.
    Removed,
    /// The resource did not exist.
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
    /// All calls go through.
    Closed,
    /// No call goes through.
    Open,
    /// One call goes through, to test the platform.
    HalfOpen,
}

impl BreakerState {
    /// Returns the state's name: `closed`, `open` or `half-open`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}
