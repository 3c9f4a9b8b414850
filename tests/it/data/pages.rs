//! The page of kept data, the forms about it, and the links that lead to it.

use std::time::Duration;

use ai_stack_deployer::server::store::Kept as _;
use axum::http::StatusCode;
use clock::Clock;
use domain::stack_id::StackId;
use serde_json::Value;
use tempfile::TempDir;

use super::listed::{fail, go_live, keep, live, volume_of};
use super::{claim_removal, deploy, end};
use crate::support::app::{Reply, TestApp};
use crate::support::memory_store::MemoryStore;

const LINK: &str = "href=\"/data\"";

/// A portal with pages that one browser uses.
fn portal(variables: &[(&str, &str)]) -> (TestApp, TempDir) {
    let site = tempfile::tempdir().unwrap();
    (TestApp::with_pages(variables, site.path()).in_one_browser(), site)
}

fn delete_form(data: &Value) -> String {
    format!("action=\"/data/{}/delete\"", data.as_str().unwrap())
}

async fn post_delete(app: &TestApp, data: &Value) -> Reply {
    app.post_form(&format!("/data/{}/delete", data.as_str().unwrap()), "").await
}

/// Checks that a form led to this address.
fn expect_redirect(reply: &Reply, location: &str) {
    assert!(reply.status.is_redirection(), "{reply:?}");
    assert_eq!(reply.header("location"), Some(location));
}

#[tokio::test]
async fn the_page_lists_what_is_kept_with_what_can_be_done_with_it() {
    let (app, _site) = portal(&[]);
    let page = app.get("/data").await;
    assert_eq!((page.status, page.header("cache-control")), (StatusCode::OK, Some("no-store")));
    assert!(page.body.contains("Nothing is kept. If you remove a stack"), "{}", page.body);
    assert!(page.body.contains("Deploy something new"), "{}", page.body);
    let alice = live(&app, "alice").await;
    let data = keep(&app, "alice").await;
    let page = app.get("/data").await.body;
    let back = format!("href=\"/new/default?data={}\"", data.as_str().unwrap());
    for part in ["Data of alice (AI stack)", "Kept until 30 Nov 2026, ", &back, &delete_form(&data)]
    {
        assert!(page.contains(part), "{part} is missing: {page}");
    }

    deploy(&app, "bobby", &data).await;
    let page = app.get("/data").await.body;
    assert!(page.contains("It is being brought back by"), "{page}");
    assert!(page.contains("bobby</a>"), "{page}");
    assert!(!page.contains(&delete_form(&data)) && !page.contains(&back), "{page}");
    fail(&app).await;

    app.store.mark_lost(StackId::of(&alice), Some(app.clock.now())).await.unwrap();
    let page = app.get("/data").await.body;
    assert!(page.contains("Its volumes are gone from the platform"), "{page}");
    assert!(page.contains(&delete_form(&data)) && !page.contains(&back), "{page}");
}

#[tokio::test]
async fn the_address_of_a_removed_stack_leads_to_what_is_kept() {
    let (app, _site) = portal(&[]);
    let missing = async |headers: &[(&str, &str)]| {
        let page = app.ask("GET", "/stacks/alice", headers, "").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{page:?}");
        let (_, main) = page.body.split_once("<main").unwrap();
        main.split_once("</main>").unwrap().0.to_owned()
    };
    assert!(!missing(&[]).await.contains(LINK), "nothing is kept");
    live(&app, "alice").await;
    keep(&app, "alice").await;
    let own = missing(&[]).await;
    assert!(own.contains("Stack not found") && own.contains(LINK), "{own}");
    let others = missing(&[("cookie", "browser=somebody-else")]).await;
    assert!(!others.contains(LINK), "{others}");
}

#[tokio::test]
async fn a_form_deletes_data_once_and_leads_to_the_page_of_the_deletion() {
    let (app, _site) = portal(&[]);
    live(&app, "alice").await;
    let data = keep(&app, "alice").await;
    let begun = post_delete(&app, &data).await;
    let page = begun.header("location").unwrap().to_owned();
    assert!(page.starts_with("/deployments/op_"), "{page}");
    let shown = app.get(&page).await;
    assert!(shown.status == StatusCode::OK && shown.body.contains(LINK), "{shown:?}");
    expect_redirect(&post_delete(&app, &data).await, &page);
    assert!(app.get("/data").await.body.contains("It is being deleted."));
    end(&app).await;
    assert!(app.get(&page).await.body.contains(LINK), "back to what else is kept");
    let others = app.ask("GET", &page, &[("cookie", "browser=somebody-else")], "").await;
    assert!(!others.body.contains(LINK), "{others:?}");
    let refused = post_delete(&app, &data).await;
    expect_redirect(&refused, "/data?refused=NO_SUCH_DATA");
    let page = app.get("/data?refused=NO_SUCH_DATA").await.body;
    assert!(
        page.contains("There is no such kept data any more, so nothing was changed."),
        "{page}"
    );
}

#[tokio::test]
async fn a_form_does_not_delete_the_data_of_a_stack() {
    let (app, _site) = portal(&[]);
    let alice = live(&app, "alice").await;
    let data = keep(&app, "alice").await;
    deploy(&app, "bobby", &data).await;
    expect_redirect(&post_delete(&app, &data).await, "/data?refused=DATA_IN_USE");
    go_live(&app, "bobby", &volume_of(&alice)).await;
    expect_redirect(&post_delete(&app, &data).await, "/data?refused=DATA_IN_USE");
    let page = app.get("/data?refused=DATA_IN_USE").await.body;
    assert!(page.contains("The data belongs to a stack by now"), "{page}");
    assert!(page.contains("Nothing is kept."), "{page}");
}

#[tokio::test]
async fn the_form_of_a_new_stack_says_why_data_is_not_brought_back() {
    let (app, _site) = portal(&[]);
    live(&app, "alice").await;
    app.store.change_specs(|spec| spec.template.as_mut().unwrap().id = String::from("other"));
    let data = keep(&app, "alice").await;
    let form = format!("name=bobby&data={}", data.as_str().unwrap());
    let wrong = app.post_form("/new/default", form.clone()).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong:?}");
    assert!(wrong.body.contains("The data is that of another template"), "{}", wrong.body);
    assert!(app.get("/data").await.body.contains("Data of alice (other)"));
    post_delete(&app, &data).await;
    let deleting = app.post_form("/new/default", form.clone()).await;
    assert_eq!(deleting.status, StatusCode::CONFLICT, "{deleting:?}");
    end(&app).await;
    let gone = app.post_form("/new/default", form).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "{gone:?}");
    assert!(gone.body.contains("There is no such kept data"), "{}", gone.body);
}

#[tokio::test]
async fn a_removal_beyond_the_limit_shows_what_is_kept_with_a_way_to_delete_it() {
    let (app, _site) = portal(&[("KEPT_PER_PERSON", "1")]);
    live(&app, "alice").await;
    let data = keep(&app, "alice").await;
    let bobby = live(&app, "bobby").await;
    let form = format!("name=bobby&id={bobby}");
    let full = app.post_form("/api/fn/remove_stack", form.clone()).await;
    let location = format!("/deployments/{bobby}?refused=KEPT_DATA_FULL");
    expect_redirect(&full, &location);
    let page = app.get(&location).await.body;
    let words = [
        "The limit of kept data is reached, so the stack was not removed.",
        "Data of alice (AI stack)",
        &delete_form(&data),
    ];
    for words in words {
        assert!(page.contains(words), "{words} is missing: {page}");
    }
    let before = app.get(&format!("/deployments/{bobby}")).await.body;
    assert!(!before.contains(&delete_form(&data)), "only where it matters");
    let with_data = app.post_form("/api/fn/remove_stack", form + "&keep_data=0").await;
    assert!(with_data.header("location").unwrap().starts_with("/deployments/rem_"));
}

#[tokio::test]
async fn the_page_of_a_stack_asks_what_to_drop_where_no_more_data_can_be_kept() {
    let (app, _site) = portal(&[("KEPT_PER_PERSON", "1")]);
    live(&app, "alice").await;
    let bobby = live(&app, "bobby").await;
    let asks = "delete some of it first";
    assert!(!app.get("/stacks/bobby").await.body.contains(asks), "nothing is kept yet");
    let whose = "You keep the data of as many removed stacks as you may.";
    let data = keep(&app, "alice").await;
    let remove = format!("/stacks/bobby/remove?id={bobby}");
    let full = app.post_form(&remove, "keep_data=1").await;
    let refused = format!("/stacks/bobby?id={bobby}&refused=KEPT_DATA_FULL");
    expect_redirect(&full, &refused);
    for (page, is_open) in [("/stacks/bobby", false), (&*refused, true)] {
        let page = app.get(page).await.body;
        for part in [asks, whose, "Data of alice (AI stack)", &delete_form(&data)] {
            assert!(page.contains(part), "{part} is missing: {page}");
        }
        assert!(!page.contains("Bring it back"), "it asks what to drop: {page}");
        assert_eq!(page.contains("<details open class=\"disclosure remove\""), is_open, "{page}");
    }
    let stranger = [("cookie", "browser=somebody-else"), ("accept", "text/html")];
    let theirs = app.ask("GET", &refused, &stranger, "").await.body;
    assert!(!theirs.contains("Data of alice"), "{theirs}");

    post_delete(&app, &data).await;
    end(&app).await;
    assert!(!app.get("/stacks/bobby").await.body.contains(asks), "it is dropped");
    let begun = app.post_form(&remove, "keep_data=1").await;
    assert!(begun.header("location").unwrap().starts_with("/deployments/rem_"), "{begun:?}");
}

#[tokio::test]
async fn the_home_page_leads_to_kept_data_where_there_is_some() {
    let (app, _site) = portal(&[]);
    live(&app, "alice").await;
    assert!(!app.get("/").await.body.contains(LINK));
    keep(&app, "alice").await;
    app.clock.advance(Duration::from_secs(11));
    let page = app.get("/").await.body;
    assert!(page.contains(LINK), "{page}");
    let others = app.ask("GET", "/", &[("cookie", "browser=somebody-else")], "").await.body;
    assert!(!others.contains(LINK), "{others}");
    let data = super::kept(&app).await[0]["id"].clone();
    post_delete(&app, &data).await;
    let lease = claim_removal(&app).await;
    super::end_removal(&app, &lease).await;
    app.clock.advance(Duration::from_secs(11));
    assert!(!app.get("/").await.body.contains(LINK));
}

#[tokio::test]
async fn a_removed_stack_with_kept_data_leads_to_it() {
    let (app, _site) = portal(&[]);
    let alice = format!("/deployments/{}", live(&app, "alice").await);
    assert!(!app.get(&alice).await.body.contains(LINK), "it is live");
    let begun = app.ask("DELETE", "/api/stacks/alice", &[], "").await.json();
    let removal = format!("/deployments/{}", begun["operationId"].as_str().unwrap());
    assert!(app.get(&removal).await.body.contains(LINK), "its page shows the receipt as it comes");
    end(&app).await;
    for page in [&alice, &removal] {
        let seen = app.get(page).await.body;
        assert!(seen.contains(LINK), "{seen}");
        let others = app.ask("GET", page, &[("cookie", "browser=somebody-else")], "").await;
        assert!(!others.body.contains(LINK), "{others:?}");
    }
    let data = super::kept(&app).await[0]["id"].clone();
    post_delete(&app, &data).await;
    end(&app).await;
    for page in [&alice, &removal] {
        let seen = app.get(page).await.body;
        assert!(!seen.contains(LINK), "it is deleted: {seen}");
    }
}

#[tokio::test]
async fn a_removal_that_keeps_data_says_so_although_the_spec_is_lost() {
    for lose in [MemoryStore::spoil_specs, MemoryStore::forget_specs] as [fn(&MemoryStore); 2] {
        let (app, _site) = portal(&[]);
        let alice = format!("/deployments/{}", live(&app, "alice").await);
        lose(&app.store);
        let page = app.get(&alice).await.body;
        assert!(page.contains("Its data is kept for 7 days"), "{page}");
        assert!(page.contains("and its data") && !page.contains("No data is kept"), "{page}");
    }
}
