//! What the store keeps: stacks, operations and responses, as its callers read and write them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Claim, Quota, State};
use crate::server::audit::AuditEntry;
use crate::server::{auth::access::OwnerId, secrets::SealedSecret};
use domain::{
    deployment::{Deployment, DeploymentId, DeploymentMetadata},
    event::{EventBody, Seq},
    stack_spec::StackSpec,
};

/// A deployment to begin.
#[derive(Clone, Debug)]
pub struct NewDeployment {
    /// Its immutable part.
    pub deployment: Deployment,
    /// The host under which its stack is reached.
    pub host: String,
    /// Its first event.
    pub first: EventBody,
    /// The ended deployment that it tries again.
    pub retry_of: Option<DeploymentId>,
    /// The owner of it and its stack; none where an anonymous client starts it.
    pub owner: Option<OwnerId>,
    /// Within which bounds it may begin.
    pub quota: Quota,
    /// Its audit entry.
    pub audit_entry: Option<AuditEntry>,
    /// The lease that it begins with, where whoever accepts it drives it.
    pub claim: Option<Claim>,
    /// What its stack is made of.
    pub spec: SealedSpec,
}

/// What a stack is made of, with its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSpec {
    /// All but the secrets.
    pub spec: StackSpec,
    /// The secrets, by the names by which the spec refers to them.
    pub secrets: BTreeMap<String, SealedSecret>,
}

/// A removal to begin; host and address are the stack's.
#[derive(Clone, Debug)]
pub struct NewRemoval {
    /// Its id.
    pub id: DeploymentId,
    /// The time at which it was asked for.
    pub started: Timestamp,
    /// Its first event.
    pub first: EventBody,
    /// The target: the deployment that brought the stack up, or its unfinished removal. Without it,
    /// whichever stack has the name.
    pub of: Option<DeploymentId>,
    /// Its audit entry.
    pub audit_entry: Option<AuditEntry>,
    /// The lease that it begins with, where whoever accepts it drives it.
    pub claim: Option<Claim>,
}

impl NewRemoval {
    /// Returns whether it means the stack that `deployment` brought up and `removal` takes down.
    pub fn means(&self, deployment: &DeploymentId, removal: Option<&DeploymentId>) -> bool {
        self.of.as_ref().is_none_or(|of| of == deployment || Some(of) == removal)
    }
}

/// An idempotency key, chosen by the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The caller.
    pub caller: String,
    /// The key.
    pub key: String,
}

/// The stored response to the first request with a key, to be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResponse {
    /// Its key.
    pub key: IdempotencyKey,
    /// A digest of the request's body.
    pub fingerprint: String,
    /// The HTTP status.
    pub status: u16,
    /// The `Location` header.
    pub location: Option<String>,
    /// The body.
    pub body: String,
    /// The time from which it is purged.
    pub expires: Timestamp,
}

/// A deployment as the store has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its immutable part.
    pub deployment: Deployment,
    /// The host under which its stack is reached.
    pub host: String,
    /// The owner of it and its stack; none where an anonymous client started it.
    pub owner: Option<OwnerId>,
    /// Its current state.
    pub state: State,
    /// Its end, its leftovers, and its links.
    pub metadata: DeploymentMetadata,
    /// Its last event.
    pub seq: Seq,
    /// The request to cancel it, if there is one.
    pub cancel_request: CancelRequest,
    /// The progress of clean-up, while something is left.
    pub clean_up: CleanUp,
    /// The number of times that whoever drove it panicked.
    pub panics: u32,
}

/// The progress of the clean-up of an operation that is stuck, or live and to be looked at once
/// more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CleanUp {
    /// The number of times that it was tried since the end.
    pub tries: u32,
    /// The time at which it is tried next.
    pub due: Option<Timestamp>,
}

/// The state of a request to cancel an operation under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CancelRequest {
    /// Nobody has asked to cancel it.
    #[default]
    None,
    /// Somebody has asked to cancel it.
    Requested,
}

/// The outcome of a request to cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// It is recorded: the end will be that of a cancelled deployment.
    Accepted,
    /// The end came first.
    AlreadyEnded,
    /// There is no such deployment.
    Unknown,
}

/// The outcome of a request to remove a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemovalOutcome {
    /// This removal does it.
    Accepted(DeploymentId),
    /// The stack of that name is another one than was meant.
    DifferentStack,
    /// No stack of that name is live.
    NotLive,
}

/// A live stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// The deployment that brought it up.
    pub deployment: Deployment,
    /// The time since which it is live.
    pub since: Timestamp,
    /// The removal that is under way or stuck, with its state, if there is one.
    pub removal: Option<(DeploymentId, State)>,
    /// Its owner; none where an anonymous client started it.
    pub owner: Option<OwnerId>,
}

/// The kind of work to claim. What is to be removed never waits for a slot among deployments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Whatever is under way.
    Forward,
    /// Operations under way that are to be cancelled, removals, and what has ended and is due:
    /// stuck operations, and live stacks to look at once more.
    CleanUp {
        /// Whatever began by then is to be removed as well: its time is up.
        overdue: Timestamp,
    },
}
