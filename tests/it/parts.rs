//! The parts of a running portal. If one ends unexpectedly, the portal is no longer ready, and ends.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::run::{Parts, Retention, purge_old_records};
use ai_stack_deployer::server::audit::{
    AuditAction, AuditEntry, AuditFilter, AuditLog, AuditTrail,
};
use axum::http::StatusCode;
use clock::Clock;
use domain::time::earlier;

use crate::support::app::{TestApp, settings};
use crate::support::manual_clock::ManualClock;
use crate::support::memory_store::MemoryStore;
use crate::support::process::PortalDir;

fn parts_of(app: &TestApp) -> Parts {
    let mut parts = Parts::new(app.service.vitals(), app.shutdown.clone());
    let until = app.shutdown.clone();
    parts.start("server", async move { until.cancelled().await });
    parts
}

#[tokio::test]
async fn a_part_that_panics_or_returns_makes_the_portal_unhealthy_and_is_named() {
    for panics in [true, false] {
        let app = TestApp::new();
        let mut parts = parts_of(&app);
        assert_eq!(app.get("/readyz").await.status, StatusCode::OK);
        parts.start("worker", async move { assert!(!panics, "as told") });
        assert_eq!(parts.ended().await, "worker");
        assert_eq!(app.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
        let health = app.get("/health").await;
        assert_eq!(health.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(health.json()["status"], "unhealthy");
        assert_eq!(health.json()["lostParts"][0], "worker");
        assert_eq!(app.get("/livez").await.status, StatusCode::OK, "it still tells why");
        app.shutdown.cancel();
        parts.stopped().await;
    }
}

#[tokio::test]
async fn a_part_ends_when_the_task_that_it_watches_ends() {
    let app = TestApp::new();
    let mut parts = parts_of(&app);
    parts.watch("sandbox", pending());
    parts.watch("notification listener", async {});
    assert_eq!(parts.ended().await, "notification listener");
    assert_eq!(app.get("/health").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn parts_that_end_at_the_shutdown_are_no_failure() {
    let app = TestApp::new();
    let mut parts = parts_of(&app);
    parts.watch("sandbox", pending());
    app.shutdown.cancel();
    tokio::select! {
        biased;
        part = parts.ended() => panic!("{part} ended in good order"),
        () = async { for _ in 0..100 { tokio::task::yield_now().await } } => {}
    }
    assert_eq!(app.get("/health").await.status, StatusCode::OK);
    parts.stopped().await;
}

#[test]
fn a_retention_longer_than_the_range_of_time_ends_no_part_of_the_portal() {
    let portal_dir = PortalDir::new();
    let portal = portal_dir.start(&[("RETENTION_DAYS", "4000000000")]);
    portal_dir.deploy_until("alice", "complete");
    assert!(portal_dir.get("/health").starts_with("HTTP/1.1 200 "));
    assert_eq!(portal.end().0, Some(0));
}

#[tokio::test]
async fn a_portal_deletes_the_audit_entries_that_are_too_old() {
    let app = TestApp::new();
    let settings = settings(&[("AUDIT_RETENTION_DAYS", "30")]);
    let day = |days: u64| Duration::from_hours(24 * days);
    let entry = |days: u64| AuditEntry {
        at: earlier(app.clock.now(), day(days)),
        who: days.to_string(),
        act: AuditAction::SignIn,
        target: None,
        from: None,
        outcome: String::from("done"),
    };
    for days in [40, 31, 29, 0] {
        app.store.append(&entry(days)).await.unwrap();
    }
    let audit = AuditTrail::new(
        Arc::<MemoryStore>::clone(&app.store),
        Arc::<ManualClock>::clone(&app.clock),
    );
    let purging = tokio::spawn(purge_old_records(
        Arc::<MemoryStore>::clone(&app.store),
        Arc::new(audit),
        Arc::<ManualClock>::clone(&app.clock),
        Retention::new(&settings),
        app.shutdown.clone(),
    ));
    let all = AuditFilter { limit: 100, ..AuditFilter::default() };
    app.clock.sleeper_after(0).await;
    assert_eq!(
        app.store.entries(&all).await.unwrap().len(),
        4,
        "a rolling update may be under way"
    );
    app.clock.advance(Duration::from_hours(1));
    app.clock.sleeper_after(1).await;
    let rest = app.store.entries(&all).await.unwrap();
    let rest: Vec<_> = rest.iter().map(|(_, entry)| (entry.who.as_str(), entry.act)).collect();
    let (sign_in, purge) = (AuditAction::SignIn, AuditAction::Purge);
    assert_eq!(rest, [("portal", purge), ("0", sign_in), ("29", sign_in)]);
    app.shutdown.cancel();
    purging.await.unwrap();
}
