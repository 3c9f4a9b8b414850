//! A portal whose key Dokploy refuses, as people, programs and operators see it: the real binary
//! against a sandbox that runs alone.

use std::process::Output;

use crate::support::process::{PortalDir, Running, exchange, free_port};

const KEY: &str = "key-of-the-sandbox";
const CODE: &str = "PLATFORM_KEY_REFUSED";
/// The section of the README that messages refer operators to.
const SECTION: &str = "An API key without rate limit";

/// A portal's folder, and a platform.
struct World {
    portal_dir: PortalDir,
    api: u16,
    _sandbox: Running,
}

impl World {
    /// Starts the platform with these arguments.
    fn start(arguments: &[&str]) -> Self {
        let (portal_dir, api) = (PortalDir::new(), free_port());
        let mut command = portal_dir.command(&[]);
        command
            .args(["sandbox", "--api-key", KEY, "--latency", "1"])
            .args(["--listen", &format!("127.0.0.1:{api}")])
            .args(["--edge", &format!("127.0.0.1:{}", portal_dir.edge)])
            .args(arguments);
        let mut sandbox = Running::spawn(&mut command);
        sandbox.wait_for("API listens on");
        Self { portal_dir, api, _sandbox: sandbox }
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("DOKPLOY_URL", format!("http://127.0.0.1:{}", self.api)),
            ("DOKPLOY_API_TOKEN", KEY.to_owned()),
            ("STACK_IMAGE", String::from("sandbox/hello")),
            ("STACK_DOMAIN_SUFFIX", String::from("localhost")),
            ("STACK_SCHEME", String::from("http")),
            ("STACK_PUBLIC_PORT", self.portal_dir.edge.to_string()),
            ("STACK_ALLOW_PRIVATE", String::from("true")),
        ]
    }

    fn portal(&self) -> Running {
        let mut command = self.portal_dir.command(&[]);
        let mut portal = Running::spawn(command.envs(self.variables()));
        portal.wait_until_ready();
        portal
    }

    fn check(&self) -> Output {
        let mut command = self.portal_dir.command(&[]);
        command.envs(self.variables()).arg("check").output().unwrap()
    }

    /// Injects a fault into the platform, or removes all faults.
    fn inject(&self, method: &str, body: &str) {
        let answer = exchange(
            self.api,
            &format!(
                "{method} /sandbox/faults HTTP/1.0\r\nHost: x\r\nX-Api-Key: {KEY}\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            ),
        );
        assert!(answer.contains(" 200 "), "{answer}");
    }

    fn post_deploy(&self, name: &str) -> String {
        let body = format!("{{\"name\":\"{name}\"}}");
        exchange(
            self.portal_dir.port,
            &format!(
                "POST /api/deploy HTTP/1.0\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
        )
    }
}

#[test]
fn a_key_that_stays_refused_is_told_by_name_and_heals_by_itself() {
    let world = World::start(&[]);
    let mut portal = world.portal();
    world.inject("POST", r#"{"faults":["project.all:key-limited=1h"]}"#);

    let refused = world.post_deploy("alice");
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

    world.inject("DELETE", "");
    let id = world.portal_dir.deploy("alice");
    assert!(world.portal_dir.get(&format!("/api/status/{id}")).contains("event: complete"));
    assert!(!world.portal_dir.get("/health").contains(CODE));
}

#[test]
fn a_moment_without_the_platforms_database_is_no_refusal() {
    let world = World::start(&[]);
    let _portal = world.portal();
    for (name, call) in [("alice", "project.all"), ("bobby", "application.create")] {
        world.inject("POST", &format!(r#"{{"faults":["{call}:database-lost=1500ms"]}}"#));
        let id = world.portal_dir.deploy(name);
        let stream = world.portal_dir.get(&format!("/api/status/{id}"));
        assert!(stream.contains("event: complete"), "{call}: {stream}");
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
