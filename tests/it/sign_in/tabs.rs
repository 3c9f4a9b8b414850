//! One browser with several tabs, in each of which somebody signs in.

use std::time::Duration;

use axum::http::StatusCode;

use super::world::{World, arrival};
use crate::support::browser::Browser;
use crate::support::fake_provider::TOKENS;

const STALE: &str = "/sign-in?refused=SIGN_IN_STALE&return_to=%2F";

#[tokio::test]
async fn each_tab_finishes_its_own_sign_in_in_any_order() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    let mut tabs = Vec::new();
    for _ in 0..3 {
        tabs.push(world.begin(&mut browser).await);
    }
    for tab in [&tabs[1], &tabs[2], &tabs[0]] {
        world.accept(tab);
        let reply = world.redirect_back(&mut browser, &format!("code=c&state={}", tab.state)).await;
        assert_eq!(arrival(&reply).as_deref(), Some("/?name=alice"), "{reply:?}");
        assert!(browser.cookie("__Host-session").is_some());
    }
    assert_eq!(browser.get("/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_failed_sign_in_takes_no_other_with_it() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    let [first, second] = [world.begin(&mut browser).await, world.begin(&mut browser).await];
    let denied = format!("error=access_denied&state={}", first.state);
    let reply = world.redirect_back(&mut browser, &denied).await;
    assert!(reply.header("location").unwrap().starts_with("/sign-in?refused=SIGN_IN_DENIED"));
    let kept = browser.cookies("__Host-sign-in-");
    let kept: Vec<_> = kept.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(kept, [format!("__Host-sign-in-{}", &second.state[..12])]);
    let again = world.redirect_back(&mut browser, &denied).await;
    assert_eq!(arrival(&again).as_deref(), Some(STALE), "it failed, and that was its end");
    world.accept(&second);
    let reply = world.redirect_back(&mut browser, &format!("code=c&state={}", second.state)).await;
    assert_eq!(arrival(&reply).as_deref(), Some("/?name=alice"));
}

#[tokio::test]
async fn a_finished_sign_in_leads_on_only_in_its_own_browser() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    let tab = world.begin(&mut browser).await;
    let answer = format!("code=c&state={}", tab.state);
    world.redirect_back(&mut browser, &answer).await;
    let mut other = Browser::new(&world.app);
    world.begin(&mut other).await;
    let reply = world.redirect_back(&mut other, &answer).await;
    assert_eq!(arrival(&reply).as_deref(), Some(STALE));
    let again = world.redirect_back(&mut browser, &answer).await;
    assert_eq!(arrival(&again).as_deref(), Some("/?name=alice"));
}

#[tokio::test]
async fn tabs_can_begin_at_the_same_time() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    // Both requests go out before the first answer has come, so neither has a cookie.
    let mut other = Browser::new(&world.app);
    let tabs = [world.begin(&mut browser).await, world.begin(&mut other).await];
    for (name, value) in other.cookies("__Host-") {
        browser.plant(&name, &value);
    }
    for tab in &tabs {
        world.accept(tab);
        let reply = world.redirect_back(&mut browser, &format!("code=c&state={}", tab.state)).await;
        assert_eq!(arrival(&reply).as_deref(), Some("/?name=alice"), "{reply:?}");
    }
}

#[tokio::test]
async fn signing_out_in_one_tab_leaves_the_sign_in_of_another() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    world.sign_in(&mut browser, "ann").await;
    let tab = world.begin(&mut browser).await;
    browser.post("/auth/sign-out", "").await;
    assert_eq!(browser.cookie("__Host-session"), None);
    world.accept(&tab);
    let reply = world.redirect_back(&mut browser, &format!("code=c&state={}", tab.state)).await;
    assert_eq!(arrival(&reply).as_deref(), Some("/?name=alice"));
}

#[tokio::test]
async fn only_the_latest_sign_ins_of_a_browser_are_kept() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    let mut tabs = Vec::new();
    for _ in 0..50 {
        tabs.push(world.begin(&mut browser).await);
        // A person does not begin all of them in a second.
        world.app.clock.advance(Duration::from_secs(1));
        let cookies = browser.cookies("");
        let length: usize = cookies.iter().map(|(name, value)| name.len() + value.len() + 3).sum();
        assert!(length < 1_000, "{cookies:?}");
    }
    let kept = browser.cookies("__Host-sign-in-");
    let kept: Vec<_> =
        kept.iter().map(|(name, _)| name.trim_start_matches("__Host-sign-in-")).collect();
    let expected: Vec<_> = tabs[42..].iter().map(|tab| &tab.state[..12]).collect();
    assert_eq!(kept, expected);
}

/// A browser that has signed in is not told to sign in again because of an old address.
#[tokio::test]
async fn coming_back_too_late_to_a_finished_sign_in_leads_home() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    let tab = world.begin(&mut browser).await;
    let answer = format!("code=c&state={}", tab.state);
    world.redirect_back(&mut browser, &answer).await;
    world.app.clock.advance(Duration::from_mins(11));
    let reply = world.redirect_back(&mut browser, &answer).await;
    assert_eq!(reply.header("location"), Some("/"));
}

/// The address of a finished sign-in stands in histories and logs. With it, nobody can make a
/// sign-in that has no nonce.
#[tokio::test]
async fn a_finished_sign_in_cannot_be_finished_as_another_one() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    let tab = world.begin(&mut browser).await;
    world.redirect_back(&mut browser, &format!("code=c&state={}", tab.state)).await;
    let exchanges = world.fake.count(TOKENS).await;
    for mark in ["%20finished", "+finished", "%20", "finished"] {
        let answer = format!("code=attacker&state={}{mark}", tab.state);
        world.redirect_back(&mut browser, &answer).await;
    }
    assert_eq!(world.fake.count(TOKENS).await, exchanges, "the provider is not asked");
}
