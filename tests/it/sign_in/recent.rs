//! What the portal remembers of a credential for some seconds, and when it does not use that.

use std::time::Duration;

use ai_stack_deployer::server::auth::accounts::Accounts;
use axum::http::StatusCode;
use clock::Clock;

use super::tokens::{call, make, shown, signed_in};
use super::world::World;

/// Revokes the access of everybody who has signed in, as another replica does: in the database.
async fn revoke_elsewhere(world: &World) {
    let store = &world.app.store;
    for person in store.people(10).await.unwrap() {
        store.revoke_access(&person.owner, world.app.clock.now(), None).await.unwrap();
    }
}

#[tokio::test]
async fn what_another_replica_revokes_reads_on_for_five_seconds_at_most_and_changes_nothing() {
    let world = World::new().await;
    let mut browser = signed_in(&world).await;
    let token = shown(&make(&mut browser, "name=Do&scope=deploy&days=7").await).unwrap();
    assert_eq!(call(&world, &token, "GET", "/api/check/alice").await.status, StatusCode::OK);
    assert_eq!(browser.get("/").await.status, StatusCode::OK);

    revoke_elsewhere(&world).await;
    assert_eq!(call(&world, &token, "GET", "/api/check/alice").await.status, StatusCode::OK);
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    // A change, an event stream and the account are decided by the database.
    for (method, path) in [
        ("POST", "/api/deploy"),
        ("DELETE", "/api/stacks/alice"),
        ("GET", "/api/status/dep_0000000000000000000000000000000"),
        ("GET", "/account"),
    ] {
        let reply = call(&world, &token, method, path).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
    assert_eq!(browser.get("/account").await.status, StatusCode::SEE_OTHER);

    world.app.clock.advance(Duration::from_secs(5));
    let reply = call(&world, &token, "GET", "/api/check/alice").await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn nothing_remembered_is_used_while_no_notifications_arrive() {
    let world = World::new().await;
    let mut browser = signed_in(&world).await;
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    world.app.notifier.listening().set(false);
    revoke_elsewhere(&world).await;
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn what_this_portal_ends_is_over_at_once_for_all_who_have_it() {
    let world = World::new().await;
    let (mut one, mut other) = (signed_in(&world).await, signed_in(&world).await);
    for browser in [&mut one, &mut other] {
        assert_eq!(browser.get("/").await.status, StatusCode::OK);
    }
    one.post("/account/sign-out-everywhere", "").await;
    for browser in [&mut one, &mut other] {
        assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
    }
}
