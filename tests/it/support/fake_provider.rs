//! An identity provider whose answers and keys the test determines.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::provider;

/// The path of the provider's metadata.
pub(crate) const DISCOVERY: &str = "/.well-known/openid-configuration";
pub(crate) const KEYS: &str = "/jwks";
pub(crate) const TOKENS: &str = "/token";
pub(crate) const USERINFO: &str = "/me";

type Answers = Arc<Mutex<HashMap<&'static str, ResponseTemplate>>>;

/// A provider whose every answer can be changed.
pub(crate) struct FakeProvider {
    server: MockServer,
    answers: Answers,
    pub(crate) key: Key,
}

/// A key that signs tokens.
pub(crate) struct Key {
    pair: CoreEdDsaPrivateSigningKey,
    id: Option<&'static str>,
}

impl FakeProvider {
    /// Starts a provider that works, but has no tokens yet.
    pub(crate) async fn start() -> Self {
        let answers = Answers::default();
        let known = Arc::clone(&answers);
        let answer = move |request: &Request| {
            let answers = known.lock().unwrap_or_else(PoisonError::into_inner);
            answers.get(request.url.path()).cloned().unwrap_or_else(|| ResponseTemplate::new(404))
        };
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let fake = Self { server, answers, key: Key::new(1, "first") };
        fake.redirect_back();
        fake.publish(&fake.key);
        fake
    }

    pub(crate) fn issuer(&self) -> String {
        self.server.uri()
    }

    /// Returns the variables of a portal whose people sign in here.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        provider::variables(self.issuer())
    }

    /// Serves its metadata from now on.
    pub(crate) fn redirect_back(&self) {
        self.answer(DISCOVERY, ResponseTemplate::new(200).set_body_json(self.metadata()));
    }

    /// Answers requests to `path` with `answer` from now on.
    pub(crate) fn answer(&self, path: &'static str, answer: ResponseTemplate) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(path, answer);
    }

    /// Publishes `key`, and no other.
    pub(crate) fn publish(&self, key: &Key) {
        self.publish_all(&[key]);
    }

    /// Publishes these keys, and no others.
    pub(crate) fn publish_all(&self, keys: &[&Key]) {
        let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
        let keys = json!({ "keys": keys });
        self.answer(KEYS, ResponseTemplate::new(200).set_body_json(keys));
    }

    /// Issues `token` for every code.
    pub(crate) fn give(&self, token: &str) {
        let tokens = json!({ "access_token": "access", "token_type": "Bearer", "id_token": token });
        self.answer(TOKENS, ResponseTemplate::new(200).set_body_json(tokens));
    }

    /// Returns the claims of a valid token at `now`, in Unix seconds.
    pub(crate) fn claims(&self, nonce: &str, now: i64) -> Value {
        json!({
            "iss": self.issuer(),
            "aud": "portal",
            "sub": "1234",
            "name": "Ann Bell",
            "groups": ["staff"],
            "nonce": nonce,
            "iat": now,
            "exp": now + 300,
        })
    }

    /// Counts the requests to `path`.
    pub(crate) async fn count(&self, path: &str) -> usize {
        let requests = self.server.received_requests().await.unwrap();
        requests.iter().filter(|request| request.url.path() == path).count()
    }

    pub(crate) fn metadata(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer());
        json!({
            "issuer": self.issuer(),
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at(TOKENS),
            "userinfo_endpoint": at(USERINFO),
            "jwks_uri": at(KEYS),
            "end_session_endpoint": at("/end"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA", "RS256", "HS256", "none"],
        })
    }
}

impl Key {
    pub(crate) fn new(seed: u8, id: &'static str) -> Self {
        Self::of(seed, Some(id))
    }

    /// Makes a key without an id.
    pub(crate) fn without_id(seed: u8) -> Self {
        Self::of(seed, None)
    }

    fn of(seed: u8, id: Option<&'static str>) -> Self {
        // RFC 8410, section 7: the bytes before the 32 bytes of an Ed25519 key.
        const PREFIX: [u8; 16] = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
        let der = [&PREFIX[..], &[seed; 32]].concat();
        let (label, encoded) = ("PRIVATE KEY", STANDARD.encode(der));
        let pem = format!("-----BEGIN {label}-----\n{encoded}\n-----END {label}-----\n");
        let id_of_key = id.map(|id| JsonWebKeyId::new(id.to_owned()));
        let pair = CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, id_of_key).unwrap();
        Self { pair, id }
    }

    /// Returns a signed token with `claims`.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let mut head = json!({ "alg": "EdDSA", "typ": "JWT" });
        if let Some(id) = self.id {
            head["kid"] = id.into();
        }
        let unsigned = unsigned(&head, claims);
        let signature =
            self.pair.sign(&CoreJwsSigningAlgorithm::EdDsa, unsigned.as_bytes()).unwrap();
        with_signature(&unsigned, &signature)
    }

    fn public(&self) -> Value {
        serde_json::to_value(self.pair.as_verification_key()).unwrap()
    }
}

/// Returns the part of a token that is signed: its header and its claims.
pub(crate) fn unsigned(head: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", encode(head), encode(claims))
}

/// Returns a token with this `signature`, which may be invalid.
pub(crate) fn with_signature(unsigned: &str, signature: &[u8]) -> String {
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
}
