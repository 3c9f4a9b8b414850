//! Refusals: the reasons why a request was not executed, as codes with arguments.
//!
//! The API's answer, a page's sentence and the audit entry are made from them. It must not know who
//! made the request, or how an answer is sent.

mod status;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::{EnumDiscriminants, EnumIter, EnumString, IntoEnumIterator, IntoStaticStr};

use crate::local_fault::LocalFault;
use crate::operation_id::DeploymentId;
use crate::stack_name::{ParseStackNameError, StackName};
use crate::stack_state::StackState;
use crate::template::answer_error::AnswerErrors;

mod limit;

pub use limit::LimitReached;

/// The default `Retry-After` in seconds, if the time until there is capacity is unknown.
const PAUSE_S: u64 = 60;

/// A reason not to execute a request, with the arguments of its sentence.
#[derive(Clone, Debug, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(
    name(RefusalCode),
    doc = "The code of a [`Refusal`] on the wire, in audit entries and in the addresses of pages.",
    derive(Hash, Serialize, Deserialize, EnumIter, EnumString, IntoStaticStr),
    serde(rename_all = "SCREAMING_SNAKE_CASE"),
    strum(serialize_all = "SCREAMING_SNAKE_CASE")
)]
pub enum Refusal {
    /// The name breaks a rule; `None` if the body has no name.
    InvalidName(Option<ParseStackNameError>),
    /// The answers to the template's questions break rules.
    InvalidParameters(AnswerErrors),
    /// A template must be chosen: one of these.
    TemplateRequired(Vec<String>),
    /// The template does not exist, or is not offered to the caller.
    NoSuchTemplate,
    /// The version of the template has another definition in the database.
    TemplateChanged,
    /// The secrets that were given at the first attempt are not kept any more.
    SecretsExpired,
    /// Generated secrets are only shown soon after a sign-in.
    SignInAgain,
    /// The generated secrets do not open with the portal's key.
    SecretsLost,
    /// There is no such kept data, or it is hidden from the caller.
    NoSuchData,
    /// The kept data belongs to a stack by now, or is being deleted.
    DataInUse,
    /// The volumes of the kept data are gone from the platform.
    DataLost,
    /// The kept data is that of another template.
    WrongTemplate,
    /// The data of this many stacks is kept, which is the limit.
    KeptDataFull(u32),
    /// The name is taken.
    NameTaken(StackName, TakenBy),
    /// The name is reserved for its former owner until this time.
    NameHeld(StackName, Timestamp),
    /// A limit is reached.
    LimitReached(LimitReached),
    /// The platform's version lacks what the portal needs.
    PlatformTooOld,
    /// The platform does not accept the portal's key.
    PlatformKeyRefused,
    /// The platform hangs.
    PlatformWedged,
    /// The portal has no key to encrypt the secrets of a stack.
    SecretKeyMissing,
    /// The platform does not answer.
    PlatformUnreachable(Pause),
    /// The portal has a local fault.
    PortalImpaired(LocalFault, Pause),
    /// The database does not answer.
    StoreUnavailable,
    /// The resource does not exist, or is hidden from the caller.
    NotFound(Missing),
    /// Removals cannot be cancelled.
    NotCancellable,
    /// The deployment to cancel has ended.
    AlreadyEnded,
    /// The deployment to retry has not ended.
    NotEnded(StackName),
    /// The deployment to retry has leftovers.
    NameNotClean(StackName),
    /// Removals cannot be retried.
    NotADeployment,
    /// Another operation on the stack is under way.
    OperationUnderWay(StackName, DeploymentId),
    /// The operation cannot begin, since the stack is this.
    WrongState(StackName, StackState),
    /// The stack has no container whose log could be read.
    NoLog(StackName),
    /// The platform does not show the log.
    LogUnavailable,
    /// The operation can no longer be cancelled.
    TooLate,
    /// The stack has this revision, and not the one that was meant.
    RevisionChanged(StackName, u32),
    /// There is no revision of this number, or it has never been one of the stack.
    NoSuchRevision,
    /// It is not known what the revision of the stack is made of.
    SpecUnknown(StackName),
    /// The stack cannot expire at that time: it is over, or later than this one.
    InvalidExpiry(Option<Timestamp>),
    /// Another stack than the requested one has the name.
    AnotherStack(StackName),
    /// Changing a stack without an owner requires its id.
    IdRequired(StackName),
    /// There is no such person.
    NoSuchPerson,
    /// The person whose access was to be revoked has no sessions and no tokens.
    NotSignedIn,
    /// The operation to clean up is not stuck.
    NotStuck,
    /// A field of a filter is invalid.
    InvalidFilter(FilterField),
    /// The caller is not signed in.
    SignInRequired,
    /// The API token lacks the scope.
    ScopeMissing,
    /// The API token is invalid, expired or revoked.
    TokenInvalid,
    /// The request comes from another site than the portal, as far as it tells.
    CrossSite(CrossSite),
    /// The caller's rate limit is reached.
    TooManyRequests(Counted, Pause),
    /// The limit on open event streams is reached.
    TooManyStreams,
    /// The idempotency key was used for another body.
    IdempotencyKeyReused,
    /// The first request with the idempotency key is not answered yet.
    IdempotencyKeyInUse,
    /// The idempotency key is malformed.
    InvalidIdempotencyKey,
    /// The body is not JSON.
    InvalidJson,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The body ended too early.
    IncompleteBody,
    /// The body has more than this many KiB.
    BodyTooLarge(usize),
    /// The path and the query are too long.
    UriTooLong,
    /// The path is not UTF-8.
    InvalidPath,
    /// A part of the request cannot be parsed.
    InvalidRequest(Unreadable),
    /// The address does not support the method.
    MethodNotAllowed,
    /// The page cannot reach the portal.
    PortalUnreachable,
    /// The identity provider denied the sign-in.
    SignInDenied,
    /// The sign-in expired, was already used, or belongs to another browser.
    SignInStale,
    /// The identity provider does not answer.
    ProviderUnreachable,
    /// The identity provider's answer cannot be read.
    ProviderUnreadable,
    /// The identity provider rejected the portal.
    ProviderRefused,
    /// The identity provider's answer cannot be verified.
    IdentityUntrusted,
    /// The name of an API token breaks a rule.
    InvalidTokenName,
    /// The person has reached the limit of API tokens.
    TooManyTokens,
    /// The person has no such API token.
    NoSuchToken,
    /// An error in the portal. Unknown codes are parsed as this.
    #[strum_discriminants(serde(other))]
    Internal(InternalFault),
}

/// A `Retry-After`, in seconds.
pub type Pause = u64;

/// What uses a name that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenBy {
    /// Another stack, or another program on the platform.
    Another,
    /// The stack of the deployment to retry.
    Itself,
}

/// What was not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The deployment, or the operation.
    Deployment,
    /// A live stack of the name.
    Stack,
    /// A page or resource at this address.
    Address,
    /// A route to this path.
    Path(String),
}

/// The requests that a rate limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Starts of deployments.
    Start,
    /// Checks of names.
    Check,
    /// Sign-ins.
    SignIn,
}

/// The field of a filter that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterField {
    /// The owner.
    Owner,
    /// The state.
    State,
    /// The action.
    Action,
    /// The date.
    Date,
    /// The position at which the page begins.
    Page,
}

/// The part of a request that cannot be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The query.
    Query,
    /// A field of the query.
    Field(QueryField),
    /// The form.
    Form,
    /// The arguments of a server function.
    Arguments,
}

/// The field of a query whose value cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryField {
    /// The last event that the caller has.
    After,
    /// The operation before which the page begins.
    Before,
    /// Whether the answer is a file.
    Download,
    /// Whether the data is kept.
    KeepData,
    /// The kind of operation.
    Kind,
    /// How far back a series goes.
    Range,
    /// The time from which on there are lines.
    Since,
    /// The name of a stack.
    Stack,
    /// The status of operations.
    Status,
    /// The number of lines.
    Tail,
}

/// The kind of an error in the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InternalFault {
    /// A handler panicked.
    Panic,
    /// The request came before the portal was ready.
    NotReady,
    /// The request was not authenticated.
    NoCaller,
    /// The page cannot parse the portal's answer.
    Answer,
}

impl Refusal {
    /// Returns the code.
    pub fn code(&self) -> RefusalCode {
        self.into()
    }

    /// Returns the `Retry-After` in seconds, if waiting helps.
    pub fn retry_after(&self) -> Option<Pause> {
        match self {
            Self::LimitReached(limit) => Some(limit.wait().map_or(PAUSE_S, whole_seconds)),
            Self::PlatformUnreachable(pause)
            | Self::PortalImpaired(_, pause)
            | Self::TooManyRequests(_, pause) => Some(*pause),
            Self::StoreUnavailable => Some(5),
            Self::TooManyStreams => Some(15),
            Self::IdempotencyKeyInUse => Some(1),
            _ => None,
        }
    }
}

/// Where a request seems to come from that is not from a page of the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CrossSite {
    /// Another site than the portal.
    Elsewhere {
        /// The portal's address.
        portal: String,
    },
    /// A page of the portal at an address that is not in its settings.
    OtherAddress {
        /// The portal's address.
        portal: String,
        /// The address of the page.
        address: String,
    },
    /// A page that the browser does not name.
    Unnamed {
        /// The portal's address.
        portal: String,
    },
}

impl RefusalCode {
    /// Returns all codes.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    /// Returns the code on the wire.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Returns the number of whole seconds of `wait`, rounded up.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests;
