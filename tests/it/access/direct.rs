//! Routes that are answered without the router are answered as with it.

use axum::http::StatusCode;

use crate::support::app::{Reply, TestApp};

/// Returns a reply without the headers that only the router adds: the length of the body, which the
/// connection adds otherwise, and those for other origins.
fn essence(reply: Reply) -> (StatusCode, Vec<(String, String)>, String) {
    let own = ["content-length", "vary", "access-control-expose-headers"];
    let headers = reply.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
    let mut headers: Vec<_> = headers
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (reply.status, headers, reply.body)
}

#[tokio::test]
async fn a_route_without_the_router_answers_like_one_with_it() {
    let direct = TestApp::new();
    // With other origins, the router answers every request.
    let routed = TestApp::with(&[("CORS_ORIGINS", "https://elsewhere.example.com")]);
    let long = format!("/api/check/{}", "a".repeat(9_000));
    for method in ["GET", "HEAD", "POST"] {
        for path in [
            "/livez", "/readyz", "/health", "/health/", "/Health", "/health?deep=1",
            "/api/check/alice", "/api/check/admin", "/api/check/ALICE", "/api/check/a--b",
            "/api/check/a%2fb", "/api/check/%61lice", "/api/check/%ff", "/api/check/..",
            "/api/check/", "/api/check/alice/", &long,
        ] {
            for headers in [&[][..], &[("accept", "text/html")]] {
                let [direct, routed] = [
                    direct.ask(method, path, headers, "").await,
                    routed.ask(method, path, headers, "").await,
                ];
                let has_cookie = |reply: &Reply| reply.header("set-cookie").is_some();
                assert_eq!(has_cookie(&direct), has_cookie(&routed), "{method} {path}");
                let [direct, routed] = [direct, routed].map(|mut reply| {
                    reply.headers.remove("set-cookie");
                    essence(reply)
                });
                assert_eq!(direct, routed, "{method} {path}");
            }
        }
    }
}
