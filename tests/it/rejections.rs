//! Early rejections are in the audit log once an hour for each address and reason, so that nobody
//! can fill it.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ai_stack_deployer::http::routes;
use ai_stack_deployer::server::audit::{AuditAction, AuditEntry, AuditFilter, AuditLog};
use axum::body::Body;
use axum::http::Request;

use crate::support::app::TestApp;

async fn entries(app: &TestApp) -> Vec<AuditEntry> {
    let filter = AuditFilter { limit: 1_000, ..AuditFilter::default() };
    let entries = app.store.entries(&filter).await.unwrap();
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// Returns the entries of what was refused.
async fn refusals(app: &TestApp) -> Vec<AuditEntry> {
    entries(app).await.into_iter().filter(|entry| entry.outcome != "done").collect()
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
        let audit_entry = refusals(app).await;
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
async fn the_removal_of_a_listed_stack_without_its_id_is_audited() {
    let app = TestApp::new();
    app.live("alice").await;
    let request = || Request::delete("/api/stacks/alice").body(Body::empty()).unwrap();
    assert_recorded_once_an_hour(&app, request, (AuditAction::Enter, "alice", "ID_REQUIRED")).await;
}

/// Returns a portal behind a proxy that reports the addresses of clients.
fn behind_a_proxy(variables: &[(&str, &str)]) -> TestApp {
    TestApp::with(&[variables, &[("TRUSTED_PROXIES", "127.0.0.1")]].concat())
}

/// Sends requests from these addresses, and returns the statuses.
async fn statuses(app: &TestApp, method: &str, path: &str, addresses: &[&str]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for address in addresses {
        let reply = app.ask(method, path, &[("x-forwarded-for", address)], "{}").await;
        statuses.push(reply.status.as_u16());
    }
    statuses
}

const NEIGHBOURS: [&str; 5] =
    ["2001:db8::1", "2001:db8::2:1", "2001:db8:0:1::1", "192.0.2.1", "192.0.2.2"];

#[tokio::test]
async fn an_ipv6_network_has_the_limit_of_one_address_for_checks_and_refused_starts() {
    let app = behind_a_proxy(&[("CHECK_RATE_LIMIT", "1"), ("DEPLOY_RATE_LIMIT", "1")]);
    let checks = statuses(&app, "GET", "/api/check/alice", &NEIGHBOURS).await;
    assert_eq!(checks, [200, 429, 200, 200, 200]);
    let starts = statuses(&app, "POST", "/api/deploy", &NEIGHBOURS).await;
    assert_eq!(starts, [400, 429, 400, 400, 400]);
}

#[tokio::test]
async fn a_network_is_one_source_of_refusals_and_a_block_of_networks_has_a_share() {
    let app = behind_a_proxy(&[("CHECK_RATE_LIMIT", "none"), ("DEPLOY_RATE_LIMIT", "100000")]);
    app.live("alice").await;
    let remove = ("DELETE", "/api/stacks/alice");
    statuses(&app, remove.0, remove.1, &NEIGHBOURS).await;
    let sources = async || refusals(&app).await.into_iter().filter_map(|entry| entry.from);
    let recorded: Vec<_> = sources().await.map(|from| from.to_string()).collect();
    assert_eq!(recorded, ["192.0.2.2", "192.0.2.1", "2001:db8:0:1::1", "2001:db8::1"]);

    let block: Vec<_> = (0..256).map(|number| format!("198.51.100.{number}")).collect();
    let block: Vec<_> = block.iter().map(String::as_str).collect();
    statuses(&app, remove.0, remove.1, &block).await;
    for address in &block {
        let headers = [("x-forwarded-for", *address), ("origin", "https://evil.example.org")];
        app.ask("POST", "/api/deploy", &headers, "{}").await;
    }
    assert_eq!(sources().await.count(), 4 + 500);
    statuses(&app, remove.0, remove.1, &["203.0.113.1"]).await;
    assert_eq!(sources().await.count(), 4 + 501, "others are still recorded");
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

/// Sends every request that is refused to every route `rounds` times, each from `address`.
async fn be_refused_everywhere(app: &TestApp, rounds: usize, address: &str) {
    let foreign = ("origin", "https://evil.example.org");
    let wrong = ("authorization", "Bearer asd_wrong");
    let headers: [&[(&str, &str)]; 4] = [&[], &[foreign], &[wrong], &[("accept", "text/html")]];
    for round in 0..rounds {
        for (method, route, _) in routes() {
            // A stream would stay open, and a sign-out is none.
            let path = route.replace("{id}", &format!("dep_{round:032x}"));
            let path = path.replace("{name}", &format!("no-{round}")).replace("{*path}", "x");
            for headers in headers {
                let headers = [headers, &[("x-forwarded-for", address)]].concat();
                app.ask(method.as_str(), &path, &headers, format!("id=x{round}&name=-{round}"))
                    .await;
            }
        }
        app.ask("GET", &format!("/admin?{round}"), &[("x-forwarded-for", address)], "").await;
    }
}

/// Checks that no refusal is there twice, and returns how many there are.
fn count_once(entries: &[AuditEntry]) -> usize {
    let mut seen = HashSet::new();
    for entry in entries {
        let key = (entry.from, entry.act.as_str(), entry.outcome.clone());
        assert!(seen.insert(key), "{entry:?} is there twice");
    }
    seen.len()
}

#[tokio::test]
async fn every_refusal_by_every_route_is_audited_once_an_hour() {
    let open = [("TRUSTED_PROXIES", "127.0.0.1"), ("CHECK_RATE_LIMIT", "5"), ("AUTH", "open")];
    let signed = [
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("AUTH", "oidc"),
        ("OIDC_ISSUER", "http://127.0.0.1:9"),
        ("OIDC_CLIENT_ID", "portal"),
    ];
    for (variables, expected) in [(&open[..], 4), (&signed, 2)] {
        let app = TestApp::with(variables);
        be_refused_everywhere(&app, 1, "192.0.2.7").await;
        let first = entries(&app).await;
        assert!(count_once(&first) >= expected, "{first:?}");
        app.clock.advance(Duration::from_mins(30));
        be_refused_everywhere(&app, 4, "192.0.2.7").await;
        let again = entries(&app).await;
        assert_eq!(count_once(&again), again.len());
        // A code that the first round did not reach may have followed, but none twice.
        assert!(again.len() <= first.len() + 2, "{first:?} {again:?}");
    }
}

/// Whoever has a whole network can be refused from each of its addresses.
#[tokio::test]
async fn nobody_uses_up_the_audit_log_of_others() {
    type Address = fn(u32) -> String;
    let networks: [(Address, usize, &str); 2] = [
        // Each address of an IPv4 block once.
        (|number| format!("192.0.2.{}", number % 256), 256, "198.51.100.7"),
        (|number| format!("2001:db8:0:{number:x}::1"), 500, "2001:db8:1::1"),
    ];
    for (address, share, other) in networks {
        let app = TestApp::with(&[("TRUSTED_PROXIES", "127.0.0.1")]);
        let be_refused = async |address: &str| {
            let headers = [("x-forwarded-for", address)];
            assert_eq!(app.ask("GET", "/admin", &headers, "").await.status, 404);
        };
        for number in 0..1_500 {
            be_refused(&address(number)).await;
        }
        let count = entries(&app).await.len();
        assert_eq!(count, share, "the share of one block");
        be_refused(other).await;
        let entries = entries(&app).await;
        assert_eq!(entries.len(), count + 1);
        assert_eq!(entries[0].from, Some(other.parse().unwrap()));
    }
}
