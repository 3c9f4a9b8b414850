//! A portal whose key Dokploy refuses, as people, programs and operators see it: the real binary
//! against a sandbox that runs alone.

use std::process::Output;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::platform::Platform;
use crate::support::process::{PortalDir, Running, post_deploy};

const CODE: &str = "PLATFORM_KEY_REFUSED";
/// The section of the README that messages refer operators to.
const SECTION: &str = "An API key without rate limit";

/// A portal's folder, and a platform.
struct World {
    portal_dir: PortalDir,
    platform: Platform,
}

impl World {
    /// Starts the platform with these arguments.
    fn start(arguments: &[&str]) -> Self {
        let portal_dir = PortalDir::new();
        let arguments = [&["--latency", "1"], arguments].concat();
        let platform = Platform::start_with(&portal_dir, "key-of-the-sandbox", &arguments);
        Self { portal_dir, platform }
    }

    fn portal(&self) -> Running {
        self.platform.portal(&self.portal_dir, &[])
    }

    fn check(&self) -> Output {
        self.platform.command(&self.portal_dir, &[]).arg("check").output().unwrap()
    }

    /// Waits until the portal has looked at its file of the reverse proxy, which is the last thing that
    /// it does at its start. Faults count for the circuit breaker in whatever call they come.
    fn wait_for_first_looks(&self) {
        let has_route =
            || self.platform.state()["routes"].as_array().is_some_and(|routes| !routes.is_empty());
        let found = (0..1_000).any(|_| {
            thread::sleep(Duration::from_millis(20));
            has_route()
        });
        assert!(found, "the portal wrote no file");
    }

    /// Injects a fault into the platform, or removes all faults.
    fn inject(&self, method: &str, body: &Value) {
        self.platform.call(method, "/sandbox/faults", body);
    }
}

#[test]
fn a_refused_key_is_reported_by_its_code_until_it_is_accepted() {
    let world = World::start(&[]);
    let mut portal = world.portal();
    world.inject("POST", &json!({ "faults": ["project.all:key-limited=1h"] }));

    let refused = post_deploy(world.portal_dir.port, "alice");
    assert!(refused.contains(" 503 ") && refused.contains(CODE), "{refused}");
    assert!(!refused.to_lowercase().contains("retry-after"), "no pretended pause: {refused}");
    assert!(refused.contains("An operator must configure another key."), "{refused}");
    portal.wait_for(SECTION);
    let health = world.portal_dir.get("/health");
    assert!(health.contains("\"status\":\"degraded\"") && health.contains(CODE), "{health}");
    assert!(health.contains(SECTION), "{health}");
    let page = world.portal_dir.get("/");
    assert!(
        page.contains("The platform does not accept the portal&#x27;s key")
            || page.contains("does not accept the portal's key"),
        "{page}"
    );
    let checked = world.portal_dir.get("/api/check/alice");
    assert!(checked.contains("\"available\":true"), "names are checked all the same: {checked}");

    world.inject("DELETE", &Value::Null);
    world.portal_dir.deploy_until("alice", "complete");
    assert!(!world.portal_dir.get("/health").contains(CODE));
}

#[test]
fn a_short_outage_of_the_platforms_database_is_no_refused_key() {
    let world = World::start(&[]);
    let _portal = world.portal();
    world.wait_for_first_looks();
    for (name, call) in [("alice", "project.all"), ("bobby", "application.create")] {
        world.inject("POST", &json!({ "faults": [format!("{call}:database-lost=1500ms")] }));
        world.portal_dir.deploy_until(name, "complete");
    }
    assert!(!world.portal_dir.get("/health").contains(CODE));
}

#[test]
fn check_finds_out_that_a_key_has_dokploys_default_limit() {
    // The default is ten verifications a day, and each request uses two; the other limit is twice
    // as high.
    for (limit, answered) in [("10", 5), ("20", 10), ("21", 10)] {
        let output = World::start(&["--key-limit", limit]).check();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&format!("accepted the key for {answered} of 11 calls")), "{said}");
        assert!(said.contains(SECTION), "{said}");
    }
    let output = World::start(&[]).check();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains("11 times in a row"), "{said}");
}
