//! A browser that does not send a cookie back is told so, and no other.

use std::time::Duration;

use axum::http::StatusCode;

use super::world::{UnderWay, World};
use crate::support::app::Reply;
use crate::support::browser::Browser;

fn blames(page: &Reply) -> bool {
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    page.body.contains("Your browser refused our cookie, so you were not signed in.")
}

#[tokio::test]
async fn a_browser_that_refuses_the_cookie_of_a_sign_in_is_told_so() {
    let world = World::new().await;
    let mut browser =
        Browser::new(&world.app).without_cookies(&["__Host-sign-in-", "__Host-probe"]);
    let UnderWay { state, .. } = world.begin(&mut browser).await;
    let reply = world.redirect_back(&mut browser, &format!("code=c&state={state}")).await;
    let address = reply.header("location").unwrap().to_owned();
    assert!(blames(&browser.follow(reply).await));

    // The address alone says nothing: it may be opened later, or elsewhere.
    world.app.clock.advance(Duration::from_secs(31));
    let page = browser.get(&address).await;
    assert!(!blames(&page) && page.body.contains("This sign-in expired"), "{page:?}");
}

#[tokio::test]
async fn a_browser_that_refuses_the_cookie_of_a_session_is_told_so() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app).without_cookies(&["__Host-session"]);
    let UnderWay { state, .. } = world.begin(&mut browser).await;
    let reply = world.redirect_back(&mut browser, &format!("code=c&state={state}")).await;
    let page = browser.follow(reply).await;
    assert!(blames(&page), "{page:?}");
    assert!(page.body.contains("/auth/sign-in?return_to=%2F%3Fname%3Dalice"), "{page:?}");
}

#[tokio::test]
async fn a_browser_that_takes_cookies_is_not_blamed() {
    let world = World::new().await;
    // Somebody follows the address of a callback in a browser that has begun nothing.
    let UnderWay { state, .. } = world.begin(&mut Browser::new(&world.app)).await;
    let mut other = Browser::new(&world.app);
    for _ in 0..2 {
        let reply = world.redirect_back(&mut other, &format!("code=c&state={state}")).await;
        let page = other.follow(reply).await;
        assert!(!blames(&page) && page.body.contains("was started in another browser"), "{page:?}");
    }
    // It signs in, stays signed in, signs out, and comes back.
    world.sign_in(&mut other, "1234").await;
    assert_eq!(other.visit("/").await.status, StatusCode::OK);
    let reply = other.post("/auth/sign-out", "").await;
    assert!(!blames(&other.follow(reply).await));
    assert!(!blames(&other.visit("/account").await));
    for sent in ["", "x", "0", "-1", "99999999999999999999"] {
        let page = other.get(&format!("/sign-in?return_to=%2F&cookie_sent={sent}")).await;
        assert!(!blames(&page), "{sent}");
    }
    // The session ends on the server.
    world.sign_in(&mut other, "1234").await;
    world.app.clock.advance(Duration::from_hours(24));
    let page = other.visit("/account").await;
    assert!(!blames(&page) && page.body.contains("Your session has ended"), "{page:?}");
}
