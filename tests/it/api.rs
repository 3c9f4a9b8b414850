//! The answers of the API of deployments, compared with snapshots.

use std::time::Duration;

use ai_stack_deployer::server::platform::PlatformError;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::phase::Phase;
use serde_json::json;

use crate::support::app::{Reply, TestApp};

/// Replaces the parts that differ between runs.
fn redacted(reply: &Reply) -> String {
    let kept = ["allow", "cache-control", "content-type", "location", "retry-after"];
    let headers: Vec<_> = kept
        .into_iter()
        .filter_map(|name| Some(format!("{name}: {}", reply.header(name)?)))
        .collect();
    let text = format!("{}\n{}\n\n{}", reply.status, headers.join("\n"), reply.body);
    let Some(start) = text.find("dep_") else { return text };
    text.replace(&text[start..start + 36], "[id]")
}

#[tokio::test]
async fn a_name_is_available_taken_or_invalid() {
    let app = TestApp::new();
    insta::assert_snapshot!("check_free", redacted(&app.get("/api/check/alice").await));
    app.begin("alice").await;
    insta::assert_snapshot!("check_taken", redacted(&app.get("/api/check/alice").await));
    insta::assert_snapshot!("check_invalid", redacted(&app.get("/api/check/al").await));
}

#[tokio::test]
async fn an_accepted_deployment_is_answered_with_all_its_addresses() {
    let app = TestApp::new();
    insta::assert_snapshot!("deploy", redacted(&app.deploy(r#"{"name":"alice"}"#).await));
    insta::assert_snapshot!("deploy_taken", redacted(&app.deploy(r#"{"name":"alice"}"#).await));
    insta::assert_snapshot!("deploy_invalid", redacted(&app.deploy(r#"{"name":"al"}"#).await));
}

#[tokio::test]
async fn a_deployment_is_described_in_its_current_state() {
    let app = TestApp::new();
    let id = app.begin("alice").await;
    let path = format!("/api/deployment/{id}");
    insta::assert_snapshot!("deployment_begun", redacted(&app.get(&path).await));

    let lease = app.claim().await;
    app.clock.advance(Duration::from_secs(1));
    app.record(&lease, vec![app.progress(Phase::CREATING_PROJECT), app.log("Created")]).await;
    insta::assert_snapshot!("deployment_under_way", redacted(&app.get(&path).await));

    app.record(&lease, vec![app.progress(Phase::ROLLING_BACK), app.failure()]).await;
    insta::assert_snapshot!("deployment_failed", redacted(&app.get(&path).await));
}

#[tokio::test]
async fn a_live_deployment_is_completed() {
    let app = TestApp::new();
    let id = app.begin("alice").await;
    let lease = app.claim().await;
    app.record(&lease, vec![app.progress(Phase::VERIFYING_HEALTH), TestApp::complete("alice")])
        .await;
    let json = app.get(&format!("/api/deployment/{id}")).await.json();
    let deployment = &json["deployment"];
    assert_eq!(deployment["phase"], "completed");
    assert_eq!(deployment["status"], "success");
    assert_eq!(deployment["progress"], 100);
    assert_eq!(deployment["timestamps"]["completed"], "2026-11-23T09:55:24.515Z");
}

#[tokio::test]
async fn describing_a_deployment_reads_no_other() {
    let app = TestApp::new();
    let id = app.begin("alice").await;
    let lease = app.claim().await;
    for event in [app.progress(Phase::CREATING_PROJECT), TestApp::complete("alice")] {
        app.record(&lease, vec![event]).await;
        app.get(&format!("/api/deployment/{id}")).await;
    }
    assert_eq!(app.store.comparisons(), 0, "what is usual, and what is live, is the page's matter");
}

#[tokio::test]
async fn only_the_last_50_log_entries_are_shown_and_each_is_a_string_of_json() {
    let app = TestApp::new();
    let id = app.begin("alice").await;
    let lease = app.claim().await;
    let logs = (0..1_200).map(|n| app.log(&format!("entry {n}"))).collect();
    app.record(&lease, logs).await;
    let json = app.get(&format!("/api/deployment/{id}")).await.json();
    let logs = json["deployment"]["logs"].as_array().unwrap();
    let messages: Vec<_> = logs
        .iter()
        .map(|log| serde_json::from_str::<serde_json::Value>(log.as_str().unwrap()).unwrap())
        .map(|log| log["message"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(messages.len(), 50);
    assert_eq!((messages[0].as_str(), messages[49].as_str()), ("entry 1150", "entry 1199"));
    assert_eq!(json["deployment"]["seq"], 1_201);
}

#[tokio::test]
async fn health_reports_every_part() {
    let app = TestApp::new();
    let version = format!("{:?}", env!("CARGO_PKG_VERSION"));
    let health = async || redacted(&app.get("/health").await).replace(&version, "\"[version]\"");
    insta::assert_snapshot!("health", health().await);
    app.platform.fail(PlatformError::Paused { retry_after: Duration::from_secs(42) });
    app.clock.advance(Duration::from_secs(10));
    insta::assert_snapshot!("health_degraded", health().await);
    app.store.set_down(true);
    app.clock.advance(Duration::from_secs(2));
    insta::assert_snapshot!("health_unhealthy", health().await);
}

#[tokio::test]
async fn readiness_depends_on_the_store_and_liveness_on_nothing() {
    let app = TestApp::new();
    assert_eq!(app.get("/readyz").await.status, StatusCode::OK);
    app.store.set_down(true);
    app.clock.advance(Duration::from_secs(2));
    assert_eq!(app.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(app.get("/livez").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_name_or_host_that_the_platform_has_from_elsewhere_is_not_available() {
    let app = TestApp::new();
    app.platform.add_host("alice.localhost");
    app.platform.add_project("ai-stack-bobby");
    app.platform.add_project("carol");
    for (name, available) in [("alice", false), ("bobby", false), ("carol", true)] {
        let check = app.get(&format!("/api/check/{name}")).await.json();
        assert_eq!(check["available"], available, "{name}");
        let deploy = app.deploy(json!({ "name": name }).to_string()).await;
        let expected = if available { StatusCode::CREATED } else { StatusCode::CONFLICT };
        assert_eq!(deploy.status, expected, "{name}");
    }
}

#[tokio::test]
async fn a_start_reads_the_platform_afresh() {
    let app = TestApp::new();
    assert_eq!(app.get("/api/check/alice").await.json()["available"], true);
    app.platform.add_host("alice.localhost");
    assert_eq!(app.get("/api/check/alice").await.json()["available"], true, "a cached answer");
    assert_eq!(app.deploy(r#"{"name":"alice"}"#).await.error_code(), "NAME_TAKEN");
}

#[tokio::test]
async fn a_name_whose_stack_was_removed_is_free_again_within_a_second() {
    let app = TestApp::new();
    app.platform.add_project("ai-stack-alice");
    assert_eq!(app.get("/api/check/alice").await.json()["available"], false);
    app.platform.remove_project("ai-stack-alice");
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.get("/api/check/alice").await.json()["available"], true);
    app.platform.add_project("ai-stack-bobby");
    app.clock.advance(Duration::from_secs(10));
    assert_eq!(app.get("/api/check/bobby").await.json()["available"], false);
    let reason = String::from("refused");
    app.platform.fail(PlatformError::Unreachable { call: "project.all", reason });
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.get("/api/check/bobby").await.json()["available"], false, "as last seen");
}

#[tokio::test]
async fn checking_names_costs_the_platform_three_calls_in_ten_seconds() {
    let app = TestApp::new();
    let checks = (0..200).map(|n| app.get(Box::leak(format!("/api/check/name-{n}").into())));
    futures::future::join_all(checks).await;
    assert_eq!(app.platform.calls(), 4, "and one for its version, which lasts");
    app.clock.advance(Duration::from_secs(10));
    app.get("/api/check/alice").await;
    assert_eq!(app.platform.calls(), 7);
    app.clock.advance(Duration::from_mins(10));
    app.get("/api/check/alice").await;
    assert_eq!(app.platform.calls(), 11, "the version after ten minutes");
}

#[tokio::test]
async fn typing_a_name_that_is_taken_on_the_platform_makes_no_call_at_each_key() {
    let app = TestApp::new();
    app.platform.add_host("Alice.localhost");
    app.platform.add_project("ai-stack-alicia");
    for typed in ["ali", "alic", "alice", "alici", "alicia", "alice"] {
        let check = app.get(Box::leak(format!("/api/check/{typed}").into())).await.json();
        assert_eq!(check["available"], typed != "alice" && typed != "alicia", "{typed}");
    }
    assert_eq!(app.platform.calls(), 4, "all of one reading");
    for taken in ["alice", "alicia"] {
        let reply = app.deploy(json!({ "name": taken }).to_string()).await;
        assert_eq!(reply.error_code(), "NAME_TAKEN");
    }
    assert!(app.store.records().is_empty(), "refused before anything is recorded");
}

#[tokio::test]
async fn on_a_platform_that_is_too_old_nothing_is_started_until_it_is_updated() {
    let app = TestApp::new();
    app.platform.set_old(true);
    let check = app.get("/api/check/alice").await.json();
    assert_eq!(check["available"], true, "advisory, and in the form it always has");
    let reply = app.deploy(r#"{"name":"alice"}"#).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(reply.body.contains("An operator must update it."), "{reply:?}");
    assert_eq!(reply.error_code(), "PLATFORM_TOO_OLD");
    assert!(app.store.records().is_empty());
    app.platform.set_old(false);
    app.clock.advance(Duration::from_secs(10));
    app.begin("alice").await;
}

#[tokio::test]
async fn with_the_platform_away_names_are_checked_against_the_store_and_nothing_is_started() {
    let app = TestApp::new();
    app.begin("alice").await;
    let reason = String::from("refused");
    app.platform.fail(PlatformError::Unreachable { call: "project.all", reason });
    assert_eq!(app.get("/api/check/alice").await.json()["available"], false);
    assert_eq!(app.get("/api/check/bobby").await.json()["available"], true);
    let reply = app.deploy(r#"{"name":"bobby"}"#).await;
    assert_eq!(reply.error(), "503 PLATFORM_UNREACHABLE");
    assert_eq!(reply.header("retry-after"), Some("10"));
    assert_eq!(app.store.records().len(), 1);
}

#[tokio::test]
async fn of_sixteen_posts_for_one_name_one_wins() {
    let app = TestApp::new();
    let posts = (0..16).map(|_| app.deploy(r#"{"name":"alice"}"#));
    let replies = futures::future::join_all(posts).await;
    let accepted = replies.iter().filter(|reply| reply.status == StatusCode::CREATED).count();
    let taken = replies.iter().filter(|reply| reply.status == StatusCode::CONFLICT).count();
    assert_eq!((accepted, taken), (1, 15));
    assert_eq!(app.store.records().len(), 1);
}

#[tokio::test]
async fn reserved_names_can_be_added() {
    let app = TestApp::with(&[("RESERVED_NAMES", "intern")]);
    assert_eq!(app.get("/api/check/intern").await.json()["code"], "NAME_RESERVED");
    assert_eq!(app.deploy(r#"{"name":"intern"}"#).await.error_code(), "INVALID_NAME");
}

#[tokio::test]
async fn a_caller_with_too_many_starts_is_told_when_to_retry() {
    let app = TestApp::with(&[("DEPLOY_RATE_LIMIT", "2")]);
    app.begin("alice").await;
    app.begin("bobby").await;
    let reply = app.deploy(r#"{"name":"carol"}"#).await;
    assert_eq!(reply.error(), "429 TOO_MANY_REQUESTS");
    let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=31).contains(&wait), "{wait}");
    assert_eq!(app.get("/api/check/carol").await.status, StatusCode::OK, "only starts count");
    app.clock.advance(Duration::from_secs(wait));
    app.begin("carol").await;
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let app = TestApp::new();
    let id = app.live("alice").await;
    for path in ["/health", "/api/nothing", "/api/check/alice", &format!("/api/status/{id}")] {
        let reply = app.get(path).await;
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(reply.header("referrer-policy"), Some("same-origin"), "{path}");
        let policy = reply.header("content-security-policy");
        assert_eq!(policy, Some("default-src 'none'; frame-ancestors 'none'"), "{path}");
        assert_eq!(reply.header("cross-origin-opener-policy"), Some("same-origin"), "{path}");
        assert!(reply.header("permissions-policy").is_some(), "{path}");
    }
}

#[tokio::test]
async fn a_bug_of_the_portal_is_answered_like_any_other_error() {
    let app = TestApp::new();
    app.platform.panic_from_now_on();
    let reply = app.send(Request::get("/health").body(Body::empty()).unwrap()).await;
    assert_eq!(reply.error(), "500 INTERNAL");
    assert!(!reply.body.contains("as told"));
}
