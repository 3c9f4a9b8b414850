//! The API of kept data.

mod listed;
mod pages;

use ai_stack_deployer::server::store::{Lease, State};
use axum::http::StatusCode;
use clock::Clock;
use domain::event::{EventBody, Gone, RemovalCompletion};
use domain::receipt::Receipt;
use domain::template::Volume;
use serde_json::{Value, json};

use crate::support::app::{Reply, TestApp};
use crate::support::claim_one::{CLEAN_UP, ClaimOne as _};

/// The answer to a removal beyond the limit.
const FULL: (StatusCode, Option<&str>) = (StatusCode::CONFLICT, Some("KEPT_DATA_FULL"));

/// A portal with a live stack `alice` that has a volume.
async fn with_data() -> TestApp {
    with_data_and(&[]).await
}

async fn with_data_and(variables: &[(&str, &str)]) -> TestApp {
    let app = TestApp::with(variables).in_one_browser();
    app.live("alice").await;
    give_volumes(&app);
    app
}

/// Gives each stack a volume, as a template would.
fn give_volumes(app: &TestApp) {
    app.store.change_specs(|spec| {
        let (key, path) = (String::from("data"), String::from("/data"));
        spec.volumes = vec![Volume { key, path, exclusive: false }];
    });
}

async fn send(app: &TestApp, method: &str, path: &str) -> Reply {
    app.ask(method, path, &[], "").await
}

async fn remove(app: &TestApp, query: &str) -> Reply {
    send(app, "DELETE", &format!("/api/stacks/alice{query}")).await
}

/// Ends the operation that removes something.
async fn end(app: &TestApp) -> Lease {
    let lease = claim_removal(app).await;
    end_removal(app, &lease).await;
    lease
}

/// Claims the operation that removes something.
async fn claim_removal(app: &TestApp) -> Lease {
    let (now, ttl) = (app.clock.now(), std::time::Duration::from_mins(1));
    app.store.claim_one(CLEAN_UP, "test", now, ttl).await.unwrap().unwrap()
}

/// Ends it.
async fn end_removal(app: &TestApp, lease: &Lease) {
    let (status, receipt) = (Gone::Removed, Receipt::of(Vec::new()));
    app.record(lease, vec![EventBody::Removed(RemovalCompletion { status, receipt })]).await;
}

async fn kept(app: &TestApp) -> Value {
    let reply = send(app, "GET", "/api/data").await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    reply.json()["kept"].clone()
}

async fn deploy(app: &TestApp, name: &str, data: &Value) -> Reply {
    app.deploy(json!({ "name": name, "data": data }).to_string()).await
}

#[tokio::test]
async fn a_removal_keeps_the_data_unless_it_is_told_not_to() {
    let app = with_data().await;
    let wrong = remove(&app, "?keepData=yes").await;
    assert_eq!(wrong.error(), "400 INVALID_REQUEST");
    let reply = remove(&app, "").await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
    let until = reply.json()["dataUntil"].clone();
    let week = app.clock.now() + std::time::Duration::from_hours(7 * 24);
    assert_eq!(until, domain::time::written(week).to_string());
    assert_eq!(kept(&app).await, json!([]), "the stack is being removed");
    let again = remove(&app, "?keepData=0").await;
    assert_eq!(again.json()["dataUntil"], until, "it is the same removal");
    end(&app).await;
    let all = kept(&app).await;
    let expected = json!([{
        "id": all[0]["id"],
        "template": "default",
        "from": "alice",
        "volumes": ["data"],
        "until": until,
        "deleting": false,
    }]);
    assert_eq!(all, expected);
    assert!(all[0]["id"].as_str().unwrap().starts_with("dat_"));

    for path in ["/api/stacks/bobby?keepData=0", "/api/stack/carol?keepData=0"] {
        app.live(path.split('/').nth(3).unwrap().split('?').next().unwrap()).await;
        give_volumes(&app);
        let reply = send(&app, "DELETE", path).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
        assert_eq!(reply.json().get("dataUntil"), None);
        end(&app).await;
    }
    assert_eq!(kept(&app).await, expected);
}

#[tokio::test]
async fn a_stack_without_volumes_keeps_nothing() {
    let app = TestApp::new().in_one_browser();
    app.live("alice").await;
    let reply = remove(&app, "?keepData=1").await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
    assert_eq!(reply.json().get("dataUntil"), None);
    end(&app).await;
    assert_eq!(kept(&app).await, json!([]));
}

#[tokio::test]
async fn data_is_brought_back_once_and_by_its_owner_alone() {
    let app = with_data().await;
    remove(&app, "").await;
    let id = || async { kept(&app).await[0]["id"].clone() };
    end(&app).await;
    let data = id().await;
    for nothing in [json!("dat_00000000000000000000000000000001"), json!("x"), json!(7)] {
        assert_eq!(deploy(&app, "bobby", &nothing).await.error(), "404 NO_SUCH_DATA");
    }
    let stranger = [("cookie", "browser=somebody-else")];
    let body = json!({ "name": "bobby", "data": data }).to_string();
    let theirs = app.ask("POST", "/api/deploy", &stranger, body).await;
    assert_eq!(theirs.error(), "404 NO_SUCH_DATA");

    let reply = deploy(&app, "bobby", &data).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    assert_eq!(kept(&app).await[0]["usedBy"]["name"], "bobby", "the new stack has it");
    assert_eq!(deploy(&app, "carol", &data).await.error(), "409 DATA_IN_USE");
    let delete = format!("/api/data/{}", data.as_str().unwrap());
    assert_eq!(send(&app, "DELETE", &delete).await.error(), "409 DATA_IN_USE");

    // The start fails and is tried again, with the same data.
    let lease = app.claim().await;
    app.record(&lease, vec![app.failure()]).await;
    assert_eq!(id().await, data);
    let first = reply.json()["deploymentId"].as_str().unwrap().to_owned();
    let retry = send(&app, "POST", &format!("/api/deployment/{first}/retry")).await;
    assert_eq!(retry.status, StatusCode::CREATED, "{retry:?}");
    assert_eq!(kept(&app).await[0]["usedBy"]["name"], "bobby");
}

#[tokio::test]
async fn data_is_deleted_by_one_operation_on_the_record() {
    let app = with_data().await;
    remove(&app, "").await;
    end(&app).await;
    let data = kept(&app).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/data/{data}");
    let nothing = send(&app, "DELETE", "/api/data/dat_0").await;
    assert_eq!(nothing.error(), "404 NO_SUCH_DATA");
    let stranger = app.ask("DELETE", &path, &[("cookie", "browser=somebody-else")], "").await;
    assert_eq!(stranger.error(), "404 NO_SUCH_DATA");

    let reply = send(&app, "DELETE", &path).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
    let operation = reply.json()["operationId"].as_str().unwrap().to_owned();
    assert!(operation.starts_with("op_"), "{operation}");
    assert_eq!(send(&app, "DELETE", &path).await.json()["operationId"], *operation);
    assert_eq!(kept(&app).await[0]["deleting"], true);
    assert_eq!(deploy(&app, "bobby", &json!(data)).await.error(), "409 DATA_IN_USE");
    let page = send(&app, "GET", &format!("/api/deployment/{operation}")).await.json();
    assert_eq!(page["deployment"]["kind"], "deletion", "{page}");
    let retry = send(&app, "POST", &format!("/api/deployment/{operation}/retry")).await;
    assert_eq!(retry.error(), "409 NOT_ENDED");
    let lease = end(&app).await;
    assert_eq!(lease.id.as_str(), operation);
    assert_eq!(kept(&app).await, json!([]));
    let retry = send(&app, "POST", &format!("/api/deployment/{operation}/retry")).await;
    assert_eq!(retry.error(), "409 NOT_A_DEPLOYMENT");
    assert_eq!(send(&app, "DELETE", &path).await.error(), "404 NO_SUCH_DATA");
    let records = app.store.records();
    assert!(records.iter().all(|record| record.state == State::RolledBack));
}

#[tokio::test]
async fn a_removal_beyond_the_limit_says_so_and_removes_nothing() {
    let app = with_data_and(&[("KEPT_PER_PERSON", "1"), ("REMOVAL_GRACE", "2h")]).await;
    let until = remove(&app, "").await.json()["dataUntil"].clone();
    let hours = app.clock.now() + std::time::Duration::from_hours(2);
    assert_eq!(until, domain::time::written(hours).to_string());
    end(&app).await;
    app.live("bobby").await;
    give_volumes(&app);
    let full = send(&app, "DELETE", "/api/stacks/bobby").await;
    assert_eq!((full.status, full.json()["code"].as_str()), FULL);
    let stacks = send(&app, "GET", "/api/stacks").await.json();
    assert_eq!(stacks["stacks"][0]["state"], "live", "{stacks}");
    let reply = send(&app, "DELETE", "/api/stacks/bobby?keepData=0").await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
}
