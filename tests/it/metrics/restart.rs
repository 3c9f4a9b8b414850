//! A phase that a restart interrupts counts as long as it took.

use domain::time::elapsed_ms;
use jiff::Timestamp;
use serde_json::Value;

use super::body;
use super::text::Scrape;
use crate::support::process::{PortalDir, exchange, free_port, request};

/// Returns when `phase` began, by the events of its operation.
fn began(events: &str, phase: &str) -> Timestamp {
    let data = events.lines().filter_map(|line| line.strip_prefix("data: "));
    let mut data = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let update = data.find(|data| data["phase"] == phase && data["status"] == "in_progress");
    update.unwrap()["at"].as_str().unwrap().parse().unwrap()
}

#[test]
fn the_time_of_a_phase_counts_from_its_beginning_in_an_earlier_process() {
    let (portal_dir, own) = (PortalDir::new(), free_port());
    let port = own.to_string();
    // It runs, but its health check never succeeds.
    let variables = [("STACK_IMAGE", "sandbox/unhealthy"), ("METRICS_PORT", &port)];
    let portal = portal_dir.start(&variables);
    let id = portal_dir.deploy("alice");
    portal_dir.wait_for_event(&id, "\"verifying_health\"");
    portal.kill();

    let _portal = portal_dir.start(&variables);
    let cancel = request(&format!("POST /api/deployment/{id}/cancel"), "", "");
    let cancelled = exchange(portal_dir.port, &cancel);
    assert!(cancelled.starts_with("HTTP/1.1 2"), "{cancelled}");
    let events = portal_dir.events(&id);
    let (since, until) = (began(&events, "verifying_health"), began(&events, "rolling_back"));

    let scrape = Scrape::of(body(&exchange(own, &request("GET /metrics", "", ""))));
    let labels = [("kind", "deploy"), ("phase", "verifying_health")];
    assert_eq!(scrape.count("portal_phase_seconds_count", &labels), 1);
    let seconds = scrape.value("portal_phase_seconds_sum", &labels);
    let least = u32::try_from(elapsed_ms(since, until)).unwrap();
    assert!(seconds * 1000.0 >= f64::from(least), "{seconds} s, and not {least} ms");
}
