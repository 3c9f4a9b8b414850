//! Early rejections are in the audit log once an hour for each address and reason, so that nobody
//! can fill it.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ai_stack_deployer::server::audit::{AuditAction, AuditEntry, AuditFilter, AuditLog};
use axum::body::Body;
use axum::http::Request;

use crate::support::app::TestApp;

async fn entries(app: &TestApp) -> Vec<AuditEntry> {
    let filter = AuditFilter { limit: 100, ..AuditFilter::default() };
    let entries = app.store.entries(&filter).await.unwrap();
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// Repeats a request within an hour and after it, and checks the audit entries.
async fn assert_recorded_once_an_hour(
    app: &TestApp,
    request: impl Fn() -> Request<Body>,
    expected: (AuditAction, &str, &str),
) {
    let status = app.send(request()).await.status;
    for hour in 1..=2 {
        for _ in 0..5 {
            app.send(request()).await;
        }
        let audit_entry = entries(app).await;
        assert_eq!(audit_entry.len(), hour, "{status}: {audit_entry:?}");
        let AuditEntry { act, target, outcome, from, .. } = &audit_entry[0];
        assert_eq!((*act, target.as_deref().unwrap(), outcome.as_str()), expected);
        assert_eq!(*from, Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        app.clock.advance(Duration::from_hours(1));
    }
}

#[tokio::test]
async fn too_many_requests_of_an_address_are_audited() {
    let app = TestApp::with(&[("CHECK_RATE_LIMIT", "1")]);
    let request = || Request::get("/api/check/alice").body(Body::empty()).unwrap();
    let expected = (AuditAction::ReachLimit, "/api/check/alice", "TOO_MANY_REQUESTS");
    assert_recorded_once_an_hour(&app, request, expected).await;
}

#[tokio::test]
async fn a_post_from_another_site_is_audited() {
    let app = TestApp::new();
    let request = || {
        let request = Request::post("/api/deploy").header("origin", "https://evil.example.org");
        request.body(Body::from("{}")).unwrap()
    };
    assert_recorded_once_an_hour(&app, request, (AuditAction::Enter, "/api/deploy", "CROSS_SITE"))
        .await;
}

#[tokio::test]
async fn an_invalid_token_is_audited_without_its_value() {
    let app = TestApp::with(&[
        ("AUTH", "oidc"),
        ("OIDC_ISSUER", "http://127.0.0.1:9"),
        ("OIDC_CLIENT_ID", "portal"),
    ]);
    let request = || {
        let request = Request::get("/api/stacks").header("authorization", "Bearer asd_canary");
        request.body(Body::empty()).unwrap()
    };
    assert_recorded_once_an_hour(
        &app,
        request,
        (AuditAction::Enter, "/api/stacks", "TOKEN_INVALID"),
    )
    .await;
    assert!(!format!("{:?}", entries(&app).await).contains("canary"));
}
