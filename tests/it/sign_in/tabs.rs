//! One browser with several tabs, in each of which somebody signs in.

use axum::http::StatusCode;

use super::world::World;
use crate::support::browser::Browser;

const STALE: &str = "/sign-in?refused=SIGN_IN_STALE&return_to=%2F";

#[tokio::test]
async fn each_tab_finishes_its_own_sign_in_in_any_order() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    let mut tabs = Vec::new();
    for _ in 0..3 {
        tabs.push(world.begin(&mut browser).await);
    }
    let cookie = browser.cookie("__Host-sign-in").unwrap().to_owned();
    for tab in [&tabs[1], &tabs[2], &tabs[0]] {
        world.accept(tab);
        let reply = world.redirect_back(&mut browser, &format!("code=c&state={}", tab.state)).await;
        assert_eq!(reply.header("location"), Some("/?name=alice"), "{reply:?}");
        assert!(browser.cookie("__Host-session").is_some());
    }
    assert_eq!(browser.cookie("__Host-sign-in"), Some(cookie.as_str()));
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
    let again = world.redirect_back(&mut browser, &denied).await;
    assert_eq!(again.header("location"), Some(STALE), "it failed, and that was its end");
    world.accept(&second);
    let reply = world.redirect_back(&mut browser, &format!("code=c&state={}", second.state)).await;
    assert_eq!(reply.header("location"), Some("/?name=alice"));
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
    assert_eq!(reply.header("location"), Some(STALE));
    let again = world.redirect_back(&mut browser, &answer).await;
    assert_eq!(again.header("location"), Some("/?name=alice"));
}

#[tokio::test]
async fn a_cookie_that_is_not_ours_is_replaced() {
    let world = World::new().await;
    for planted in ["known", "", &"a".repeat(42), &"a".repeat(44), &"$".repeat(43)] {
        let mut browser = Browser::new(&world.app);
        browser.plant("__Host-sign-in", planted);
        world.begin(&mut browser).await;
        let cookie = browser.cookie("__Host-sign-in").unwrap();
        assert!(cookie.len() == 43 && cookie != planted, "{planted:?} {cookie:?}");
    }
}
