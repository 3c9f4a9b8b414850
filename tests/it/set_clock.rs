//! Somebody sets the machine's clock back or forward: nobody waits for longer than the usual
//! window, and measured durations do not change.

use std::time::Duration;

use ai_stack_deployer::server::store::{CancelRequest, End, Fact, Journal, Lane, Leases, State};
use axum::http::StatusCode;
use clock::Clock as _;
use jiff::SignedDuration;

use crate::support::app::{Reply, TestApp};
use crate::support::claim_one::{CLEAN_UP, ClaimOne as _};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn retry_after(reply: &Reply) -> u64 {
    assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS, "{reply:?}");
    reply.header("retry-after").unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_rate_limit_locks_nobody_out_when_the_clock_is_set() {
    for by in [-HOUR, HOUR] {
        let app = TestApp::with(&[("DEPLOY_RATE_LIMIT", "2"), ("CHECK_RATE_LIMIT", "1")]);
        app.begin("alice").await;
        app.begin("bobby").await;
        assert_eq!(app.get("/api/check/carol").await.status, StatusCode::OK);
        app.clock.set(by);
        let wait = retry_after(&app.deploy(r#"{"name":"carol"}"#).await);
        assert!((1..=60).contains(&wait), "{wait} s after the clock was set by {by}");
        assert_eq!(retry_after(&app.get("/api/check/carol").await), 1);
        app.clock.advance(Duration::from_secs(wait));
        assert_eq!(app.get("/api/check/carol").await.status, StatusCode::OK);
        app.begin("carol").await;
    }
}

#[tokio::test]
async fn a_limit_per_hour_never_asks_for_more_than_an_hour() {
    let app = TestApp::with(&[("DEPLOYMENTS_PER_HOUR", "1")]);
    app.begin("alice").await;
    app.clock.set(SignedDuration::from_secs(-30));
    let wait = retry_after(&app.deploy(r#"{"name":"bobby"}"#).await);
    assert!((3500..=3600).contains(&wait), "{wait} s");
    // A start that seems to lie in the future was recorded by another clock.
    app.clock.set(-HOUR);
    app.begin("bobby").await;
}

#[tokio::test]
async fn a_cached_answer_of_the_platform_expires_although_the_clock_is_set_back() {
    let app = TestApp::new();
    app.get("/health").await;
    let before = app.platform.calls();
    app.clock.set(-HOUR);
    app.clock.advance(Duration::from_secs(10));
    app.get("/health").await;
    assert!(app.platform.calls() > before, "it was not asked again");
}

#[tokio::test]
async fn clean_up_continues_when_the_clock_is_set_back() {
    let app = TestApp::new();
    app.begin("alice").await;
    let lease = app.claim().await;
    let (at, cancel_request) = (app.clock.now(), CancelRequest::None);
    let end = End {
        state: State::Stuck,
        leaves: None,
        at,
        cancel_request,
        due: Some(at + Duration::from_secs(15)),
    };
    let fact = Fact { events: vec![app.failure()], end: Some(end), ..Fact::default() };
    app.store.record(&lease, &fact).await.unwrap();
    app.store.release(&lease).await.unwrap();
    let claim = async |lane: Lane| {
        let ttl = Duration::from_secs(30);
        app.store.claim_one(lane, "a", app.clock.now(), ttl).await.unwrap()
    };
    assert_eq!(claim(CLEAN_UP).await, None);
    app.clock.set(-HOUR);
    assert!(claim(CLEAN_UP).await.is_some(), "it would wait for an hour");
}
