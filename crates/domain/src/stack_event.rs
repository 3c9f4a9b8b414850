//! The events of a stack: its own sequence over its whole life, and what it is after them.
//!
//! An event is recorded together with what it tells, so folding the events gives the state of the
//! stack (promise P25). It must not know who records or reads them.

mod history;
mod why;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::deployment::DeploymentId;
use super::event::{EventBody, FailureCode, Seq};
use super::kind::{KindName, Kinds, StackState};

pub use history::{Held, StackHistory};
pub use why::{Change, Exit, Problem, Why};

/// An event of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackEvent {
    /// Its number within the stack, counted from 1 without gaps.
    #[serde(rename = "id")]
    pub seq: Seq,
    /// The time at which it happened.
    #[serde(with = "super::time")]
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub body: StackEventBody,
}

/// What happened to a stack. Persisted as JSON: never rename, only add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum StackEventBody {
    /// An operation began.
    OperationBegun {
        /// Its id.
        operation: DeploymentId,
        /// Its kind.
        kind: KindName,
        /// Why the portal began it by itself; `None` if a person asked for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// An operation ended.
    OperationEnded {
        /// Its id.
        operation: DeploymentId,
        /// Its kind.
        kind: KindName,
        /// How it ended.
        outcome: Outcome,
        /// What it left of the stack; `None` if something is left to be done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        leaves: Option<StackState>,
    },
    /// What an ended operation had left to be done is done.
    CleanedUp {
        /// The id of the operation.
        operation: DeploymentId,
        /// Its kind.
        kind: KindName,
        /// What is left of the stack.
        leaves: StackState,
    },
    /// The stack is made of another revision from now on.
    RevisionLive {
        /// The number of the revision.
        revision: u32,
    },
    /// The stack should run, and does not work.
    Unhealthy {
        /// What was found then.
        why: Why,
    },
    /// The stack works again.
    Recovered,
    /// The container ended, and nothing replaced it.
    StoppedByItself {
        /// How it ended, if the platform told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit: Option<Exit>,
    },
    /// The time at which the stack expires was changed.
    ExpiryChanged {
        /// The time; `None` if it does not expire.
        #[serde(default, with = "super::time::optional")]
        expires_at: Option<Timestamp>,
    },
    /// Something that only another version knows.
    #[serde(other)]
    Unknown,
}

/// Why the portal begins an operation by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The time of the stack is over.
    Expired,
    /// Something that only another version knows.
    #[serde(other)]
    Unknown,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did what was asked.
    Done,
    /// It failed.
    Failed,
    /// A person cancelled it.
    Cancelled,
}

impl Reason {
    /// Returns the reason of an operation that begins because the stack `expired` at that time.
    pub fn of(expired: Option<Timestamp>) -> Option<Self> {
        expired.map(|_| Self::Expired)
    }
}

impl Outcome {
    /// Returns the outcome of an operation by its terminal event; `None` if that is no such event.
    pub fn of(end: &EventBody) -> Option<Self> {
        match end {
            EventBody::Complete(_) | EventBody::Removed(_) => Some(Self::Done),
            EventBody::Error(failure) if failure.code == FailureCode::Cancelled => {
                Some(Self::Cancelled)
            }
            EventBody::Error(_) => Some(Self::Failed),
            EventBody::Progress(_) | EventBody::Log(_) => None,
        }
    }
}

impl StackEventBody {
    /// Returns its name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::OperationBegun { .. } => "operation_begun",
            Self::OperationEnded { .. } => "operation_ended",
            Self::CleanedUp { .. } => "cleaned_up",
            Self::RevisionLive { .. } => "revision_live",
            Self::Unhealthy { .. } => "unhealthy",
            Self::Recovered => "recovered",
            Self::StoppedByItself { .. } => "stopped_by_itself",
            Self::ExpiryChanged { .. } => "expiry_changed",
            Self::Unknown => "unknown",
        }
    }

    /// Returns the events of a stack that does not work any more.
    pub fn of_unhealthy(why: Why) -> Vec<Self> {
        let stopped = why.has_stopped();
        let exit = why.exits.first().filter(|_| stopped).cloned();
        let stopped = stopped.then_some(Self::StoppedByItself { exit });
        stopped.into_iter().chain([Self::Unhealthy { why }]).collect()
    }

    /// Returns the same with the kinds' names on the wire in place of those in the database.
    #[must_use]
    pub fn on_wire(mut self, kinds: Kinds) -> Self {
        match &mut self {
            Self::OperationBegun { kind, .. }
            | Self::OperationEnded { kind, .. }
            | Self::CleanedUp { kind, .. } => {
                *kind = KindName::parse(kinds.of(*kind).noun).unwrap_or(*kind);
            }
            Self::RevisionLive { .. }
            | Self::Unhealthy { .. }
            | Self::Recovered
            | Self::StoppedByItself { .. }
            | Self::ExpiryChanged { .. }
            | Self::Unknown => {}
        }
        self
    }
}

#[cfg(test)]
mod tests;
