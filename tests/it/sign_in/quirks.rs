//! What providers send beside the standard: nobody is kept out by what the portal does not need.

use std::time::Duration;

use ai_stack_deployer::server::auth::access::Role;
use ai_stack_deployer::server::auth::identity_provider::IdentityError;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::forged::World;
use crate::support::fake_provider::{DISCOVERY, KEYS, Key, TOKENS, USERINFO};
use test_support::log::Log;

/// Claims that the portal does not need, each in a form that the standard does not have.
fn needless() -> Vec<Value> {
    vec![
        // Auth0.
        json!({ "updated_at": "2024-03-07T09:14:55.000Z" }),
        json!({ "updated_at": { "seconds": 1 } }),
        // Amazon Cognito, Apple.
        json!({ "email_verified": "true" }),
        json!({ "email": 7, "phone_number": false, "phone_number_verified": "no" }),
        json!({ "picture": "", "profile": "not an address", "website": [] }),
        json!({ "address": "1 High Street", "locale": ["en"], "zoneinfo": 1, "birthdate": 1990 }),
        json!({ "auth_time": "yesterday", "acr": 1, "amr": "pwd", "iat": "now", "jti": 7 }),
        json!({ "given_name": null, "family_name": {}, "gender": ["x"], "nickname": 3 }),
        // With one audience, `azp` adds nothing, and the standard does not name `nbf`.
        json!({ "azp": "", "nbf": "1700000000" }),
        json!({ "azp": ["portal"], "nbf": {} }),
        json!({ "preferred_username": 5, "name#de": [], "exp_text": "x", "c_hash": 5, "sid": {} }),
    ]
}

#[tokio::test]
async fn claims_that_nobody_needs_have_any_form_in_the_token_and_in_user_info() {
    let world = World::new().await;
    for claims in needless() {
        let token = world.fake.key.sign(&world.saying(claims.clone()));
        let profile = world.finish_with(&token).await.unwrap();
        assert_eq!(profile.name, "Ann Bell", "{claims}");

        let mut userinfo = claims.clone();
        userinfo["sub"] = "1234".into();
        userinfo["groups"] = json!(["operators"]);
        world.fake.answer(USERINFO, ResponseTemplate::new(200).set_body_json(&userinfo));
        let mut silent = world.claims();
        silent.as_object_mut().unwrap().retain(|name, _| name != "groups" && name != "name");
        let profile = world.finish_with(&world.fake.key.sign(&silent)).await.unwrap();
        assert_eq!((profile.name.as_str(), profile.role), ("1234", Role::Operator), "{claims}");
    }
}

#[tokio::test]
async fn a_name_in_another_form_is_no_name() {
    let world = World::new().await;
    world.fake.answer(USERINFO, ResponseTemplate::new(404));
    for name in [json!(["Ann"]), json!(7), json!(null), json!({ "first": "Ann" })] {
        let claims = world.saying(json!({ "name": name, "preferred_username": "ann" }));
        let profile = world.finish_with(&world.fake.key.sign(&claims)).await.unwrap();
        assert_eq!(profile.name, "ann");
    }
}

#[tokio::test]
async fn a_claim_that_is_needed_is_named_with_its_form_and_the_provider_did_answer() {
    let world = World::new().await;
    for (changes, expected) in [
        (json!({ "sub": 1234 }), "the claim sub is a number, but must be a text"),
        (json!({ "sub": null }), "the claim sub is null, but must be a text"),
        (json!({ "exp": "tomorrow" }), "the claim exp is a text, but must be a number"),
        (json!({ "iss": ["x"] }), "the claim iss is a list, but must be a text"),
        (json!({ "aud": { "a": 1 } }), "the claim aud is an object"),
        (json!({ "nonce": 7 }), "the claim nonce is a number"),
    ] {
        let token = world.fake.key.sign(&world.saying(changes));
        match world.finish_with(&token).await {
            Err(IdentityError::Unreadable(reason)) => {
                assert!(reason.contains(expected), "{reason}");
            }
            other => panic!("{other:?} instead of {expected}"),
        }
    }
    for token in ["", "a.b", "a.b.c", "e30.e30.e30", "x"] {
        let odd = world.finish_with(token).await.unwrap_err();
        assert!(matches!(odd, IdentityError::Unreadable(_)), "{token}: {odd:?}");
    }
}

#[tokio::test]
async fn a_token_response_may_have_any_other_members() {
    let world = World::new().await;
    let token = world.fake.key.sign(&world.claims());
    for more in [
        json!({ "expires_in": "3600", "scope": ["openid"], "refresh_token": null }),
        json!({ "token_type": "bearer", "expires_in": -1, "scope": 7 }),
        json!({ "token_type": ["Bearer"], "refresh_token": {}, "session_state": 3 }),
    ] {
        let mut tokens = json!({ "access_token": "access", "id_token": token });
        tokens.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.fake.answer(TOKENS, ResponseTemplate::new(200).set_body_json(&tokens));
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn metadata_may_have_anything_that_the_portal_does_not_use() {
    for changes in [
        json!({ "op_policy_uri": "", "op_tos_uri": "", "service_documentation": 1 }),
        json!({ "scopes_supported": "openid", "claims_supported": null, "end_session_endpoint": "" }),
        json!({ "response_types_supported": 1, "subject_types_supported": null }),
        json!({ "id_token_signing_alg_values_supported": ["ES256K", 7], "display_values_supported": 1 }),
        json!({ "token_endpoint_auth_methods_supported": ["tls_client_auth", 7] }),
    ] {
        let world = World::new().await;
        let mut metadata = world.fake.metadata();
        metadata.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        world.fake.answer(DISCOVERY, ResponseTemplate::new(200).set_body_json(&metadata));
        world.finish_with(&world.fake.key.sign(&world.claims())).await.unwrap();
    }
    let world = World::new().await;
    let mut metadata = world.fake.metadata();
    metadata["token_endpoint"] = 7.into();
    world.fake.answer(DISCOVERY, ResponseTemplate::new(200).set_body_json(&metadata));
    let odd = world.finish().await.unwrap_err();
    let IdentityError::Unreadable(reason) = &odd else { panic!("{odd:?}") };
    assert!(reason.contains("token_endpoint is a number"), "{reason}");
}

#[tokio::test]
async fn a_second_audience_must_be_trusted_and_the_token_issued_to_us() {
    let trusted = [("OIDC_TRUSTED_AUDIENCES", String::from("project, other"))];
    let world = World::with(&trusted).await;
    for claims in [
        json!({ "aud": ["portal", "project"], "azp": "portal" }),
        json!({ "aud": ["other", "portal", "project"], "azp": "portal" }),
        json!({ "aud": ["portal", "portal"] }),
        json!({ "aud": ["portal"], "azp": "portal" }),
        json!({ "aud": "portal" }),
    ] {
        let token = world.fake.key.sign(&world.saying(claims));
        world.finish_with(&token).await.unwrap();
    }
    for (claims, word) in [
        (json!({ "aud": ["portal", "project"] }), "azp"),
        (json!({ "aud": ["portal", "project"], "azp": null }), "azp"),
        (json!({ "aud": ["portal", "project"], "azp": "project" }), "azp"),
        (json!({ "aud": ["portal", "third"], "azp": "portal" }), "OIDC_TRUSTED_AUDIENCES"),
        (json!({ "aud": ["project"], "azp": "portal" }), "audience"),
        (json!({ "aud": "project" }), "audience"),
        (json!({ "aud": [] }), "audience"),
    ] {
        world.refuses(&world.fake.key.sign(&world.saying(claims)), word).await;
    }
}

#[tokio::test]
async fn clocks_may_be_a_minute_apart() {
    let world = World::new().await;
    for claims in [
        json!({ "exp": world.now - 59 }),
        json!({ "exp": world.now, "iat": world.now + 3_600 }),
        json!({ "nbf": world.now + 60 }),
        json!({ "nbf": null }),
        json!({ "exp": 4_000_000_000.5 }),
    ] {
        world.finish_with(&world.fake.key.sign(&world.saying(claims))).await.unwrap();
    }
    for claims in [json!({ "exp": world.now - 60 }), json!({ "exp": world.now - 61 })] {
        world.refuses(&world.fake.key.sign(&world.saying(claims)), "expired").await;
    }
}

#[tokio::test]
async fn keys_without_an_id_are_fetched_anew_when_a_signature_fails_once_a_minute() {
    let world = World::new().await;
    let [first, second, third] = [1, 2, 3].map(Key::without_id);
    world.fake.publish(&first);
    world.finish_with(&first.sign(&world.claims())).await.unwrap();
    assert_eq!(world.fake.count(KEYS).await, 1);
    world.fake.publish(&second);
    for _ in 0..2 {
        world.finish_with(&second.sign(&world.claims())).await.unwrap();
        assert_eq!(world.fake.count(KEYS).await, 2);
    }
    world.fake.publish(&third);
    for _ in 0..3 {
        world.refuses(&third.sign(&world.claims()), "signature is invalid").await;
    }
    assert_eq!(world.fake.count(KEYS).await, 2, "at most once a minute");
    world.clock.advance(Duration::from_mins(1));
    world.finish_with(&third.sign(&world.claims())).await.unwrap();
    assert_eq!(world.fake.count(KEYS).await, 3);

    // Several keys without an id, and a token that names one.
    world.clock.advance(Duration::from_mins(1));
    world.fake.publish_all(&[&first, &second]);
    for key in [&first, &second, &Key::new(1, "named")] {
        world.finish_with(&key.sign(&world.claims())).await.unwrap();
    }
    assert_eq!(world.fake.count(KEYS).await, 4);
}

#[tokio::test]
async fn another_key_under_the_same_id_is_fetched_too() {
    let world = World::new().await;
    world.finish_with(&world.fake.key.sign(&world.claims())).await.unwrap();
    let next = Key::new(2, "first");
    world.fake.publish(&next);
    world.finish_with(&next.sign(&world.claims())).await.unwrap();
}

#[tokio::test]
async fn operators_are_found_where_their_provider_puts_them() {
    for (claim, group, claims) in [
        ("groups", "ops", json!({ "groups": ["/ops"] })),
        ("groups", "/ops", json!({ "groups": ["ops"] })),
        ("groups", "/staff/ops", json!({ "groups": ["staff/ops"] })),
        ("realm_access.roles", "ops", json!({ "realm_access": { "roles": ["ops"] } })),
        (
            "resource_access.portal.roles",
            "ops",
            json!({ "resource_access": { "portal": { "roles": ["ops"] } } }),
        ),
        ("https://example.com/roles", "ops", json!({ "https://example.com/roles": ["ops"] })),
        (
            "urn:zitadel:iam:org:project:roles",
            "ops",
            json!({ "urn:zitadel:iam:org:project:roles": { "ops": { "1": "example.com" } } }),
        ),
    ] {
        let variables =
            [("OIDC_GROUPS_CLAIM", claim.to_owned()), ("OIDC_OPERATOR_GROUP", group.to_owned())];
        let world = World::with(&variables).await;
        let profile = world.finish_with(&world.fake.key.sign(&world.saying(claims.clone()))).await;
        assert_eq!(profile.unwrap().role, Role::Operator, "{claim} {group}");
        assert_eq!(world.fake.count(USERINFO).await, 0);

        // The part of the path that the token has does not hide user info.
        let mut userinfo = claims;
        userinfo["sub"] = "1234".into();
        world.fake.answer(USERINFO, ResponseTemplate::new(200).set_body_json(&userinfo));
        let token = world.saying(json!({ "groups": null, "realm_access": {} }));
        let profile = world.finish_with(&world.fake.key.sign(&token)).await;
        assert_eq!(profile.unwrap().role, Role::Operator, "{claim} {group} in user info");
    }
}

#[tokio::test]
async fn groups_that_are_missing_or_left_out_are_logged_once_with_what_was_there() {
    let (log, _guard, _second) = Log::listen();
    let world = World::new().await;
    world.fake.answer(USERINFO, ResponseTemplate::new(200).set_body_json(json!({ "sub": "1234" })));
    let names = json!({ "groups": null, "_claim_names": { "groups": "src1" }, "secret": "canary" });
    let overage = world.fake.key.sign(&world.saying(names));
    let absent = world.fake.key.sign(&world.saying(json!({ "groups": null, "roles": ["x"] })));
    let odd = world.fake.key.sign(&world.saying(json!({ "groups": 7 })));
    for token in [&overage, &absent, &odd, &overage, &absent, &odd] {
        let profile = world.finish_with(token).await.unwrap();
        assert_eq!(profile.role, Role::Member);
    }
    let log = log.text();
    for told in ["left out the claim groups", "there is no claim groups", "groups is a number"] {
        assert_eq!(log.matches(told).count(), 1, "{told} in {log}");
    }
    for told in ["_claim_names", "is an object", "roles", "is a list"] {
        assert!(log.contains(told), "no {told} in {log}");
    }
    assert!(!log.contains("canary"), "{log}");
}
