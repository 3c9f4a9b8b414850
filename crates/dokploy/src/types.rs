//! What the calls take and return, in the words of this crate rather than of JSON.

use std::{fmt, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

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
    /// The private registry it comes from.
    pub registry: Option<Registry>,
    /// The container's environment, in the order in which it is written.
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

/// A host that the platform routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The host.
    pub name: String,
    /// The domain by which it is routed; several may have the same host.
    pub domain: DomainId,
    /// The application it leads to, where the platform tells one.
    pub leads_to: Option<ApplicationId>,
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
