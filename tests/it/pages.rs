//! The pages as they leave the server: status, headers, and the forms behind them.

use std::fs;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use tempfile::TempDir;

use crate::support::app::{Reply, TestApp};

/// The portal over a built site of one file.
fn portal(variables: &[(&str, &str)]) -> (TestApp, TempDir) {
    let site = tempfile::tempdir().unwrap();
    fs::create_dir(site.path().join("pkg")).unwrap();
    fs::write(site.path().join("pkg/ai-stack-deployer.css"), "body{}").unwrap();
    fs::write(site.path().join("pkg/ai-stack-deployer.css.br"), "compressed").unwrap();
    fs::write(site.path().join("favicon.svg"), "<svg/>").unwrap();
    (TestApp::with_pages(variables, site.path()), site)
}

async fn post_form(app: &TestApp, form: &'static str) -> Reply {
    let request = Request::post("/api/fn/start_deployment")
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "http://127.0.0.1:3000")
        .body(Body::from(form));
    app.send(request.unwrap()).await
}

#[tokio::test]
async fn the_built_sites_files_are_served_and_asked_for_again_after_each_build() {
    let (app, _site) = portal(&[]);
    let path = "/pkg/ai-stack-deployer.css";
    let plain = app.get(path).await;
    assert_eq!((plain.status, plain.body.as_str()), (StatusCode::OK, "body{}"));
    assert_eq!(plain.header("cache-control"), Some("no-cache"));
    let request = Request::get(path).header("accept-encoding", "gzip, br").body(Body::empty());
    let compressed = app.send(request.unwrap()).await;
    assert_eq!(compressed.header("content-encoding"), Some("br"));
    assert_eq!(compressed.body, "compressed");
    assert_eq!(app.get("/favicon.svg").await.body, "<svg/>");
    assert_eq!(app.get("/pkg/nothing.js").await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.get("/pkg/..%2f..%2fetc%2fpasswd").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_page_has_a_policy_with_a_nonce_of_its_own_and_is_not_kept() {
    let (app, _site) = portal(&[]);
    let (first, second) = (app.get("/").await, app.get("/").await);
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    let policy = first.header("content-security-policy").unwrap();
    assert!(policy.contains("'nonce-") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_ne!(Some(policy), second.header("content-security-policy"));
    assert!(!first.body.contains(" style="), "a nonce policy blocks it");
}

#[tokio::test]
async fn what_is_not_there_is_a_page_with_the_real_status() {
    let (app, _site) = portal(&[]);
    let unknown = "/deployments/dep_00000000000000000000000000000000";
    for path in ["/nothing", "/%ff", "/deployments/%ff", "/deployments/x", unknown] {
        let reply = app.get(path).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        assert!(reply.header("content-type").unwrap().starts_with("text/html"), "{path}");
    }
    assert_eq!(app.get("/api/fn/nothing").await.error_code(), "NOT_FOUND");
}

#[tokio::test]
async fn the_form_works_without_scripts_and_leads_to_the_deployments_page() {
    let (app, _site) = portal(&[]);
    let reply = post_form(&app, "name=alice").await;
    assert_eq!(reply.status, StatusCode::FOUND);
    let page = reply.header("location").unwrap().to_owned();
    assert!(page.starts_with("/deployments/dep_"), "{page}");
    let reply = app.get(&page).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(reply.body.contains("alice"));
    let taken = post_form(&app, "name=alice").await;
    assert_eq!(taken.header("location"), Some("/?name=alice&refused=NAME_TAKEN"));
}

#[tokio::test]
async fn the_form_counts_towards_the_callers_limit_and_has_the_same_longest_body() {
    let (app, _site) = portal(&[("DEPLOY_RATE_LIMIT", "1")]);
    post_form(&app, "name=alice").await;
    assert_eq!(post_form(&app, "name=bobby").await.error_code(), "TOO_MANY_REQUESTS");
    let (app, _site) = portal(&[]);
    let request = Request::post("/api/fn/start_deployment").header("content-length", 65_537);
    let reply = app.send(request.body(Body::from(vec![b'a'; 65_537])).unwrap()).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(reply.error_code(), "BODY_TOO_LARGE");
    assert!(app.store.records().is_empty());
}
