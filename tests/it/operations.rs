//! The API of cancel, retry, stacks and their removal.

mod acting;

use ai_stack_deployer::server::store::{CancelRequest, Lease, Operations};
use axum::http::StatusCode;
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::event::{EventBody, FailureCode};
use domain::phase::Phase;
use domain::receipt::{Line, Outcome, ResourceKind};
use domain::remedy::Remedy;
use serde_json::Value;

use crate::support::app::{Reply, TestApp, failure, line};

async fn send(app: &TestApp, method: &str, path: &str) -> Reply {
    app.ask(method, path, &[], "").await
}

async fn cancel(app: &TestApp, id: &DeploymentId) -> Reply {
    send(app, "POST", &format!("/api/deployment/{id}/cancel")).await
}

async fn retry(app: &TestApp, id: &DeploymentId) -> Reply {
    send(app, "POST", &format!("/api/deployment/{id}/retry")).await
}

async fn deployment(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/api/deployment/{id}")).await.json()["deployment"].clone()
}

/// Ends an operation as stuck, with its project left.
async fn get_stuck(app: &TestApp, lease: &Lease, phase: Phase) {
    let at = app.clock.now();
    let line = line(ResourceKind::Project, "ai-stack-alice", Outcome::Left, at);
    let line = Line { remedy: Some(Remedy::Sentence(String::from("Delete the project"))), ..line };
    let failure = failure(phase, FailureCode::PlatformUnreachable, "It did not work", line);
    app.record(lease, vec![EventBody::Error(failure)]).await;
}

#[tokio::test]
async fn a_cancellation_is_accepted_until_the_end_however_often() {
    let app = TestApp::new().in_one_browser();
    let id = app.begin("alice").await;
    assert_eq!(
        deployment(&app, id.as_str()).await["cancelling"],
        Value::Null,
        "nobody has asked to cancel"
    );
    let mut cancel_requests = app.notifier.cancel_requests(&id);
    for _ in 0..2 {
        let reply = cancel(&app, &id).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
        assert_eq!(reply.json()["deploymentId"], id.as_str());
    }
    assert!(cancel_requests.has_changed().unwrap(), "its worker is notified");
    cancel_requests.mark_unchanged();
    assert_eq!(
        app.store.find(&id).await.unwrap().unwrap().cancel_request,
        CancelRequest::Requested
    );
    assert_eq!(deployment(&app, id.as_str()).await["cancelling"], true);

    let other = TestApp::new().in_one_browser();
    let ended = other.live("alice").await;
    let reply = cancel(&other, &ended).await;
    assert_eq!(reply.error(), "409 ALREADY_ENDED");
    let nobody = cancel(&other, &DeploymentId::from_random(7)).await;
    assert_eq!(nobody.error(), "404 NOT_FOUND");
}

#[tokio::test]
async fn a_failed_deployment_is_tried_again_and_linked_both_ways() {
    let app = TestApp::new().in_one_browser();
    let first = app.begin("alice").await;
    let early = retry(&app, &first).await;
    assert_eq!(early.error(), "409 NOT_ENDED");
    let lease = app.claim().await;
    app.record(&lease, vec![app.progress(Phase::ROLLING_BACK), app.failure()]).await;

    let reply = retry(&app, &first).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    let second = reply.json()["deploymentId"].as_str().unwrap().to_owned();
    assert_eq!(reply.header("location"), Some(format!("/api/deployment/{second}").as_str()));
    assert_eq!(deployment(&app, &second).await["retryOf"], first.as_str());
    assert_eq!(deployment(&app, first.as_str()).await["retriedBy"], second.as_str());
    let again = retry(&app, &first).await;
    assert_eq!(again.error(), "409 NAME_TAKEN");
}

#[tokio::test]
async fn nothing_is_retried_while_resources_are_left_or_live() {
    let app = TestApp::new().in_one_browser();
    let id = app.begin("alice").await;
    let lease = app.claim().await;
    get_stuck(&app, &lease, Phase::CREATING_PROJECT).await;
    let reply = retry(&app, &id).await;
    assert_eq!(reply.error(), "409 NAME_NOT_CLEAN");
    let health = app.get("/health").await.json();
    assert_eq!((&health["status"], &health["stuck"]), (&"degraded".into(), &1.into()));

    let other = TestApp::new().in_one_browser();
    let id = other.live("alice").await;
    let reply = retry(&other, &id).await;
    assert_eq!(reply.error(), "409 NAME_TAKEN");
}

#[tokio::test]
async fn a_live_stack_is_listed_and_removed_by_one_operation() {
    let app = TestApp::new().in_one_browser();
    assert_eq!(app.get("/api/stacks").await.json()["stacks"], Value::Array(Vec::new()));
    let id = app.live("alice").await;
    let mut stack = app.get("/api/stacks/alice").await.json()["stack"].clone();
    for only_of_one in ["parameters", "resources", "urls", "volumes", "links"] {
        assert!(stack.as_object_mut().unwrap().remove(only_of_one).is_some(), "{only_of_one}");
    }
    assert_eq!(stack["deploymentId"], id.as_str());
    assert_eq!((&stack["state"], &stack["name"]), (&"live".into(), &"alice".into()));
    assert_eq!(app.get("/api/stacks").await.json()["stacks"], Value::Array(vec![stack]));

    let reply = send(&app, "DELETE", "/api/stacks/alice").await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
    let removal = reply.json()["operationId"].as_str().unwrap().to_owned();
    assert!(removal.starts_with("rem_"), "{removal}");
    let again = send(&app, "DELETE", "/api/stacks/alice").await;
    assert_eq!(again.json()["operationId"], removal.as_str(), "one at a time");
    let described = deployment(&app, &removal).await;
    assert_eq!((&described["kind"], &described["phase"]), (&"removal".into(), &"removing".into()));
    assert_eq!(described["removes"], id.as_str());
    assert_eq!(app.get("/api/stacks/alice").await.json()["stack"]["state"], "removing");
    let cancelled = cancel(&app, &DeploymentId::parse(&removal).unwrap()).await;
    assert_eq!(cancelled.error_code(), "NOT_CANCELLABLE");

    let lease = app.claim().await;
    get_stuck(&app, &lease, Phase::REMOVING).await;
    assert_eq!(app.get("/api/stacks/alice").await.json()["stack"]["state"], "stuck");
    let taken = app.deploy(r#"{"name":"alice"}"#).await;
    assert_eq!(taken.error_code(), "NAME_TAKEN", "a name is free only after verified removal");
}

#[tokio::test]
async fn with_an_id_only_that_stack_is_removed() {
    let app = TestApp::new().in_one_browser();
    let id = app.live("alice").await;
    let remove = async |query: &str| {
        let reply = send(&app, "DELETE", &format!("/api/stacks/alice{query}")).await;
        let code = if reply.status.is_success() { String::new() } else { reply.error_code() };
        (reply.status.as_u16(), code, reply)
    };
    let refused = |status: u16, code: &str| (status, code.to_owned());
    let stranger = DeploymentId::from_random(7);
    for (query, expected) in [
        (format!("?id={stranger}"), refused(409, "ANOTHER_STACK")),
        (String::from("?id="), refused(404, "NOT_FOUND")),
        (format!("?id={id}&id={stranger}"), refused(400, "INVALID_REQUEST")),
    ] {
        let (status, code, _) = remove(&query).await;
        assert_eq!((status, code), expected, "{query}");
    }
    assert_eq!(app.get("/api/stacks/alice").await.json()["stack"]["state"], "live");
    let (status, _, reply) = remove(&format!("?id={id}")).await;
    assert_eq!(status, 202, "{reply:?}");
    let removal = reply.json()["operationId"].as_str().unwrap().to_owned();
    let (status, _, reply) = remove(&format!("?id={removal}")).await;
    assert_eq!((status, &reply.json()["operationId"]), (202, &removal.as_str().into()));
}

#[tokio::test]
async fn a_stack_that_is_not_live_cannot_be_removed() {
    let app = TestApp::new().in_one_browser();
    for name in ["alice", "A", "%20"] {
        let reply = send(&app, "DELETE", &format!("/api/stacks/{name}")).await;
        assert_eq!(reply.error(), "404 NOT_FOUND");
    }
    assert_eq!(app.get("/api/stacks/alice").await.error_code(), "NOT_FOUND");
    app.begin("alice").await;
    let reply = send(&app, "DELETE", "/api/stacks/alice").await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND, "it is not live yet");
}
