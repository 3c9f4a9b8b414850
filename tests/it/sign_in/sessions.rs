//! Sessions: how long they last, and in which browsers they end.

use std::time::Duration;

use ai_stack_deployer::server::audit::{AuditAction, AuditFilter, AuditLog};
use axum::http::StatusCode;

use super::world::World;
use crate::support::browser::Browser;

const HOUR: Duration = Duration::from_hours(1);

/// Returns whether the browser is signed in.
async fn is_in(browser: &mut Browser) -> bool {
    let reply = browser.get("/account").await;
    match reply.status {
        StatusCode::OK => true,
        StatusCode::SEE_OTHER => {
            assert_eq!(reply.header("location"), Some("/sign-in?return_to=%2Faccount"));
            false
        }
        _ => panic!("{reply:?}"),
    }
}

#[tokio::test]
async fn after_eight_hours_without_use_a_session_expires() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    assert!(!is_in(&mut browser).await);
    world.sign_in(&mut browser, "1234").await;
    for _ in 0..3 {
        world.app.clock.advance(HOUR * 7);
        assert!(is_in(&mut browser).await, "each visit lets it last");
    }
    world.app.clock.advance(HOUR * 8);
    assert!(!is_in(&mut browser).await);
    let page = browser.visit("/account").await;
    assert!(page.body.contains("Your session has ended"), "{page:?}");
}

#[tokio::test]
async fn after_seven_days_every_session_expires() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    world.sign_in(&mut browser, "1234").await;
    for _ in 0..27 {
        world.app.clock.advance(HOUR * 6);
        assert!(is_in(&mut browser).await);
    }
    world.app.clock.advance(HOUR * 6);
    assert!(!is_in(&mut browser).await);
}

#[tokio::test]
async fn signing_out_ends_this_session_and_signing_out_everywhere_all_sessions_of_the_person() {
    let world = World::new().await;
    let (mut first, mut second) = (Browser::new(&world.app), Browser::new(&world.app));
    let (mut third, mut other) = (Browser::new(&world.app), Browser::new(&world.app));
    for browser in [&mut first, &mut second, &mut third] {
        world.sign_in(browser, "1234").await;
    }
    world.sign_in(&mut other, "5678").await;

    let reply = first.post("/auth/sign-out", "").await;
    assert_eq!(reply.header("location"), Some("/sign-in?signed_out=1"));
    assert!(!is_in(&mut first).await);
    assert!(is_in(&mut second).await && is_in(&mut third).await);
    second.post("/account/sign-out-everywhere", "").await;
    assert!(!is_in(&mut second).await && !is_in(&mut third).await);
    assert!(is_in(&mut other).await);
    let filter =
        AuditFilter { act: Some(AuditAction::SignOut), limit: 10, ..AuditFilter::default() };
    let entries = world.app.store.entries(&filter).await.unwrap();
    let targets: Vec<_> = entries.iter().map(|(_, entry)| entry.target.as_deref()).collect();
    assert_eq!(targets, [Some("everywhere"), None]);
}

#[tokio::test]
async fn a_new_sign_in_in_the_same_browser_ends_the_earlier_session() {
    let world = World::new().await;
    let (mut browser, mut other) = (Browser::new(&world.app), Browser::new(&world.app));
    world.sign_in(&mut browser, "1234").await;
    world.sign_in(&mut other, "1234").await;
    let mut copied = Browser::new(&world.app);
    copied.plant("__Host-session", browser.cookie("__Host-session").unwrap());
    assert!(is_in(&mut copied).await);
    world.sign_in(&mut browser, "5678").await;
    assert!(!is_in(&mut copied).await, "what the browser showed before opens nothing any more");
    assert!(is_in(&mut browser).await && is_in(&mut other).await);
}

#[tokio::test]
async fn a_link_signs_nobody_out_and_neither_does_another_site() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    world.sign_in(&mut browser, "1234").await;
    for path in ["/auth/sign-out", "/account/sign-out-everywhere"] {
        assert_eq!(browser.get(path).await.status, StatusCode::METHOD_NOT_ALLOWED);
        let session = browser.cookie("__Host-session").unwrap();
        let cookie = format!("__Host-session={session}");
        let headers = [("origin", "https://evil.example.org"), ("cookie", &cookie)];
        let reply = world.app.ask("POST", path, &headers, "").await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN);
    }
    assert!(is_in(&mut browser).await);
}

#[tokio::test]
async fn the_same_person_has_the_same_account_even_under_another_name() {
    let world = World::new().await;
    let mut owners = Vec::new();
    for subject in ["1234", "1234", "5678"] {
        world.sign_in(&mut Browser::new(&world.app), subject).await;
        let filter =
            AuditFilter { act: Some(AuditAction::SignIn), limit: 1, ..AuditFilter::default() };
        owners.push(world.app.store.entries(&filter).await.unwrap()[0].1.who.clone());
    }
    assert_eq!(owners[0], owners[1]);
    assert_ne!(owners[0], owners[2], "the same name is not the same person");
}

#[tokio::test]
async fn everybody_sees_pages_with_their_own_name_however_often_others_see_theirs() {
    let world = World::new().await;
    let mut browsers = Vec::new();
    for subject in ["1234", "5678"] {
        let mut browser = Browser::new(&world.app);
        world.sign_in_as(&mut browser, subject, &format!("Name {subject}")).await;
        browsers.push((browser, subject));
    }
    for _ in 0..3 {
        for (browser, subject) in &mut browsers {
            let page = browser.get("/").await;
            assert!(page.body.contains(&format!("<bdi>Name {subject}</bdi>")), "{page:?}");
        }
    }
    let (browser, subject) = &mut browsers[0];
    browser.post("/auth/sign-out", "").await;
    let page = browser.get("/sign-in").await;
    assert!(!page.body.contains(&format!("Name {subject}")), "{page:?}");
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
}
