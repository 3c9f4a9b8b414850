//! The whole sign-in with a real, certified provider.

use axum::http::StatusCode;

use super::portal;
use crate::support::browser::{Browser, PORTAL};
use crate::support::provider::Provider;

#[tokio::test]
async fn a_person_signs_in_at_the_provider_and_sees_the_page_they_wanted() {
    let provider = Provider::start(PORTAL);
    let (app, _site) = portal(&provider.variables());
    let mut browser = Browser::new(&app);
    let page = browser.visit("/account").await;
    assert_eq!(browser.address, format!("{PORTAL}/sign-in?return_to=%2Faccount"));
    assert!(page.body.contains("Sign in with Example Ltd"), "{page:?}");

    let page = browser.sign_in("alice", "%2faccount").await;
    assert_eq!(browser.address, format!("{PORTAL}/account"));
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains(">Alice</h1>"), "{page:?}");
    assert!(!page.body.contains("/admin"), "{page:?}");

    // A person who is still signed in at the provider returns at once, to the same account.
    let mut second = browser.visit("/auth/sign-in?return_to=%2F").await;
    assert_eq!(
        (second.status, browser.address.as_str()),
        (StatusCode::OK, "http://127.0.0.1:3000/")
    );
    second = browser.visit("/sign-in?return_to=%2Faccount").await;
    assert_eq!(browser.address, format!("{PORTAL}/account"), "{second:?}");
}

#[tokio::test]
async fn members_of_the_operators_group_see_the_link_to_the_operators_page() {
    let provider = Provider::start(PORTAL);
    let (app, _site) = portal(&provider.variables());
    let page = Browser::new(&app).sign_in("olga", "%2faccount").await;
    assert!(page.body.contains("href=\"/admin\""), "{page:?}");
    assert!(page.body.contains("You are an operator of this portal."), "{page:?}");
}

#[tokio::test]
async fn a_person_who_cancels_at_the_provider_is_told_so_and_can_retry() {
    let provider = Provider::start(PORTAL);
    let (app, _site) = portal(&provider.variables());
    let mut browser = Browser::new(&app);
    browser.visit("/auth/sign-in?return_to=%2Faccount").await;
    let here = browser.address.clone();
    let reply = browser.post(&here, "answer=no").await;
    let page = browser.follow(reply).await;
    let expected = format!("{PORTAL}/sign-in?refused=SIGN_IN_DENIED&return_to=%2Faccount");
    assert_eq!(browser.address, expected);
    assert!(page.body.contains("You were not signed in"), "{page:?}");
    let page = browser.sign_in("alice", "%2faccount").await;
    assert!(page.body.contains(">Alice</h1>"), "{page:?}");
}

#[tokio::test]
async fn signing_out_ends_the_session_here_and_at_the_provider() {
    let provider = Provider::start(PORTAL);
    let (app, _site) = portal(&provider.variables());
    let mut browser = Browser::new(&app);
    browser.sign_in("alice", "%2faccount").await;
    let session = browser.cookie("__Host-session").unwrap().to_owned();

    let reply = browser.post("/auth/sign-out", "").await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.cookie("__Host-session"), None);
    let page = browser.follow(reply).await;
    assert!(page.body.contains("You are signed out"), "{page:?}");
    // The session's secret is no longer valid.
    let mut thief = Browser::new(&app);
    thief.plant("__Host-session", &session);
    thief.visit("/account").await;
    assert_eq!(thief.address, format!("{PORTAL}/sign-in?return_to=%2Faccount"));

    let (_, refresh) = page.body.split_once("content=\"0; url=").unwrap();
    let address = refresh.split('"').next().unwrap().replace("&amp;", "&");
    assert!(address.starts_with(&format!("{}/session/end?", provider.issuer())), "{address}");
    let page = browser.visit(&address).await;
    let (_, form) = page.body.split_once("name=\"xsrf\" value=\"").unwrap();
    let xsrf = form.split('"').next().unwrap();
    let confirm = format!("{}/session/end/confirm", provider.issuer());
    let reply = browser.post(&confirm, &format!("xsrf={xsrf}&logout=yes")).await;
    browser.follow(reply).await;
    assert_eq!(browser.address, format!("{PORTAL}/sign-in"));
    let page = browser.visit("/auth/sign-in").await;
    assert!(page.body.contains("Who are you?"), "it asks again: {page:?}");
}
