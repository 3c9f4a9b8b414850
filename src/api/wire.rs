//! The types on the wire that are not events or snapshots.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    deployment::{Deployment, DeploymentId, Standing},
    platform_problem::PlatformProblem,
    progress::Progress,
    stack_name::{ParseStackNameError, StackName},
};

/// Whether a name can be had. Advisory: only the start reserves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NameVerdict {
    /// Nobody has it.
    Free {
        /// The name.
        name: StackName,
        /// Where its stack would be reached.
        url: String,
    },
    /// Somebody has it.
    Taken {
        /// The name.
        name: StackName,
        /// Where its stack is or will be reached.
        url: String,
        /// Like names that are free.
        suggestions: Vec<StackName>,
    },
    /// It breaks a rule.
    Invalid {
        /// What was given.
        name: String,
        /// The rule's code.
        code: String,
        /// What to do about it.
        sentence: String,
    },
}

impl NameVerdict {
    /// Says that `input` breaks a rule.
    pub fn invalid(input: &str, error: ParseStackNameError) -> Self {
        Self::Invalid {
            name: input.to_owned(),
            code: error.code().to_owned(),
            sentence: error.sentence(),
        }
    }
}

/// How a stack's address is made of its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressPattern {
    /// What stands before the name, as in `https://`.
    pub before: String,
    /// What stands behind it, as in `.ai.example.com`.
    pub after: String,
}

impl AddressPattern {
    /// Returns the address of the stack called `name`.
    pub fn address(&self, name: &str) -> String {
        format!("{}{name}{}", self.before, self.after)
    }
}

/// What the home page needs to know of the platform before the first key is pressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformStatus {
    /// Whether it answered when last asked.
    pub reachable: bool,
    /// Whether its version lacks what the portal needs.
    pub too_old: bool,
    /// What keeps all of it from working until an operator acts.
    pub problem: Option<PlatformProblem>,
    /// Whether it is the embedded sandbox.
    pub sandbox: bool,
}

/// What the deployment page is rendered from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeploymentView {
    /// What stays the same.
    pub deployment: Deployment,
    /// What its events add up to so far.
    pub progress: Progress,
    /// When it ended, what clean-up has found since, and what it is linked with.
    pub standing: Standing,
    /// Whether somebody wished to cancel it.
    pub is_cancelling: bool,
    /// When clean-up goes on, while something is left.
    #[serde(with = "crate::domain::wire_time::optional")]
    pub next_try: Option<Timestamp>,
    /// What has become of the stack since, if it was live. Such a page does not change, so this
    /// stays on the server.
    #[serde(skip)]
    pub taken_down: Option<TakenDown>,
    /// Since when no container of the live stack runs, as far as is known.
    pub not_running: Option<Downtime>,
    /// How long a deployment usually takes, where that is known and of use.
    pub usual: Option<Usual>,
    /// Whether whoever looks at it may cancel it, try it again or remove its stack.
    pub may_change: bool,
    /// How many hours the stack's name is kept for its owner once it is removed.
    pub kept_hours: Option<u64>,
    /// The server's time, so that both targets render the same elapsed times.
    #[serde(with = "crate::domain::wire_time")]
    pub now: Timestamp,
}

/// For how long a live stack has no container that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Downtime {
    /// When that was first found.
    #[serde(with = "crate::domain::wire_time")]
    pub since: Timestamp,
    /// When it was last found.
    #[serde(with = "crate::domain::wire_time")]
    pub seen: Timestamp,
}

/// What has become of a stack that was live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenDown {
    /// This removal is under way, or could not remove everything yet.
    NotYet(DeploymentId),
    /// It is gone.
    Done,
}

/// How many stacks somebody may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// How many they have.
    pub stacks: u32,
    /// How many they may have.
    pub most: u32,
}

/// How long a deployment usually takes, in seconds, measured on those that came up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usual {
    /// One in five is faster.
    pub low_s: u64,
    /// Half of them are faster.
    pub median_s: u64,
    /// One in five is slower.
    pub high_s: u64,
}

/// A live stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackView {
    /// Its name.
    pub name: StackName,
    /// Where it is reached.
    pub url: String,
    /// Since when it is live.
    #[serde(with = "crate::domain::wire_time")]
    pub since: Timestamp,
    /// The deployment that brought it up, for those who may see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<DeploymentId>,
    /// How it stands.
    pub state: StackState,
    /// The removal that is under way or stuck, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal_id: Option<DeploymentId>,
    /// What is known to be wrong with it while it is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<StackHealth>,
}

/// How a live stack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackHealth {
    /// What it is like.
    pub state: HealthState,
    /// Since when that is known.
    #[serde(with = "crate::domain::wire_time")]
    pub since: Timestamp,
    /// When the platform was last compared with the records.
    #[serde(with = "crate::domain::wire_time")]
    pub seen: Timestamp,
}

/// What a live stack is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// No container of it runs.
    NotRunning,
}

/// How a live stack stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StackState {
    /// It came up, and nobody takes it down.
    Live,
    /// Being removed.
    Removing,
    /// Part of it could not be removed yet.
    Stuck,
}

/// An error on the wire: `{success: false, error, code}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
#[serde(into = "ErrorBody", from = "ErrorBody")]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// What kind of error it is.
    pub code: String,
    /// What happened and what to do, as a sentence for a person.
    pub message: String,
    /// After how many seconds to come back, where that helps; a header tells it.
    pub retry_after: Option<u64>,
}

impl ApiError {
    /// Makes one that says what happened and what to do.
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), retry_after: None }
    }
}

/// An error's body: what is not in the answer's head.
#[derive(Serialize, Deserialize)]
struct ErrorBody {
    success: bool,
    error: String,
    code: String,
}

impl From<ApiError> for ErrorBody {
    fn from(ApiError { code, message: error, .. }: ApiError) -> Self {
        Self { success: false, error, code }
    }
}

impl From<ErrorBody> for ApiError {
    fn from(ErrorBody { code, error: message, .. }: ErrorBody) -> Self {
        Self { status: 500, code, message, retry_after: None }
    }
}
