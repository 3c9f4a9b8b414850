//! Refusals: why a request was not carried out, as a code with its arguments.
//!
//! The API's answer, a page's sentence and the audit entry are made from them. It must not know
//! who asks, nor how an answer is sent.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::{EnumDiscriminants, EnumIter, EnumString, IntoEnumIterator, IntoStaticStr};

use crate::{
    local_fault::LocalFault,
    stack_name::{ParseStackNameError, StackName},
};

/// The time after which to come back to a full portal, in seconds, where nobody knows a better one.
const PAUSE_S: u64 = 60;

/// A reason not to carry out a request, with what its sentence mentions.
#[derive(Clone, Debug, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(
    name(RefusalCode),
    doc = "The code of a [`Refusal`] on the wire, in audit entries and in the addresses of pages.",
    derive(Hash, Serialize, Deserialize, EnumIter, EnumString, IntoStaticStr),
    serde(rename_all = "SCREAMING_SNAKE_CASE"),
    strum(serialize_all = "SCREAMING_SNAKE_CASE")
)]
pub enum Refusal {
    /// The name breaks a rule; `None` where the body has no name.
    InvalidName(Option<ParseStackNameError>),
    /// Somebody has the name.
    NameTaken(StackName, TakenBy),
    /// The name is kept for its former owner until then.
    NameHeld(StackName, Timestamp),
    /// A limit is reached.
    LimitReached(LimitReached),
    /// The platform's version lacks what the portal needs.
    PlatformTooOld,
    /// The platform does not accept the portal's key.
    PlatformKeyRefused,
    /// The platform hangs.
    PlatformWedged,
    /// The portal has no key under which it could keep the secrets of a stack.
    SecretKeyMissing,
    /// The platform does not answer.
    PlatformUnreachable(Pause),
    /// The portal itself lacks something.
    PortalImpaired(LocalFault, Pause),
    /// The database does not answer.
    StoreUnavailable,
    /// There is no such thing, as far as the caller may know.
    NotFound(Missing),
    /// A removal was to be cancelled.
    NotCancellable,
    /// The deployment to cancel has ended.
    AlreadyEnded,
    /// The deployment to retry has not ended.
    NotEnded(StackName),
    /// Something is left of the deployment to retry.
    NameNotClean(StackName),
    /// A removal was to be retried.
    NotADeployment,
    /// Another stack than the one that was meant has the name.
    AnotherStack(StackName),
    /// A stack without an owner is named without its id.
    IdRequired(StackName),
    /// There is no such person.
    NoSuchPerson,
    /// The person to shut out is not signed in.
    NotSignedIn,
    /// The operation to clean up is not stuck.
    NotStuck,
    /// A field of a filter cannot be read.
    InvalidFilter(FilterField),
    /// The caller is not signed in.
    SignInRequired,
    /// The API token lacks the scope.
    ScopeMissing,
    /// The API token is none that can be used.
    TokenInvalid,
    /// A page of another site than this address sent the request.
    CrossSite(String),
    /// The caller's rate limit is reached.
    TooManyRequests(Counted, Pause),
    /// All places for event streams are taken.
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
    /// The body is too long.
    BodyTooLarge,
    /// The path is not UTF-8.
    InvalidPath,
    /// The request cannot be read.
    InvalidRequest(Unreadable),
    /// The address does not support the method.
    MethodNotAllowed,
    /// The portal does not answer its own page.
    PortalUnreachable,
    /// The identity provider let nobody in.
    SignInDenied,
    /// The sign-in is over, or another browser's.
    SignInStale,
    /// The identity provider does not answer.
    ProviderUnreachable,
    /// The identity provider does not accept the portal.
    ProviderRefused,
    /// The identity provider's answer cannot be verified.
    IdentityUntrusted,
    /// The name of an API token breaks a rule.
    InvalidTokenName,
    /// The person has as many API tokens as they may have.
    TooManyTokens,
    /// The person has no such API token.
    NoSuchToken,
    /// The portal is at fault; also what an unknown code is read as.
    #[strum_discriminants(serde(other))]
    Internal(InternalFault),
}

/// The number of seconds after which to come back.
pub type Pause = u64;

/// Whose a name is that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenBy {
    /// Somebody's, or another program's on the platform.
    Another,
    /// The stack of the deployment that was to be retried.
    Itself,
}

/// The limit that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitReached {
    /// So many stacks are there.
    Stacks(u32),
    /// So many deployments are under way.
    UnderWay(u32),
    /// So many deployments are under way in all the portal.
    UnderWayInAll(u32),
    /// So many deployments have begun within an hour; there is room again after `wait`.
    PerHour {
        /// The number.
        max: u32,
        /// Until there is room.
        wait: Duration,
    },
}

/// What there is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The deployment, or the operation.
    Deployment,
    /// A live stack of the name.
    Stack,
    /// The address, or what it leads to.
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
    /// The place where the page begins.
    Page,
}

/// The part of a request that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The query.
    Query,
    /// The form.
    Form,
    /// The arguments of a server function.
    Arguments,
}

/// What went wrong in the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InternalFault {
    /// A handler panicked.
    Panic,
    /// The request came before the portal was ready.
    NotReady,
    /// Nobody authenticated the request.
    NoCaller,
    /// The page does not understand the portal's answer.
    Answer,
}

impl Refusal {
    /// Returns the code.
    pub fn code(&self) -> RefusalCode {
        self.into()
    }

    /// Returns the number of seconds after which to come back, where that helps.
    pub fn retry_after(&self) -> Option<Pause> {
        match self {
            Self::LimitReached(LimitReached::PerHour { wait, .. }) => Some(whole_seconds(*wait)),
            Self::LimitReached(_) => Some(PAUSE_S),
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

impl RefusalCode {
    /// Returns all codes.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    /// Returns the code as it is written.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns the HTTP status of the API's answer.
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidName
            | Self::IdRequired
            | Self::InvalidFilter
            | Self::InvalidIdempotencyKey
            | Self::InvalidJson
            | Self::IncompleteBody
            | Self::InvalidPath
            | Self::InvalidRequest
            | Self::InvalidTokenName => 400,
            Self::SignInRequired
            | Self::TokenInvalid
            | Self::SignInStale
            | Self::IdentityUntrusted => 401,
            Self::ScopeMissing | Self::CrossSite | Self::SignInDenied => 403,
            Self::NotFound | Self::NoSuchPerson | Self::NoSuchToken => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestTimeout => 408,
            Self::NameTaken
            | Self::NameHeld
            | Self::NotCancellable
            | Self::AlreadyEnded
            | Self::NotEnded
            | Self::NameNotClean
            | Self::NotADeployment
            | Self::AnotherStack
            | Self::NotSignedIn
            | Self::NotStuck
            | Self::IdempotencyKeyInUse
            | Self::TooManyTokens => 409,
            Self::BodyTooLarge => 413,
            Self::IdempotencyKeyReused => 422,
            Self::LimitReached | Self::TooManyRequests | Self::TooManyStreams => 429,
            Self::Internal => 500,
            Self::PlatformTooOld
            | Self::PlatformKeyRefused
            | Self::PlatformWedged
            | Self::PlatformUnreachable
            | Self::SecretKeyMissing
            | Self::PortalImpaired
            | Self::StoreUnavailable
            | Self::PortalUnreachable
            | Self::ProviderUnreachable
            | Self::ProviderRefused => 503,
        }
    }
}

/// Returns the whole seconds after which `wait` is over.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_as_it_was_written_and_is_an_error() {
        for code in RefusalCode::all() {
            assert_eq!(code.as_str().parse(), Ok(code));
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert_eq!(serde_json::from_value::<RefusalCode>(code.as_str().into()).unwrap(), code);
            assert!((400..600).contains(&code.status()), "{code:?}");
        }
        let unknown: RefusalCode = serde_json::from_str("\"SOMETHING_NEW\"").unwrap();
        assert_eq!(unknown, RefusalCode::Internal);
    }
}
