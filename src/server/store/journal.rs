//! The journal as the store keeps it: what is known of each step.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::server::platform::AppName;
use domain::{event::FailureCode, phase::Phase, receipt::Line};

/// Names a step in the journal. Persisted: never rename, only add.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepId {
    /// Make sure that nothing answers at the address yet.
    Address,
    /// Create the project.
    Project,
    /// Find its environment.
    Environment,
    /// Create the application.
    Application,
    /// Set what it runs.
    Configuration,
    /// Attach its host.
    Domain,
    /// Let the platform start it.
    Deploy,
    /// Wait until it answers.
    Health,
}

impl StepId {
    /// All steps, in their order.
    pub const ALL: [Self; 8] = [
        Self::Address,
        Self::Project,
        Self::Environment,
        Self::Application,
        Self::Configuration,
        Self::Domain,
        Self::Deploy,
        Self::Health,
    ];

    /// Returns the word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Project => "project",
            Self::Environment => "environment",
            Self::Application => "application",
            Self::Configuration => "configuration",
            Self::Domain => "domain",
            Self::Deploy => "deploy",
            Self::Health => "health",
        }
    }

    /// Reads the word in the database.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|id| id.as_str() == word)
    }

    /// Returns the phase that the step is on the wire.
    pub fn phase(self) -> Phase {
        match self {
            Self::Address => Phase::Initializing,
            Self::Project => Phase::CreatingProject,
            Self::Environment => Phase::GettingEnvironment,
            Self::Application => Phase::CreatingApplication,
            Self::Configuration => Phase::ConfiguringApplication,
            Self::Domain => Phase::CreatingDomain,
            Self::Deploy => Phase::Deploying,
            Self::Health => Phase::VerifyingHealth,
        }
    }
}

/// The journal's record of one step. Persisted as JSON: never rename, only add.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StepRecord {
    /// About to run, or running; outcome unknown.
    Started,
    /// Ran.
    Succeeded {
        /// The output for later steps and for its undo.
        output: serde_json::Value,
        /// True if an answer was lost on the way, so that it may have made something twice.
        #[serde(rename = "doubtful")]
        response_lost: bool,
    },
    /// Gave up.
    Failed {
        /// The reason.
        cause: Cause,
    },
    /// Reversed.
    Undone {
        /// The outcome of what it had made.
        lines: Vec<Line>,
        /// The reason why the saga rolled back, if it was at this step.
        cause: Option<Cause>,
    },
}

impl StepRecord {
    /// Returns the last lines of the platform's log, where the step failed with some.
    pub fn platform_log(&self) -> Option<&str> {
        match self {
            Self::Failed { cause } | Self::Undone { cause: Some(cause), .. } => {
                cause.platform_log.as_deref()
            }
            Self::Started | Self::Succeeded { .. } | Self::Undone { cause: None, .. } => None,
        }
    }
}

/// The reason why a step failed, in a form that survives a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The kind of failure.
    pub code: FailureCode,
    /// One sentence for the person: what happened.
    pub message: String,
    /// The time of the failure: the undo's time counts from there.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// The last lines of the platform's log, secrets masked: for operators only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_log: Option<String>,
}

impl Cause {
    /// Tells of a failure without more than what a person reads.
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), at: None, platform_log: None }
    }
}

/// The journal of one operation, as the store has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steps {
    /// The record of each step.
    pub records: BTreeMap<StepId, StepRecord>,
    /// The services that the platform made for it, removed ones included.
    pub services: BTreeSet<AppName>,
}
