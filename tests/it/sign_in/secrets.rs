//! No log line contains a secret of a sign-in, whatever the provider repeats (promise P17).

use std::time::Duration;

use serde_json::json;
use wiremock::ResponseTemplate;

use super::world::{UnderWay, World};
use crate::support::browser::Browser;
use crate::support::fake_provider::{DISCOVERY, TOKENS};
use test_support::log::Log;

#[tokio::test]
async fn no_secret_of_a_sign_in_is_logged_whatever_its_outcome() {
    let (log, _guard, _second) = Log::listen();
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    let mut secrets = vec![String::from("portal-secret"), String::from("canary")];

    // Successful sign-ins.
    let UnderWay { state, .. } = world.begin(&mut browser).await;
    secrets.push(state.clone());
    secrets.extend(browser.cookies("__Host-sign-in-").into_iter().map(|(_, secret)| secret));
    assert_eq!(secrets.len(), 4);
    world.redirect_back(&mut browser, &format!("code=canary&state={state}")).await;
    secrets.push(browser.cookie("__Host-session").unwrap().to_owned());
    browser.post("/account/tokens", "name=CI&scope=read&days=7").await;
    secrets.push(browser.cookie("__Host-token").unwrap().to_owned());

    // Failed sign-ins.
    let refusal = json!({
        "error": "invalid_client",
        "error_description": "canary and portal-secret are unknown",
    });
    for answer in [
        ResponseTemplate::new(400).set_body_json(refusal),
        ResponseTemplate::new(500).set_body_string("portal-secret canary"),
        ResponseTemplate::new(200).set_body_string("{\"access_token\": \"canary\", \"x\""),
    ] {
        let UnderWay { state, .. } = world.begin(&mut browser).await;
        world.fake.answer(TOKENS, answer);
        world.redirect_back(&mut browser, &format!("code=canary&state={state}")).await;
    }
    let UnderWay { state, .. } = world.begin(&mut browser).await;
    world.redirect_back(&mut browser, &format!("error=no%0Afake%20line&state={state}")).await;
    world.app.clock.advance(Duration::from_hours(2));
    world.fake.answer(DISCOVERY, ResponseTemplate::new(200).set_body_string("canary"));
    browser.get("/auth/sign-in").await;

    let log = log.text();
    for told in ["A person signed in", "Nobody can sign in", "A sign-in failed"] {
        assert!(log.contains(told), "no {told:?} in {log}");
    }
    assert!(log.contains("it repeats a secret") && log.contains("nofakeline"), "{log}");
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret} is logged");
    }
}
