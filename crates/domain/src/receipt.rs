//! The receipt: the outcome of each resource that a deployment created.
//!
//! It must not know how an outcome is verified.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The kind of a remote resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// The host under which the stack is reached.
    Domain,
    /// The service and its running container.
    Service,
    /// The record of the application on the platform.
    Application,
    /// The project that contains the application.
    Project,
}

impl ResourceKind {
    /// Returns the word that people read.
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
    /// It exists, as intended.
    Made,
    /// The platform confirmed its removal.
    Removed,
    /// A search after the removal did not find it.
    VerifiedGone,
    /// It exists, or may exist, and could not be removed.
    Left,
}

/// One line of a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The kind of the resource.
    pub resource: ResourceKind,
    /// Its id on the platform, where one is known.
    pub id: Option<String>,
    /// Its name: the host, the application's or the project's name.
    pub name: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The time at which the outcome was observed.
    #[serde(with = "super::wire_time")]
    pub at: Timestamp,
    /// What an operator can do about a resource that is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// The outcome for every resource of a deployment, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// True if it is confirmed or verified that no resource is left.
    pub clean: bool,
    /// One line for each resource that was created, or may have been.
    pub lines: Vec<Line>,
}

impl Receipt {
    /// Returns the receipt of `lines`. It is clean if every resource was removed or verified gone.
    pub fn of(lines: Vec<Line>) -> Self {
        let clean = lines
            .iter()
            .all(|line| matches!(line.outcome, Outcome::Removed | Outcome::VerifiedGone));
        Self { clean, lines }
    }

    /// Returns the lines of the resources that could not be removed.
    pub fn leftovers(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.outcome == Outcome::Left)
    }
}
