//! The pages of a stack, and the forms on them.

use std::time::Duration;

use ai_stack_deployer::server::store::{
    LookCounts, Measurements as _, Sample, StackEvents as _, StackTurn, Turn,
};
use axum::http::StatusCode;
use clock::Clock as _;
use domain::stack_event::{Exit, Problem, Why};
use domain::stack_id::StackId;
use tempfile::TempDir;

use crate::support::app::{Reply, TestApp};

/// A portal with pages that one browser uses.
fn portal() -> (TestApp, TempDir) {
    let site = tempfile::tempdir().unwrap();
    (TestApp::with_pages(&[], site.path()).in_one_browser(), site)
}

/// Returns what the page has between header and footer.
fn main_of(page: &Reply) -> &str {
    page.body.split_once("<main").unwrap().1.split_once("</main>").unwrap().0
}

fn expect_redirect(reply: &Reply, location: &str) {
    assert!(reply.status.is_redirection(), "{reply:?}");
    assert_eq!(reply.header("location"), Some(location));
}

/// Posts a form, and returns the address to which that leads.
async fn post(app: &TestApp, path: &str) -> String {
    app.post_form(path, "").await.header("location").unwrap().to_owned()
}

#[tokio::test]
async fn the_page_of_a_stack_has_its_state_and_the_actions_that_fit() {
    let (app, _site) = portal();
    let id = app.live("alice").await;
    let page = app.get("/stacks/alice").await;
    assert_eq!((page.status, page.header("cache-control")), (StatusCode::OK, Some("no-store")));
    let main = main_of(&page);
    for part in ["Running", "aria-current=\"page\"", "href=\"/stacks/alice\"", "Last operations"] {
        assert!(main.contains(part), "{part} is missing: {main}");
    }
    let form = |end| format!("action=\"/stacks/alice/{end}?id={id}\"");
    for (end, is_there) in [("stop", true), ("restart", true), ("remove", true), ("start", false)] {
        assert_eq!(main.contains(&form(end)), is_there, "{end}: {main}");
    }
}

#[tokio::test]
async fn a_press_leads_to_the_operation_and_another_one_is_told_which_runs() {
    let (app, _site) = portal();
    let id = app.live("alice").await;
    let operation = post(&app, &format!("/stacks/alice/stop?id={id}")).await;
    assert!(operation.starts_with("/deployments/op_"), "{operation}");
    assert_eq!(app.get(&operation).await.status, StatusCode::OK);
    // The same again is the same operation.
    assert_eq!(post(&app, &format!("/stacks/alice/stop?id={id}")).await, operation);
    let page = app.get("/stacks/alice").await;
    let main = main_of(&page);
    for part in ["Stopping…", "<progress", &format!("href=\"{operation}\"")] {
        assert!(main.contains(part), "{part} is missing: {main}");
    }
    assert!(!main.contains("method=\"post\""), "{main}");

    let refused = app.post_form(&format!("/stacks/alice/restart?id={id}"), "").await;
    let location = format!("/stacks/alice?id={id}&refused=OPERATION_UNDER_WAY");
    expect_redirect(&refused, &location);
    let page = app.get(&location).await;
    assert!(main_of(&page).contains("Another operation on the stack is under way"), "{page:?}");
}

#[tokio::test]
async fn a_form_of_an_older_page_does_nothing_to_the_stack_that_has_the_name_now() {
    let (app, _site) = portal();
    app.live("alice").await;
    let other = app.live("bobby").await;
    for end in ["stop", "restart", "start", "remove"] {
        let refused = app.post_form(&format!("/stacks/alice/{end}?id={other}"), "").await;
        expect_redirect(&refused, "/stacks/alice?refused=ANOTHER_STACK");
    }
    let page = app.get("/stacks/alice?refused=ANOTHER_STACK").await;
    assert!(main_of(&page).contains("Another stack now has this name"), "{page:?}");
}

#[tokio::test]
async fn a_stack_of_somebody_else_looks_like_one_that_does_not_exist() {
    let (app, _site) = portal();
    app.live("alice").await;
    let stranger = [("cookie", &*format!("browser={}", "z".repeat(43))), ("accept", "text/html")];
    let theirs = app.ask("GET", "/stacks/alice", &stranger, "").await;
    let none = app.ask("GET", "/stacks/nobody", &stranger, "").await;
    assert_eq!((theirs.status, none.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    assert_eq!(main_of(&theirs), main_of(&none));
    let refused = app.ask("POST", "/stacks/alice/stop", &stranger, "").await;
    expect_redirect(&refused, "/stacks/alice?refused=NOT_FOUND");
}

#[tokio::test]
async fn the_id_of_a_stack_without_an_owner_is_in_every_link_and_form() {
    let site = tempfile::tempdir().unwrap();
    let app = TestApp::with_pages(&[], site.path());
    let id = app.live("alice").await;
    let without = app.get("/stacks/alice").await;
    assert_eq!(without.status, StatusCode::BAD_REQUEST);
    let page = app.get(&format!("/stacks/alice?id={id}")).await;
    let main = main_of(&page);
    let own: Vec<_> = main.split(['"']).filter(|text| text.starts_with("/stacks/")).collect();
    assert!(own.len() >= 4, "{own:?}");
    assert!(own.iter().all(|address| address.ends_with(&format!("?id={id}"))), "{own:?}");
}

#[tokio::test]
async fn the_history_of_a_stack_has_what_became_of_it_the_newest_first() {
    let (app, _site) = portal();
    let id = app.live("alice").await;
    post(&app, &format!("/stacks/alice/stop?id={id}")).await;
    let page = app.get("/stacks/alice/history").await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    let main = main_of(&page);
    let texts =
        ["Began: stop", "Revision 1 is live", "Ended: deployment, done", "Began: deployment"];
    let places: Vec<_> = texts.iter().map(|text| main.find(text)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}: {main}");
    assert!(main.contains(&format!("href=\"/deployments/{id}\"")), "{main}");
    let older = app.get("/stacks/alice/history?before=3").await;
    let main = main_of(&older);
    assert!(!main.contains("Revision 1") && main.contains("Began: deployment"), "{main}");
}

#[tokio::test]
async fn a_stack_that_does_not_work_says_why_and_shows_its_days() {
    let (app, _site) = portal();
    let stack = StackId::of(&app.live("alice").await);
    let exit =
        Exit { state: String::from("failed"), error: None, code: Some(3), out_of_memory: false };
    let problem = Problem::NotRunning;
    let turn = Turn::Unhealthy(Why { problem, status: None, exits: vec![exit], after: None });
    let at = app.clock.now();
    let turn = StackTurn { stack, seen: 3, at, turn, audit_entry: None };
    assert!(app.store.record_turn(&turn).await.unwrap());
    let looks = LookCounts { good: 3, bad: 1, unknown: 0 };
    app.store.count_looks(at, &[(stack, looks)]).await.unwrap();
    let page = app.get("/stacks/alice").await;
    let main = main_of(&page);
    for part in [
        "Unhealthy",
        "No container of it runs.",
        "ended with an error (exit code 3)",
        "<svg",
        "75.0 %",
    ] {
        assert!(main.contains(part), "{part} is missing: {main}");
    }
    let listed = app.get("/api/stacks/alice").await.json()["stack"].clone();
    assert_eq!(
        (&listed["status"], &listed["health"]["state"]),
        (&"unhealthy".into(), &"not_running".into())
    );
    let page = app.get("/stacks/alice/history").await;
    assert!(main_of(&page).contains("Stopped by itself"), "{page:?}");
}

#[tokio::test]
async fn what_a_stack_used_is_on_its_page_and_in_the_api() {
    let (app, _site) = portal();
    let stack = StackId::of(&app.live("alice").await);
    let sample = Sample { cpu: 250_000, memory: 64 << 20, received: 1, sent: 2 };
    let now = app.clock.now();
    app.store.record_measured(now - Duration::from_secs(15), &[(stack, sample)]).await.unwrap();
    let page = app.get("/stacks/alice").await;
    let main = main_of(&page);
    assert!(main.contains(">0.25 cores<") && !main.contains("<polyline"), "{main}");
    app.store.record_measured(now, &[(stack, sample)]).await.unwrap();
    let page = app.get("/stacks/alice").await;
    let main = main_of(&page);
    for part in [
        ">CPU:</span>", ">0.25 cores</span>", ">Memory:</span>", ">64 MiB</span>", "<polyline",
        "<table",
    ] {
        assert!(main.contains(part), "{part} is missing: {main}");
    }
    for (range, step) in [("", 15), ("?range=7d", 300), ("?range=90d", 3_600)] {
        let usage = app.get(&format!("/api/stacks/alice/usage{range}")).await.json();
        assert_eq!(usage["step"], step, "{range}");
        assert_eq!(usage["points"][0]["cpu"], 0.25, "{range}");
    }
    let unknown = app.get("/api/stacks/alice/usage?range=2h").await;
    assert_eq!(unknown.error(), "400 INVALID_REQUEST");
}

#[tokio::test]
async fn somebody_with_stacks_finds_them_at_home_and_others_the_form() {
    let (app, _site) = portal();
    assert!(main_of(&app.get("/").await).contains("name=\"name\""));
    let id = app.live("alice").await;
    app.begin("bobby").await;
    let page = app.get("/").await;
    let main = main_of(&page);
    for part in [
        "My stacks",
        "href=\"/new\"",
        "href=\"/stacks/alice\"",
        "Open alice",
        "AI stack",
        "live since",
        "Deploying",
        "<progress",
        "data-follows=\"/api/stacks/-/events?follow=true\"",
    ] {
        assert!(main.contains(part), "{part} is missing: {main}");
    }
    assert!(page.body.contains("<title>bobby: deploying</title>"), "{}", page.body);
    // A link with a name is about a new stack.
    assert!(main_of(&app.get("/?name=zoe").await).contains("value=\"zoe\""));

    post(&app, &format!("/stacks/alice/stop?id={id}")).await;
    assert!(app.get("/").await.body.contains("<title>alice: stopping, 1 more</title>"));
}

#[tokio::test]
async fn clients_of_older_versions_see_the_stacks_that_they_saw() {
    let app = TestApp::new().in_one_browser();
    let id = app.live("alice").await;
    app.begin("bobby").await;
    let listed = app.get("/api/stacks").await.json()["stacks"].clone();
    // As recorded before stacks could be stopped.
    let recorded = serde_json::json!({
        "name": "alice",
        "url": "http://alice.localhost:8081",
        "since": listed[0]["since"],
        "deploymentId": id.as_str(),
        "state": "live",
    });
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    for (key, value) in recorded.as_object().unwrap() {
        assert_eq!(listed[0][key], *value, "{key}");
    }

    let all = app.get("/api/stacks?all=1").await.json()["stacks"].clone();
    assert_eq!(all.as_array().unwrap().len(), 2, "{all}");
    assert_eq!((&all[1]["name"], &all[1]["status"]), (&"bobby".into(), &"deploying".into()));
    assert_eq!((all[1].get("state"), &all[1]["template"]), (None, &"default".into()));
    let operation = &all[1]["operation"];
    assert_eq!(
        (&operation["kind"], &operation["status"]),
        (&"deployment".into(), &"in_progress".into())
    );
    assert_eq!(operation["progress"], 0);
}

#[tokio::test]
async fn one_stream_tells_of_all_stacks_of_a_caller() {
    let app = TestApp::new().in_one_browser();
    app.live("alice").await;
    let first = app.get("/api/stacks/-/events").await;
    assert_eq!(first.header("content-type"), Some("text/event-stream"));
    assert!(
        first.body.contains("event: stacks\ndata: {\"success\":true,\"stacks\":[{"),
        "{first:?}"
    );
    assert!(first.body.contains("\"status\":\"running\""), "{first:?}");

    let request = axum::http::Request::get("/api/stacks/-/events?follow=true");
    let stream = app.open(request.body(axum::body::Body::empty()).unwrap()).await;
    let mut stream = stream.into_body().into_data_stream();
    let mut read = async |wanted: &str| {
        let mut text = String::new();
        while !text.contains(wanted) {
            tokio::select! {
                biased;
                bytes = futures::StreamExt::next(&mut stream) => {
                    text.push_str(std::str::from_utf8(&bytes.unwrap().unwrap()).unwrap());
                }
                () = tokio::task::yield_now() => {
                    app.clock.advance(Duration::from_millis(100));
                }
            }
        }
    };
    read("\"status\":\"running\"").await;
    app.ask("POST", "/api/stacks/alice/stop", &[], "").await;
    read("\"status\":\"stopping\"").await;
}

#[tokio::test]
async fn a_stack_that_is_not_live_yet_has_the_page_of_its_deployment() {
    let site = tempfile::tempdir().unwrap();
    let app = TestApp::with_pages(&[], site.path()).in_one_browser();
    let id = app.begin("alice").await;
    for page in ["/stacks/alice", "/stacks/alice/logs", "/stacks/alice/history"] {
        let reply = app.ask("GET", page, &[("accept", "text/html")], "").await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{page}");
        assert_eq!(reply.header("location"), Some(&*format!("/deployments/{id}")), "{page}");
    }
    let other = format!("browser={}", "b".repeat(43));
    let others = app.ask("GET", "/stacks/alice", &[("cookie", &other)], "").await;
    assert_eq!((others.status, others.header("location")), (StatusCode::NOT_FOUND, None));
    app.record(&app.claim().await, vec![TestApp::complete("alice")]).await;
    assert_eq!(app.get("/stacks/alice").await.status, StatusCode::OK);

    // One without an owner leads on whoever knows its id.
    let site = tempfile::tempdir().unwrap();
    let app = TestApp::with_pages(&[], site.path());
    let id = app.begin("bobby").await;
    let reply = app.get(&format!("/stacks/bobby?id={id}")).await;
    assert_eq!(reply.header("location"), Some(&*format!("/deployments/{id}")));
    assert_eq!(app.get("/stacks/bobby").await.status, StatusCode::NOT_FOUND);
}
