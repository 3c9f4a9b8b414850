//! A portal that people reach at several addresses.

use axum::http::StatusCode;

use super::portal;
use crate::support::app::TestApp;
use crate::support::fake_provider::FakeProvider;

const URLS: &str = "https://portal.example.com, https://portal.internal:8443";

async fn redirect_uri(app: &TestApp, headers: &[(&str, &str)]) -> String {
    let reply = app.ask("GET", "/auth/sign-in", headers, "").await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{reply:?}");
    let location = reply.header("location").unwrap();
    location.split("redirect_uri=").nth(1).unwrap().split('&').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_returns_to_the_address_that_they_use() {
    let fake = FakeProvider::start().await;
    let mut variables = fake.variables();
    variables.push(("PUBLIC_URL", URLS.to_owned()));
    let (app, _site) = portal(&variables);
    let first = "https%3A%2F%2Fportal.example.com%2Fauth%2Fcallback";
    let second = "https%3A%2F%2Fportal.internal%3A8443%2Fauth%2Fcallback";
    let cases: [(&[(&str, &str)], &str); 10] = [
        (&[], first),
        (&[("host", "portal.example.com")], first),
        (&[("host", "portal.internal:8443")], second),
        (&[("host", "Portal.Internal:8443")], second),
        (&[("host", "portal.internal")], second),
        (&[("host", "portal.internal:3000")], second),
        (&[("host", "evil.example.org")], first),
        (&[("host", "10.0.0.1:3000"), ("x-forwarded-host", "portal.internal:8443")], second),
        (&[("x-forwarded-host", "portal.internal:8443, backend:3000")], second),
        (&[("host", "portal.internal:8443"), ("x-forwarded-host", "evil.example.org")], second),
    ];
    for (headers, expected) in cases {
        assert_eq!(redirect_uri(&app, headers).await, expected, "{headers:?}");
    }
}

#[tokio::test]
async fn browsers_may_post_from_each_address_and_from_no_other() {
    let app = TestApp::with(&[("PUBLIC_URL", URLS)]);
    for (origin, expected) in [
        ("https://portal.example.com", StatusCode::BAD_REQUEST),
        ("https://portal.internal:8443", StatusCode::BAD_REQUEST),
        ("https://portal.internal", StatusCode::FORBIDDEN),
        ("https://evil.example.org", StatusCode::FORBIDDEN),
    ] {
        let reply = app.ask("POST", "/api/deploy", &[("origin", origin)], "{}").await;
        assert_eq!(reply.status, expected, "{origin}");
    }
}
