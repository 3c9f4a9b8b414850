//! Which ID tokens the OpenID Connect client accepts, and which it rejects.

use std::collections::BTreeSet;
use std::sync::Arc;

use ai_stack_deployer::server::auth::access::Role;
use ai_stack_deployer::server::auth::accounts::Profile;
use ai_stack_deployer::server::auth::identity_provider::{
    AuthorizationResponse, IdentityError, IdentityProvider, Wanted,
};
use ai_stack_deployer::server::auth::oidc::Oidc;
use ai_stack_deployer::server::origin::Origin;
use ai_stack_deployer::server::settings::{AuthSettings, OidcSettings};
use clock::Clock;
use openidconnect::PrivateSigningKey;
use openidconnect::core::{CoreHmacKey, CoreJwsSigningAlgorithm};
use serde_json::{Value, json};
use transport::Outbound;
use wiremock::ResponseTemplate;

use crate::support::app::settings;
use crate::support::fake_provider::{
    FakeProvider, KEYS, Key, TOKENS, USERINFO, unsigned, with_signature,
};
use crate::support::manual_clock::ManualClock;

const NONCE: &str = "nonce-of-this-sign-in";

/// A provider and its client, with their own clock.
pub(super) struct World {
    pub(super) fake: FakeProvider,
    pub(super) oidc: Oidc,
    pub(super) now: i64,
    pub(super) clock: Arc<ManualClock>,
    pub(super) portal: Origin,
}

fn oidc_settings(variables: &[(&'static str, String)]) -> OidcSettings {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    match settings(&variables).auth {
        AuthSettings::Oidc(oidc) => *oidc,
        AuthSettings::Open => panic!("it is open"),
    }
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// Creates one whose portal has these variables, too.
    pub(super) async fn with(variables: &[(&'static str, String)]) -> Self {
        let fake = FakeProvider::start().await;
        let clock = Arc::new(ManualClock::new());
        let now = clock.now().as_second();
        let variables = [fake.variables(), variables.to_vec()].concat();
        let oidc = Oidc::new(
            oidc_settings(&variables),
            &Outbound::default(),
            Arc::<ManualClock>::clone(&clock),
        )
        .unwrap();
        let portal = Origin::parse("https://portal.example.com").unwrap();
        Self { fake, oidc, now, clock, portal }
    }

    pub(super) fn claims(&self) -> Value {
        self.fake.claims(NONCE, self.now)
    }

    pub(super) fn saying(&self, changes: Value) -> Value {
        let mut claims = self.claims();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    pub(super) async fn finish(&self) -> Result<Profile, IdentityError> {
        let verifier = &"v".repeat(43);
        let response = AuthorizationResponse {
            portal: &self.portal,
            code: "code",
            nonce: NONCE,
            verifier,
            wanted: Wanted::default(),
        };
        self.oidc.finish(&response).await
    }

    pub(super) async fn finish_with(&self, token: &str) -> Result<Profile, IdentityError> {
        self.fake.give(token);
        self.finish().await
    }

    /// Checks that a token is rejected for a reason that contains `word`.
    pub(super) async fn refuses(&self, token: &str, word: &str) {
        match self.finish_with(token).await {
            Err(IdentityError::Untrusted(reason)) => assert!(reason.contains(word), "{reason}"),
            other => panic!("{other:?} where {word} is wrong"),
        }
    }
}

#[tokio::test]
async fn a_valid_token_identifies_a_person() {
    let world = World::new().await;
    let profile = world.finish_with(&world.fake.key.sign(&world.claims())).await.unwrap();
    let expected = Profile {
        issuer: world.fake.issuer(),
        subject: String::from("1234"),
        name: String::from("Ann Bell"),
        role: Role::Member,
        email: None,
        groups: BTreeSet::from([String::from("staff")]),
    };
    assert_eq!(profile, expected);
    let operator = world.saying(json!({ "groups": ["staff", "operators"] }));
    let profile = world.finish_with(&world.fake.key.sign(&operator)).await.unwrap();
    assert_eq!(profile.role, Role::Operator);
    assert_eq!(world.fake.count(USERINFO).await, 0, "the token says it all");
}

#[tokio::test]
async fn a_token_with_an_invalid_claim_is_rejected() {
    let world = World::new().await;
    let wrong = [
        (json!({ "nonce": "of another sign-in" }), "nonce"),
        (json!({ "nonce": null }), "nonce"),
        (json!({ "aud": "another" }), "audience"),
        (json!({ "aud": ["portal", "another"] }), "audience"),
        (json!({ "iss": "https://login.example.com" }), "issuer"),
        (json!({ "iss": format!("{}/", world.fake.issuer()) }), "issuer"),
        (json!({ "exp": world.now - 60 }), "expired"),
        (json!({ "nbf": world.now + 61 }), "valid only in"),
        (json!({ "azp": "another" }), "issued to"),
        (json!({ "exp": world.now - 86_400 }), "expired"),
        (json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }), "access token"),
    ];
    for (changes, word) in wrong {
        world.refuses(&world.fake.key.sign(&world.saying(changes)), word).await;
    }
}

#[tokio::test]
async fn a_token_that_the_provider_has_not_signed_is_rejected() {
    let world = World::new().await;
    let claims = world.claims();
    let head = |algorithm: &str| json!({ "alg": algorithm, "typ": "JWT", "kid": "first" });
    world.refuses(&with_signature(&unsigned(&head("none"), &claims), b""), "ignature").await;
    world.refuses(&with_signature(&unsigned(&head("EdDSA"), &claims), &[0; 64]), "ignature").await;
    // Signed with another key of the same id.
    world.refuses(&Key::new(2, "first").sign(&claims), "ignature").await;
    // Signed with the secret that the portal has as well.
    let unsigned = unsigned(&head("HS256"), &claims);
    let secret = CoreHmacKey::new("portal-secret");
    let algorithm = CoreJwsSigningAlgorithm::HmacSha256;
    let signature = secret.sign(&algorithm, unsigned.as_bytes()).unwrap();
    world.refuses(&with_signature(&unsigned, &signature), "HS256").await;
    // With changed claims and the old signature.
    let good = world.fake.key.sign(&claims);
    let (_, signature) = good.rsplit_once('.').unwrap();
    let other = world.fake.key.sign(&world.saying(json!({ "sub": "5678" })));
    let (said, _) = other.rsplit_once('.').unwrap();
    world.refuses(&format!("{said}.{signature}"), "ignature").await;
    let tokens = json!({ "access_token": "access", "token_type": "Bearer" });
    world.fake.answer(TOKENS, ResponseTemplate::new(200).set_body_json(tokens));
    let missing = world.finish().await.unwrap_err();
    assert!(matches!(&missing, IdentityError::Untrusted(reason) if reason.contains("no ID token")));
}

#[tokio::test]
async fn a_new_key_is_fetched_once_and_an_unknown_key_is_rejected() {
    let world = World::new().await;
    world.finish_with(&world.fake.key.sign(&world.claims())).await.unwrap();
    assert_eq!(world.fake.count(KEYS).await, 1);
    let second = Key::new(2, "second");
    world.fake.publish(&second);
    for _ in 0..2 {
        world.finish_with(&second.sign(&world.claims())).await.unwrap();
        assert_eq!(world.fake.count(KEYS).await, 2, "the new key is known from then on");
    }
    world.refuses(&Key::new(3, "third").sign(&world.claims()), "unknown key").await;
    assert_eq!(world.fake.count(KEYS).await, 3);
}

#[tokio::test]
async fn missing_claims_are_fetched_only_for_the_same_person() {
    let world = World::new().await;
    let silent = world.saying(json!({ "name": null, "groups": ["staff"] }));
    let token = world.fake.key.sign(&silent);
    let more = |body: Value| {
        world.fake.answer(USERINFO, ResponseTemplate::new(200).set_body_json(body));
    };
    more(json!({ "sub": "1234", "preferred_username": "ann", "groups": ["operators"] }));
    let profile = world.finish_with(&token).await.unwrap();
    assert_eq!(
        (profile.name.as_str(), profile.role),
        ("ann", Role::Member),
        "the token goes first"
    );

    let mut silent = silent;
    silent.as_object_mut().unwrap().remove("groups");
    let token = world.fake.key.sign(&silent);
    let profile = world.finish_with(&token).await.unwrap();
    assert_eq!((profile.name.as_str(), profile.role), ("ann", Role::Operator));

    more(json!({ "sub": "5678", "name": "Mallory", "groups": ["operators"] }));
    let profile = world.finish_with(&token).await.unwrap();
    assert_eq!((profile.name.as_str(), profile.role), ("1234", Role::Member));

    world.fake.answer(USERINFO, ResponseTemplate::new(500));
    let profile = world.finish_with(&token).await.unwrap();
    assert_eq!((profile.name.as_str(), profile.role), ("1234", Role::Member));
}

#[tokio::test]
async fn a_provider_that_rejects_is_told_from_one_that_does_not_answer() {
    let world = World::new().await;
    let refusal = json!({ "error": "invalid_grant", "error_description": "used before" });
    world.fake.answer(TOKENS, ResponseTemplate::new(400).set_body_json(refusal));
    let refused = world.finish().await.unwrap_err();
    assert!(matches!(&refused, IdentityError::Refused(reason) if reason.contains("used before")));
    for error in ["invalid_client", "unauthorized_client"] {
        let refusal = json!({ "error": error });
        world.fake.answer(TOKENS, ResponseTemplate::new(401).set_body_json(refusal));
        let refused = world.finish().await.unwrap_err();
        assert!(matches!(&refused, IdentityError::ClientRefused(_)), "{refused:?}");
    }
    for status in [500, 502, 503, 429] {
        let answer = ResponseTemplate::new(status).set_body_string("<html>canary");
        world.fake.answer(TOKENS, answer);
        let away = world.finish().await.unwrap_err();
        assert_eq!(away, IdentityError::Status(status));
    }
    for answer in [
        ResponseTemplate::new(200).set_body_string("canary"),
        ResponseTemplate::new(200).set_body_json(json!({ "access_token": ["canary"] })),
        ResponseTemplate::new(200).set_body_bytes(vec![b' '; 2 << 20]),
    ] {
        world.fake.answer(TOKENS, answer);
        let odd = world.finish().await.unwrap_err();
        let IdentityError::Unreadable(reason) = &odd else { panic!("{odd:?}") };
        assert!(!reason.contains("canary"), "{reason}");
    }
    for (status, answer) in [
        (403, ResponseTemplate::new(403).set_body_string("<html>canary")),
        (400, ResponseTemplate::new(400).set_body_json(json!({ "message": "canary" }))),
        (302, ResponseTemplate::new(302).insert_header("location", "/elsewhere")),
    ] {
        world.fake.answer(TOKENS, answer);
        assert_eq!(world.finish().await.unwrap_err(), IdentityError::Status(status));
    }
    assert_eq!(world.fake.count("/elsewhere").await, 0);
    // A provider that names its error, but answers as if it were none.
    let answer = ResponseTemplate::new(200).set_body_json(json!({ "error": "invalid_grant" }));
    world.fake.answer(TOKENS, answer);
    assert!(matches!(world.finish().await.unwrap_err(), IdentityError::Refused(_)));
}
