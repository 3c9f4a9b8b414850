//! Idempotent starts: a request with an idempotency key is executed once, and its first response is
//! replayed byte for byte.

use std::time::Duration;

use super::Service;
use crate::server::auth::access::Caller;
use crate::server::store::{IdempotencyKey, StoredResponse};
use crate::wire::ApiError;
use domain::deployment::Deployment;
use domain::refusal::{Refusal, RefusalCode};
use domain::time::later;

/// The time for which a response is stored.
const LIFETIME: Duration = Duration::from_hours(24);

/// A request with an idempotency key.
#[derive(Clone, Debug)]
pub struct IdempotentRequest {
    /// The caller and the key.
    pub key: IdempotencyKey,
    /// A digest of the request's body.
    pub fingerprint: String,
}

/// The response to a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The `Location` header.
    pub location: Option<String>,
    /// The body.
    pub body: String,
}

impl Service {
    /// Starts a deployment of the name in `request`, or replays the response that is stored for the
    /// key of `idempotency`. `accepted` and `refused` make the responses.
    ///
    /// # Errors
    ///
    /// Returns a refusal that may not apply to the next attempt, and is therefore not stored.
    pub async fn start_idempotent(
        &self,
        caller: &Caller,
        request: Result<String, ApiError>,
        idempotency: Option<IdempotentRequest>,
        accepted: fn(&Deployment) -> Response,
        refused: fn(&ApiError) -> Response,
    ) -> Result<Response, ApiError> {
        let Some(idempotency) = idempotency else {
            return Ok(accepted(&self.start(caller, &request?, |_| None).await?));
        };
        if let Some(response) = self.replay(&idempotency).await? {
            return Ok(response);
        }
        let kept = |new: &Deployment| Some(self.stored_response(&idempotency, accepted(new)));
        let begun = match request {
            Ok(name) => self.start(caller, &name, kept).await,
            Err(error) => Err(error),
        };
        match begun {
            Ok(deployment) => Ok(accepted(&deployment)),
            Err(error) => self.store_refusal(&idempotency, error, refused).await,
        }
    }

    /// Stores a refusal that would also apply to the next attempt. If a concurrent request with the
    /// same key was accepted, returns its stored response instead.
    async fn store_refusal(
        &self,
        idempotency: &IdempotentRequest,
        error: ApiError,
        refused: fn(&ApiError) -> Response,
    ) -> Result<Response, ApiError> {
        if matches!(error.status(), 400 | 409) && error.code != RefusalCode::IdempotencyKeyInUse {
            let response = self.stored_response(idempotency, refused(&error));
            self.parts.store.store_response(&response).await?;
        }
        self.replay(idempotency).await?.ok_or(error)
    }

    async fn replay(&self, idempotency: &IdempotentRequest) -> Result<Option<Response>, ApiError> {
        let now = self.parts.clock.now();
        match self.parts.store.stored_response(&idempotency.key, now).await? {
            None => Ok(None),
            Some(response) if response.fingerprint == idempotency.fingerprint => {
                let StoredResponse { status, location, body, .. } = response;
                Ok(Some(Response { status, location, body }))
            }
            Some(_) => Err(Refusal::IdempotencyKeyReused.into()),
        }
    }

    fn stored_response(
        &self,
        idempotency: &IdempotentRequest,
        response: Response,
    ) -> StoredResponse {
        let now = self.parts.clock.now();
        StoredResponse {
            key: idempotency.key.clone(),
            fingerprint: idempotency.fingerprint.clone(),
            status: response.status,
            location: response.location,
            body: response.body,
            expires: later(now, LIFETIME),
        }
    }
}
