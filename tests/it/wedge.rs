//! A Dokploy that hangs because it has no free database connection, as people, programs and
//! operators see it: the real binary with a separate sandbox.

use std::io::Write as _;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::platform::Platform;
use crate::support::process::{PortalDir, post_deploy, request};

const KEY: &str = "key-of-the-sandbox";
const CODE: &str = "PLATFORM_WEDGED";

/// Creates domains until the platform hangs, and returns the connections, which must stay open.
fn wedge(platform: &Platform) -> Vec<TcpStream> {
    let post = |path: &str, body: &Value| platform.call("POST", path, body);
    let project = post("/api/project.create", &json!({ "name": "theirs" }));
    let environment = &project["environment"]["environmentId"];
    let body = json!({ "name": "theirs", "environmentId": environment });
    let application = post("/api/application.create", &body);
    let attach = |number| {
        let host = format!("theirs-{number}.localhost");
        let body = json!({ "host": host, "applicationId": application["applicationId"] });
        let headers = format!("X-Api-Key: {KEY}\r\nContent-Type: application/json\r\n");
        let request = request("POST /api/domain.create", &headers, &body.to_string());
        let mut stream = TcpStream::connect(("127.0.0.1", platform.api)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    (0..30).map(attach).collect()
}

/// The time limits of real calls are the subject: fifteen seconds for the call and for the health
/// check.
#[test]
fn a_platform_that_hangs_is_reported_by_its_code_until_it_answers_again() {
    let portal_dir = PortalDir::new();
    let slow = ["--fault", "application.update:latency=2s"];
    let platform = Platform::start_with(&portal_dir, KEY, &slow);
    let mut portal = platform.portal(&portal_dir, &[]);
    let id = portal_dir.deploy("alice");
    let hanging = wedge(&platform);
    portal.wait_for("When Dokploy hangs");

    let health = portal_dir.get("/health");
    assert!(health.contains("\"status\":\"degraded\"") && health.contains(CODE), "{health}");
    let refused = post_deploy(portal_dir.port, "bobby");
    assert!(refused.contains(" 503 ") && refused.contains(CODE), "{refused}");
    assert!(!refused.to_lowercase().contains("retry-after"), "{refused}");
    assert!(
        portal_dir.get("/").contains("The platform hangs, so a new stack could not be started.")
    );
    let page = portal_dir.get(&format!("/deployments/{id}"));
    assert!(page.contains("The platform hangs. We wait until it answers again"), "{page}");
    assert!(
        portal_dir.get(&format!("/api/deployment/{id}")).contains("\"status\":\"in_progress\"")
    );

    platform.call("POST", "/sandbox/restart", &Value::Null);
    drop(hanging);
    let stream = portal_dir.events(&id);
    assert!(stream.contains("event: complete") && !stream.contains("rolling_back"), "{stream}");
    assert!(!portal_dir.get("/health").contains(CODE));
}
