//! Phases and statuses: where a deployment is, as the wire names it.
//!
//! The table of progress and sentences is the older server's, made exact. It must not know
//! how a phase is reached.

use serde::{Deserialize, Serialize};

/// The phase of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Accepted, not yet begun.
    Initializing,
    /// The project is being created.
    CreatingProject,
    /// Its default environment is being found.
    GettingEnvironment,
    /// The application is being created.
    CreatingApplication,
    /// Image, environment and limits are being set.
    ConfiguringApplication,
    /// The host is being attached.
    CreatingDomain,
    /// The platform queues, pulls and starts.
    Deploying,
    /// The stack's own address is being asked.
    VerifyingHealth,
    /// Ended: live.
    Completed,
    /// What was made is being removed.
    RollingBack,
    /// Ended: not live, on a failure.
    Failed,
    /// Ended: not live, on request.
    Cancelled,
    /// A live stack is being taken down.
    Removing,
    /// Ended: the stack is taken down.
    Removed,
}

impl Phase {
    /// The seven phases that do something, in their order: one for each step of the saga.
    pub const STEPS: [Self; 7] = [
        Self::CreatingProject,
        Self::GettingEnvironment,
        Self::CreatingApplication,
        Self::ConfiguringApplication,
        Self::CreatingDomain,
        Self::Deploying,
        Self::VerifyingHealth,
    ];

    /// Returns the percentage shown when the phase begins, or `None` where the last one stays.
    pub fn percent(self) -> Option<u8> {
        match self {
            Self::Initializing => Some(0),
            Self::CreatingProject => Some(10),
            Self::GettingEnvironment => Some(25),
            Self::CreatingApplication => Some(40),
            Self::ConfiguringApplication => Some(50),
            Self::CreatingDomain => Some(60),
            Self::Deploying => Some(70),
            Self::VerifyingHealth => Some(85),
            Self::Completed | Self::Removed => Some(100),
            Self::RollingBack | Self::Failed | Self::Cancelled | Self::Removing => None,
        }
    }

    /// Returns what a person reads while the phase lasts.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Initializing => "Getting ready",
            Self::CreatingProject => "Creating the project",
            Self::GettingEnvironment => "Finding its environment",
            Self::CreatingApplication => "Creating the application",
            Self::ConfiguringApplication => "Configuring it",
            Self::CreatingDomain => "Attaching the address",
            Self::Deploying => "Starting the container",
            Self::VerifyingHealth => "Checking that it answers",
            Self::Completed => "Your stack is live",
            Self::RollingBack => "Removing what was made",
            Self::Failed => "The deployment failed",
            Self::Cancelled => "The deployment was cancelled",
            Self::Removing => "Removing the stack",
            Self::Removed => "The stack is removed",
        }
    }

    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initializing => "initializing",
            Self::CreatingProject => "creating_project",
            Self::GettingEnvironment => "getting_environment",
            Self::CreatingApplication => "creating_application",
            Self::ConfiguringApplication => "configuring_application",
            Self::CreatingDomain => "creating_domain",
            Self::Deploying => "deploying",
            Self::VerifyingHealth => "verifying_health",
            Self::Completed => "completed",
            Self::RollingBack => "rolling_back",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Removing => "removing",
            Self::Removed => "removed",
        }
    }

    /// Returns the status that goes with the phase.
    pub fn status(self) -> Status {
        match self {
            Self::Completed | Self::Removed => Status::Success,
            Self::Failed | Self::Cancelled => Status::Failure,
            Self::Initializing
            | Self::CreatingProject
            | Self::GettingEnvironment
            | Self::CreatingApplication
            | Self::ConfiguringApplication
            | Self::CreatingDomain
            | Self::Deploying
            | Self::VerifyingHealth
            | Self::RollingBack
            | Self::Removing => Status::InProgress,
        }
    }

    /// Returns whether the deployment has ended.
    pub fn is_end(self) -> bool {
        self.status() != Status::InProgress
    }

    /// Returns whether `next` may come after this phase (promise P12). A phase may repeat itself
    /// with another message; nothing follows an end.
    pub fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (from, _) if from.is_end() => false,
            (from, to) if from == to => true,
            (Self::RollingBack, to) => matches!(to, Self::Failed | Self::Cancelled),
            (Self::Removing, to) => matches!(to, Self::Failed | Self::Removed),
            (from, Self::Removing) => from == Self::Initializing,
            (_, Self::RollingBack) | (Self::VerifyingHealth, Self::Completed) => true,
            (
                _,
                Self::Completed
                | Self::Failed
                | Self::Cancelled
                | Self::Initializing
                | Self::Removed,
            ) => false,
            (from, to) => from < to,
        }
    }
}

/// True if a deployment goes on, and how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Neither up nor given up.
    InProgress,
    /// Up and verified.
    Success,
    /// Not up.
    Failure,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Phase; 14] = [
        Phase::Initializing,
        Phase::CreatingProject,
        Phase::GettingEnvironment,
        Phase::CreatingApplication,
        Phase::ConfiguringApplication,
        Phase::CreatingDomain,
        Phase::Deploying,
        Phase::VerifyingHealth,
        Phase::Completed,
        Phase::RollingBack,
        Phase::Failed,
        Phase::Cancelled,
        Phase::Removing,
        Phase::Removed,
    ];

    #[test]
    fn the_name_on_the_wire_is_the_one_that_serde_writes() {
        for phase in ALL {
            assert_eq!(serde_json::to_value(phase).unwrap(), phase.as_str());
        }
    }

    #[test]
    fn progress_never_goes_backwards_along_a_legal_edge() {
        for from in ALL {
            for to in ALL.into_iter().filter(|to| from.may_become(*to)) {
                if let (Some(before), Some(after)) = (from.percent(), to.percent()) {
                    assert!(before <= after, "{from:?} -> {to:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_follows_an_end_and_only_verified_health_completes() {
        for phase in ALL {
            assert!(ALL.into_iter().all(|next| !phase.is_end() || !phase.may_become(next)));
            assert_eq!(phase.may_become(Phase::Completed), phase == Phase::VerifyingHealth);
            let undoing = matches!(phase, Phase::RollingBack | Phase::Removing);
            assert_eq!(phase.may_become(Phase::Failed), undoing);
            assert_eq!(phase.may_become(Phase::Removed), phase == Phase::Removing);
        }
    }
}
