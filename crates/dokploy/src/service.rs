//! How the swarm runs an application's container, beyond what every application has.

use std::time::Duration;

/// The settings of an application's service. What is absent is reset to the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceSettings {
    /// The arguments that replace those of the image; none for the image's own. The platform passes
    /// them on without a shell. They are in the platform's open document, but were not recorded.
    pub args: Vec<String>,
    /// The command that tells the swarm whether the container is healthy.
    pub health_check: Option<HealthCheck>,
    /// The conditions that a node must meet, such as `node.hostname==vm`. They replace the
    /// `node.role==manager` that the platform sets for a service with a mount (recordings day-two
    /// 406, 412). If no node meets them, the new task waits with an error, and the former container
    /// goes on (recording day-two 413).
    pub constraints: Vec<String>,
}

/// A command within the container, which the image must have. The swarm replaces a container that
/// it finds unhealthy, and takes an update back (recordings day-two 65 to 69).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// The command: `CMD` and its words, or `CMD-SHELL` and one text for a shell.
    pub test: Vec<String>,
    /// The time between two runs of the command, and before the first.
    pub interval: Duration,
    /// The time after which a run has failed.
    pub timeout: Duration,
    /// The time after the start in which failures do not count.
    pub start_period: Duration,
    /// The number of consecutive failures that make a container unhealthy.
    pub retries: u32,
}
