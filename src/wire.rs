//! The wire types besides events and snapshots.

#[cfg(feature = "ssr")]
mod changes;
#[cfg(feature = "ssr")]
mod details;
mod kept;
#[cfg(feature = "ssr")]
mod operations;
mod read;
mod stacks;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
pub use self::changes::{
    DowntimeView, EffectView, PlanView, PlannedChange, RevisionView, RevisionsView,
};
#[cfg(feature = "ssr")]
pub use self::details::{ResourcesView, StackDetails, UrlView, VolumeView};
pub use self::kept::{DataUserView, KeptView};
#[cfg(feature = "ssr")]
pub use self::operations::{OperationEntry, OperationsPage};
use domain::deployment::{Deployment, DeploymentId, DeploymentMetadata};
use domain::platform_problem::PlatformProblem;
use domain::progress::Progress;
use domain::refusal::{Refusal, RefusalCode};
use domain::stack_name::{ParseStackNameError, StackName};
use domain::template::answer_error::{AnswerErrors, FieldError};
use domain::words;

pub use self::stacks::{
    DesiredState, HealthState, HistoryPage, OperationView, StackHealth, StackState, StackView,
    UsagePoint, UsageSeries,
};

/// The path of the server function that checks a name.
pub const CHECK_NAME: &str = "/api/fn/check_name";

/// The result of a name check. It is advisory: only the start of a deployment reserves the name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NameVerdict {
    /// It is available.
    Free {
        /// The name.
        name: StackName,
        /// The address at which its stack would be reached.
        url: String,
    },
    /// It is taken.
    Taken {
        /// The name.
        name: StackName,
        /// The address at which its stack is or will be reached.
        url: String,
        /// Similar names that are available.
        suggestions: Vec<StackName>,
    },
    /// It breaks a rule.
    Invalid {
        /// The input.
        name: String,
        /// The rule's code.
        code: String,
        /// The rule and the remedy, as a sentence.
        sentence: String,
    },
}

impl NameVerdict {
    /// Creates the verdict for an `input` that breaks a rule.
    pub fn invalid(input: &str, error: ParseStackNameError) -> Self {
        Self::Invalid {
            name: input.to_owned(),
            code: error.code().to_owned(),
            sentence: words::name::rule(error),
        }
    }
}

/// The pattern of a stack's address.
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

/// The platform's status, which pages show before a person starts anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformStatus {
    /// True if it answered the last check.
    pub reachable: bool,
    /// True if its version lacks what the portal needs.
    pub too_old: bool,
    /// The problem that only an operator can solve, if there is one.
    pub problem: Option<PlatformProblem>,
    /// True if it is the embedded sandbox.
    pub sandbox: bool,
}

/// The view model of the deployment page.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(
    feature = "ssr",
    expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")
)]
pub struct DeploymentView {
    /// The immutable part.
    pub deployment: Deployment,
    /// The result of folding its events so far.
    pub progress: Progress,
    /// Its end, the result of clean-up since then, and its links.
    #[serde(rename = "standing")]
    pub metadata: DeploymentMetadata,
    /// True if somebody asked to cancel it.
    pub is_cancelling: bool,
    /// The time of the next clean-up, while something is left.
    #[serde(with = "domain::time::optional")]
    pub next_try: Option<Timestamp>,
    /// The removal of the stack, if it was live. The page of a removed stack has no island, so this
    /// is not sent to the browser.
    #[serde(skip)]
    pub stack_removal: Option<StackRemoval>,
    /// The downtime of the live stack, if the portal knows of one.
    pub not_running: Option<Downtime>,
    /// True if the stack that was live is stopped now.
    pub is_stopped: bool,
    /// The address of the page of the stack, if it is there and the viewer may change it.
    pub stack_page: Option<String>,
    /// The revision to which it leads, if it is a change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// The usual duration of a deployment, if it is known and the deployment is in progress.
    pub usual: Option<Usual>,
    /// True if the viewer may cancel or retry it, or remove its stack.
    pub may_change: bool,
    /// What there is to say of the secrets of the stack. The server renders that, so this is not sent
    /// to the browser.
    #[serde(skip)]
    pub secrets: StackSecrets,
    /// The address of the form that is filled with the answers, for the owner. Not sent to the browser.
    #[serde(skip)]
    pub form: Option<String>,
    /// True if the page of kept data has, or will have, the data of the removed stack for the viewer,
    /// or the viewer's data is deleted. The server renders that.
    #[cfg(feature = "ssr")]
    #[serde(skip)]
    pub leads_to_data: bool,
    /// What the container wrote last, if it was stopped or has failed, for a viewer who may change the
    /// stack. The server renders that.
    #[cfg(feature = "ssr")]
    #[serde(skip)]
    pub last_log: Option<Box<domain::last_log::LastLog>>,
    /// The number of days for which the data of the stack is kept after the removal, if it has any.
    pub data_days: Option<u64>,
    /// The number of hours for which the stack's name stays reserved for its owner after the
    /// removal.
    pub kept_hours: Option<u64>,
    /// The server's time, so that both targets render the same elapsed times.
    #[serde(with = "domain::time")]
    pub now: Timestamp,
}

/// What there is to say of the secrets of a stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StackSecrets {
    /// Nothing.
    #[default]
    Quiet,
    /// The viewer can have generated ones shown once the stack is live.
    RevealableOnceLive,
    /// The viewer can have generated ones shown.
    Revealable,
    /// The portal's key does not open them, and the stack is live.
    Lost,
}

/// A downtime of a live stack: none of its containers runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Downtime {
    /// The time at which it was first found.
    #[serde(with = "domain::time")]
    pub since: Timestamp,
    /// The time at which it was last confirmed.
    #[serde(with = "domain::time")]
    pub seen: Timestamp,
}

/// The removal of a stack that was live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StackRemoval {
    /// This removal is in progress, or could not remove everything yet.
    NotYet(DeploymentId),
    /// The stack is gone.
    Done,
}

/// The number of stacks that the caller has and may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Allowance {
    /// The number of stacks that they have.
    pub stacks: u32,
    /// The number of stacks that they may have.
    pub most: u32,
}

/// The usual duration of a deployment in seconds, measured on successful ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usual {
    /// One deployment in five is faster.
    pub low_s: u64,
    /// Half of the deployments are faster.
    pub median_s: u64,
    /// One deployment in five is slower.
    pub high_s: u64,
}

/// A template that a caller is offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is, in one line.
    pub summary: String,
    /// Its version.
    pub version: String,
    /// True if it is the one of a start that names none.
    pub default: bool,
    /// The path of its icon, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// How long it usually takes until a stack of it is live, if that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<Usual>,
}

/// What is wrong with the answers of a form so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormVerdict {
    /// The fields that cannot be used, by their keys; that of the name is `name`.
    pub fields: BTreeMap<String, FieldProblem>,
    /// Similar names that are available, if the name is taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<StackName>,
    /// The address that the stack would have, if its name is available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// An error on the wire: `{success: false, error, code}`. The server creates it from a [`Refusal`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
#[serde(into = "ErrorBody", from = "ErrorBody")]
pub struct ApiError {
    /// The kind of error.
    pub code: RefusalCode,
    /// The error and the remedy, as a sentence for a person.
    pub message: String,
    /// The number of seconds after which a retry may succeed, sent in the header `Retry-After`.
    pub retry_after: Option<u64>,
    /// What more the answer says.
    pub details: Option<Box<ErrorDetails>>,
}

/// What an error on the wire says besides the sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetails {
    /// The fields that cannot be used, by their keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, FieldProblem>,
    /// The ids of the templates to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<String>,
    /// The operation that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "operationId")]
    pub operation_id: Option<DeploymentId>,
    /// The data that is kept, if that is the limit. The WASM module does not read it.
    #[serde(skip_deserializing, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<KeptView>,
    /// The latest time at which a stack can expire. The WASM module does not read it.
    #[serde(
        skip_deserializing,
        skip_serializing_if = "Option::is_none",
        with = "domain::time::optional"
    )]
    pub latest: Option<Timestamp>,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldProblem {
    /// The code of the rule that it breaks.
    pub code: String,
    /// The rule and the remedy, as a sentence for a person.
    pub message: String,
}

impl FieldProblem {
    /// Returns what is wrong with each field.
    pub fn all(errors: &AnswerErrors) -> BTreeMap<String, Self> {
        let problem = |error: &FieldError| Self {
            code: <&str>::from(error.code()).to_owned(),
            message: words::answer::message(error),
        };
        errors.iter().map(|(key, error)| (key.to_owned(), problem(error))).collect()
    }
}

impl ErrorDetails {
    /// Returns what the answer to a refusal says besides the sentence.
    fn of(refusal: &Refusal) -> Option<Self> {
        match refusal {
            Refusal::InvalidParameters(errors) => {
                Some(Self { fields: FieldProblem::all(errors), ..Self::default() })
            }
            Refusal::TemplateRequired(ids) => {
                Some(Self { templates: ids.clone(), ..Self::default() })
            }
            Refusal::InvalidExpiry(latest) => Some(Self { latest: *latest, ..Self::default() }),
            Refusal::OperationUnderWay(_, id) => {
                Some(Self { operation_id: Some(id.clone()), ..Self::default() })
            }
            _ => None,
        }
    }
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
            details: ErrorDetails::of(&refusal).map(Box::new),
        }
    }
}

/// The body of an error response, without the parts that are in its status and headers.
#[derive(Serialize, Deserialize)]
struct ErrorBody {
    success: bool,
    error: String,
    code: RefusalCode,
    #[serde(flatten)]
    details: Option<Box<ErrorDetails>>,
}

impl From<ApiError> for ErrorBody {
    fn from(ApiError { code, message: error, details, .. }: ApiError) -> Self {
        Self { success: false, error, code, details }
    }
}

impl From<ErrorBody> for ApiError {
    fn from(ErrorBody { code, error: message, details, .. }: ErrorBody) -> Self {
        let details = details.filter(|details| **details != ErrorDetails::default());
        Self { code, message, retry_after: None, details }
    }
}
