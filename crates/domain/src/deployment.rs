//! The snapshot of an operation on the wire.
//!
//! It must not know how an operation is executed or stored.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::{FailureCode, Resources, Seq};
use super::kind::{Kind, KindName};
use super::message::MessageCode;
use super::phase::{Phase, Status};
use super::progress::Progress;
use super::receipt::Receipt;
use super::stack_name::StackName;

pub use super::operation_id::{DeploymentId, ParseDeploymentIdError};

/// The current state of an operation: the answer of `GET /api/deployment/:id`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Its id.
    pub id: DeploymentId,
    /// Its kind.
    pub kind: String,
    /// The stack that it is about.
    pub stack_name: StackName,
    /// Its current phase.
    pub phase: Phase,
    /// Its status.
    pub status: Status,
    /// Percent, 0 to 100.
    pub progress: u8,
    /// The present message.
    pub message: String,
    /// The same text, under the older server's name.
    pub current_step: String,
    /// The code of the message, unless it is the phase's own.
    #[serde(flatten)]
    pub code: Option<MessageCode>,
    /// The address at which the stack is, or will be, reached.
    pub url: String,
    /// The platform's resources known to exist.
    pub resources: Resources,
    /// The times of its start and its end.
    pub timestamps: Timestamps,
    /// The reason why it failed, once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<SnapshotError>,
    /// The outcome for each created resource, once it has failed or its stack is removed. Clean-up
    /// after the end updates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// True if somebody asked to cancel it, and it has not ended yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelling: bool,
    /// The time of the next clean-up attempt, while something is left.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "super::time::optional")]
    pub next_try: Option<Timestamp>,
    /// The deployment that this one retries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<DeploymentId>,
    /// The deployment that retries this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried_by: Option<DeploymentId>,
    /// For a removal: the deployment whose stack it removes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removes: Option<DeploymentId>,
    /// The last event in this snapshot.
    pub seq: Seq,
    /// The last log entries, oldest first, each a string that contains a JSON object.
    pub logs: Vec<String>,
}

/// The times of an operation's start and end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timestamps {
    /// The time at which it was accepted.
    #[serde(with = "super::time")]
    pub started: Timestamp,
    /// The time at which it ended, if it has.
    #[serde(with = "super::time::optional")]
    pub completed: Option<Timestamp>,
}

/// The reason why a deployment failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SnapshotError {
    /// The step that failed.
    pub phase: Phase,
    /// One sentence that says what happened.
    pub message: String,
    /// The kind of failure.
    pub code: FailureCode,
    /// The code of the sentence, and its arguments.
    #[serde(rename = "args", default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<MessageCode>,
    /// The reference by which an operator finds the full log.
    pub reference: String,
}

/// The operations to which an operation is linked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// The deployment that this one retries.
    pub retry_of: Option<DeploymentId>,
    /// The deployment that retries this one.
    pub retried_by: Option<DeploymentId>,
    /// For a removal: the deployment whose stack it removes.
    pub removes: Option<DeploymentId>,
}

/// The data of an operation that is not in its events: its end, the results of clean-up since then,
/// and its links.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentMetadata {
    /// The time at which it ended, if it has.
    #[serde(with = "super::time::optional")]
    pub completed: Option<Timestamp>,
    /// The receipt. After a clean-up it is newer than that of the terminal event.
    pub receipt: Option<Receipt>,
    /// The operations to which it is linked.
    pub links: Links,
}

/// The immutable part of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// Its kind.
    pub kind: KindName,
    /// The stack that it is about.
    pub name: StackName,
    /// The address at which the stack is, or will be, reached.
    pub url: String,
    /// The time at which it was accepted.
    #[serde(with = "super::time")]
    pub started: Timestamp,
}

impl Deployment {
    /// Returns the snapshot of this operation of `kind`, with its progress and metadata.
    pub fn snapshot(
        &self,
        kind: &Kind,
        progress: &Progress,
        metadata: DeploymentMetadata,
    ) -> Snapshot {
        let DeploymentMetadata { completed, receipt, links } = metadata;
        let failure = progress.failure();
        let message = match progress.phase.status() {
            Status::Success => kind.done_sentence.to_owned(),
            Status::InProgress | Status::Failure => progress.message.clone(),
        };
        Snapshot {
            id: self.id.clone(),
            kind: kind.noun.to_owned(),
            stack_name: self.name.clone(),
            phase: progress.phase,
            status: progress.phase.status(),
            progress: progress.percent,
            message: message.clone(),
            current_step: message,
            code: progress.code.clone(),
            url: self.url.clone(),
            resources: progress.resources.clone(),
            timestamps: Timestamps { started: self.started, completed },
            error: failure.map(|failure| SnapshotError {
                phase: failure.phase,
                message: failure.message.clone(),
                code: failure.code,
                reason: failure.reason.clone(),
                reference: failure.reference.clone(),
            }),
            receipt: progress.receipt_by_now(receipt.as_ref()).cloned(),
            cancelling: false,
            next_try: None,
            retry_of: links.retry_of,
            retried_by: links.retried_by,
            removes: links.removes,
            seq: progress.seq,
            logs: progress.logs.iter().map(ToString::to_string).collect(),
        }
    }
}
