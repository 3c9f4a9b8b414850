//! What the provider says about a person beside the ID token.

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::forged::World;
use super::world;
use crate::support::browser::Browser;
use crate::support::fake_provider::{Key, TOKENS, USERINFO, unsigned, with_signature};
use ai_stack_deployer::server::auth::access::Role;
use clock::Clock;
use test_support::log::Log;

/// Returns a token without name and groups.
fn silent(world: &World) -> String {
    let mut claims = world.claims();
    claims.as_object_mut().unwrap().retain(|name, _| name != "groups" && name != "name");
    world.fake.key.sign(&claims)
}

#[tokio::test]
async fn user_info_may_be_signed_and_is_then_verified() {
    let world = World::new().await;
    let token = silent(&world);
    let said = json!({ "sub": "1234", "name": "Ann Bell", "groups": ["operators"] });
    let answer = |text: &str, kind: &str| {
        world.fake.answer(
            USERINFO,
            ResponseTemplate::new(200).set_body_raw(text.as_bytes().to_vec(), kind),
        );
    };
    for kind in ["application/jwt", "Application/JWT; charset=utf-8"] {
        answer(&world.fake.key.sign(&said), kind);
        let profile = world.finish_with(&token).await.unwrap();
        assert_eq!((profile.name.as_str(), profile.role), ("Ann Bell", Role::Operator), "{kind}");
    }
    let other = json!({ "sub": "5678", "name": "Mallory", "groups": ["operators"] });
    let shared = unsigned(&json!({ "alg": "HS256", "kid": "first" }), &said);
    let bare = unsigned(&json!({ "alg": "none" }), &said);
    for text in [
        Key::new(2, "first").sign(&said),
        world.fake.key.sign(&other),
        with_signature(&shared, &[7; 32]),
        with_signature(&bare, &[]),
        said.to_string(),
    ] {
        answer(&text, "application/jwt");
        let profile = world.finish_with(&token).await.unwrap();
        assert_eq!((profile.name.as_str(), profile.role), ("1234", Role::Member), "{text}");
    }
}

/// Otherwise the real absence would never be logged.
#[tokio::test]
async fn an_outage_of_user_info_is_not_an_absence_of_groups() {
    let (log, _guard, _second) = Log::listen();
    let world = World::new().await;
    let token = silent(&world);
    let absence = |log: &Log| log.text().matches("there is no claim groups").count();
    world.fake.answer(USERINFO, ResponseTemplate::new(503));
    world.finish_with(&token).await.unwrap();
    assert_eq!(absence(&log), 0);
    world.fake.answer(USERINFO, ResponseTemplate::new(200).set_body_json(json!({ "sub": "1234" })));
    for _ in 0..2 {
        world.finish_with(&token).await.unwrap();
        assert_eq!(absence(&log), 1);
    }
}

#[tokio::test]
async fn groups_of_another_form_in_the_token_hide_no_list_in_user_info() {
    let (log, _guard, _second) = Log::listen();
    let world = World::new().await;
    let list = json!({ "sub": "1234", "groups": ["operators"] });
    world.fake.answer(USERINFO, ResponseTemplate::new(200).set_body_json(list));
    for groups in [json!(7), json!([{ "name": "operators" }]), json!({ "operators": true })] {
        let token = world.fake.key.sign(&world.saying(json!({ "groups": groups })));
        let profile = world.finish_with(&token).await.unwrap();
        assert_eq!(profile.role, Role::Operator, "{groups}");
    }
    // Several names in one text are not believed, but said.
    for _ in 0..2 {
        let token = world.fake.key.sign(&world.saying(json!({ "groups": "staff operators" })));
        assert_eq!(world.finish_with(&token).await.unwrap().role, Role::Member);
        assert_eq!(log.text().matches("may be several names").count(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_said_to_the_person_and_its_claim_to_the_log() {
    let (log, _guard, _second) = Log::listen();
    let world = world::World::new().await;
    let mut browser = Browser::new(&world.app);
    let tab = world.begin(&mut browser).await;
    let now = world.app.clock.now().as_second();
    let mut claims = world.fake.claims(&tab.nonce, now);
    claims["sub"] = json!({ "id": "canary" });
    world.fake.give(&world.fake.key.sign(&claims));
    let reply = world.redirect_back(&mut browser, &format!("code=c&state={}", tab.state)).await;
    let location = reply.header("location").unwrap();
    assert!(location.starts_with("/sign-in?refused=PROVIDER_UNREADABLE"), "{location}");
    let page = browser.follow(reply).await;
    assert!(!page.body.contains("does not answer"), "{page:?}");
    let log = log.text();
    assert!(log.contains("the claim sub is an object") && !log.contains("canary"), "{log}");
    world.fake.answer(TOKENS, ResponseTemplate::new(200).set_body_json(Value::Null));
}
