//! The reasons why a deployment cannot begin, and the responses that people get.

use jiff::Timestamp;

use super::{limits, store_failed};
use crate::{
    api::wire::ApiError,
    server::{
        local_fault::LocalFault,
        platform::PlatformError,
        store::{LimitReached, StoreError},
    },
};
use domain::{
    platform_problem::PlatformProblem,
    stack_name::{ParseStackNameError, StackName},
};

/// A deployment cannot begin.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("the name breaks a rule")]
    Invalid(#[source] ParseStackNameError),
    #[error("the name is taken")]
    Taken(StackName),
    #[error("the name is reserved for its former owner")]
    Held { name: StackName, until: Timestamp },
    #[error("a limit is reached")]
    Limit(LimitReached),
    #[error("the platform is too old")]
    TooOld,
    #[error("there is no key under which the stack's secrets could be stored")]
    NoKey,
    #[error("the platform has a problem: {}", .0.code())]
    Problem(PlatformProblem),
    #[error("the platform cannot report which names are in use")]
    Platform(#[from] PlatformError),
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl StartError {
    /// Returns the response, which says what happened and what to do.
    pub(super) fn into_api(self) -> ApiError {
        match self {
            Self::Invalid(rule) => {
                ApiError::new(400, "INVALID_NAME", format!("{}.", rule.sentence()))
            }
            Self::Taken(name) => {
                let message = format!("The name {name} is taken: choose another.");
                ApiError::new(409, "NAME_TAKEN", message)
            }
            Self::Held { name, until } => limits::name_held(&name, until),
            Self::Limit(limit) => limits::limit_reached(limit),
            Self::TooOld => {
                let message = "The platform that runs the stacks is too old for this portal, so \
                               nothing was started. An operator must update it.";
                ApiError::new(503, "PLATFORM_TOO_OLD", message)
            }
            Self::NoKey => {
                let message = "The portal has no key under which it could keep the secrets of a \
                               stack, so nothing was started. An operator must set \
                               PORTAL_SECRET_KEY.";
                ApiError::new(503, "SECRET_KEY_MISSING", message)
            }
            Self::Problem(problem) => ApiError::new(503, problem.code(), problem.sentence()),
            Self::Platform(error) => platform_failed(&error),
            Self::Store(error) => store_failed(&error),
        }
    }
}

fn platform_failed(error: &PlatformError) -> ApiError {
    tracing::warn!(error = %error, "Could not read from the platform which names are in use");
    let pause = match error {
        PlatformError::Paused { retry_after } => retry_after.as_secs() + 1,
        _ => 10,
    };
    if let Some(fault) = error.local_fault() {
        let message = format!(
            "{}, so nothing was started: try again in {pause} seconds.",
            LocalFault::from(fault).describe_failure()
        );
        let code = String::from("PORTAL_IMPAIRED");
        return ApiError { status: 503, code, message, retry_after: Some(pause) };
    }
    ApiError {
        status: 503,
        code: String::from("PLATFORM_UNREACHABLE"),
        message: format!(
            "The platform that runs the stacks cannot be reached, so nothing was started: try \
             again in {pause} seconds."
        ),
        retry_after: Some(pause),
    }
}
