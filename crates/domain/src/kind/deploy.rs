//! The row of deployments, which bring a stack up.

use super::{Direction, Kind, KindName, KindStep, StackState, StackStatus, StepId};
use crate::phase::Phase;
use crate::words::kind as words;

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
    /// Name its volumes, and choose the node that has them.
    pub const VOLUMES: Self = Self::new("volumes");
    /// Create the application.
    pub const APPLICATION: Self = Self::new("application");
    /// Mount its volumes.
    pub const MOUNTS: Self = Self::new("mounts");
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
    status: StackStatus::Deploying,
    done_sentence: words::LIVE,
    undo_sentence: words::UNDOING,
};

/// The steps of a deployment, which a removal undoes. Stacks without volumes leave out the steps
/// about them, which are part of the phase of the step that follows.
pub(super) static STEPS: [KindStep; 10] = [
    KindStep::new(StepId::ADDRESS, Phase::INITIALIZING, 0, words::ADDRESS),
    KindStep::new(StepId::PROJECT, Phase::CREATING_PROJECT, 10, words::PROJECT),
    KindStep::new(StepId::ENVIRONMENT, Phase::GETTING_ENVIRONMENT, 25, words::ENVIRONMENT),
    KindStep::new(StepId::VOLUMES, Phase::CREATING_APPLICATION, 40, words::APPLICATION),
    KindStep::new(StepId::APPLICATION, Phase::CREATING_APPLICATION, 40, words::APPLICATION),
    KindStep::new(StepId::MOUNTS, Phase::CONFIGURING_APPLICATION, 50, words::CONFIGURATION),
    KindStep::new(StepId::CONFIGURATION, Phase::CONFIGURING_APPLICATION, 50, words::CONFIGURATION),
    KindStep::new(StepId::DOMAIN, Phase::CREATING_DOMAIN, 60, words::DOMAIN),
    KindStep::new(StepId::DEPLOY, Phase::DEPLOYING, 70, words::DEPLOY),
    KindStep::new(StepId::HEALTH, Phase::VERIFYING_HEALTH, 85, words::HEALTH),
];
