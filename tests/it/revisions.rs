//! The API of the revisions of a stack: change it, plan that, go back, and list them.

use ai_stack_deployer::server::store::{CancelRequest, Desired, End, Fact, Journal as _, State};
use axum::http::StatusCode;
use clock::Clock;
use domain::event::EventBody;
use serde_json::{Value, json};

use crate::catalogue::{NOTES, put};
use crate::support::app::{Reply, TestApp};
use crate::support::claim_one::{CLEAN_UP, ClaimOne as _};

/// A portal with the live stack `alice` of a template with questions, and the template's folder.
pub(crate) async fn with_stack() -> (TestApp, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "notes", NOTES);
    let catalogue = folder.path().to_str().unwrap().to_owned();
    let app = TestApp::with_pages(&[("CATALOGUE", &catalogue)], folder.path()).in_one_browser();
    let answers = json!({
        "name": "alice",
        "template": "notes",
        "parameters": { "pages": 12 },
        "secrets": { "api_key": "first-key" },
    });
    assert_eq!(app.deploy(answers.to_string()).await.status, StatusCode::CREATED);
    let lease = app.claim().await;
    app.record(&lease, vec![TestApp::complete("alice")]).await;
    (app, folder)
}

async fn send(app: &TestApp, method: &str, path: &str, body: &Value) -> Reply {
    send_with(app, method, path, &[], body).await
}

async fn send_with(
    app: &TestApp,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Reply {
    let headers = [headers, &[("content-type", "application/json")]].concat();
    app.ask(method, &format!("/api/stacks/alice{path}"), &headers, body.to_string()).await
}

/// Ends the change that is under way, well.
pub(crate) async fn end(app: &TestApp) {
    end_with(app, TestApp::complete("alice")).await;
}

/// Ends the change that is under way, which failed: the stack is as it was.
pub(crate) async fn fail(app: &TestApp) {
    end_with(app, app.failure()).await;
}

async fn end_with(app: &TestApp, event: EventBody) {
    let (now, ttl) = (app.clock.now(), std::time::Duration::from_mins(1));
    let lease = app.store.claim_one(CLEAN_UP, "test", now, ttl).await.unwrap().unwrap();
    let end = Some(End {
        state: State::RolledBack,
        leaves: Some(Desired::Running),
        at: now,
        cancel_request: CancelRequest::None,
        due: None,
    });
    app.store.record(&lease, &Fact { events: vec![event], end, ..Fact::default() }).await.unwrap();
}

fn fields(plan: &Value) -> Vec<&str> {
    plan["changes"].as_array().unwrap().iter().map(|one| one["field"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_change_is_planned_made_listed_and_taken_back_by_another_revision() {
    let (app, _folder) = with_stack().await;
    let change = json!({ "parameters": { "pages": 30 }, "size": "large" });
    let plan = send(&app, "POST", "/plan", &change).await.json();
    assert_eq!(fields(&plan), ["size", "pages"], "{plan}");
    assert_eq!((&plan["changes"][1]["from"], &plan["changes"][1]["to"]), (&json!(12), &json!(30)));
    assert_eq!(plan["downtime"], "seconds");

    let reply = send_with(&app, "PATCH", "", &[("if-match", "\"1\"")], &change).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
    let id = reply.json()["operationId"].as_str().unwrap().to_owned();
    let other = json!({ "size": "small", "parameters": { "pages": 1 } });
    let other = send(&app, "PATCH", "", &other).await;
    assert_eq!(
        (other.status, &other.json()["code"]),
        (StatusCode::CONFLICT, &json!("OPERATION_UNDER_WAY"))
    );
    assert_eq!(other.json()["operationId"], *id);
    end(&app).await;

    let stack = app.get("/api/stacks/alice").await.json();
    assert_eq!(stack["stack"]["revision"], 2);
    let small = json!({ "size": "small" });
    let reply = send_with(&app, "PATCH", "", &[("if-match", "\"1\"")], &small).await;
    assert_eq!(reply.error(), "412 REVISION_CHANGED");
    let same = send(&app, "PATCH", "", &change).await;
    assert_eq!((same.status, &same.json()["changed"]), (StatusCode::OK, &json!(false)));

    assert_eq!(
        send(&app, "POST", "/rollback", &json!({ "revision": 7 })).await.error(),
        "404 NO_SUCH_REVISION"
    );
    let back = send(&app, "POST", "/rollback", &json!({ "revision": 1 })).await;
    assert_eq!(back.status, StatusCode::ACCEPTED, "{back:?}");
    end(&app).await;
    let list = app.get("/api/stacks/alice/revisions").await.json();
    let all = list["revisions"].as_array().unwrap();
    let numbers: Vec<_> = all.iter().map(|one| one["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [3, 2, 1], "history only grows");
    assert_eq!((&all[0]["outcome"], &all[0]["current"]), (&json!("live"), &json!(true)));
    assert_eq!(all[0]["parameters"], all[2]["parameters"], "equal to the older one");
    assert_eq!(fields(&all[0]), ["size", "pages"]);
    assert_eq!(all[0]["parameters"]["api_key"]["secret"], true);
    assert!(!list.to_string().contains("first-key"));
    assert_eq!(list.get("updateAvailable"), None);
}

#[tokio::test]
async fn a_secret_that_is_given_is_changed_and_others_are_kept() {
    let (app, _folder) = with_stack().await;
    let change = json!({ "secrets": { "api_key": "first-key" } });
    let plan = send(&app, "POST", "/plan", &change).await.json();
    assert_eq!(fields(&plan), ["api_key"], "it is not compared");
    assert_eq!(
        (&plan["changes"][0]["secret"], &plan["changes"][0]["to"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(send(&app, "PATCH", "", &change).await.status, StatusCode::ACCEPTED);
    end(&app).await;
    let list = app.get("/api/stacks/alice/revisions").await.json();
    let print =
        |at: usize, key: &str| list["revisions"][at]["parameters"][key]["fingerprint"].clone();
    assert_eq!(print(0, "password"), print(1, "password"));
    assert_eq!(print(0, "api_key"), print(1, "api_key"), "it was the same");
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_with_the_reason() {
    let (app, _folder) = with_stack().await;
    let wrong = send(&app, "PATCH", "", &json!({ "parameters": { "pages": 501 } })).await;
    let code = wrong.json()["code"].clone();
    assert_eq!((wrong.status.as_u16(), code), (422, json!("INVALID_PARAMETERS")));
    assert_eq!(wrong.json()["fields"]["pages"]["code"], "ABOVE_MAXIMUM");
    let version = send(&app, "PATCH", "", &json!({ "version": "9.9.9" })).await;
    assert_eq!(version.error(), "404 NO_SUCH_TEMPLATE");
    assert_eq!(app.ask("PATCH", "/api/stacks/alice", &[], "[").await.error(), "400 INVALID_JSON");
}

#[tokio::test]
async fn a_change_with_a_key_begins_once_and_its_answer_is_replayed() {
    let (app, _folder) = with_stack().await;
    let (key, change) = (("idempotency-key", "k1"), json!({ "size": "large" }));
    let first = send_with(&app, "PATCH", "", &[key], &change).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{first:?}");
    end(&app).await;
    let again = send_with(&app, "PATCH", "", &[key], &change).await;
    assert_eq!((again.status, again.body), (first.status, first.body));
    let other = send_with(&app, "PATCH", "", &[key], &json!({ "size": "small" })).await;
    assert_eq!(other.error(), "422 IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_refused_before_anything_is_changed() {
    let (app, _folder) = with_stack().await;
    for change in
        [json!({}), json!({ "label": "Mine" }), json!({ "label": "Mine", "size": "large" })]
    {
        let reply = send_with(&app, "PATCH", "", &[("idempotency-key", "")], &change).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
    }
    assert_eq!(app.get("/api/stacks/alice").await.json()["stack"].get("label"), None);
}

#[tokio::test]
async fn a_label_alone_changes_nothing_that_runs() {
    let (app, _folder) = with_stack().await;
    let reply = send(&app, "PATCH", "", &json!({ "label": "My notebook" })).await;
    assert_eq!((reply.status, &reply.json()["changed"]), (StatusCode::OK, &json!(true)));
    assert_eq!(app.get("/api/stacks/alice").await.json()["stack"]["revision"], 1);
    let nothing = send(&app, "PATCH", "", &json!({})).await;
    assert_eq!((nothing.status, &nothing.json()["changed"]), (StatusCode::OK, &json!(false)));
}

#[tokio::test]
async fn a_guard_that_does_not_hold_keeps_label_and_expiry_as_well() {
    let (app, _folder) = with_stack().await;
    let at = "2036-01-01T00:00:00Z";
    for change in [
        json!({ "label": "Mine" }),
        json!({ "expiresAt": at }),
        json!({ "label": "Mine", "expiresAt": at, "size": "large" }),
    ] {
        for guard in ["\"2\"", "x"] {
            let reply = send_with(&app, "PATCH", "", &[("if-match", guard)], &change).await;
            assert_eq!(reply.error(), "412 REVISION_CHANGED", "{change}");
        }
        let stack = app.get("/api/stacks/alice").await.json()["stack"].clone();
        assert_eq!((stack.get("label"), stack.get("expiresAt")), (None, None), "{stack}");
    }
    let (key, guard) = (("idempotency-key", "k1"), ("if-match", "\"1\""));
    let all = json!({ "label": "Mine", "size": "large" });
    let first = send_with(&app, "PATCH", "", &[key, guard], &all).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{first:?}");
    end(&app).await;
    let label = json!({ "label": "Yours" });
    let own = send_with(&app, "PATCH", "", &[("if-match", "\"2\"")], &label).await;
    assert_eq!(own.status, StatusCode::OK, "{own:?}");
    let again = send_with(&app, "PATCH", "", &[key, guard], &all).await;
    assert_eq!((again.status, again.body), (first.status, first.body), "it is replayed");
    assert_eq!(app.get("/api/stacks/alice").await.json()["stack"]["label"], "Yours");
}

#[tokio::test]
async fn what_a_stack_is_made_of_is_told_to_whoever_may_change_it() {
    let (app, _folder) = with_stack().await;
    let since = app.get("/api/stacks/alice/revisions").await.json();
    let since = since["revisions"][0]["at"].clone();
    let change = json!({ "parameters": { "pages": 30 }, "size": "large" });
    assert_eq!(send(&app, "PATCH", "", &change).await.status, StatusCode::ACCEPTED);
    app.clock.advance(std::time::Duration::from_secs(5));
    end(&app).await;
    let stack = app.get("/api/stacks/alice").await.json()["stack"].clone();
    assert_eq!(stack["parameters"]["pages"], 30, "{stack}");
    let secret = &stack["parameters"]["api_key"];
    let fields: Vec<_> = secret.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["fingerprint", "secret", "setAt"], "{stack}");
    assert_eq!(secret["setAt"], since, "the change left it as it was");
    assert!(!stack.to_string().contains("first-key"));
    assert_eq!(stack["urls"][0]["url"], stack["url"]);
    assert_eq!(stack["links"]["logs"], "/api/stacks/alice/logs");
    assert_eq!(stack["links"]["page"], "/stacks/alice");
    assert!(stack["resources"].is_object() && stack["volumes"].is_array(), "{stack}");

    let secrets = json!({ "secrets": { "api_key": "second-key" } });
    assert_eq!(send(&app, "PATCH", "", &secrets).await.status, StatusCode::ACCEPTED);
    end(&app).await;
    let newer = app.get("/api/stacks/alice").await.json()["stack"]["parameters"].clone();
    assert_ne!(newer["api_key"]["fingerprint"], secret["fingerprint"]);
    assert_ne!(newer["api_key"]["setAt"], since);
    for listed in app.get("/api/stacks").await.json()["stacks"].as_array().unwrap() {
        assert!(listed.get("parameters").is_none(), "{listed}");
    }

    // One without an owner is shown to everybody, but what it is made of only to who knows its id.
    let open = TestApp::new();
    let id = open.live("bobby").await;
    let public = open.get("/api/stacks/bobby").await.json()["stack"].clone();
    assert_eq!((public.get("parameters"), public.get("links")), (None, None), "{public}");
    let own = open.get(&format!("/api/stacks/bobby?id={id}")).await.json()["stack"].clone();
    assert_eq!(own["links"]["logs"], format!("/api/stacks/bobby/logs?id={id}"));
}
