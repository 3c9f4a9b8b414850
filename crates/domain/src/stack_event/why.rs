//! Why a stack does not work, as facts of the moment at which that was found.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StackEventBody;
use crate::deployment::DeploymentId;
use crate::event::Seq;

/// What was found when a stack did not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Why {
    /// The problem.
    pub problem: Problem,
    /// The HTTP status at its address, if something answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How its containers ended, the last one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exits: Vec<Exit>,
    /// The last change of the stack before, if it is in its history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Change>,
}

impl Why {
    /// Returns whether its container ended, and nothing replaced it.
    pub fn has_stopped(&self) -> bool {
        self.problem == Problem::NotRunning && !self.exits.is_empty()
    }
}

/// A problem of a stack that should run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// No container of it runs.
    NotRunning,
    /// Its container ends again and again.
    Restarting,
    /// Its container runs, and nothing answers at its address.
    NoAnswer,
    /// Its container runs, and its address answers with an error.
    BadAnswer,
    /// The certificate of its address is not trusted.
    BadCertificate,
    /// A problem that only another version knows.
    #[serde(other)]
    Unknown,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exit {
    /// The state of its task, in Docker's words.
    pub state: String,
    /// What Docker says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// True if it was ended because its memory was used up.
    #[serde(default)]
    pub out_of_memory: bool,
}

/// A change of a stack: an event in its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The number of the event.
    pub event: Seq,
    /// The time of the change.
    #[serde(with = "crate::time")]
    pub at: Timestamp,
    /// The operation that made it.
    pub operation: DeploymentId,
}

impl Change {
    /// Returns the last change among `events`, which are in their order: the end of an operation.
    pub fn last(events: &[super::StackEvent]) -> Option<Self> {
        events.iter().rev().find_map(|event| match &event.body {
            StackEventBody::OperationEnded { operation, .. } => {
                Some(Self { event: event.seq, at: event.at, operation: operation.clone() })
            }
            StackEventBody::OperationBegun { .. }
            | StackEventBody::CleanedUp { .. }
            | StackEventBody::RevisionLive { .. }
            | StackEventBody::Unhealthy { .. }
            | StackEventBody::Recovered
            | StackEventBody::StoppedByItself { .. }
            | StackEventBody::ExpiryChanged { .. }
            | StackEventBody::Unknown => None,
        })
    }
}
