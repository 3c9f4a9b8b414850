//! A stack that an older version of the portal made, which kept nothing of what it is made of, is
//! changed all the same: the platform's row says that.

mod over_sandbox;

use std::time::Duration;

use ai_stack_deployer::server::platform::{
    ApplicationRow, Mount, MountId, PlatformError, RowDomain, VolumeName,
};
use ai_stack_deployer::server::spec::OperationSpec;
use ai_stack_deployer::server::store::{SpecOrigin, Specs as _};
use axum::http::StatusCode;
use domain::event::{Completion, EventBody, Resources};
use domain::stack_id::{RevisionId, StackId};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::revisions::{end, fail};
use crate::support::app::{Reply, TestApp};
use crate::support::settings::keyring;

const APPLICATION: &str = "app-1";
const STACK: &str = "/api/stacks/alice";
const PAGE: &str = "/stacks/alice/settings";

/// Returns the row of the stack as an older version made it.
fn row() -> ApplicationRow {
    let variable = |name: &str, value: &str| (name.to_owned(), Some(SecretString::from(value)));
    ApplicationRow {
        image: Some(String::from("sandbox/hello:1")),
        registry: None,
        environment: vec![
            variable("GREETING", "canary-old"),
            variable("STACK_OPERATION", "dep_0"),
            variable("STACK_REVISION", "1"),
        ],
        replicas: 1,
        cpu_nanos: Some(250_000_000),
        memory_bytes: None,
        has_command: false,
        args: vec![String::from("serve")],
        health_check: None,
        domains: vec![RowDomain { host: String::from("ALICE.localhost"), port: Some(3_000) }],
        mounts: Vec::new(),
    }
}

/// A portal of one image with the live stack `alice` of an older version.
async fn with_older_stack() -> (TestApp, StackId) {
    let (app, stack) = live_stack().await;
    app.store.forget_specs();
    (app, stack)
}

/// A portal of one image with the live stack `alice`.
async fn live_stack() -> (TestApp, StackId) {
    let variables = [("STACK_IMAGE", "sandbox/hello:2"), ("STACK_ENV_GREETING", "canary-new")];
    let app = TestApp::with(&variables).in_one_browser();
    let id = app.begin("alice").await;
    let lease = app.claim().await;
    let application_id = Some(APPLICATION.to_owned());
    let EventBody::Complete(complete) = TestApp::complete("alice") else { panic!("no end") };
    let resources = Resources { application_id, ..Resources::default() };
    app.record(&lease, vec![EventBody::Complete(Completion { resources, ..complete })]).await;
    (app, StackId::of(&id))
}

async fn send(app: &TestApp, method: &str, path: &str, body: &Value) -> Reply {
    let headers = [("content-type", "application/json")];
    app.ask(method, &format!("{STACK}{path}"), &headers, body.to_string()).await
}

/// Returns the image and the greeting of a revision.
async fn made_of(app: &TestApp, stack: StackId, number: u32) -> (String, Vec<String>) {
    let id = RevisionId { stack, number };
    let stored = app.store.spec(id).await.unwrap().unwrap();
    let image = stored.spec.image.clone();
    let environment = OperationSpec::stored(stored, id, Some(keyring())).environment().unwrap();
    let text = |(name, value): (String, SecretString)| format!("{name}={}", value.expose_secret());
    (image, environment.into_iter().map(text).collect())
}

#[tokio::test]
async fn its_first_change_reads_what_the_platform_has_and_it_can_go_back_to_that() {
    let (app, stack) = with_older_stack().await;
    app.platform.set_row(APPLICATION, row());
    let listed = app.get(&format!("{STACK}/revisions")).await.json();
    assert_eq!(listed["revisions"][0]["outcome"], "unknown");

    let plan = send(&app, "POST", "/plan", &json!({})).await;
    assert_eq!(plan.status, StatusCode::OK, "{plan:?}");
    let first = RevisionId { stack, number: 1 };
    let stored = app.store.spec(first).await.unwrap().unwrap();
    let (spec, origin) = (&stored.spec, stored.origin);
    assert_eq!(
        (origin, spec.port, &*spec.command),
        (SpecOrigin::Read, 3_000, &["serve".into()][..])
    );
    assert_eq!((spec.size.cpu_nanos, spec.size.memory_bytes), (Some(250_000_000), None));
    assert!(!spec.to_json().unwrap().contains("canary"), "{spec:?}");
    let old = (String::from("sandbox/hello:1"), vec![String::from("GREETING=canary-old")]);
    assert_eq!(made_of(&app, stack, 1).await, old);
    assert_eq!(app.platform.calls_of_rows(), 1);

    // What the portal offers now listens on another port.
    let offered = app.get(STACK).await.json()["stack"]["updateAvailable"].clone();
    let newer = send(&app, "POST", "/plan", &json!({ "version": offered })).await.json();
    let port = newer["changes"].as_array().unwrap().iter().find(|one| one["field"] == "port");
    assert_eq!(port.unwrap()["from"], 3_000, "{newer}");
    let changed = send(&app, "PATCH", "", &json!({ "parameters": {} })).await;
    assert_eq!(changed.status, StatusCode::ACCEPTED, "{changed:?}");
    end(&app).await;
    let new = vec![String::from("GREETING=canary-new")];
    assert_eq!(made_of(&app, stack, 2).await, (old.0.clone(), new));

    let listed = app.get(&format!("{STACK}/revisions")).await.json();
    let outcome = |number: usize| listed["revisions"][2 - number]["outcome"].clone();
    assert_eq!((outcome(1), outcome(2)), (json!("unknown"), json!("live")));
    let history = app.get("/stacks/alice/history").await;
    assert!(history.body.contains("Go back to this"), "{history:?}");
    let back = send(&app, "POST", "/rollback", &json!({ "revision": 1 })).await;
    assert_eq!(back.status, StatusCode::ACCEPTED, "{back:?}");
    end(&app).await;
    assert_eq!(made_of(&app, stack, 3).await, old);
    assert_eq!(app.platform.calls_of_rows(), 1, "it is asked once");
}

#[tokio::test]
async fn while_the_platform_does_not_answer_nothing_changes_and_everybody_is_told_so() {
    let (app, stack) = with_older_stack().await;
    app.platform.set_row(APPLICATION, row());
    app.platform
        .fail(PlatformError::TimedOut { call: "application.one", limit: Duration::from_secs(1) });
    for (method, path) in [("POST", "/plan"), ("PATCH", ""), ("PATCH", "")] {
        let reply = send(&app, method, path, &json!({ "parameters": {} })).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{reply:?}");
        assert_eq!(reply.json()["code"], "PLATFORM_UNREACHABLE");
    }
    let page = app.get(PAGE).await;
    assert!(
        page.body.contains("does not answer. An older version of the portal made this stack"),
        "{page:?}"
    );
    let first = RevisionId { stack, number: 1 };
    assert_eq!(app.store.spec(first).await.unwrap(), None);
    app.platform.recover();
    let page = app.get(PAGE).await;
    assert!(page.body.contains("Save the label"), "{page:?}");
    assert_eq!(page.status, StatusCode::OK);
    assert!(app.store.spec(first).await.unwrap().is_some(), "the page learns it as well");
}

#[tokio::test]
async fn a_row_that_holds_what_the_portal_never_sets_leaves_it_unknown() {
    let foreign = Mount {
        id: MountId(String::from("mount")),
        volume: Some(VolumeName(String::from("media"))),
        path: String::from("/media"),
    };
    let domain = |host: &str, port| RowDomain { host: host.to_owned(), port };
    let secret = |name: &str, value: &str| (name.to_owned(), Some(SecretString::from(value)));
    let rows = [
        ApplicationRow { image: None, ..row() },
        ApplicationRow { has_command: true, ..row() },
        ApplicationRow { mounts: vec![foreign], ..row() },
        ApplicationRow { domains: vec![domain("bobby.localhost", Some(80))], ..row() },
        ApplicationRow { domains: vec![domain("alice.localhost", None)], ..row() },
        ApplicationRow { environment: vec![(String::from("TOKEN"), None)], ..row() },
        ApplicationRow { environment: vec![secret("A.B", "x")], ..row() },
    ];
    let (app, stack) = with_older_stack().await;
    let unknown = async || {
        let reply = send(&app, "PATCH", "", &json!({ "parameters": {} })).await;
        assert_eq!(reply.error(), "409 SPEC_UNKNOWN");
        let first = RevisionId { stack, number: 1 };
        assert_eq!(app.store.spec(first).await.unwrap(), None);
    };
    unknown().await;
    for row in rows {
        app.platform.set_row(APPLICATION, row);
        unknown().await;
    }
}

#[tokio::test]
async fn of_two_first_changes_at_once_one_begins_and_both_learn_the_same() {
    let (app, stack) = with_older_stack().await;
    app.platform.set_row(APPLICATION, row());
    let body = json!({ "parameters": {} });
    let change = || send(&app, "PATCH", "", &body);
    let mut errors = Vec::new();
    for reply in <[Reply; 3]>::from(tokio::join!(change(), change(), change())) {
        if reply.status != StatusCode::ACCEPTED {
            errors.push((reply.status, reply.json()["code"].clone()));
        }
    }
    let refused = (StatusCode::CONFLICT, json!("OPERATION_UNDER_WAY"));
    assert_eq!(errors, [refused.clone(), refused]);
    fail(&app).await;
    let old = (String::from("sandbox/hello:1"), vec![String::from("GREETING=canary-old")]);
    assert_eq!(made_of(&app, stack, 1).await, old);
    assert_eq!(app.get(STACK).await.json()["stack"]["revision"], 1);
}

#[tokio::test]
async fn one_that_began_before_there_were_templates_keeps_its_image_until_another_is_chosen() {
    let (app, stack) = live_stack().await;
    app.platform.fail(PlatformError::Paused { retry_after: Duration::from_secs(1) });
    app.store.change_specs(|spec| {
        "sandbox/hello:1".clone_into(&mut spec.image);
        spec.template = None;
    });
    let changed = send(&app, "PATCH", "", &json!({ "parameters": {} })).await;
    assert_eq!(changed.status, StatusCode::ACCEPTED, "{changed:?}");
    end(&app).await;
    assert_eq!(made_of(&app, stack, 2).await.0, "sandbox/hello:1");
    let offered = app.get(STACK).await.json()["stack"]["updateAvailable"].clone();
    let newer = send(&app, "PATCH", "", &json!({ "version": offered })).await;
    assert_eq!(newer.status, StatusCode::ACCEPTED, "{newer:?}");
    end(&app).await;
    assert_eq!(made_of(&app, stack, 3).await.0, "sandbox/hello:2");
}
