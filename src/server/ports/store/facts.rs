//! What a worker that holds a lease records.

use jiff::Timestamp;

use super::{State, StepId, StepRecord, Wish};
use crate::{
    domain::{
        deployment::DeploymentId,
        event::{EventBody, Seq},
        receipt::Receipt,
    },
    server::ports::platform::AppName,
};

/// The right to drive a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The deployment.
    pub id: DeploymentId,
    /// Who holds it.
    pub owner: String,
    /// The fencing token: grows with every claim.
    pub token: i64,
}

/// The lease that an operation begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who holds it.
    pub owner: String,
    /// The fencing token.
    pub token: i64,
    /// Until when it lasts without a heartbeat.
    pub until: Timestamp,
}

/// What becomes of a deployment when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Its last state.
    pub state: State,
    /// When it ended.
    pub at: Timestamp,
    /// What the writer knows to be wished.
    pub wish: Wish,
    /// When clean-up goes on, where something is left.
    pub due: Option<Timestamp>,
}

/// What clean-up found after the end.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// What has become of everything by now.
    pub receipt: Receipt,
    /// When it was found.
    pub at: Timestamp,
    /// When to try again, where something is left.
    pub due: Timestamp,
}

/// What was recorded, and what is wished by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The number of the deployment's last event.
    pub seq: Seq,
    /// What is wished.
    pub wish: Wish,
}

/// What one transaction of a worker records.
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
