//! What the platform's row of an application holds: what its next container is made of.

use secrecy::SecretString;

use super::{DecodeEnvironmentError, Mount, Registry};

/// The row of an application. What runs may differ from it until the next reload (recordings day-two
/// 370, 375).
#[derive(Clone, Debug)]
pub struct ApplicationRow {
    /// The image, with its tag or digest; `None` if none was set.
    pub image: Option<String>,
    /// The login with which it is pulled.
    pub registry: Option<Registry>,
    /// The container's environment variables, in order, or why the text of the row does not say
    /// what the container gets.
    pub environment: Result<Vec<(String, SecretString)>, DecodeEnvironmentError>,
    /// The number of containers.
    pub replicas: u64,
    /// CPU limit in nano-CPUs.
    pub cpu_nanos: Option<u64>,
    /// Memory limit in bytes.
    pub memory_bytes: Option<u64>,
    /// True if it has another command than that of the image, which the portal never sets.
    pub has_command: bool,
    /// The arguments that replace those of the image; none for the image's own.
    pub args: Vec<String>,
    /// The command that tells the swarm whether the container is healthy.
    pub health_check: Option<Vec<String>>,
    /// The hosts that are routed to it.
    pub domains: Vec<RowDomain>,
    /// Its mounts.
    pub mounts: Vec<Mount>,
}

/// A host that is routed to an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowDomain {
    /// The host.
    pub host: String,
    /// The port of the container; `None` if none was set.
    pub port: Option<u16>,
}
