//! The row of deployments, which bring a stack up.

use super::{Direction, Kind, KindName, KindStep, StackState, StepId};
use crate::phase::Phase;

impl KindName {
    /// Brings a stack up.
    pub const DEPLOY: Self = Self::new("deploy");
}

impl Phase {
    /// The project is being created.
    pub const CREATING_PROJECT: Self = Self::new("creating_project");
    /// Its default environment is being found.
    pub const GETTING_ENVIRONMENT: Self = Self::new("getting_environment");
    /// The application is being created.
    pub const CREATING_APPLICATION: Self = Self::new("creating_application");
    /// Image, environment and limits are being set.
    pub const CONFIGURING_APPLICATION: Self = Self::new("configuring_application");
    /// The host is being attached.
    pub const CREATING_DOMAIN: Self = Self::new("creating_domain");
    /// The platform queues, pulls and starts.
    pub const DEPLOYING: Self = Self::new("deploying");
    /// The stack's own address is being asked.
    pub const VERIFYING_HEALTH: Self = Self::new("verifying_health");
}

impl StepId {
    /// Make sure that nothing answers at the address yet.
    pub const ADDRESS: Self = Self::new("address");
    /// Create the project.
    pub const PROJECT: Self = Self::new("project");
    /// Find its environment.
    pub const ENVIRONMENT: Self = Self::new("environment");
    /// Create the application.
    pub const APPLICATION: Self = Self::new("application");
    /// Set what it runs.
    pub const CONFIGURATION: Self = Self::new("configuration");
    /// Attach its host.
    pub const DOMAIN: Self = Self::new("domain");
    /// Let the platform start it.
    pub const DEPLOY: Self = Self::new("deploy");
    /// Wait until it answers.
    pub const HEALTH: Self = Self::new("health");
}

/// Brings a stack up.
pub static DEPLOY: Kind = Kind {
    name: KindName::DEPLOY,
    noun: "deployment",
    prefix: "dep_",
    direction: Direction::Forward,
    steps: &STEPS,
    starts_from: &[StackState::Gone],
    can_cancel: true,
    done: StackState::Live,
    undone: StackState::Gone,
    done_sentence: "Your stack is live",
};

/// The steps of a deployment, which a removal undoes.
pub(super) static STEPS: [KindStep; 8] = [
    KindStep {
        id: StepId::ADDRESS,
        phase: Phase::INITIALIZING,
        percent: 0,
        sentence: "Getting ready",
        done: "Ready",
    },
    KindStep {
        id: StepId::PROJECT,
        phase: Phase::CREATING_PROJECT,
        percent: 10,
        sentence: "Creating the project",
        done: "Project created",
    },
    KindStep {
        id: StepId::ENVIRONMENT,
        phase: Phase::GETTING_ENVIRONMENT,
        percent: 25,
        sentence: "Finding its environment",
        done: "Environment found",
    },
    KindStep {
        id: StepId::APPLICATION,
        phase: Phase::CREATING_APPLICATION,
        percent: 40,
        sentence: "Creating the application",
        done: "Application created",
    },
    KindStep {
        id: StepId::CONFIGURATION,
        phase: Phase::CONFIGURING_APPLICATION,
        percent: 50,
        sentence: "Configuring it",
        done: "Configured",
    },
    KindStep {
        id: StepId::DOMAIN,
        phase: Phase::CREATING_DOMAIN,
        percent: 60,
        sentence: "Attaching the address",
        done: "Address attached",
    },
    KindStep {
        id: StepId::DEPLOY,
        phase: Phase::DEPLOYING,
        percent: 70,
        sentence: "Starting the container",
        done: "Container started",
    },
    KindStep {
        id: StepId::HEALTH,
        phase: Phase::VERIFYING_HEALTH,
        percent: 85,
        sentence: "Checking that it answers",
        done: "Health check passed",
    },
];
