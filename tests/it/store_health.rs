//! `/health`, `/readyz` and `healthcheck` report whether the portal works, including writes, and
//! cost at most one small write in two seconds, however often they are called.

use std::process::Command;
use std::time::Duration;

use axum::http::StatusCode;
use clock::{Clock, SystemClock};
use futures::future::join_all;

use crate::support::app::TestApp;
use crate::support::postgres::Cluster;
use crate::support::process::{PortalDir, Running, free_port};

/// The time limit until a check that runs every two seconds notices a change.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn any_number_of_health_checks_cause_one_write_in_two_seconds() {
    let app = TestApp::new();
    let ask = async || {
        let paths = ["/health", "/readyz"].into_iter().cycle().take(50);
        for reply in join_all(paths.map(|path| app.get(path))).await {
            assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        }
    };
    ask().await;
    app.clock.advance(Duration::from_millis(1999));
    ask().await;
    assert_eq!(app.store.checks(), 1);
    assert_eq!(app.get("/health").await.json()["store"]["ageMs"], 1999);
    app.clock.advance(Duration::from_millis(1));
    ask().await;
    assert_eq!(app.store.checks(), 2);
    assert_eq!(app.get("/health").await.json()["store"]["ageMs"], 0);
}

#[tokio::test]
async fn a_write_that_hangs_delays_health_checks_briefly_and_is_not_repeated() {
    let app = TestApp::new();
    app.store.set_hanging(true);
    for path in ["/readyz", "/health", "/readyz"] {
        let before = app.clock.sleepers();
        let asking = app.get(path);
        let passing = async {
            app.clock.sleeper_after(before).await;
            app.clock.advance(Duration::from_secs(3));
        };
        let (reply, ()) = tokio::join!(asking, passing);
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{reply:?}");
    }
    assert_eq!(app.store.checks(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn with_a_full_disk_the_portal_is_unhealthy_until_there_is_room_again() {
    let portal_dir = PortalDir::new();
    let portal = portal_dir.start(&[]);
    assert_eq!(health(&portal_dir), ("200", true));
    // From here on no file can be written, as on a full disk.
    limit_files(&portal, "0");
    becomes(&portal_dir, ("503", false));
    let readyz = portal_dir.get("/readyz");
    assert!(readyz.starts_with("HTTP/1.1 503 "), "{readyz}");
    assert_eq!(portal_dir.command(&[]).arg("healthcheck").output().unwrap().status.code(), Some(1));
    assert!(portal_dir.get("/livez").starts_with("HTTP/1.1 200 "));
    limit_files(&portal, "unlimited");
    becomes(&portal_dir, ("200", true));
    assert!(portal_dir.command(&[]).arg("healthcheck").output().unwrap().status.success());
}

#[test]
fn with_a_read_only_postgres_the_portal_is_unhealthy() {
    let (portal_dir, cluster) = (PortalDir::new(), Cluster::start());
    let url = cluster.database();
    // The platform need not answer: the test is about the database.
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let _portal = portal_dir.start(&[
        ("DATABASE_URL", &url),
        ("DOKPLOY_URL", &nobody),
        ("DOKPLOY_API_TOKEN", "a-key"),
        ("STACK_IMAGE", "an-image"),
        ("STACK_DOMAIN_SUFFIX", "localhost"),
    ]);
    assert_eq!(health(&portal_dir), ("200", true));
    Cluster::ask(&url, "ALTER SYSTEM SET default_transaction_read_only = on");
    Cluster::ask(&url, "SELECT pg_reload_conf()");
    becomes(&portal_dir, ("503", false));
    assert!(portal_dir.get("/readyz").starts_with("HTTP/1.1 503 "));
    assert_eq!(portal_dir.command(&[]).arg("healthcheck").output().unwrap().status.code(), Some(1));
    Cluster::ask(&url, "ALTER SYSTEM RESET default_transaction_read_only");
    Cluster::ask(&url, "SELECT pg_reload_conf()");
    becomes(&portal_dir, ("200", true));
}

/// Limits the size of the files that the portal writes.
#[cfg(target_os = "linux")]
fn limit_files(portal: &Running, bytes: &str) {
    let mut limit = Command::new("prlimit");
    limit.args(["--pid", &portal.id().to_string(), &format!("--fsize={bytes}:unlimited")]);
    assert!(limit.status().unwrap().success());
}

/// Reads `/health`: the status, and whether the store is healthy.
fn health(portal_dir: &PortalDir) -> (&'static str, bool) {
    let answer = portal_dir.get("/health");
    let code = if answer.starts_with("HTTP/1.1 200 ") { "200" } else { "503" };
    assert!(answer.contains("\"ageMs\":"), "{answer}");
    (code, answer.contains("\"ok\":true"))
}

fn becomes(portal_dir: &PortalDir, wanted: (&str, bool)) {
    let since = SystemClock.now();
    while health(portal_dir) != wanted {
        let waited = SystemClock.now().duration_since(since).unsigned_abs();
        assert!(waited < SOON, "{}", portal_dir.get("/health"));
    }
}
