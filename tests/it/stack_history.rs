//! The history of a stack and its stream, for whoever may change it.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::deployment::DeploymentId;
use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::support::app::TestApp;

async fn events(app: &TestApp, query: &str) -> (Vec<Value>, bool) {
    let reply = app.get(&format!("/api/stacks/alice/history{query}")).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let body = reply.json();
    (body["events"].as_array().unwrap().clone(), body["more"].as_bool().unwrap())
}

#[tokio::test]
async fn the_history_of_a_stack_tells_its_operations_in_their_order() {
    let app = TestApp::new().in_one_browser();
    let id = app.live("alice").await;
    let (all, more) = events(&app, "").await;
    let at = all[0]["at"].clone();
    let expected = json!([
        { "id": 1, "at": at, "event": "operation_begun", "operation": id.as_str(), "kind": "deployment" },
        {
            "id": 2, "at": at, "event": "operation_ended", "operation": id.as_str(),
            "kind": "deployment", "outcome": "done", "leaves": "live",
        },
        { "id": 3, "at": at, "event": "revision_live", "revision": 1 },
    ]);
    assert_eq!((Value::from(all), more), (expected, false));
    let stopped = app.ask("POST", "/api/stacks/alice/stop", &[], "").await;
    assert_eq!(stopped.status, StatusCode::ACCEPTED);
    let (new, _) = events(&app, "?after=3").await;
    assert_eq!(new.len(), 1);
    assert_eq!((&new[0]["id"], &new[0]["kind"]), (&4.into(), &"stop".into()));
    assert_eq!(app.get("/api/stacks/alice/history?after=x").await.error(), "400 INVALID_REQUEST");
    assert_eq!(app.get("/api/stacks/nobody/history").await.error(), "404 NOT_FOUND");
}

#[tokio::test]
async fn nothing_is_told_of_a_stack_that_has_the_name_of_the_one_that_is_meant() {
    let app = TestApp::new().in_one_browser();
    app.live("alice").await;
    let other = DeploymentId::from_random(7);
    for part in ["history", "events", "usage", "logs", "logs/stream", "revisions"] {
        let another = app.get(&format!("/api/stacks/alice/{part}?id={other}")).await;
        assert_eq!(another.error(), "409 ANOTHER_STACK", "{part}");
    }
    for tab in ["", "/history", "/logs"] {
        let another = app.get(&format!("/stacks/alice{tab}?id={other}")).await;
        assert_eq!(another.status, StatusCode::CONFLICT, "{tab}");
        assert!(another.body.contains("Another stack has this name now"), "{tab}");
    }
}

/// Reads from the stream until `end` has come.
async fn until(body: Body, end: &str) -> String {
    let (mut chunks, mut text) = (body.into_data_stream(), String::new());
    while !text.contains(end) {
        let chunk = chunks.next().await.expect("the stream goes on").unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    text
}

#[tokio::test]
async fn the_stream_of_a_stack_continues_after_the_last_event_and_brings_new_ones() {
    let app = TestApp::new().in_one_browser();
    app.live("alice").await;
    let recorded = app.get("/api/stacks/alice/events?follow=false&after=1").await;
    let numbers: Vec<_> =
        recorded.body.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    assert_eq!(numbers, ["2", "3"]);
    assert_eq!(recorded.header("content-type"), Some("text/event-stream"));
    assert!(recorded.body.starts_with("retry: 2000\n\n"), "{}", recorded.body);

    let request = Request::get("/api/stacks/alice/events").header("last-event-id", "3");
    let response = app.open(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let stop = async { app.ask("POST", "/api/stacks/alice/stop", &[], "").await };
    let (text, stopped) = tokio::join!(until(response.into_body(), "operation_begun"), stop);
    assert_eq!(stopped.status, StatusCode::ACCEPTED);
    assert!(text.contains("id: 4\nevent: operation_begun\ndata: {\"id\":4,"), "{text}");
    assert!(!text.contains("id: 3\n"), "{text}");
}
