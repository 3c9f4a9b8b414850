//! The time at which a stack expires: set by the API, said on its pages and its card, and put off by a
//! button without scripts.

use std::time::Duration;

use axum::http::StatusCode;
use clock::Clock as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::app::{Reply, TestApp};

const HOUR: Duration = Duration::from_hours(1);
const KEEP: &str = "Keep it for 2 days more";

/// A portal with the live stack `alice` of one browser.
async fn portal(variables: &[(&str, &str)]) -> (TestApp, TempDir) {
    let site = tempfile::tempdir().unwrap();
    let app = TestApp::with_pages(variables, site.path()).in_one_browser();
    app.live("alice").await;
    (app, site)
}

async fn set(app: &TestApp, expires: Value) -> Reply {
    let body = json!({ "expiresAt": expires }).to_string();
    app.ask("PATCH", "/api/stacks/alice", &[], body).await
}

fn refusal(reply: &Reply) -> (u16, Value) {
    (reply.status.as_u16(), reply.json()["code"].clone())
}

async fn expires(app: &TestApp) -> Value {
    app.get("/api/stacks/alice").await.json()["stack"]["expiresAt"].clone()
}

#[tokio::test]
async fn a_stack_gets_another_time_to_expire_or_the_latest_one_is_told() {
    let (app, _site) = portal(&[("STACK_LIFETIME_MAX", "2d")]).await;
    assert_eq!(expires(&app).await, Value::Null, "it became live without one");
    let reply = set(&app, json!("2026-11-24T12:00:00+02:00")).await;
    assert_eq!((reply.status, &reply.json()["changed"]), (StatusCode::OK, &json!(true)));
    assert_eq!(expires(&app).await, "2026-11-24T10:00:00.000Z");
    let again = set(&app, json!("2026-11-24T10:00:00Z")).await;
    assert_eq!((again.status, &again.json()["changed"]), (StatusCode::OK, &json!(false)));
    let listed = app.get("/api/stacks").await.json();
    assert_eq!(listed["stacks"][0]["expiresAt"], "2026-11-24T10:00:00.000Z");

    for refused in [
        json!("2026-11-23T09:55:24.515Z"),
        json!("2026-11-25T09:55:24.516Z"),
        json!("soon"),
        json!(null),
    ] {
        let reply = set(&app, refused.clone()).await;
        assert_eq!(refusal(&reply), (422, json!("INVALID_EXPIRY")), "{refused}");
        assert_eq!(reply.json()["latest"], "2026-11-25T09:55:24.515Z", "{refused}");
    }
    assert_eq!(set(&app, json!(5)).await.error(), "400 INVALID_JSON");
    let last = set(&app, json!("2026-11-25T09:55:24.515Z")).await;
    assert_eq!(last.status, StatusCode::OK, "{last:?}");
    let history = app.get("/api/stacks/alice/history").await.json();
    let events = history["events"].as_array().unwrap();
    let told: Vec<_> = events.iter().filter(|one| one["event"] == "expiry_changed").collect();
    assert_eq!(told.len(), 2, "once for each change: {history}");
    let another = [("cookie", "browser=x")];
    let body = json!({ "expiresAt": "2026-11-24T10:00:00Z" }).to_string();
    let refused = app.ask("PATCH", "/api/stacks/alice", &another, body).await;
    assert_eq!(refused.error(), "404 NOT_FOUND");
}

#[tokio::test]
async fn without_a_maximum_a_stack_expires_if_somebody_says_so() {
    let (app, _site) = portal(&[]).await;
    app.clock.advance(HOUR * 1_000);
    assert!(!app.get("/stacks/alice").await.body.contains("Keep it"), "it does not expire");
    let over = set(&app, json!("2026-11-23T09:55:24.515Z")).await;
    assert_eq!(over.error(), "422 INVALID_EXPIRY");
    assert_eq!(set(&app, json!("2036-01-01T00:00:00Z")).await.status, StatusCode::OK);
    let soon = app.clock.now() + HOUR;
    assert_eq!(set(&app, json!(soon.to_string())).await.status, StatusCode::OK);
    assert!(app.get("/stacks/alice").await.body.contains("Keep it for 7 days more"));
    let kept = app.post_form("/stacks/alice/keep", "").await;
    assert_eq!(kept.status, StatusCode::SEE_OTHER);
    assert_eq!(kept.header("location"), Some("/stacks/alice"));
    let week = domain::time::written(soon + HOUR * 24 * 7).to_string();
    assert_eq!(expires(&app).await, week);
    assert_eq!(set(&app, Value::Null).await.status, StatusCode::OK);
    assert_eq!(expires(&app).await, Value::Null);
}

#[tokio::test]
async fn the_overview_says_when_a_stack_stops_however_far_ahead_that_is() {
    let (app, _site) = portal(&[]).await;
    assert!(!app.get("/stacks/alice").await.body.contains("Stops on"), "it does not expire");
    assert_eq!(set(&app, json!("2036-01-01T00:00:00Z")).await.status, StatusCode::OK);
    let page = app.get("/stacks/alice").await.body;
    assert!(page.contains("<dt>Stops on</dt><dd>1 Jan 2036, 00:00 UTC</dd>"), "{page}");
    assert!(!page.contains("class=\"ending\""), "there is time enough: {page}");
}

#[tokio::test]
async fn every_page_of_a_stack_says_from_a_day_before_when_it_ends() {
    let (app, _site) = portal(&[("STACK_LIFETIME_MAX", "2d")]).await;
    assert_eq!(set(&app, json!("2026-11-24T22:00:00Z")).await.status, StatusCode::OK);
    let pages = ["/", "/stacks/alice", "/stacks/alice/logs", "/stacks/alice/history"];
    for page in pages {
        assert!(!app.get(page).await.body.contains("This stack end"), "{page}: not yet");
    }
    app.clock.advance(HOUR * 13);
    for page in pages {
        let body = app.get(page).await.body;
        assert!(body.contains("This stack ends on 24 Nov 2026, 22:00 UTC"), "{page}: {body}");
        assert!(body.contains("removed on 1 Dec 2026, 22:00 UTC or later"), "{page}");
        assert!(body.contains(KEEP), "{page}");
    }
    app.clock.advance(HOUR * 24);
    let body = app.get("/stacks/alice").await.body;
    assert!(body.contains("This stack ended on 24 Nov 2026, 22:00 UTC"), "{body}");
    assert!(!body.contains("Stops on"), "it has been: {body}");

    let (_, form) = body.split_once("action=\"/stacks/alice/keep").unwrap();
    let (query, _) = form.split_once('"').unwrap();
    let kept = app.post_form(&format!("/stacks/alice/keep{query}"), "").await;
    assert_eq!(kept.status, StatusCode::SEE_OTHER);
    assert_eq!(expires(&app).await, "2026-11-26T22:55:24.515Z");
    assert!(!app.get("/stacks/alice").await.body.contains("This stack end"));
    let page = app.get("/stacks/alice/history").await.body;
    assert!(page.contains("Expires on 26 Nov 2026, 22:55 UTC"), "{page}");
}

#[tokio::test]
async fn a_stack_that_is_being_removed_cannot_be_kept() {
    let (app, _site) = portal(&[]).await;
    assert_eq!(set(&app, json!("2026-11-23T12:00:00Z")).await.status, StatusCode::OK);
    app.clock.advance(HOUR * 24 * 30);
    app.service.end_expired().await.unwrap();
    let stopping = app.get("/api/stacks/alice").await.json();
    assert_eq!(stopping["stack"]["operation"]["kind"], "stop", "{stopping}");
    let page = app.get("/stacks/alice/history").await.body;
    assert!(page.contains("Begun by the portal: stop"), "{page}");
    assert!(page.contains("The time of the stack was over."), "{page}");
    assert_eq!(set(&app, json!("2027-01-01T00:00:00Z")).await.status, StatusCode::OK);

    let (app, _site) = portal(&[]).await;
    app.ask("DELETE", "/api/stacks/alice", &[], "").await;
    let reply = set(&app, json!("2027-01-01T00:00:00Z")).await;
    assert_eq!(refusal(&reply), (409, json!("OPERATION_UNDER_WAY")));
    let kept = app.post_form("/stacks/alice/keep", "").await;
    let page = Some("/stacks/alice?refused=OPERATION_UNDER_WAY");
    assert_eq!(kept.header("location"), page);
}
