//! The open portal: a browser owns what it starts, and what an anonymous client starts belongs to
//! whoever knows its id.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use serde_json::json;

use crate::support::app::{Reply, TestApp};

/// Sends a request, with a browser's cookie or without.
async fn send(app: &TestApp, cookie: Option<&str>, method: Method, path: &str) -> Reply {
    send_body(app, cookie, method, path, String::new()).await
}

async fn send_body(
    app: &TestApp,
    cookie: Option<&str>,
    method: Method,
    path: &str,
    body: String,
) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    app.send(request.body(Body::from(body)).unwrap()).await
}

/// Records a live stack of a caller in the store, and returns its deployment's id.
async fn live(app: &TestApp, cookie: Option<&str>, name: &str) -> String {
    let body = json!({ "name": name }).to_string();
    let reply = send_body(app, cookie, Method::POST, "/api/deploy", body).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    let lease = app.claim().await;
    app.record(&lease, vec![TestApp::complete(name)]).await;
    reply.json()["deploymentId"].as_str().unwrap().to_owned()
}

fn cookie(letter: &str) -> String {
    format!("browser={}", letter.repeat(43))
}

#[tokio::test]
async fn a_browser_owns_what_it_starts_and_others_may_only_look_by_its_id() {
    let app = TestApp::new();
    let (own, other) = (cookie("a"), cookie("b"));
    let id = live(&app, Some(&own), "alice").await;
    let page = format!("/api/deployment/{id}");
    for cookie in [None, Some(other.as_str()), Some(own.as_str())] {
        assert_eq!(send(&app, cookie, Method::GET, &page).await.status, StatusCode::OK);
    }
    for cookie in [None, Some(other.as_str())] {
        for (method, path) in [
            (Method::POST, format!("{page}/cancel")),
            (Method::POST, format!("{page}/retry")),
            (Method::DELETE, String::from("/api/stacks/alice")),
            (Method::DELETE, format!("/api/stacks/alice?id={id}")),
            (Method::GET, String::from("/api/stacks/alice")),
        ] {
            let reply = send(&app, cookie, method, &path).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path} {reply:?}");
        }
        let listed = send(&app, cookie, Method::GET, "/api/stacks").await;
        assert_eq!(listed.json()["stacks"], json!([]));
    }
    let listed = send(&app, Some(&own), Method::GET, "/api/stacks").await;
    assert_eq!(listed.json()["stacks"][0]["deploymentId"], id);
    let removed = send(&app, Some(&own), Method::DELETE, "/api/stacks/alice").await;
    assert_eq!(removed.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn what_an_anonymous_client_starts_is_theirs_who_know_its_id() {
    let app = TestApp::new();
    let id = live(&app, None, "alice").await;
    let listed = send(&app, None, Method::GET, "/api/stacks").await.json();
    let stack = &listed["stacks"][0];
    assert_eq!((&stack["name"], &stack["state"]), (&json!("alice"), &json!("live")));
    assert_eq!(stack.get("deploymentId"), None, "a list gives no keys away");
    let shown = send(&app, None, Method::GET, &format!("/api/stacks/alice?id={id}")).await;
    assert_eq!(shown.json()["stack"]["deploymentId"], id);

    // The stack is listed, so the error says that the id is missing, not that there is no such
    // stack.
    for cookie in [None, Some(cookie("a"))] {
        let by_name = send(&app, cookie.as_deref(), Method::DELETE, "/api/stacks/alice").await;
        let refused = (by_name.status, by_name.error_code());
        assert_eq!(refused, (StatusCode::BAD_REQUEST, String::from("ID_REQUIRED")));
        let sentence = by_name.json()["error"].as_str().unwrap().to_owned();
        assert!(sentence.contains("/api/stacks/alice?id=dep_"), "{sentence}");
    }
    let listed = send(&app, None, Method::GET, "/api/stacks").await.json();
    assert_eq!(listed["stacks"][0]["state"], "live", "nothing was removed");
    let by_id = send(&app, None, Method::DELETE, &format!("/api/stacks/alice?id={id}")).await;
    assert_eq!(by_id.status, StatusCode::ACCEPTED, "{by_id:?}");
}

#[tokio::test]
async fn only_a_page_gives_a_browser_its_cookie_and_only_once() {
    let site = tempfile::tempdir().unwrap();
    let app = TestApp::with_pages(&[], site.path());
    let page = |cookie: Option<String>| {
        let mut request = Request::get("/").header(header::ACCEPT, "text/html");
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        request.body(Body::empty()).unwrap()
    };
    let reply = app.send(page(None)).await;
    let given = reply.header("set-cookie").unwrap().to_owned();
    assert!(given.starts_with("browser=") && given.contains("HttpOnly; SameSite=Lax"), "{given}");
    let cookie = given.split(';').next().unwrap().to_owned();
    assert_eq!(app.send(page(Some(cookie))).await.header("set-cookie"), None);
    assert_eq!(app.get("/api/stacks").await.header("set-cookie"), None);

    let secure = TestApp::with_pages(&[("PUBLIC_URL", "https://portal.example.com")], site.path());
    let given = secure.send(page(None)).await.header("set-cookie").unwrap().to_owned();
    assert!(given.starts_with("__Host-browser=") && given.contains("; Secure;"), "{given}");
}
