//! How the swarm runs an application's container, beyond what every application has, and what it
//! runs at present.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

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
    /// How the swarm replaces the container; `None` for Dokploy's default, which is start-first with
    /// a rollback, watched for five seconds.
    pub update: Option<UpdateSettings>,
}

/// How the swarm replaces a container in an update (recordings day-two 65, 321, 370, 547).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateSettings {
    /// Which container goes first.
    pub order: UpdateOrder,
    /// For how long the new container is watched: if it fails in this time, the update has failed.
    pub monitor: Duration,
    /// What happens then.
    pub on_failure: FailureAction,
}

/// Which container goes first in an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateOrder {
    /// The new one starts beside the old one, which ends once the new one is healthy, or, without a
    /// health check, once it runs: then requests fail until its program listens (recording day-two
    /// 330). Both answer by turns for some seconds.
    StartFirst,
    /// The old one ends, then the new one starts. Nothing answers for two to four seconds (recordings
    /// day-two 321, 332), and for longer if the new one fails (recording day-two 322).
    StopFirst,
}

/// What the swarm does when the container of an update fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureAction {
    /// It goes back to what ran before. The platform's row keeps what failed, so the next reload tries
    /// it again (recordings day-two 375, 378).
    Rollback,
    /// It leaves the service as it is.
    Pause,
    /// It ignores the failure.
    Continue,
}

/// A service as the swarm runs it, which may differ from the platform's row (recordings day-two 370,
/// 374, 376).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceState {
    /// A number that grows with every change of the service, also those of the swarm itself.
    pub version: u64,
    /// What it runs, or tries to run.
    pub spec: ServiceSpec,
    /// What it ran before the last change; `None` if there was none, and after a rollback.
    pub previous: Option<ServiceSpec>,
    /// The last update; `None` after a first deployment, any change of the scale and a start from
    /// nothing (recording day-two 600). Then the swarm takes nothing back.
    pub update: Option<ServiceUpdate>,
}

impl ServiceState {
    /// Returns whether the swarm is replacing a container.
    pub fn is_moving(&self) -> bool {
        match self.update.as_ref().map(|update| update.state) {
            Some(UpdateState::Updating | UpdateState::RollbackStarted) => true,
            Some(
                UpdateState::Completed
                | UpdateState::Paused
                | UpdateState::RollbackCompleted
                | UpdateState::RollbackPaused
                | UpdateState::Other,
            )
            | None => false,
        }
    }

    /// Returns whether the swarm gave the last update up.
    pub fn is_taken_back(&self) -> bool {
        match self.update.as_ref().map(|update| update.state) {
            Some(
                UpdateState::Paused
                | UpdateState::RollbackStarted
                | UpdateState::RollbackCompleted
                | UpdateState::RollbackPaused,
            ) => true,
            Some(UpdateState::Updating | UpdateState::Completed | UpdateState::Other) | None => {
                false
            }
        }
    }
}

/// What a service runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSpec {
    /// The image as the platform's row names it, without a digest unless that has one.
    pub image: String,
    /// The requested environment variables that it gives to its containers.
    pub variables: BTreeMap<String, String>,
    /// The labels that it gives to its containers.
    pub labels: BTreeMap<String, String>,
    /// The number of containers that should run.
    pub replicas: Option<u64>,
    /// The number of its reloads and deployments, which rises by one with each. A rollback restores
    /// the former number.
    pub force_update: u64,
}

/// An update of a service (recordings day-two 373 to 376, 620).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUpdate {
    /// How far it is.
    pub state: UpdateState,
    /// The time of its start, which distinguishes it from the one before; a rollback keeps it.
    pub started_at: Option<Timestamp>,
    /// The time of its end.
    pub completed_at: Option<Timestamp>,
    /// Docker's message, which names the task that failed.
    pub message: String,
}

/// How far an update is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateState {
    /// It is under way. A container that waits for a node keeps it so for ever.
    Updating,
    /// The new container ran for as long as it was watched.
    Completed,
    /// The new container failed, and the swarm left the service as it is.
    Paused,
    /// The new container failed, and the swarm goes back to what ran before.
    RollbackStarted,
    /// The swarm went back.
    RollbackCompleted,
    /// What the swarm went back to failed as well.
    RollbackPaused,
    /// A state that this crate does not know.
    Other,
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
