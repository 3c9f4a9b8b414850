//! The API of stops, starts and restarts.

use ai_stack_deployer::server::store::{CancelRequest, Desired, End, Fact, Journal as _, State};
use axum::http::StatusCode;
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::event::EventBody;

use super::{retry, send};
use crate::support::app::{Reply, TestApp};

/// Checks that `reply` refuses because `id` is under way.
fn assert_is_told(reply: &Reply, id: &DeploymentId) {
    assert_eq!(reply.status, StatusCode::CONFLICT, "{reply:?}");
    let body = reply.json();
    assert_eq!(
        (&body["code"], &body["operationId"]),
        (&"OPERATION_UNDER_WAY".into(), &id.as_str().into())
    );
}

async fn act(app: &TestApp, action: &str) -> Reply {
    send(app, "POST", &format!("/api/stacks/alice/{action}")).await
}

/// Asks for `action`, which begins, and returns the operation.
async fn begin(app: &TestApp, action: &str) -> DeploymentId {
    let reply = act(app, action).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
    let id = reply.json()["operationId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("op_"), "{id}");
    DeploymentId::parse(&id).unwrap()
}

/// Ends the operation that is under way with `last`, which leaves the stack like that.
async fn end(app: &TestApp, last: EventBody, leaves: Desired) {
    let lease = app.claim().await;
    let end = End {
        state: State::RolledBack,
        leaves: Some(leaves),
        at: app.clock.now(),
        cancel_request: CancelRequest::None,
        due: None,
    };
    let fact = Fact { events: vec![last], end: Some(end), ..Fact::default() };
    app.store.record(&lease, &fact).await.unwrap();
}

#[tokio::test]
async fn what_is_so_already_changes_nothing_and_what_is_under_way_is_told() {
    let app = TestApp::new().in_one_browser();
    app.live("alice").await;
    let unchanged = async |action: &str| {
        let reply = act(&app, action).await;
        assert_eq!((reply.status, &reply.json()["changed"]), (StatusCode::OK, &false.into()));
    };
    unchanged("start").await;

    let stop = begin(&app, "stop").await;
    assert_eq!(begin(&app, "stop").await, stop, "the same is under way");
    for action in ["start", "restart"] {
        let reply = act(&app, action).await;
        assert_is_told(&reply, &stop);
    }
    let reply = send(&app, "DELETE", "/api/stacks/alice").await;
    assert_is_told(&reply, &stop);

    end(&app, TestApp::complete("alice"), Desired::Stopped).await;
    unchanged("stop").await;
    assert_eq!(act(&app, "restart").await.error(), "409 WRONG_STATE");
    let taken = app.deploy(r#"{"name":"alice"}"#).await;
    assert_eq!(taken.error_code(), "NAME_TAKEN", "a stopped stack keeps its name");
}

#[tokio::test]
async fn a_stopped_stack_counts_as_a_stack() {
    let app = TestApp::with(&[("STACKS_PER_PERSON", "1")]).in_one_browser();
    app.live("alice").await;
    begin(&app, "stop").await;
    end(&app, TestApp::complete("alice"), Desired::Stopped).await;
    let refused = app.deploy(r#"{"name":"bobby"}"#).await;
    assert_eq!(refused.error(), "429 LIMIT_REACHED");
}

#[tokio::test]
async fn a_limit_refuses_starts_and_restarts_but_neither_stops_nor_removals() {
    let app = TestApp::with(&[("OPERATIONS_PER_HOUR", "2")]).in_one_browser();
    app.live("alice").await;
    begin(&app, "restart").await;
    end(&app, TestApp::complete("alice"), Desired::Running).await;
    let refused = act(&app, "restart").await;
    assert_eq!(refused.error(), "429 LIMIT_REACHED");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    begin(&app, "stop").await;
    end(&app, TestApp::complete("alice"), Desired::Stopped).await;
    assert_eq!(act(&app, "start").await.error(), "429 LIMIT_REACHED");
    assert_eq!(send(&app, "DELETE", "/api/stacks/alice").await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_failed_start_of_a_stack_is_no_deployment_to_try_again() {
    let app = TestApp::new().in_one_browser();
    app.live("alice").await;
    begin(&app, "stop").await;
    end(&app, TestApp::complete("alice"), Desired::Stopped).await;
    let start = begin(&app, "start").await;
    end(&app, app.failure(), Desired::Stopped).await;
    assert_eq!(retry(&app, &start).await.error_code(), "NOT_A_DEPLOYMENT");
}
