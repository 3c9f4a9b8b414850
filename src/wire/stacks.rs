//! The wire types of live stacks.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use domain::deployment::DeploymentId;
use domain::kind::StackStatus;
use domain::phase::Status;
use domain::stack_event::StackEvent;
use domain::stack_name::StackName;

/// A stack that is not gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackView {
    /// Its id, if the caller may view it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    pub name: StackName,
    /// The address at which it is reached.
    pub url: String,
    /// The time since which it has been live, or at which it was requested if it is not live yet.
    #[serde(with = "domain::time")]
    pub since: Timestamp,
    /// The deployment that created it, if the caller may view it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<DeploymentId>,
    /// Its state, if it has been live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StackState>,
    /// What it is now.
    pub status: StackStatus,
    /// What it should be.
    pub desired: DesiredState,
    /// The number of the revision that it is made of, from 1 on.
    pub revision: u32,
    /// The id of its template.
    pub template: String,
    /// What its owner calls it, if the caller may view it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The version of its template that the caller is offered now, if it is another one than the stack
    /// has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_available: Option<String>,
    /// The time at which it expires, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "domain::time::optional")]
    pub expires_at: Option<Timestamp>,
    /// The operation on it that is in progress or stuck, if the caller may view it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationView>,
    /// Its removal that is in progress or stuck, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal_id: Option<DeploymentId>,
    /// The known problem of the live stack, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<StackHealth>,
}

/// A part of the history of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPage {
    /// The events of the stack.
    pub events: Vec<StackEvent>,
    /// True if there are more behind them.
    pub more: bool,
}

/// What a stack used, in equal steps. Steps without a measurement are missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsageSeries {
    /// The length of a step, in seconds.
    pub step: u64,
    /// The steps, the oldest first.
    pub points: Vec<UsagePoint>,
}

/// What a stack used in one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsagePoint {
    /// The beginning of the step.
    #[serde(with = "domain::time")]
    pub at: Timestamp,
    /// The mean CPU time, in CPUs.
    pub cpu: f64,
    /// The mean memory, in bytes.
    pub memory: u64,
    /// What its container had received since its start, in bytes.
    pub received: u64,
    /// What its container had sent since its start, in bytes.
    pub sent: u64,
}

/// What a stack should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DesiredState {
    /// It should run.
    Running,
    /// It should not run.
    Stopped,
}

/// An operation on a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationView {
    /// Its id.
    pub id: DeploymentId,
    /// Its kind.
    pub kind: String,
    /// Whether it is in progress; a stuck one has ended.
    pub status: Status,
    /// Its progress in percent.
    pub progress: u8,
    /// What happens, as a sentence.
    pub message: String,
}

/// A known problem of a live stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackHealth {
    /// The problem.
    pub state: HealthState,
    /// The time since which it has been known.
    #[serde(with = "domain::time")]
    pub since: Timestamp,
    /// The time at which it was last confirmed, as far as that was recorded.
    #[serde(with = "domain::time")]
    pub seen: Timestamp,
}

/// A problem of a live stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// No container of it runs.
    NotRunning,
    /// Its container ends again and again.
    Restarting,
    /// Nothing answers at its address.
    NoAnswer,
    /// Its address answers with an error.
    BadAnswer,
    /// The certificate of its address is not trusted.
    BadCertificate,
}

/// The state of a live stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StackState {
    /// It is live and is not being removed.
    Live,
    /// It is being removed.
    Removing,
    /// Part of it could not be removed yet.
    Stuck,
}
