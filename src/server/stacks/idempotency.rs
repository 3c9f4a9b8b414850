//! Idempotent starts: a request with an idempotency key is executed once, and its first response is
//! replayed byte for byte.

use std::collections::BTreeMap;
use std::iter;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{Service, StartRequest};
use crate::server::auth::access::Caller;
use crate::server::auth::accounts::Digest;
use crate::server::secrets::Keyring;
use crate::server::store::{IdempotencyKey, StoredResponse};
use crate::wire::ApiError;
use domain::deployment::Deployment;
use domain::refusal::{Refusal, RefusalCode};
use domain::template::answers::{PARAMETERS, SECRETS};
use domain::time::later;

/// The time for which a response is stored.
const LIFETIME: Duration = Duration::from_hours(24);

/// A request with an idempotency key.
#[derive(Clone)]
pub struct IdempotentRequest {
    /// The caller and the key.
    pub key: IdempotencyKey,
    /// The request's body. It may contain secrets, so it is not printed.
    pub body: Vec<u8>,
}

/// A request with an idempotency key, whose body was read.
pub(super) struct Identified {
    key: IdempotencyKey,
    /// The digests of the body.
    fingerprints: Vec<String>,
}

/// Returns the digests that show whether a request has the same body, the one to store first. A body
/// may contain secrets, which nobody must be able to guess by a stored digest.
fn fingerprints(keyring: Option<&Keyring>, body: &[u8]) -> Vec<String> {
    // Older versions know only this one.
    let plain = |bytes: &[u8]| Digest::of_bytes(bytes).0;
    let fields = serde_json::from_slice::<Map<String, Value>>(body).ok();
    let has = |name| fields.as_ref().is_none_or(|fields| fields.contains_key(name));
    match keyring {
        Some(keyring) if has(SECRETS) || has(PARAMETERS) => {
            keyring.digests(body).chain([plain(body)]).collect()
        }
        Some(keyring) => iter::once(plain(body)).chain(keyring.digests(body)).collect(),
        None if !has(SECRETS) => vec![plain(body)],
        // Bodies that cannot be read all have the same answer.
        None => {
            let mut fields = fields.unwrap_or_default();
            fields.remove(SECRETS);
            vec![plain(Value::Object(fields).to_string().as_bytes())]
        }
    }
}

/// The response to a start. It may contain generated secrets, so it is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The `Location` header.
    pub location: Option<String>,
    /// The body.
    pub body: String,
}

impl Service {
    /// Starts the deployment of `request`, or replays the response that is stored for the
    /// key of `idempotency`. `accepted` and `refused` make the responses.
    ///
    /// # Errors
    ///
    /// Returns a refusal that may not apply to the next attempt, and is therefore not stored.
    pub async fn start_idempotent(
        &self,
        caller: &Caller,
        request: Result<StartRequest, ApiError>,
        idempotency: Option<IdempotentRequest>,
        accepted: fn(&Deployment, &BTreeMap<String, SecretString>) -> Response,
        refused: fn(&ApiError) -> Response,
    ) -> Result<Response, ApiError> {
        let Some(idempotency) = idempotency else {
            let started = self.start(caller, &request?, |_| None).await?;
            return Ok(accepted(&started.deployment, &started.generated));
        };
        let idempotency = self.identified(idempotency);
        if let Some(response) = self.replay(&idempotency).await? {
            return Ok(response);
        }
        // What is replayed has no secrets.
        let kept = |new: &Deployment| {
            Some(self.stored_response(&idempotency, accepted(new, &BTreeMap::new())))
        };
        let begun = match request {
            Ok(request) => self.start(caller, &request, kept).await,
            Err(error) => Err(error),
        };
        match begun {
            Ok(started) => Ok(accepted(&started.deployment, &started.generated)),
            Err(error) => self.store_refusal(&idempotency, error, refused).await,
        }
    }

    /// Identifies a request with a key by its body.
    pub(super) fn identified(&self, request: IdempotentRequest) -> Identified {
        let IdempotentRequest { key, body } = request;
        let fingerprints = fingerprints(self.parts.keyring.as_ref(), &body);
        Identified { key, fingerprints }
    }

    /// Stores a refusal that would also apply to the next attempt. If a concurrent request with the
    /// same key was accepted, returns its stored response instead.
    async fn store_refusal(
        &self,
        idempotency: &Identified,
        error: ApiError,
        refused: fn(&ApiError) -> Response,
    ) -> Result<Response, ApiError> {
        // What will be over soon is not stored.
        let is_passing =
            matches!(error.code, RefusalCode::IdempotencyKeyInUse | RefusalCode::DataInUse);
        if matches!(error.status(), 400 | 409) && !is_passing {
            let response = self.stored_response(idempotency, refused(&error));
            self.parts.store.store_response(&response).await?;
        }
        self.replay(idempotency).await?.ok_or(error)
    }

    /// Returns the response that is stored for the key, if there is one.
    pub(super) async fn replay(
        &self,
        idempotency: &Identified,
    ) -> Result<Option<Response>, ApiError> {
        let now = self.parts.clock.now();
        match self.parts.store.stored_response(&idempotency.key, now).await? {
            None => Ok(None),
            Some(response) if idempotency.fingerprints.contains(&response.fingerprint) => {
                let StoredResponse { status, location, body, .. } = response;
                Ok(Some(Response { status, location, body }))
            }
            Some(_) => Err(Refusal::IdempotencyKeyReused.into()),
        }
    }

    /// Returns a response with its key, to be stored.
    pub(super) fn stored_response(
        &self,
        idempotency: &Identified,
        response: Response,
    ) -> StoredResponse {
        let now = self.parts.clock.now();
        StoredResponse {
            key: idempotency.key.clone(),
            fingerprint: idempotency.fingerprints.first().cloned().unwrap_or_default(),
            status: response.status,
            location: response.location,
            body: response.body,
            expires: later(now, LIFETIME),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "test:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const OTHER: &str = "other:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

    fn keyring(text: &str) -> Keyring {
        Keyring::parse(text).unwrap()
    }

    #[test]
    fn a_stored_digest_of_a_body_with_secrets_cannot_be_computed_without_the_key() {
        let body = br#"{"name":"alice","secrets":{"pin":"1234"}}"#;
        let of = |keyring: Option<Keyring>| fingerprints(keyring.as_ref(), body)[0].clone();
        let plain = Digest::of_bytes(body).0;
        assert_ne!(of(Some(keyring(KEY))), plain);
        assert_ne!(of(Some(keyring(KEY))), of(Some(keyring(OTHER))));
        let without = fingerprints(None, br#"{"name":"alice","secrets":{"pin":"5678"}}"#);
        assert_eq!(vec![of(None)], without, "it depends on no secret");
        assert_ne!(of(None), plain);
        let broken = br#"{"name":"alice","secrets":{"pin":"1234"},}"#;
        for keyring in [None, Some(keyring(KEY))] {
            let stored = fingerprints(keyring.as_ref(), broken)[0].clone();
            assert_ne!(stored, Digest::of_bytes(broken).0, "it cannot be read");
        }
    }

    #[test]
    fn a_body_is_the_same_after_the_key_was_replaced_and_after_an_update() {
        let body = br#"{"name":"alice"}"#;
        assert_eq!(fingerprints(Some(&keyring(KEY)), body)[0], Digest::of_bytes(body).0);
        let body = br#"{"name":"alice","parameters":{}}"#;
        let stored = fingerprints(Some(&keyring(KEY)), body)[0].clone();
        let both = keyring(&format!("{OTHER},{KEY}"));
        let now = fingerprints(Some(&both), body);
        assert!(now.contains(&stored));
        assert!(now.contains(&Digest::of_bytes(body).0));
        assert!(!fingerprints(Some(&both), br#"{"name":"bob"}"#).contains(&stored));
        assert_eq!(fingerprints(None, body), [Digest::of_bytes(body).0]);
    }
}
