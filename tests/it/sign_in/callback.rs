//! The return from the provider: only the browser that began the sign-in can finish it, and only
//! once.

use std::time::Duration;

use ai_stack_deployer::server::audit::{AuditAction, AuditEntry, AuditFilter, AuditLog};
use axum::http::StatusCode;
use clock::Clock;

use super::portal;
use super::world::{UnderWay, World, arrival};
use crate::support::browser::Browser;
use crate::support::fake_provider::{FakeProvider, TOKENS};

const STALE: &str = "/sign-in?refused=SIGN_IN_STALE&return_to=%2F";

impl World {
    /// Returns the outcome of each sign-in, newest first.
    async fn outcomes(&self) -> Vec<(String, String)> {
        let filter =
            AuditFilter { act: Some(AuditAction::SignIn), limit: 100, ..AuditFilter::default() };
        let entries = self.app.store.entries(&filter).await.unwrap();
        entries.into_iter().map(|(_, entry)| (entry.who, entry.outcome)).collect()
    }
}

#[tokio::test]
async fn a_person_who_returns_is_signed_in_once_and_sees_the_page_they_wanted() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    let UnderWay { state, .. } = world.begin(&mut browser).await;
    let answer = format!("code=c&state={state}");
    let reply = world.redirect_back(&mut browser, &answer).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(arrival(&reply).as_deref(), Some("/?name=alice"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let session = browser.cookie("__Host-session").unwrap().to_owned();
    assert_eq!(session.len(), 43);

    for _ in 0..2 {
        let again = world.redirect_back(&mut browser, &answer).await;
        assert_eq!(arrival(&again).as_deref(), Some("/?name=alice"), "it leads to the same page");
    }
    assert_eq!(browser.cookie("__Host-session"), Some(session.as_str()), "the session stays");
    assert_eq!(world.fake.count(TOKENS).await, 1);
    let outcomes = world.outcomes().await;
    assert_eq!(outcomes.len(), 1, "{outcomes:?}");
    assert!(outcomes[0].0.starts_with("person:") && outcomes[0].1 == "done", "{outcomes:?}");
}

#[tokio::test]
async fn a_session_is_a_new_one_whatever_the_browser_had_before() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    browser.plant("__Host-session", "known-to-somebody-else");
    let mut seen = vec![String::from("known-to-somebody-else")];
    for _ in 0..2 {
        let UnderWay { state, .. } = world.begin(&mut browser).await;
        world.redirect_back(&mut browser, &format!("code=c&state={state}")).await;
        let session = browser.cookie("__Host-session").unwrap().to_owned();
        assert!(!seen.contains(&session));
        seen.push(session);
    }
}

#[tokio::test]
async fn another_state_is_rejected_and_the_sign_in_goes_on() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    let under_way = world.begin(&mut browser).await;
    let other = world.begin(&mut Browser::new(&world.app)).await.state;
    let foreign = [format!("code=c&state={other}"), format!("error=x&state={other}")];
    let marked =
        ["finished", "begun"].map(|mark| format!("code=c&state={}%20{mark}", under_way.state));
    let foreign = foreign.iter().chain(&marked).map(String::as_str);
    for answer in foreign.chain(["code=c&state=", "state=s", ""]) {
        let reply = world.redirect_back(&mut browser, answer).await;
        assert!(reply.header("location").unwrap().starts_with("/sign-in?refused=SIGN_IN_STALE"));
    }
    assert_eq!(browser.cookie("__Host-session"), None);
    assert_eq!(world.fake.count(TOKENS).await, 0, "the provider is not asked");
    world.accept(&under_way);
    let reply =
        world.redirect_back(&mut browser, &format!("code=c&state={}", under_way.state)).await;
    assert_eq!(arrival(&reply).as_deref(), Some("/?name=alice"));
}

#[tokio::test]
async fn a_callback_address_is_rejected_in_another_browser() {
    let world = World::new().await;
    let UnderWay { state, .. } = world.begin(&mut Browser::new(&world.app)).await;
    let answer = format!("code=c&state={state}");
    let mut other = Browser::new(&world.app);
    let reply = world.redirect_back(&mut other, &answer).await;
    assert_eq!(arrival(&reply).as_deref(), Some(STALE));
    // It cannot either with its own sign-in in progress.
    world.begin(&mut other).await;
    let reply = world.redirect_back(&mut other, &answer).await;
    assert!(reply.header("location").unwrap().starts_with("/sign-in?refused=SIGN_IN_STALE"));
    assert_eq!(other.cookie("__Host-session"), None);
    assert_eq!(world.fake.count(TOKENS).await, 0);
}

#[tokio::test]
async fn a_person_who_returns_too_late_must_start_again() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    let UnderWay { state, .. } = world.begin(&mut browser).await;
    world.app.clock.advance(Duration::from_mins(10));
    let reply = world.redirect_back(&mut browser, &format!("code=c&state={state}")).await;
    assert_eq!(arrival(&reply).as_deref(), Some(STALE));
    let page = browser.follow(reply).await;
    assert!(page.body.contains("This sign-in expired"), "{page:?}");
}

#[tokio::test]
async fn errors_of_the_provider_are_shown_in_plain_words() {
    let world = World::new().await;
    for (error, code, words) in [
        ("access_denied", "SIGN_IN_DENIED", "You were not signed in"),
        ("temporarily_unavailable", "PROVIDER_UNREACHABLE", "does not answer"),
        ("server_error", "PROVIDER_UNREACHABLE", "does not answer"),
        ("invalid_scope", "PROVIDER_REFUSED", "did not accept this portal"),
    ] {
        let mut browser = Browser::new(&world.app);
        let UnderWay { state, .. } = world.begin(&mut browser).await;
        let description = "error_description=%3Cscript%3Ecanary";
        let answer = format!("error={error}&{description}&state={state}&code=c");
        let reply = world.redirect_back(&mut browser, &answer).await;
        let expected = format!("/sign-in?refused={code}&return_to=%2F%3Fname%3Dalice");
        assert_eq!(reply.header("location"), Some(expected.as_str()));
        let page = browser.follow(reply).await;
        assert!(page.body.contains(words) && !page.body.contains("canary"), "{page:?}");
        assert_eq!(world.outcomes().await[0], (String::from("stranger"), code.to_owned()));
    }
    assert_eq!(world.fake.count(TOKENS).await, 0);
}

#[tokio::test]
async fn an_invalid_id_token_is_rejected() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    let UnderWay { state, .. } = world.begin(&mut browser).await;
    let now = world.app.clock.now().as_second();
    world.fake.give(&world.fake.key.sign(&world.fake.claims("of another sign-in", now)));
    let reply = world.redirect_back(&mut browser, &format!("code=c&state={state}")).await;
    let location = reply.header("location").unwrap().to_owned();
    assert!(location.starts_with("/sign-in?refused=IDENTITY_UNTRUSTED"), "{location}");
    assert_eq!(browser.cookie("__Host-session"), None);
    let page = browser.follow(reply).await;
    assert!(page.body.contains("could not be verified"), "{page:?}");
}

#[tokio::test]
async fn an_invalid_callback_redirects_to_the_sign_in_page() {
    let world = World::new().await;
    for answer in ["", "code=c", "state=s", "state=s&state=t&code=c", "code=%ff&state=%ff"] {
        let mut browser = Browser::new(&world.app);
        world.begin(&mut browser).await;
        let reply = world.redirect_back(&mut browser, answer).await;
        assert!(reply.header("location").unwrap().starts_with("/sign-in?refused=SIGN_IN_STALE"));
    }
}

#[tokio::test]
async fn nobody_is_redirected_to_another_site() {
    let world = World::new().await;
    for wanted in
        ["https://evil.example.org", "//evil.example.org", "/\\evil.example.org", "/%09/e"]
    {
        let mut browser = Browser::new(&world.app);
        let encoded = wanted.replace('/', "%2F").replace('\\', "%5C");
        let reply = browser.get(&format!("/auth/sign-in?return_to={encoded}")).await;
        let address = reply.header("location").unwrap();
        let state = address.split("state=").nth(1).unwrap().split('&').next().unwrap();
        let nonce = address.split("nonce=").nth(1).unwrap().split('&').next().unwrap();
        let claims = world.fake.claims(nonce, world.app.clock.now().as_second());
        world.fake.give(&world.fake.key.sign(&claims));
        let reply = world.redirect_back(&mut browser, &format!("code=c&state={state}")).await;
        assert_eq!(arrival(&reply).as_deref(), Some("/"), "{wanted}");
    }
}

#[tokio::test]
async fn nobody_can_start_unlimited_sign_ins() {
    let fake = FakeProvider::start().await;
    let mut variables = fake.variables();
    variables.push(("CHECK_RATE_LIMIT", String::from("2")));
    let (app, _site) = portal(&variables);
    let mut browser = Browser::new(&app);
    for expected in [StatusCode::SEE_OTHER, StatusCode::SEE_OTHER, StatusCode::TOO_MANY_REQUESTS] {
        assert_eq!(browser.get("/auth/sign-in").await.status, expected);
    }
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(browser.get("/auth/sign-in").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_failed_sign_in_is_audited_once_an_hour() {
    let world = World::new().await;
    for hour in 1..=2 {
        for _ in 0..5 {
            world.app.clock.advance(Duration::from_secs(1));
            let mut browser = Browser::new(&world.app);
            let tab = world.begin(&mut browser).await;
            let answer = format!("error=access_denied&state={}", tab.state);
            world.redirect_back(&mut browser, &answer).await;
        }
        let filter = AuditFilter { limit: 100, ..AuditFilter::default() };
        let entries = world.app.store.entries(&filter).await.unwrap();
        assert_eq!(entries.len(), hour, "{entries:?}");
        let (_, AuditEntry { who, act, target, outcome, .. }) = &entries[0];
        let entry = (&**who, *act, target.as_deref(), &**outcome);
        assert_eq!(entry, ("stranger", AuditAction::SignIn, None, "SIGN_IN_DENIED"));
        world.app.clock.advance(Duration::from_hours(1));
    }
}
