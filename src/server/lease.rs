//! Leases: who may drive an operation, and until when.

use jiff::Timestamp;

use domain::deployment::DeploymentId;

/// The right to drive an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The operation.
    pub id: DeploymentId,
    /// The holder.
    pub owner: String,
    /// The fencing token, which grows with every claim: a former holder's writes have a lower one
    /// and are rejected.
    pub token: i64,
    /// The holder before, if it did not release its lease: it was interrupted, or is cut off from
    /// the database. It had the token before this one.
    pub former: Option<String>,
}

/// The lease with which an operation is inserted, so that the portal that accepts it drives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The holder.
    pub owner: String,
    /// The fencing token.
    pub token: i64,
    /// The time at which it expires without a heartbeat.
    pub until: Timestamp,
}
