//! The life of an API token: created, shown once, used, expired or revoked.

use std::time::Duration;

use ai_stack_deployer::server::audit::{AuditAction, AuditFilter, AuditLog};
use axum::http::StatusCode;

use super::world::World;
use crate::support::app::Reply;
use crate::support::browser::Browser;

const DAY: Duration = Duration::from_hours(24);

/// Creates a token on the account page, and returns the page that shows it.
pub(super) async fn make(browser: &mut Browser, form: &str) -> Reply {
    let reply = browser.post("/account/tokens", form).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    let location = reply.header("location").unwrap().split('#').next().unwrap().to_owned();
    browser.visit(&location).await
}

/// Returns the token that a page shows.
pub(super) fn shown(page: &Reply) -> Option<String> {
    let (_, rest) = page.body.split_once("fresh-token__secret\">")?;
    rest.split('<').next().map(ToOwned::to_owned)
}

/// Calls the API with a token.
pub(super) async fn call(world: &World, token: &str, method: &str, path: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    world.app.ask(method, path, &headers, "{\"name\":\"alice\"}").await
}

async fn audited(world: &World, act: AuditAction) -> Vec<String> {
    let filter = AuditFilter { act: Some(act), limit: 100, ..AuditFilter::default() };
    let entries = world.app.store.entries(&filter).await.unwrap();
    entries.into_iter().map(|(_, entry)| entry.outcome).collect()
}

pub(super) async fn signed_in(world: &World) -> Browser {
    let mut browser = Browser::new(&world.app);
    world.sign_in(&mut browser, "1234").await;
    browser
}

#[tokio::test]
async fn a_token_is_shown_once_and_is_nowhere_else() {
    let world = World::new().await;
    let mut browser = signed_in(&world).await;
    let reply = browser.post("/account/tokens", "name=CI&scope=read&days=90").await;
    let location = reply.header("location").unwrap();
    assert_eq!(location, "/account#tokens");
    let token = browser.cookie("__Host-token").unwrap().to_owned();
    assert!(token.starts_with("asd_") && token.len() == 47, "{token}");

    let page = browser.visit("/account").await;
    assert_eq!(shown(&page).as_deref(), Some(token.as_str()));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(
        page.header("vary"),
        None,
        "a page with a secret has one form: it is not compressed"
    );
    assert_eq!(browser.cookie("__Host-token"), None);
    let again = browser.visit("/account").await;
    assert!(!again.body.contains(&token) && again.body.contains("CI"), "{again:?}");
    assert_eq!(audited(&world, AuditAction::MakeToken).await, ["done"]);
}

#[tokio::test]
async fn a_token_allows_its_scope_and_stores_the_time_of_its_use() {
    let world = World::new().await;
    let mut browser = signed_in(&world).await;
    let page = make(&mut browser, "name=Look&scope=read&days=7").await;
    assert!(page.body.contains("never used"), "{page:?}");
    let reader = shown(&page).unwrap();
    assert_eq!(call(&world, &reader, "GET", "/api/stacks").await.status, StatusCode::OK);
    let refused = call(&world, &reader, "POST", "/api/deploy").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let page = browser.visit("/account").await;
    assert!(page.body.contains("last used") && !page.body.contains("never used"), "{page:?}");

    let page = make(&mut browser, "name=Do&scope=deploy&days=7").await;
    let deployer = shown(&page).unwrap();
    let begun = call(&world, &deployer, "POST", "/api/deploy").await;
    assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
    let path = begun.header("location").unwrap().to_owned();
    assert_eq!(call(&world, &reader, "GET", &path).await.status, StatusCode::OK);
    assert_eq!(call(&world, &deployer, "GET", "/account").await.status, StatusCode::FORBIDDEN);
    let made = call(&world, &deployer, "POST", "/account/tokens").await;
    assert_eq!(made.status, StatusCode::FORBIDDEN, "a token makes no other");
}

#[tokio::test]
async fn a_token_is_valid_until_it_expires_or_is_revoked() {
    let world = World::new().await;
    let mut browser = signed_in(&world).await;
    let brief = shown(&make(&mut browser, "name=Brief&scope=read&days=7").await).unwrap();
    world.app.clock.advance(Duration::from_secs(1));
    let revoked = shown(&make(&mut browser, "name=Gone&scope=read&days=365").await).unwrap();

    // Nobody can revoke the token of another person.
    let page = browser.visit("/account").await;
    let (_, rest) = page.body.split_once("name=\"id\" value=\"").unwrap();
    let id = rest.split('"').next().unwrap().to_owned();
    let mut other = Browser::new(&world.app);
    world.sign_in(&mut other, "5678").await;
    let reply = other.post("/account/tokens/revoke", &format!("id={id}")).await;
    assert_eq!(reply.header("location"), Some("/account?refused=NO_SUCH_TOKEN"));
    assert_eq!(call(&world, &revoked, "GET", "/api/stacks").await.status, StatusCode::OK);

    let reply = browser.post("/account/tokens/revoke", &format!("id={id}")).await;
    assert_eq!(reply.header("location"), Some("/account#tokens"));
    let answer = call(&world, &revoked, "GET", "/api/stacks").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let again = browser.post("/account/tokens/revoke", &format!("id={id}")).await;
    assert_eq!(again.header("location"), Some("/account?refused=NO_SUCH_TOKEN"));
    assert_eq!(audited(&world, AuditAction::RevokeToken).await, ["done"]);

    world.app.clock.advance(Duration::from_secs(7 * 86_400 - 2));
    assert_eq!(call(&world, &brief, "GET", "/api/stacks").await.status, StatusCode::OK);
    world.app.clock.advance(Duration::from_secs(1));
    let answer = call(&world, &brief, "GET", "/api/stacks").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    world.sign_in(&mut browser, "1234").await;
    let page = browser.visit("/account").await;
    assert!(page.body.contains("Expired on") && page.body.contains("Revoked on"), "{page:?}");
}

#[tokio::test]
async fn an_invalid_token_form_makes_no_token_and_keeps_what_was_typed() {
    let world = World::new().await;
    let mut browser = signed_in(&world).await;
    for (form, code) in [
        ("name=&scope=read&days=90", "INVALID_TOKEN_NAME&name=#token-name"),
        ("name=%0A&scope=read&days=90", "INVALID_TOKEN_NAME&name=%0A#token-name"),
        ("name=CI%E2%80%AEx&scope=read&days=90", "INVALID_TOKEN_NAME&name=CI%E2%80%AEx#token-name"),
        ("name=%E3%85%A4&scope=read&days=90", "INVALID_TOKEN_NAME&name=%E3%85%A4#token-name"),
        ("name=CI&scope=admin&days=90", "INVALID_REQUEST&name=CI"),
        ("name=CI&scope=read&days=9000", "INVALID_REQUEST&name=CI"),
        ("name=CI", "INVALID_REQUEST&name=CI"),
        ("name=%FF&name=b", "INVALID_REQUEST&name="),
    ] {
        let reply = browser.post("/account/tokens", form).await;
        let expected = format!("/account?refused={code}");
        assert_eq!(reply.header("location"), Some(expected.as_str()), "{form}");
    }
    let page = browser.visit("/account?refused=INVALID_REQUEST&name=CI").await;
    assert!(page.body.contains("role=\"alert\"") && page.body.contains("value=\"CI\""), "{page:?}");
    assert!(page.body.contains("You have no tokens."), "{page:?}");

    let page = browser.visit("/account?refused=INVALID_TOKEN_NAME&name=CI%E2%80%AEx").await;
    let (_, field) = page.body.split_once("<input id=\"token-name\"").unwrap();
    let (field, _) = field.split_once("token-form__hint").unwrap();
    for part in ["value=\"CIx\"", "aria-invalid=\"true\"", "characters that can be seen"] {
        assert!(field.contains(part), "no {part} in {field}");
    }
    assert_eq!(page.body.matches("characters that can be seen").count(), 1, "{page:?}");
}

#[tokio::test]
async fn a_person_has_at_most_twenty_valid_tokens() {
    let world = World::new().await;
    let mut browser = signed_in(&world).await;
    for _ in 0..20 {
        assert!(shown(&make(&mut browser, "name=CI&scope=read&days=7").await).is_some());
    }
    let page = make(&mut browser, "name=CI&scope=read&days=7").await;
    assert!(shown(&page).is_none() && page.body.contains("You have 20 active tokens"), "{page:?}");
    for _ in 0..3 {
        browser.post("/account/tokens", "name=CI&scope=read&days=7").await;
    }
    let audited = audited(&world, AuditAction::MakeToken).await;
    assert_eq!((audited.len(), &*audited[0]), (21, "TOO_MANY_TOKENS"), "once an hour");
    world.app.clock.advance(DAY * 7);
    world.sign_in(&mut browser, "1234").await;
    assert!(shown(&make(&mut browser, "name=CI&scope=read&days=7").await).is_some());
}

#[tokio::test]
async fn the_account_page_requires_a_sign_in() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    for path in ["/account/tokens", "/account/tokens/revoke", "/account/sign-out-everywhere"] {
        let reply = browser.post(path, "name=CI&scope=read&days=7").await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{path}");
        assert!(reply.header("location").unwrap().starts_with("/sign-in"), "{path}");
    }
    assert!(audited(&world, AuditAction::MakeToken).await.is_empty());
}
