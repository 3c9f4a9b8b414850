//! `/metrics`: who may read it and where, that its text keeps to the format, that it counts what
//! happens, and that no name of a person or stack is in it.

mod known;
mod replicas;
mod restart;
mod shipped;
mod text;

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use clock::Clock as _;
use domain::event::FailureCode;
use domain::kind::Kinds;
use domain::phase::Phase;
use domain::receipt::{Outcome, ResourceKind};
use domain::refusal::RefusalCode;
use futures::future::join_all;
use tokio::task::yield_now;
use tokio::time::timeout;

use self::text::Scrape;
use crate::support::app::{Reply, TestApp, failure, line};
use crate::support::process::{PortalDir, exchange, free_port, post_deploy, request};

const TOKEN: &str = "0123456789abcdef";
/// By then everything has happened that is going to, on a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// Reads the metrics of a portal that serves them on its port.
async fn scrape(app: &TestApp) -> Scrape {
    let reply = ask(app, &[&format!("Bearer {TOKEN}")]).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    Scrape::of(&reply.body)
}

async fn ask(app: &TestApp, credentials: &[&str]) -> Reply {
    let request = credentials
        .iter()
        .fold(Request::get("/metrics"), |request, value| request.header("authorization", *value));
    app.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn without_a_setting_there_are_no_metrics() {
    let app = TestApp::new();
    assert_eq!(ask(&app, &[]).await.error(), "404 NOT_FOUND");
    assert_eq!(ask(&app, &["Bearer "]).await.error(), "404 NOT_FOUND");
}

#[tokio::test]
async fn with_a_token_only_its_bearer_reads_them() {
    let app = TestApp::with(&[("METRICS_TOKEN", TOKEN)]);
    let right = format!("Bearer {TOKEN}");
    for wrong in [
        &[][..],
        &["Bearer"],
        &["Bearer "],
        &[TOKEN],
        &["Basic MDEyMzQ1Njc4OWFiY2RlZg=="],
        &["Bearer 0123456789abcdeg"],
        &["Bearer 0123456789abcdef0"],
        &[right.as_str(), "Bearer 0123456789abcdeg"],
    ] {
        let reply = ask(&app, wrong).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{wrong:?}");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"), "{wrong:?}");
        assert!(reply.body.is_empty(), "{reply:?}");
    }
    for right in [&right, &format!("bearer {TOKEN}")] {
        assert_eq!(ask(&app, &[right]).await.status, StatusCode::OK, "{right}");
    }
    assert_eq!(app.get("/metrics/").await.error(), "404 NOT_FOUND");
    let posted = app.ask("POST", "/metrics", &[("authorization", &right)], "").await;
    assert_eq!(posted.error(), "405 METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn with_a_port_of_its_own_the_other_one_does_not_serve_them() {
    for settings in
        [&[("METRICS_PORT", "9090")][..], &[("METRICS_PORT", "9090"), ("METRICS_TOKEN", TOKEN)]]
    {
        let app = TestApp::with(settings);
        assert_eq!(ask(&app, &[&format!("Bearer {TOKEN}")]).await.error(), "404 NOT_FOUND");
    }
}

#[tokio::test]
async fn each_portal_of_a_process_has_its_own_numbers() {
    let [one, other] = [(); 2].map(|()| TestApp::with(&[("METRICS_TOKEN", TOKEN)]));
    let refused = one.deploy("{\"name\":\"-\"}").await;
    assert_eq!(refused.error(), "400 INVALID_NAME");
    let labels = [("code", "INVALID_NAME")];
    assert_eq!(scrape(&one).await.count("portal_refusals_total", &labels), 1);
    assert_eq!(scrape(&other).await.count("portal_refusals_total", &labels), 0);
}

#[tokio::test]
async fn every_kind_of_refusal_is_counted_once() {
    let app = TestApp::with(&[("METRICS_TOKEN", TOKEN)]);
    let form = "application/x-www-form-urlencoded";
    app.get("/api/deployment/dep_unknown").await;
    app.ask("PUT", "/api/stacks", &[], "").await;
    app.ask("POST", "/api/deploy", &[("origin", "https://elsewhere.example")], "{}").await;
    // A server function, called by the page's code, and by a form without it.
    for accept in ["application/json", "text/html"] {
        let headers =
            [("accept", accept), ("content-type", form), ("origin", "http://127.0.0.1:3000")];
        app.ask("POST", "/api/fn/start_deployment", &headers, "name=-").await;
        app.ask("POST", "/api/fn/start_deployment", &headers, "many&".repeat(65)).await;
    }
    let scrape = scrape(&app).await;
    for (code, count) in [
        ("NOT_FOUND", 1),
        ("METHOD_NOT_ALLOWED", 1),
        ("CROSS_SITE", 1),
        ("INVALID_NAME", 2),
        ("INVALID_REQUEST", 2),
    ] {
        let found = scrape.count("portal_refusals_total", &[("code", code)]);
        assert_eq!(found, count, "{code}: {:#?}", scrape.samples);
    }
}

#[tokio::test]
async fn gauges_show_streams_and_what_the_database_has() {
    let app = TestApp::with(&[("METRICS_TOKEN", TOKEN)]);
    let id = app.begin("alice").await;
    // Each state is read once in two seconds, however many scrapes there are.
    let counts = async || {
        app.clock.advance(Duration::from_secs(2));
        let scrape = scrape(&app).await;
        let state = |state| scrape.count("portal_operations", &[("state", state)]);
        let streams = scrape.count("portal_event_streams", &[]);
        [state("waiting"), state("leased"), state("stuck"), streams]
    };
    assert_eq!(counts().await, [1, 0, 0, 0]);
    let path = format!("/api/status/{id}");
    let open = async || app.open(Request::get(&path).body(Body::empty()).unwrap()).await;
    let (one, other) = (open().await, open().await);
    assert_eq!(counts().await, [1, 0, 0, 2]);
    let streams = async |count| {
        while counts().await[3] != count {
            yield_now().await;
        }
    };
    drop(one);
    timeout(SOON, streams(1)).await.expect("a stream whose client has hung up is open");
    let lease = app.claim().await;
    assert_eq!(counts().await, [0, 1, 0, 1]);
    drop(other);
    timeout(SOON, streams(0)).await.expect("a stream whose client has hung up is open");
    let line = line(ResourceKind::Project, "ai-stack-alice", Outcome::Left, app.clock.now());
    let (phase, code) = (Phase::VERIFYING_HEALTH, FailureCode::HealthTimeout);
    app.get_stuck(&lease, failure(phase, code, "silent", line)).await;
    assert_eq!(counts().await, [0, 0, 1, 0]);
}

#[tokio::test]
async fn any_number_of_scrapes_read_the_database_once_in_two_seconds() {
    let app = TestApp::with(&[("METRICS_TOKEN", TOKEN)]);
    let scrapes = async || {
        let scrapes = join_all((0..50).map(|_| scrape(&app))).await;
        let waiting = |scrape: &Scrape| scrape.count("portal_operations", &[("state", "waiting")]);
        (app.store.checks(), scrapes.iter().map(waiting).max().unwrap())
    };
    assert_eq!(scrapes().await, (1, 0));
    app.begin("alice").await;
    app.clock.advance(Duration::from_millis(1999));
    assert_eq!(scrapes().await, (1, 0));
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(scrapes().await, (2, 1));
}

#[tokio::test]
async fn while_the_database_hangs_a_scrape_says_so_within_three_seconds() {
    let app = TestApp::with(&[("METRICS_TOKEN", TOKEN)]);
    app.store.set_hanging(true);
    let before = app.clock.sleepers();
    let passing = async {
        app.clock.sleeper_after(before).await;
        app.clock.advance(Duration::from_secs(3));
    };
    let (scrape, ()) = tokio::join!(scrape(&app), passing);
    assert_eq!(scrape.count("portal_store_ok", &[]), 0);
    // What this process counts itself is there as well.
    assert_eq!(scrape.count("portal_event_streams", &[]), 0);
    assert!(scrape.find("portal_event_streams", &[]).is_some());
}

/// Returns the body of an answer over a socket.
fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[test]
fn a_scrape_counts_what_operations_did_and_names_nobody() {
    let (portal_dir, own) = (PortalDir::new(), free_port());
    let port = own.to_string();
    let _portal = portal_dir.start(&[("METRICS_PORT", &port), ("METRICS_TOKEN", TOKEN)]);
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    let read = |port| exchange(port, &request("GET /metrics", &bearer, ""));
    assert!(exchange(own, &request("GET /metrics", "", "")).starts_with("HTTP/1.1 401 "));
    assert!(exchange(own, &request("GET /health", &bearer, "")).starts_with("HTTP/1.1 404 "));
    assert!(exchange(own, &request("POST /metrics", &bearer, "")).starts_with("HTTP/1.1 405 "));
    assert!(read(portal_dir.port).starts_with("HTTP/1.1 404 "));

    let head = exchange(own, &request("HEAD /metrics", &bearer, ""));
    assert!(head.starts_with("HTTP/1.1 200 ") && body(&head).is_empty(), "{head}");

    let known = known::series(&Scrape::of(body(&read(own))));
    let id = portal_dir.deploy("zebra-crossing");
    // While it runs, the text is whole as well.
    let running = Scrape::of(body(&read(own)));
    assert!(running.count("portal_leases_held", &[]) <= 1);
    assert!(portal_dir.events(&id).contains("event: complete"));
    assert!(post_deploy(portal_dir.port, "zebra-crossing").starts_with("HTTP/1.1 409 "));
    let removal = request(&format!("DELETE /api/stacks/zebra-crossing?id={id}"), "", "");
    let removal = crate::support::process::id_in(&exchange(portal_dir.port, &removal), "rem_");
    assert!(portal_dir.events(&removal).contains("event: complete"));

    let text = read(own);
    let scrape = Scrape::of(body(&text));
    for kind in ["deploy", "remove"] {
        let labels = [("kind", kind), ("outcome", "done"), ("code", "NONE")];
        assert_eq!(scrape.count("portal_operations_ended_total", &labels), 1, "{kind}");
    }
    let calls =
        |call| scrape.count("portal_platform_calls_total", &[("call", call), ("outcome", "done")]);
    assert_eq!(calls("application.create"), 1);
    assert_eq!(calls("domain.create"), 1);
    assert_eq!(calls("application.delete"), 1);
    let create = [("call", "application.create")];
    assert_eq!(scrape.count("portal_platform_call_seconds_count", &create), 1);
    for phase in ["initializing", "creating_project", "deploying", "verifying_health"] {
        let labels = [("kind", "deploy"), ("phase", phase)];
        assert_eq!(scrape.count("portal_phase_seconds_count", &labels), 1, "{phase}");
    }
    assert_eq!(scrape.count("portal_refusals_total", &[("code", "NAME_TAKEN")]), 1);
    for access in ["read", "write"] {
        let labels = [("access", access), ("outcome", "answered")];
        assert!(scrape.count("portal_store_seconds_count", &labels) >= 10, "{access}");
    }
    assert_eq!(scrape.count("portal_breaker", &[("state", "closed")]), 1);
    assert_eq!(scrape.count("portal_platform_reachable", &[]), 1);
    assert_eq!(scrape.count("portal_store_ok", &[]), 1);
    assert_eq!(scrape.count("portal_leases_held", &[]), 0);
    assert_eq!(known::series(&scrape), known);
    names_nobody(&text, &scrape, &[&id, &removal]);
}

/// Checks that every label is a word of a fixed list, and that the text has no name or id.
fn names_nobody(text: &str, scrape: &Scrape, ids: &[&str]) {
    for private in ids.iter().copied().chain(["zebra", "localhost", "127.0.0.1", TOKEN]) {
        assert!(!text.contains(private), "{private}");
    }
    let refusals: BTreeSet<_> = RefusalCode::all().map(RefusalCode::as_str).collect();
    let failures: BTreeSet<_> = FailureCode::all().map(FailureCode::as_str).collect();
    let kinds: BTreeSet<_> =
        Kinds::default().names().map(|kind| kind.as_str().to_owned()).collect();
    let call = regex::Regex::new(r"^[a-zA-Z]+\.[a-zA-Z]+$").unwrap();
    for (label, value) in scrape.pairs() {
        let is_known = match label.as_str() {
            "kind" => kinds.contains(&value),
            "code" => {
                let code = value.as_str();
                code == "NONE" || refusals.contains(code) || failures.contains(code)
            }
            "call" => call.is_match(&value),
            "outcome" | "phase" | "access" | "state" | "result" | "turn" => {
                value.chars().all(|c| c.is_ascii_lowercase() || "_-".contains(c))
            }
            "le" => value.parse::<f64>().is_ok(),
            _ => false,
        };
        assert!(is_known, "{label}={value}");
    }
}
