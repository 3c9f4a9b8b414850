//! Two portals on one PostgreSQL: both report what the database has, and each what it did itself.

use super::body;
use super::text::Scrape;
use crate::support::platform::Platform;
use crate::support::postgres::Cluster;
use crate::support::process::{PortalDir, exchange, free_port, request};

#[test]
fn replicas_agree_on_what_the_database_has_and_count_what_each_did() {
    let portal_dirs = [PortalDir::new(), PortalDir::new()];
    let platform = Platform::start(&portal_dirs[0]);
    let (database, ports) = (Cluster::shared().database(), [free_port(), free_port()]);
    let _portals = [0, 1].map(|which| {
        let variables = [
            ("DATABASE_URL", &*database),
            ("METRICS_PORT", &*ports[which].to_string()),
            // It runs, but its health check never succeeds.
            ("STACK_IMAGE", "sandbox/unhealthy"),
        ];
        platform.portal(&portal_dirs[which], &variables)
    });
    let scrapes =
        || ports.map(|port| Scrape::of(body(&exchange(port, &request("GET /metrics", "", "")))));
    let id = portal_dirs[0].deploy("zebra-crossing");
    portal_dirs[1].wait_for_event(&id, "\"verifying_health\"");
    let running = scrapes();
    for scrape in &running {
        let operations = |state| scrape.count("portal_operations", &[("state", state)]);
        assert_eq!(["waiting", "leased", "stuck"].map(operations), [0, 1, 0]);
    }
    let together = |scrapes: &[Scrape; 2], name, labels: &[(&str, &str)]| -> u64 {
        scrapes.iter().map(|scrape| scrape.count(name, labels)).sum()
    };
    assert_eq!(together(&running, "portal_leases_held", &[]), 1);

    let cancel = request(&format!("POST /api/deployment/{id}/cancel"), "", "");
    let cancelled = exchange(portal_dirs[0].port, &cancel);
    assert!(cancelled.starts_with("HTTP/1.1 2"), "{cancelled}");
    assert!(portal_dirs[0].events(&id).contains("CANCELLED"));
    let ended = scrapes();
    let labels = [("kind", "deploy"), ("outcome", "cancelled"), ("code", "CANCELLED")];
    assert_eq!(together(&ended, "portal_operations_ended_total", &labels), 1);
    let create = [("call", "application.create"), ("outcome", "done")];
    assert_eq!(together(&ended, "portal_platform_calls_total", &create), 1);
}
