//! Pages that are rendered once for several requests.

use std::time::Duration;

use axum::http::StatusCode;
use domain::phase::Phase;
use tempfile::TempDir;

use crate::support::app::{Reply, TestApp};

fn portal(variables: &[(&str, &str)]) -> (TestApp, TempDir) {
    let site = tempfile::tempdir().unwrap();
    (TestApp::with_pages(variables, site.path()), site)
}

/// Returns the nonce in the policy of a page.
fn nonce(reply: &Reply) -> String {
    let policy = reply.header("content-security-policy").unwrap();
    let (_, rest) = policy.split_once("'nonce-").unwrap();
    rest.split_once('\'').unwrap().0.to_owned()
}

#[tokio::test]
async fn the_same_page_has_another_nonce_in_every_response_and_nothing_else_differs() {
    let (app, _site) = portal(&[]);
    let id = app.live("alice").await;
    for path in [String::from("/"), format!("/deployments/{id}")] {
        let (first, second, third) =
            (app.get(&path).await, app.get(&path).await, app.get(&path).await);
        let nonces = [&first, &second, &third].map(nonce);
        assert!(nonces[0] != nonces[1] && nonces[1] != nonces[2], "{nonces:?}");
        let scripts =
            |reply: &Reply, nonce: &str| reply.body.matches(&format!("nonce=\"{nonce}\"")).count();
        let count = scripts(&first, &nonces[0]);
        assert!(count > 0, "{path}");
        for (reply, nonce) in [(&second, &nonces[1]), (&third, &nonces[2])] {
            assert_eq!(scripts(reply, nonce), count, "{path}");
            assert_eq!(reply.body.matches("nonce=\"").count(), count, "{path}");
            assert_eq!(reply.body, first.body.replace(&nonces[0], nonce), "{path}");
            for name in ["content-type", "cache-control", "vary"] {
                assert_eq!(reply.header(name), first.header(name), "{path}: {name}");
            }
        }
        let head = app.ask("HEAD", &path, &[], "").await;
        assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""), "{path}");
    }
}

#[tokio::test]
async fn a_page_shows_at_once_what_has_changed() {
    let (app, _site) = portal(&[]);
    let id = app.begin("alice").await;
    let path = format!("/deployments/{id}");
    let stage = async || {
        let body = app.get(&path).await.body;
        let (_, rest) = body.split_once("data-stage=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    assert_eq!((stage().await, stage().await), ("under-way".into(), "under-way".into()));
    let lease = app.claim().await;
    app.record(&lease, vec![app.progress(Phase::ROLLING_BACK), app.failure()]).await;
    assert_eq!((stage().await, stage().await), ("failed".into(), "failed".into()));
    app.clock.advance(Duration::from_hours(1));
    assert_eq!(stage().await, "failed");
}

#[tokio::test]
async fn what_an_address_asks_for_is_not_in_the_page_without_it() {
    let (app, _site) = portal(&[]);
    for _ in 0..2 {
        let asked = app.get("/?name=alice&refused=NAME_TAKEN").await.body;
        assert!(asked.contains("value=\"alice\""), "{asked}");
        let plain = app.get("/").await.body;
        assert!(!plain.contains("alice"), "{plain}");
    }
}
