//! The types on the wire that are not events or snapshots.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use domain::{
    deployment::{Deployment, DeploymentId, DeploymentMetadata},
    platform_problem::PlatformProblem,
    progress::Progress,
    refusal::{Refusal, RefusalCode},
    stack_name::{ParseStackNameError, StackName},
    words,
};

/// Checks whether a name is available. Advisory: only the start reserves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NameVerdict {
    /// Nobody has it.
    Free {
        /// The name.
        name: StackName,
        /// The address at which its stack would be reached.
        url: String,
    },
    /// Somebody has it.
    Taken {
        /// The name.
        name: StackName,
        /// The address at which its stack is or will be reached.
        url: String,
        /// Like names that are free.
        suggestions: Vec<StackName>,
    },
    /// It breaks a rule.
    Invalid {
        /// The input.
        name: String,
        /// The rule's code.
        code: String,
        /// The remedy.
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

/// Describes how a stack's address is made of its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressPattern {
    /// The part before the name, as in `https://`.
    pub before: String,
    /// The part after the name, as in `.ai.example.com`.
    pub after: String,
}

impl AddressPattern {
    /// Returns the address of the stack called `name`.
    pub fn address(&self, name: &str) -> String {
        format!("{}{name}{}", self.before, self.after)
    }
}

/// The platform's status for the home page, before the first key is pressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformStatus {
    /// True if it answered when last asked.
    pub reachable: bool,
    /// True if its version lacks what the portal needs.
    pub too_old: bool,
    /// The problem that keeps all of it from working until an operator acts.
    pub problem: Option<PlatformProblem>,
    /// True if it is the embedded sandbox.
    pub sandbox: bool,
}

/// The view model of the deployment page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeploymentView {
    /// The immutable part.
    pub deployment: Deployment,
    /// The fold of its events so far.
    pub progress: Progress,
    /// Its end, the result of the clean-up since, and its links.
    #[serde(rename = "standing")]
    pub metadata: DeploymentMetadata,
    /// True if somebody asked to cancel it.
    pub is_cancelling: bool,
    /// The time at which clean-up continues, while something is left.
    #[serde(with = "domain::wire_time::optional")]
    pub next_try: Option<Timestamp>,
    /// The removal of the stack, if it was live. Such a page does not change, so this stays on the
    /// server.
    #[serde(skip)]
    pub stack_removal: Option<StackRemoval>,
    /// The time since which no container of the live stack runs, as far as is known.
    pub not_running: Option<Downtime>,
    /// The time that a deployment usually takes, where that is known and of use.
    pub usual: Option<Usual>,
    /// True if whoever looks at it may cancel it, try it again or remove its stack.
    pub may_change: bool,
    /// The number of hours that the stack's name is kept for its owner once it is removed.
    pub kept_hours: Option<u64>,
    /// The server's time, so that both targets render the same elapsed times.
    #[serde(with = "domain::wire_time")]
    pub now: Timestamp,
}

/// The time for which a live stack has no container that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Downtime {
    /// The time at which that was first found.
    #[serde(with = "domain::wire_time")]
    pub since: Timestamp,
    /// The time at which it was last found.
    #[serde(with = "domain::wire_time")]
    pub seen: Timestamp,
}

/// The removal of a stack that was live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StackRemoval {
    /// This removal is under way, or could not remove everything yet.
    NotYet(DeploymentId),
    /// It is gone.
    Done,
}

/// The number of stacks that somebody may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// The number of they that have.
    pub stacks: u32,
    /// The number of they that may have.
    pub most: u32,
}

/// The time that a deployment usually takes, in seconds, measured on those that came up.
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
    /// The address at which it is reached.
    pub url: String,
    /// The time since which it is live.
    #[serde(with = "domain::wire_time")]
    pub since: Timestamp,
    /// The deployment that brought it up, for those who may see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<DeploymentId>,
    /// Describes how it stands.
    pub state: StackState,
    /// The removal that is under way or stuck, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal_id: Option<DeploymentId>,
    /// What is known to be wrong with it while it is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<StackHealth>,
}

/// Describes how a live stack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackHealth {
    /// What it is like.
    pub state: HealthState,
    /// The time since which that is known.
    #[serde(with = "domain::wire_time")]
    pub since: Timestamp,
    /// The time at which the platform was last compared with the records.
    #[serde(with = "domain::wire_time")]
    pub seen: Timestamp,
}

/// What a live stack is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// No container of it runs.
    NotRunning,
}

/// Describes how a live stack stands.
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

/// An error on the wire: `{success: false, error, code}`. The server makes it of a [`Refusal`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
#[serde(into = "ErrorBody", from = "ErrorBody")]
pub struct ApiError {
    /// The kind of error.
    pub code: RefusalCode,
    /// The error and the remedy, as a sentence for a person.
    pub message: String,
    /// The number of seconds after which to come back, where that helps; a header tells it.
    pub retry_after: Option<u64>,
}

impl ApiError {
    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        self.code.status()
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self {
            code: refusal.code(),
            message: words::refusal::message(&refusal),
            retry_after: refusal.retry_after(),
        }
    }
}

/// An error's body: what is not in the answer's head.
#[derive(Serialize, Deserialize)]
struct ErrorBody {
    success: bool,
    error: String,
    code: RefusalCode,
}

impl From<ApiError> for ErrorBody {
    fn from(ApiError { code, message: error, .. }: ApiError) -> Self {
        Self { success: false, error, code }
    }
}

impl From<ErrorBody> for ApiError {
    fn from(ErrorBody { code, error: message, .. }: ErrorBody) -> Self {
        Self { code, message, retry_after: None }
    }
}
