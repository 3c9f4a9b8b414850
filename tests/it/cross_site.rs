//! Requests that another site makes a browser post are refused.

use axum::http::StatusCode;

use crate::support::app::TestApp;

/// Posts a request without a name. If it is let through, the answer is 400 and nothing starts.
async fn post(app: &TestApp, headers: &[(&str, &str)]) -> StatusCode {
    let reply = app.ask("POST", "/api/deploy", headers, "{}").await;
    let code = reply.error_code();
    assert_eq!(reply.status == StatusCode::FORBIDDEN, code == "CROSS_SITE");
    reply.status
}

#[tokio::test]
async fn only_our_own_pages_and_non_browsers_may_post() {
    let app = TestApp::with(&[("PUBLIC_URL", "https://portal.example.com")]);
    let allowed: [&[(&str, &str)]; 6] = [
        // Our own form, behind a proxy that adds `Referrer-Policy: no-referrer`.
        &[("origin", "null"), ("sec-fetch-site", "same-origin")],
        &[("origin", "null"), ("sec-fetch-site", "Same-Origin")],
        &[],
        &[("origin", "https://portal.example.com")],
        &[("origin", "https://portal.example.com"), ("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "same-origin")],
    ];
    for headers in allowed {
        assert_eq!(post(&app, headers).await, StatusCode::BAD_REQUEST, "{headers:?}");
    }
    let refused: [&[(&str, &str)]; 17] = [
        &[("origin", "null"), ("sec-fetch-site", "none")],
        &[("origin", "null"), ("sec-fetch-site", "")],
        &[("origin", "null"), ("sec-fetch-site", "cross-site")],
        &[("origin", "null"), ("sec-fetch-site", "same-site")],
        &[("origin", "null"), ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none")],
        &[("origin", "null"), ("sec-fetch-site", "same-origin"), ("origin", "https://evil.org")],
        &[("origin", "https://evil.example.org"), ("sec-fetch-site", "same-origin")],
        &[("origin", "https://evil.example.org")],
        &[("origin", "https://alice.portal.example.com")],
        &[("origin", "http://portal.example.com")],
        &[("origin", "https://portal.example.com:8443")],
        &[("origin", "null")],
        &[("origin", "")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "Same-Site")],
        &[("origin", "https://portal.example.com"), ("sec-fetch-site", "same-site")],
        &[("origin", "https://portal.example.com"), ("origin", "https://evil.example.org")],
    ];
    for headers in refused {
        assert_eq!(post(&app, headers).await, StatusCode::FORBIDDEN, "{headers:?}");
    }
}

#[tokio::test]
async fn a_refusal_says_what_fits_the_case() {
    let app = TestApp::with(&[("PUBLIC_URL", "https://portal.example.com")]);
    let cases: [(&[(&str, &str)], &str); 8] = [
        (&[("origin", "null"), ("sec-fetch-site", "cross-site")], "comes from another site"),
        (&[("origin", "null"), ("sec-fetch-site", "same-site")], "comes from another site"),
        (&[("origin", "null"), ("sec-fetch-site", "none")], "comes from another site"),
        (
            &[("origin", "https://portal.internal"), ("sec-fetch-site", "Same-Origin")],
            "add https://portal.internal to PUBLIC_URL",
        ),
        (&[("origin", "null")], "Referrer-Policy: no-referrer"),
        (&[("origin", "https://evil.example.org")], "comes from another site"),
        (&[("sec-fetch-site", "cross-site")], "comes from another site"),
        (
            &[("origin", "https://portal.internal"), ("sec-fetch-site", "same-origin")],
            "add https://portal.internal to PUBLIC_URL",
        ),
    ];
    for (headers, expected) in cases {
        let reply = app.ask("POST", "/api/deploy", headers, "{}").await;
        assert_eq!(reply.error(), "403 CROSS_SITE");
        assert!(reply.body.contains(expected), "{headers:?}: {reply:?}");
    }
}

#[tokio::test]
async fn on_loopback_the_names_of_this_machine_are_one_origin_and_stacks_are_others() {
    let app = TestApp::new();
    for origin in ["http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]:3000"] {
        assert_eq!(post(&app, &[("origin", origin)]).await, StatusCode::BAD_REQUEST, "{origin}");
    }
    for origin in ["http://alice.localhost:8081", "http://localhost:8081", "https://localhost:3000"]
    {
        assert_eq!(post(&app, &[("origin", origin)]).await, StatusCode::FORBIDDEN, "{origin}");
    }
}

#[tokio::test]
async fn every_mutating_route_is_guarded_and_reading_ones_are_not() {
    let app = TestApp::new();
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        for path in ["/api/deploy", "/api/fn/start_deployment", "/", "/nothing"] {
            let reply = app.ask(method, path, &[("sec-fetch-site", "cross-site")], "").await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{method} {path}");
        }
    }
    let elsewhere = [("origin", "https://elsewhere.org")];
    let reply = app.ask("GET", "/api/check/alice", &elsewhere, "").await;
    assert_eq!(reply.status, StatusCode::OK);
}
