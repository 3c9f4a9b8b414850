//! Refusals as people see them: a refused form redirects to its page, which shows a sentence for
//! the code, and calls of the page's script get the API's error.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use clock::Clock;
use domain::event::{EventBody, Gone, RemovalCompletion};
use domain::receipt::Receipt;
use domain::refusal::RefusalCode;

use super::world::{Who, World};
use crate::support::claim_one::{CLEAN_UP, ClaimOne};

const START: &str = "/api/fn/start_deployment";
const RETRY: &str = "/api/fn/retry_deployment";
/// The sentence of a page for a code without one of its own.
const NO_REASON: &str = "The portal could not complete the request";

/// Posts a form as a browser without JavaScript does, and returns the target of the redirect.
async fn post(world: &World, who: Who, path: &str, form: &str) -> String {
    let request = who
        .shown(Request::post(path))
        .header(header::ACCEPT, "text/html")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()));
    let reply = world.app.send(request.unwrap()).await;
    assert_eq!(reply.status, StatusCode::FOUND, "{reply:?}");
    reply.header("location").unwrap().to_owned()
}

/// Posts `form` with and without JavaScript. Checks that both show `code`: the page by `words`, the
/// call like the API.
async fn refuses(world: &World, who: Who, path: &str, form: &str, code: RefusalCode, words: &str) {
    let location = post(world, who, path, form).await;
    assert!(location.ends_with(&format!("refused={}", code.as_str())), "{location}");
    world.app.store.set_down(false);
    let page = world.send(who, Method::GET, &location, "").await;
    assert!(page.body.contains(words), "{location}: {page:?}");
    assert!(!page.body.contains(NO_REASON), "{location}: {page:?}");
    if code == RefusalCode::StoreUnavailable {
        world.app.store.set_down(true);
    }
    let answer = world.send(who, Method::POST, path, form).await;
    assert_eq!(answer.status.as_u16(), code.status(), "{answer:?}");
    assert_eq!(answer.error_code(), code.as_str());
    assert!(!answer.json()["error"].as_str().unwrap().contains(NO_REASON), "{answer:?}");
}

#[tokio::test]
async fn a_limit_is_reported_by_the_page_and_by_the_call() {
    let world = World::start().await;
    for name in ["two", "three"] {
        let page = post(&world, Who::Owner, START, &format!("name=alice-{name}")).await;
        assert!(page.starts_with("/deployments/dep_"), "{page}");
    }
    let words = "The limit of stacks or deployments is reached, so nothing was started.";
    let limit = RefusalCode::LimitReached;
    refuses(&world, Who::Owner, START, "name=alice-four", limit, words).await;
    let words = "The limit of stacks or deployments is reached, so the deployment was not retried.";
    let form = format!("id={}", world.ended);
    refuses(&world, Who::Owner, RETRY, &form, limit, words).await;
}

#[tokio::test]
async fn a_reserved_name_of_a_former_owner_is_reported_by_the_page_and_by_the_call() {
    let world = World::start().await;
    let form = format!("name=livey&id={}", world.live);
    post(&world, Who::Owner, "/api/fn/remove_stack", &form).await;
    let (now, ttl) = (world.app.clock.now(), std::time::Duration::from_mins(1));
    let removing = world.app.store.claim_one(CLEAN_UP, "test", now, ttl).await.unwrap().unwrap();
    world.app.record(&removing, vec![removed()]).await;
    let words = "still reserved for the former owner of a removed stack, so nothing was started";
    refuses(&world, Who::Other, START, "name=livey", RefusalCode::NameHeld, words).await;
}

fn removed() -> EventBody {
    EventBody::Removed(RemovalCompletion {
        status: Gone::Removed,
        receipt: Receipt::of(Vec::new()),
    })
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_reported_by_the_page_and_by_the_call() {
    let world = World::start().await;
    let words = "The portal cannot read or write its database right now. Nothing was changed.";
    let unavailable = RefusalCode::StoreUnavailable;
    world.app.store.set_down(true);
    refuses(&world, Who::Owner, START, "name=alice", unavailable, words).await;
    let form = format!("id={}", world.ended);
    refuses(&world, Who::Owner, RETRY, &form, unavailable, words).await;
}

/// For every code in a query, the page has a sentence, and if a form can cause the code, it states
/// the reason.
#[tokio::test]
async fn every_code_in_a_query_is_a_sentence_on_the_page() {
    let world = World::start().await;
    let deployment = format!("/deployments/{}", world.ended);
    for code in RefusalCode::all() {
        for page in ["/", &deployment, "/account", "/admin"] {
            let path = format!("{page}?refused={}", code.as_str());
            let who = if page == "/admin" { Who::Operator } else { Who::Owner };
            let reply = world.send(who, Method::GET, &path, "").await;
            assert_eq!(reply.status, StatusCode::OK, "{path}");
            let is_name = matches!(code, RefusalCode::InvalidName | RefusalCode::NameTaken);
            let is_told = reply.body.contains("role=\"alert\"") || reply.body.contains("hint--bad");
            assert!(is_told || page == "/" && is_name, "{path}: {reply:?}");
        }
    }
}

#[test]
fn the_readme_lists_every_code_under_its_status() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let listed: Vec<(u16, RefusalCode)> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
        .filter_map(|(status, codes)| Some((status.parse().ok()?, codes)))
        .flat_map(|(status, codes)| {
            codes.split('`').skip(1).step_by(2).map(move |code| (status, code))
        })
        .map(|(status, code)| (status, code.parse().unwrap()))
        .collect();
    assert_eq!(listed.len(), RefusalCode::all().count());
    for code in RefusalCode::all() {
        assert!(listed.contains(&(code.status(), code)), "{code:?} is not at its status");
    }
}
