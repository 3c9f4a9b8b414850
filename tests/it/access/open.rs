//! The open portal: a browser owns what it starts, and what an anonymous client starts belongs to
//! whoever knows its id.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use crate::support::app::{Reply, TestApp};
use crate::support::browser::Browser;

/// Sends a request, with a browser's cookie or without.
async fn send(app: &TestApp, cookie: Option<&str>, method: &str, path: &str) -> Reply {
    app.ask(method, path, &headers(cookie), "").await
}

fn headers(cookie: Option<&str>) -> Vec<(&str, &str)> {
    cookie.map(|cookie| ("cookie", cookie)).into_iter().collect()
}

/// Records a live stack of a caller in the store, and returns its deployment's id.
async fn live(app: &TestApp, cookie: Option<&str>, name: &str) -> String {
    let body = json!({ "name": name }).to_string();
    let reply = app.ask("POST", "/api/deploy", &headers(cookie), body).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    let lease = app.claim().await;
    app.record(&lease, vec![TestApp::complete(name)]).await;
    reply.json()["deploymentId"].as_str().unwrap().to_owned()
}

fn cookie(letter: &str) -> String {
    format!("browser={}", letter.repeat(43))
}

#[tokio::test]
async fn a_browser_owns_what_it_starts_and_others_may_only_view_it_by_its_id() {
    let app = TestApp::new();
    let (own, other) = (cookie("a"), cookie("b"));
    let id = live(&app, Some(&own), "alice").await;
    let page = format!("/api/deployment/{id}");
    for cookie in [None, Some(other.as_str()), Some(own.as_str())] {
        assert_eq!(send(&app, cookie, "GET", &page).await.status, StatusCode::OK);
    }
    for cookie in [None, Some(other.as_str())] {
        for (method, path) in [
            ("POST", format!("{page}/cancel")),
            ("POST", format!("{page}/retry")),
            ("DELETE", String::from("/api/stacks/alice")),
            ("DELETE", format!("/api/stacks/alice?id={id}")),
            ("GET", String::from("/api/stacks/alice")),
        ] {
            let reply = send(&app, cookie, method, &path).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path} {reply:?}");
        }
        let listed = send(&app, cookie, "GET", "/api/stacks").await;
        assert_eq!(listed.json()["stacks"], json!([]));
    }
    let listed = send(&app, Some(&own), "GET", "/api/stacks").await;
    assert_eq!(listed.json()["stacks"][0]["deploymentId"], id);
    let removed = send(&app, Some(&own), "DELETE", "/api/stacks/alice").await;
    assert_eq!(removed.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_deployment_of_an_anonymous_client_belongs_to_whoever_knows_its_id() {
    let app = TestApp::new();
    let id = live(&app, None, "alice").await;
    let listed = send(&app, None, "GET", "/api/stacks").await.json();
    let stack = &listed["stacks"][0];
    assert_eq!((&stack["name"], &stack["state"]), (&json!("alice"), &json!("live")));
    assert_eq!(stack.get("deploymentId"), None, "the list contains no ids");
    let shown = send(&app, None, "GET", &format!("/api/stacks/alice?id={id}")).await;
    assert_eq!(shown.json()["stack"]["deploymentId"], id);

    // The stack is listed, so the error says that the id is missing, not that there is no such
    // stack.
    for cookie in [None, Some(cookie("a"))] {
        let by_name = send(&app, cookie.as_deref(), "DELETE", "/api/stacks/alice").await;
        assert_eq!(by_name.error(), "400 ID_REQUIRED");
        let sentence = by_name.json()["error"].as_str().unwrap().to_owned();
        assert!(sentence.contains("/api/stacks/alice?id=dep_"), "{sentence}");
    }
    let listed = send(&app, None, "GET", "/api/stacks").await.json();
    assert_eq!(listed["stacks"][0]["state"], "live", "nothing was removed");
    let by_id = send(&app, None, "DELETE", &format!("/api/stacks/alice?id={id}")).await;
    assert_eq!(by_id.status, StatusCode::ACCEPTED, "{by_id:?}");
}

#[tokio::test]
async fn only_a_page_gives_a_browser_its_cookie_and_only_once() {
    let site = tempfile::tempdir().unwrap();
    let app = TestApp::with_pages(&[], site.path());
    let page = async |app: &TestApp, cookie| {
        let headers = [headers(cookie), vec![("accept", "text/html")]].concat();
        app.ask("GET", "/", &headers, "").await
    };
    let reply = page(&app, None).await;
    let given = reply.header("set-cookie").unwrap().to_owned();
    assert!(given.starts_with("browser=") && given.contains("HttpOnly; SameSite=Lax"), "{given}");
    let cookie = given.split(';').next();
    assert_eq!(page(&app, cookie).await.header("set-cookie"), None);
    assert_eq!(app.get("/api/stacks").await.header("set-cookie"), None);

    let secure = TestApp::with_pages(&[("PUBLIC_URL", "https://portal.example.com")], site.path());
    let given = page(&secure, None).await.header("set-cookie").unwrap().to_owned();
    assert!(given.starts_with("__Host-browser=") && given.contains("; Secure;"), "{given}");
}

#[tokio::test]
async fn a_browser_that_refuses_the_cookie_is_told_so_and_no_other() {
    let site = tempfile::tempdir().unwrap();
    let app = TestApp::with_pages(&[], site.path());
    let blames = |page: &Reply| {
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        page.body.contains("Your browser refused our cookie")
    };
    let start = "/api/fn/start_deployment";

    let mut refusing = Browser::new(&app).without_cookies(&["browser"]);
    assert!(!blames(&refusing.get("/").await), "the first visit shows nothing");
    let reply = refusing.post(start, "name=alice").await;
    let address = reply.header("location").unwrap().to_owned();
    let page = refusing.follow(reply).await;
    assert!(blames(&page), "{page:?}");
    let refresh = format!("url={address}\"");
    assert!(page.body.contains(&refresh), "the page goes on saying so for a while: {page:?}");
    let plain = address.split('?').next().unwrap();
    assert!(!blames(&refusing.get(plain).await));
    app.clock.advance(Duration::from_secs(31));
    assert!(!blames(&refusing.get(&address).await));

    // One that comes with the form alone, and one that lost its cookie meanwhile.
    let mut other = Browser::new(&app);
    let reply = other.post(start, "name=bobby").await;
    assert!(reply.header("location").unwrap().contains("?cookie_sent="), "{reply:?}");
    assert!(!blames(&other.follow(reply).await));
    let reply = other.post(start, "name=carol").await;
    assert!(!reply.header("location").unwrap().contains('?'), "{reply:?}");
    assert!(!blames(&other.follow(reply).await));

    // The script of the page, too.
    let headers = [("accept", "application/json"), ("origin", "http://127.0.0.1:3000")];
    let headers = [&headers[..], &[("content-type", "application/x-www-form-urlencoded")]].concat();
    let reply = app.ask("POST", start, &headers, "name=david").await;
    assert!(reply.header("set-cookie").unwrap().starts_with("browser="), "{reply:?}");
    assert!(blames(&app.get(reply.header("location").unwrap()).await));
}
