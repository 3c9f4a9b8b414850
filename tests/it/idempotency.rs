//! A start under an idempotency key happens once, and its first answer is repeated.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::support::app::{Reply, TestApp};

async fn post(app: &TestApp, key: &str, body: &str) -> Reply {
    app.ask("POST", "/api/deploy", &[("idempotency-key", key)], body.to_owned()).await
}

const ALICE: &str = r#"{"name":"alice"}"#;

#[tokio::test]
async fn the_same_body_repeats_the_first_answer_byte_for_byte() {
    let app = TestApp::new();
    let first = post(&app, "k1", ALICE).await;
    let again = post(&app, "k1", ALICE).await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.header("location"), first.header("location"));
    assert!(first.header("location").is_some());
    assert_eq!(app.store.records().len(), 1);
}

#[tokio::test]
async fn a_refusal_is_repeated_as_well() {
    let app = TestApp::new();
    app.begin("alice").await;
    let first = post(&app, "k1", ALICE).await;
    assert_eq!(first.error_code(), "NAME_TAKEN");
    let lease = app.claim().await;
    app.record(&lease, vec![app.failure()]).await;
    let again = post(&app, "k1", ALICE).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body), "the name is free now");
    assert_eq!(post(&app, "k2", ALICE).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused() {
    let app = TestApp::new();
    post(&app, "k1", ALICE).await;
    let reply = post(&app, "k1", r#"{"name":"bobby"}"#).await;
    assert_eq!(reply.error(), "422 IDEMPOTENCY_KEY_REUSED");
    assert_eq!(app.store.records().len(), 1);
}

#[tokio::test]
async fn an_outage_is_not_stored_as_the_response() {
    let app = TestApp::new();
    app.store.set_down(true);
    assert_eq!(post(&app, "k1", ALICE).await.status, StatusCode::SERVICE_UNAVAILABLE);
    app.store.set_down(false);
    assert_eq!(post(&app, "k1", ALICE).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_key_expires_after_a_day() {
    let app = TestApp::new();
    post(&app, "k1", ALICE).await;
    app.clock.advance(Duration::from_hours(24));
    assert_eq!(post(&app, "k1", r#"{"name":"bobby"}"#).await.status, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_posts_under_one_key_are_one_deployment_with_one_answer() {
    let app = std::sync::Arc::new(TestApp::new());
    let posts = (0..16).map(|_| {
        let app = std::sync::Arc::clone(&app);
        tokio::spawn(async move { post(&app, "k1", ALICE).await })
    });
    let replies = futures::future::join_all(posts).await;
    let first = replies[0].as_ref().unwrap().body.clone();
    for reply in replies {
        let reply = reply.unwrap();
        assert_eq!((reply.status, &reply.body), (StatusCode::CREATED, &first));
    }
    assert_eq!(app.store.records().len(), 1);
}

#[tokio::test]
async fn an_invalid_idempotency_key_is_rejected() {
    let app = TestApp::new();
    for key in ["", &"k".repeat(256), "\t", "schlüssel"] {
        let Ok(value) = axum::http::HeaderValue::from_bytes(key.as_bytes()) else { continue };
        let request = Request::post("/api/deploy").header("idempotency-key", value);
        let reply = app.send(request.body(Body::from(ALICE)).unwrap()).await;
        assert_eq!(reply.error(), "400 INVALID_IDEMPOTENCY_KEY", "{key:?}");
    }
}
