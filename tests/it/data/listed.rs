//! Kept data is listed until its verified end, whatever becomes of its stack and of what brings it
//! back.

use std::time::Duration;

use ai_stack_deployer::server::store::{Fact, Journal as _, Kept as _, StepId, StepRecord};
use axum::http::StatusCode;
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::event::FailureCode;
use domain::phase::Phase;
use domain::receipt::{Outcome, ResourceKind};
use domain::stack_id::StackId;
use domain::time::written;
use serde_json::{Value, json};

use super::{FULL, claim_removal, deploy, end, end_removal, give_volumes, kept, remove, send};
use crate::support::app::{Reply, TestApp, failure, line};
use crate::support::memory_store::MemoryStore;

const DAY: Duration = Duration::from_hours(24);

/// Records that the deployment under way has made its stack live, with this volume.
pub(super) async fn go_live(app: &TestApp, name: &str, volume: &str) {
    let lease = app.claim().await;
    let is_brought_back = !volume.contains(&StackId::of(&lease.id).to_string());
    let volume = json!({ "name": volume, "path": "/data", "is_brought_back": is_brought_back });
    let output = json!({ "node": "sandbox", "volumes": [volume] });
    let record = StepRecord::Succeeded { output, response_lost: false };
    let fact = Fact { step: Some((StepId::VOLUMES, record)), ..Fact::default() };
    app.store.record(&lease, &fact).await.unwrap();
    app.record(&lease, vec![TestApp::complete(name)]).await;
    give_volumes(app);
}

pub(super) fn volume_of(id: &DeploymentId) -> String {
    format!("asd-default-{}-data", StackId::of(id))
}

/// Makes a live stack with a volume, and returns its deployment.
pub(super) async fn live(app: &TestApp, name: &str) -> DeploymentId {
    let id = app.begin(name).await;
    go_live(app, name, &volume_of(&id)).await;
    id
}

/// Removes the live stack `name`, and returns the id of its data.
pub(super) async fn keep(app: &TestApp, name: &str) -> Value {
    let reply = send(app, "DELETE", &format!("/api/stacks/{name}")).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
    end(app).await;
    let all = kept(app).await;
    all.as_array().unwrap().iter().find(|one| one["from"] == name).unwrap()["id"].clone()
}

pub(super) async fn fail(app: &TestApp) {
    app.record(&app.claim().await, vec![app.failure()]).await;
}

fn id_in(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    reply.json()["deploymentId"].as_str().unwrap().to_owned()
}

async fn retry(app: &TestApp, id: &str) -> Reply {
    send(app, "POST", &format!("/api/deployment/{id}/retry")).await
}

#[tokio::test]
async fn data_is_listed_although_the_spec_of_its_stack_is_lost() {
    for lose in [MemoryStore::spoil_specs, MemoryStore::forget_specs] as [fn(&MemoryStore); 2] {
        let app = TestApp::new().in_one_browser();
        live(&app, "alice").await;
        lose(&app.store);
        let reply = remove(&app, "").await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{reply:?}");
        assert!(reply.json()["dataUntil"].is_string(), "{reply:?}");
        end(&app).await;
        let all = kept(&app).await;
        assert_eq!((&all[0]["from"], &all[0]["volumes"]), (&json!("alice"), &json!(["data"])));
    }
}

#[tokio::test]
async fn data_that_was_brought_back_is_listed_although_the_spec_is_lost() {
    let app = TestApp::new().in_one_browser();
    let alice = live(&app, "alice").await;
    let data = keep(&app, "alice").await;
    id_in(&deploy(&app, "bobby", &data).await);
    go_live(&app, "bobby", &volume_of(&alice)).await;
    app.store.spoil_specs();
    assert_eq!(send(&app, "DELETE", "/api/stacks/bobby").await.status, StatusCode::ACCEPTED);
    end(&app).await;
    let all = kept(&app).await;
    assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
    assert_eq!((&all[0]["from"], &all[0]["volumes"]), (&json!("bobby"), &json!(["data"])));
}

#[tokio::test]
async fn who_holds_the_id_of_data_without_an_owner_can_name_it() {
    let app = TestApp::new();
    let alice = live(&app, "alice").await;
    let reply = send(&app, "DELETE", &format!("/api/stacks/alice?id={alice}")).await;
    let data = reply.json()["dataId"].clone();
    assert_eq!(data, StackId::of(&alice).data_id(), "{reply:?}");
    end(&app).await;
    assert_eq!(kept(&app).await, json!([]), "nobody owns it");

    id_in(&deploy(&app, "bobby", &data).await);
    fail(&app).await;
    // A browser as well.
    let body = json!({ "name": "carol", "data": data }).to_string();
    let browser = [("cookie", "browser=somebody")];
    id_in(&app.ask("POST", "/api/deploy", &browser, body).await);
    fail(&app).await;
    let path = format!("/api/data/{}", data.as_str().unwrap());
    assert_eq!(send(&app, "DELETE", &path).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn the_answer_of_a_removal_names_the_data_that_it_keeps_and_no_other() {
    let app = TestApp::new().in_one_browser();
    let alice = live(&app, "alice").await;
    let data = remove(&app, "?keepData=1").await.json()["dataId"].clone();
    assert_eq!(data, StackId::of(&alice).data_id());
    assert_eq!(remove(&app, "?keepData=0").await.json()["dataId"], data, "the same removal");
    end(&app).await;
    assert_eq!(kept(&app).await[0]["id"], data);
    live(&app, "bobby").await;
    let reply = send(&app, "DELETE", "/api/stack/bobby?keepData=0").await.json();
    assert_eq!((reply.get("dataId"), reply.get("dataUntil")), (None, None));
}

#[tokio::test]
async fn the_time_counts_from_the_verified_end_of_the_removal() {
    let app = TestApp::new().in_one_browser();
    live(&app, "alice").await;
    remove(&app, "").await;
    let lease = claim_removal(&app).await;
    app.clock.advance(9 * DAY);
    end_removal(&app, &lease).await;
    let until = written(app.clock.now() + 7 * DAY).to_string();
    assert_eq!(kept(&app).await[0]["until"], until);
}

#[tokio::test]
async fn data_of_a_start_that_is_not_live_is_listed_with_what_uses_it() {
    let app = TestApp::new().in_one_browser();
    let alice = live(&app, "alice").await;
    let data = keep(&app, "alice").await;
    let bobby = id_in(&deploy(&app, "bobby", &data).await);
    let user = json!({ "name": "bobby", "deploymentId": bobby });
    assert_eq!(kept(&app).await[0]["usedBy"], user, "under way");
    let left = line(ResourceKind::Project, "ai-stack-bobby", Outcome::Left, app.clock.now());
    let lost = failure(Phase::DEPLOYING, FailureCode::PlatformUnreachable, "It failed", left);
    app.get_stuck(&app.claim().await, lost).await;
    let all = kept(&app).await;
    assert_eq!((&all[0]["id"], &all[0]["usedBy"]), (&data, &user), "stuck");
    let delete = format!("/api/data/{}", data.as_str().unwrap());
    assert_eq!(send(&app, "DELETE", &delete).await.error(), "409 DATA_IN_USE");

    let app = TestApp::new().in_one_browser();
    let alice = (alice, live(&app, "alice").await).1;
    let data = keep(&app, "alice").await;
    id_in(&deploy(&app, "bobby", &data).await);
    fail(&app).await;
    let all = kept(&app).await;
    assert_eq!((&all[0]["id"], all[0].get("usedBy")), (&data, None), "rolled back");
    id_in(&deploy(&app, "carol", &data).await);
    go_live(&app, "carol", &volume_of(&alice)).await;
    assert_eq!(kept(&app).await, json!([]), "it is the data of a stack");
}

#[tokio::test]
async fn a_retry_brings_the_same_data_back_under_whatever_id_it_is_kept() {
    let app = TestApp::new().in_one_browser();
    let alice = live(&app, "alice").await;
    let data = keep(&app, "alice").await;
    let bobby = id_in(&deploy(&app, "bobby", &data).await);
    fail(&app).await;
    id_in(&deploy(&app, "carol", &data).await);
    go_live(&app, "carol", &volume_of(&alice)).await;
    assert_eq!(retry(&app, &bobby).await.error(), "409 DATA_IN_USE");
    let other = keep(&app, "carol").await;
    assert_ne!(data, other);
    id_in(&retry(&app, &bobby).await);
    let all = kept(&app).await;
    assert_eq!((&all[0]["id"], &all[0]["usedBy"]["name"]), (&other, &json!("bobby")));
    fail(&app).await;
    let delete = format!("/api/data/{}", other.as_str().unwrap());
    assert_eq!(send(&app, "DELETE", &delete).await.status, StatusCode::ACCEPTED);
    assert_eq!(retry(&app, &bobby).await.error(), "409 DATA_IN_USE", "it is being deleted");
    end(&app).await;
    assert_eq!(retry(&app, &bobby).await.error(), "404 NO_SUCH_DATA");
}

#[tokio::test]
async fn a_removal_beyond_the_limit_tells_what_is_kept() {
    let app = TestApp::with(&[("KEPT_PER_PERSON", "1")]).in_one_browser();
    live(&app, "alice").await;
    keep(&app, "alice").await;
    live(&app, "bobby").await;
    let full = send(&app, "DELETE", "/api/stacks/bobby").await;
    assert_eq!((full.status, full.json()["code"].as_str()), FULL);
    assert_eq!(full.json()["kept"], kept(&app).await);
    assert_eq!(full.json()["kept"][0]["from"], "alice");
}

#[tokio::test]
async fn lost_data_is_listed_and_deleted_and_not_brought_back() {
    let app = TestApp::new().in_one_browser();
    let alice = live(&app, "alice").await;
    let data = keep(&app, "alice").await;
    assert_eq!(kept(&app).await[0].get("lost"), None);
    let now = app.clock.now();
    app.store.mark_lost(StackId::of(&alice), Some(now)).await.unwrap();
    assert_eq!(kept(&app).await[0]["lost"], written(now).to_string());
    assert_eq!(deploy(&app, "bobby", &data).await.error(), "409 DATA_LOST");
    let delete = format!("/api/data/{}", data.as_str().unwrap());
    assert_eq!(send(&app, "DELETE", &delete).await.status, StatusCode::ACCEPTED);
    end(&app).await;
    assert_eq!(kept(&app).await, json!([]));
}

#[tokio::test]
async fn data_of_another_template_is_not_brought_back() {
    let app = TestApp::new().in_one_browser();
    live(&app, "alice").await;
    app.store.change_specs(|spec| spec.template.as_mut().unwrap().id = String::from("other"));
    let data = keep(&app, "alice").await;
    assert_eq!(kept(&app).await[0]["template"], "other");
    assert_eq!(deploy(&app, "bobby", &data).await.error(), "422 WRONG_TEMPLATE");
    assert_eq!(kept(&app).await[0]["id"], data, "it is still kept");
}

#[tokio::test]
async fn the_form_of_a_removed_stack_brings_its_data_back() {
    let app = TestApp::new().in_one_browser();
    let alice = live(&app, "alice").await;
    let data = keep(&app, "alice").await;
    let link = format!("/new/default?again={alice}");
    let page = app.get(&format!("/deployments/{alice}")).await.body;
    assert!(page.contains(&link), "{page}");
    let form = app.get(&link).await.body;
    assert!(form.contains(&format!("value=\"{}\"", data.as_str().unwrap())), "{form}");
}
