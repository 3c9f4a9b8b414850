//! The wire types of operations in a list.

use jiff::Timestamp;
use serde::Serialize;

use domain::deployment::{DeploymentId, SnapshotError, Timestamps};
use domain::phase::{Phase, Status};
use domain::receipt::Receipt;
use domain::stack_name::StackName;

/// An operation, as a list has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationEntry {
    /// Its id.
    pub id: DeploymentId,
    /// Its kind.
    pub kind: String,
    /// The name of the stack that it is about.
    pub stack_name: StackName,
    /// The id of that stack.
    pub stack_id: String,
    /// The number of the revision that it works by.
    pub revision: u32,
    /// The number of the revision that the stack had before, if it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_revision: Option<u32>,
    /// Its current phase.
    pub phase: Phase,
    /// Whether it is in progress, or how it ended.
    pub status: Status,
    /// Percent, 0 to 100.
    pub progress: u8,
    /// What happens, as a sentence.
    pub message: String,
    /// The address at which the stack is, or will be, reached.
    pub url: String,
    /// The times of its start and its end.
    pub timestamps: Timestamps,
    /// True if somebody asked to cancel it, and it has not ended yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cancelling: bool,
    /// The reason why it failed, once it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<SnapshotError>,
    /// The outcome for each resource, once it has failed or its stack is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// The time of the next clean-up attempt, while something is left.
    #[serde(skip_serializing_if = "Option::is_none", with = "domain::time::optional")]
    pub next_try: Option<Timestamp>,
}

/// A page of the caller's operations, newest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OperationsPage {
    /// The operations.
    pub operations: Vec<OperationEntry>,
    /// The id of the last one, if there are older ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<DeploymentId>,
}
