//! The request to start a stack, and what comes of it.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;

use crate::server::auth::access::Caller;
use crate::server::local_fault;
use crate::server::platform::PlatformError;
use crate::server::store::{Record, StoreError};
use crate::wire::ApiError;
use domain::deployment::Deployment;
use domain::owner::OwnerId;
use domain::refusal::Refusal;
use domain::template::Template;
use domain::template::answers::Answers;

/// A request to start a stack.
#[derive(Clone, Debug)]
pub struct StartRequest {
    /// The name.
    pub name: String,
    /// The id of the template; `None` for the default one, or the only one.
    pub template: Option<String>,
    /// The answers to the template's questions.
    pub answers: SentAnswers,
    /// The id of the kept data to bring back.
    pub data: Option<String>,
}

impl StartRequest {
    /// Returns a request without answers.
    pub fn named(name: &str) -> Self {
        let answers = SentAnswers::Read(Answers::default());
        Self { name: name.to_owned(), template: None, answers, data: None }
    }
}

/// Answers as they were sent.
#[derive(Clone)]
pub enum SentAnswers {
    /// As JSON, which was read.
    Read(Answers),
    /// As the fields of a form, which can be read once the template is known.
    Form(Vec<(String, String)>),
}

/// Only the kind, since secrets are among the fields of a form.
impl fmt::Debug for SentAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(answers) => answers.fmt(f),
            Self::Form(fields) => write!(f, "Form({} fields)", fields.len()),
        }
    }
}

impl SentAnswers {
    pub(super) fn read(&self, template: &Template) -> Answers {
        match self {
            Self::Read(answers) => answers.clone(),
            Self::Form(fields) => Answers::from_form(template, fields),
        }
    }
}

/// A deployment that was started.
pub struct Started {
    /// The deployment.
    pub deployment: Deployment,
    /// The secrets that were generated for it, by the keys of their parameters.
    pub generated: BTreeMap<String, SecretString>,
}

/// A deployment to start.
pub(super) struct New<'a> {
    pub(super) caller: &'a Caller,
    /// The name of the stack, its template and the answers.
    pub(super) request: &'a StartRequest,
    /// The deployment that it retries. The retry has the same owner, whoever requests it.
    pub(super) retry_of: Option<&'a Record>,
}

impl<'a> New<'a> {
    /// Describes a first attempt.
    pub(super) fn of(caller: &'a Caller, request: &'a StartRequest) -> Self {
        Self { caller, request, retry_of: None }
    }

    /// Describes a retry of `tried`, whose name is in `request`. It has the template and the answers
    /// of `tried`.
    pub(super) fn again(caller: &'a Caller, request: &'a StartRequest, tried: &'a Record) -> Self {
        Self { caller, request, retry_of: Some(tried) }
    }

    /// Returns the owner that the deployment will have.
    pub(super) fn owner(&self) -> Option<&OwnerId> {
        match self.retry_of {
            Some(tried) => tried.owner.as_ref(),
            None => self.caller.identity.owner(),
        }
    }
}

/// A deployment cannot begin.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("refused: {}", .0.code().as_str())]
    Refused(Refusal),
    #[error("the platform cannot report which names are in use")]
    Platform(#[from] PlatformError),
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl From<Refusal> for StartError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StartError> for ApiError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Refused(refusal) => refusal.into(),
            StartError::Platform(error) => platform_failed(&error).into(),
            StartError::Store(error) => error.into(),
        }
    }
}

fn platform_failed(error: &PlatformError) -> Refusal {
    tracing::warn!(error = %error, "Could not read from the platform which names are in use");
    let pause = match error {
        PlatformError::Paused { retry_after } => retry_after.as_secs() + 1,
        _ => 10,
    };
    match error.local_fault() {
        Some(fault) => Refusal::PortalImpaired(local_fault::classify(fault), pause),
        None => Refusal::PlatformUnreachable(pause),
    }
}
