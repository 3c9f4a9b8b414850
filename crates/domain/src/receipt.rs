//! The receipt: resource by resource, what became of what a deployment made.
//!
//! It must not know how evidence is found, only what was found.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The kind of a remote resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// The host under which the stack is reached.
    Domain,
    /// The running container and the service that keeps it.
    Service,
    /// The application's record.
    Application,
    /// The project around it.
    Project,
}

impl ResourceKind {
    /// Returns the word a person reads.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Domain => "address",
            Self::Service => "container",
            Self::Application => "application",
            Self::Project => "project",
        }
    }
}

/// The outcome of one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is there, as it should be.
    Made,
    /// The platform confirmed its removal.
    Removed,
    /// It was looked for afterwards and is not there.
    VerifiedGone,
    /// It is there, or may be, and could not be removed.
    Left,
}

/// One line of a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Its kind.
    pub resource: ResourceKind,
    /// Its id on the platform, where one is known.
    pub id: Option<String>,
    /// Its name: the host, the application's or the project's name.
    pub name: String,
    /// The outcome of it.
    pub outcome: Outcome,
    /// The time at which that was seen.
    #[serde(with = "super::wire_time")]
    pub at: Timestamp,
    /// For what is left: what an operator can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// The outcome for every resource of a deployment, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// True if nothing is left. Only ever true on evidence.
    pub clean: bool,
    /// One line for each resource that was made or may have been.
    pub lines: Vec<Line>,
}

impl Receipt {
    /// Sums `lines` up.
    pub fn of(lines: Vec<Line>) -> Self {
        let clean = lines
            .iter()
            .all(|line| matches!(line.outcome, Outcome::Removed | Outcome::VerifiedGone));
        Self { clean, lines }
    }

    /// Returns the lines of what could not be removed.
    pub fn leftovers(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.outcome == Outcome::Left)
    }
}
