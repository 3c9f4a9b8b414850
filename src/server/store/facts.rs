//! Facts: the records that the holder of a lease writes.

use jiff::Timestamp;

use super::{CancelRequest, State, StepId, StepRecord};
use crate::server::platform::AppName;
use domain::{
    deployment::DeploymentId,
    event::{EventBody, Seq},
    receipt::Receipt,
};

/// The right to drive a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The deployment.
    pub id: DeploymentId,
    /// The holder.
    pub owner: String,
    /// The fencing token: grows with every claim.
    pub token: i64,
}

/// The lease that an operation begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The holder.
    pub owner: String,
    /// The fencing token.
    pub token: i64,
    /// The time until which it lasts without a heartbeat.
    pub until: Timestamp,
}

/// The end of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Its last state.
    pub state: State,
    /// The time at which it ended.
    pub at: Timestamp,
    /// The cancellation state that the writer knows of.
    pub cancel_request: CancelRequest,
    /// The time at which clean-up continues, where something is left.
    pub due: Option<Timestamp>,
}

/// The result of a clean-up after the end.
#[derive(Clone, Debug, PartialEq)]
pub struct CleanupRecord {
    /// The receipt of everything by now.
    pub receipt: Receipt,
    /// The time at which it was found.
    pub at: Timestamp,
    /// The time at which to try again, where something is left.
    pub due: Timestamp,
}

/// The result of recording a fact, with the cancellation state by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The number of the deployment's last event.
    pub seq: Seq,
    /// True if the cancellation is requested by now.
    pub cancel_request: CancelRequest,
}

/// The fact that one transaction of a worker records.
#[derive(Clone, Debug, Default)]
pub struct Fact {
    /// A step's new state.
    pub step: Option<(StepId, StepRecord)>,
    /// Services that the platform made for it: once their applications are gone, nothing else
    /// leads to them.
    pub services: Vec<AppName>,
    /// Events, to be numbered from the deployment's last one on.
    pub events: Vec<EventBody>,
    /// The end, with the terminal event among `events`.
    pub end: Option<End>,
}
