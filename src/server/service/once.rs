//! A start under an idempotency key: however often it is asked for, it happens once, and the
//! first answer is repeated byte for byte.

use jiff::SignedDuration;

use super::{New, Service, StartError, store_failed};
use crate::{
    api::wire::ApiError,
    domain::deployment::Deployment,
    server::{
        access::Caller,
        ports::{
            audit::Act,
            store::{Answer, AnswerKey, StoreError},
        },
    },
};

/// How long an answer is kept.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// A request that carries a key.
#[derive(Clone, Debug)]
pub struct Once {
    /// Who asks, under which key.
    pub key: AnswerKey,
    /// A digest of the request's body.
    pub fingerprint: String,
}

/// The answer to a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The `Location` header.
    pub location: Option<String>,
    /// The body.
    pub body: String,
}

impl Service {
    /// Begins a deployment of the name in `request`, or repeats the answer that `once` has had
    /// already. `accepted` and `refused` write the answers.
    ///
    /// # Errors
    ///
    /// Returns what stands in the way and may be gone at the next try; it is not kept.
    pub async fn start_answered(
        &self,
        caller: &Caller,
        request: Result<String, ApiError>,
        once: Option<Once>,
        accepted: fn(&Deployment) -> Answered,
        refused: fn(&ApiError) -> Answered,
    ) -> Result<Answered, ApiError> {
        let Some(once) = once else {
            let name = request?;
            let begun = self.begin(&New::of(caller, &name), |_| None).await;
            let begun = begun.map_err(StartError::into_api);
            return self.noted(caller, Act::Start, &name, begun).await.map(|new| accepted(&new));
        };
        if let Some(answer) = self.repeat(&once).await? {
            return Ok(answer);
        }
        let kept = |answered| self.answer(&once, answered);
        let error = match request {
            Err(error) => error,
            Ok(name) => {
                let wanted = New::of(caller, &name);
                match self.begin(&wanted, |new| Some(kept(accepted(new)))).await {
                    Err(StartError::Store(StoreError::KeyUsed)) => key_in_use(),
                    begun => {
                        let begun = begun.map_err(StartError::into_api);
                        match self.noted(caller, Act::Start, &name, begun).await {
                            Ok(deployment) => return Ok(accepted(&deployment)),
                            Err(error) => error,
                        }
                    }
                }
            }
        };
        self.keep_refusal(&once, error, refused).await
    }

    /// Keeps a refusal that would be the same at the next try. One of several requests may have
    /// been accepted meanwhile: then its answer is everyone's.
    async fn keep_refusal(
        &self,
        once: &Once,
        error: ApiError,
        refused: fn(&ApiError) -> Answered,
    ) -> Result<Answered, ApiError> {
        if matches!(error.status, 400 | 409) && error.code != KEY_IN_USE {
            let answer = self.answer(once, refused(&error));
            let store = &self.parts.store;
            store.keep_answer(&answer).await.map_err(|error| store_failed(&error))?;
        }
        self.repeat(once).await?.ok_or(error)
    }

    async fn repeat(&self, once: &Once) -> Result<Option<Answered>, ApiError> {
        let now = self.parts.clock.now();
        let found = self.parts.store.answer(&once.key, now).await;
        match found.map_err(|error| store_failed(&error))? {
            None => Ok(None),
            Some(answer) if answer.fingerprint == once.fingerprint => {
                let Answer { status, location, body, .. } = answer;
                Ok(Some(Answered { status, location, body }))
            }
            Some(_) => Err(ApiError {
                status: 422,
                code: String::from("IDEMPOTENCY_KEY_REUSED"),
                message: String::from(
                    "This Idempotency-Key came with another body before: use a new key for a new \
                     request.",
                ),
                retry_after: None,
            }),
        }
    }

    fn answer(&self, once: &Once, answered: Answered) -> Answer {
        let now = self.parts.clock.now();
        Answer {
            key: once.key.clone(),
            fingerprint: once.fingerprint.clone(),
            status: answered.status,
            location: answered.location,
            body: answered.body,
            expires: now.checked_add(LIFETIME).unwrap_or(now),
        }
    }
}

const KEY_IN_USE: &str = "IDEMPOTENCY_KEY_IN_USE";

/// Says that the key's first request is not answered yet.
fn key_in_use() -> ApiError {
    ApiError {
        status: 409,
        code: KEY_IN_USE.to_owned(),
        message: String::from(
            "A request with this Idempotency-Key is under way: repeat it in a second.",
        ),
        retry_after: Some(1),
    }
}
