//! A Dokploy that hangs for want of database connections, as people, programs and operators see
//! it: the real binary against a sandbox that runs alone.

use std::{io::Write as _, net::TcpStream};

use serde_json::{Value, json};

use crate::support::process::{PortalDir, Running, exchange, free_port};

const KEY: &str = "key-of-the-sandbox";
const CODE: &str = "PLATFORM_WEDGED";

/// Writes a request to the platform's API.
fn request(method: &str, path: &str, body: &Value) -> String {
    let body = body.to_string();
    format!(
        "{method} {path} HTTP/1.0\r\nHost: x\r\nX-Api-Key: {KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn post(api: u16, path: &str, body: &Value) -> Value {
    let answer = exchange(api, &request("POST", path, body));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(" 200 "), "{path}: {answer}");
    serde_json::from_str(body).unwrap_or_default()
}

/// Attaches hosts until the platform hangs, and returns the connections, so that they stay open.
fn wedge(api: u16) -> Vec<TcpStream> {
    let project = post(api, "/api/project.create", &json!({ "name": "theirs" }));
    let environment = &project["environment"]["environmentId"];
    let body = json!({ "name": "theirs", "environmentId": environment });
    let application = post(api, "/api/application.create", &body);
    let attach = |number| {
        let host = format!("theirs-{number}.localhost");
        let body = json!({ "host": host, "applicationId": application["applicationId"] });
        let mut stream = TcpStream::connect(("127.0.0.1", api)).unwrap();
        stream.write_all(request("POST", "/api/domain.create", &body).as_bytes()).unwrap();
        stream
    };
    (0..30).map(attach).collect()
}

/// The time limits of real calls are the subject: fifteen seconds for the call and for the question
/// about health.
#[test]
fn a_platform_that_hangs_is_told_by_name_waited_for_and_gone_on_with() {
    let (portal_dir, api) = (PortalDir::new(), free_port());
    let mut command = portal_dir.command(&[]);
    command
        .args(["sandbox", "--api-key", KEY, "--latency", "40"])
        .args(["--fault", "application.update:latency=2s"])
        .args(["--listen", &format!("127.0.0.1:{api}")])
        .args(["--edge", &format!("127.0.0.1:{}", portal_dir.edge)]);
    let mut sandbox = Running::spawn(&mut command);
    sandbox.wait_for("API listens on");
    let mut portal = portal_dir.start(&[
        ("DOKPLOY_URL", &format!("http://127.0.0.1:{api}")),
        ("DOKPLOY_API_TOKEN", KEY),
        ("STACK_IMAGE", "sandbox/hello"),
        ("STACK_DOMAIN_SUFFIX", "localhost"),
        ("STACK_SCHEME", "http"),
        ("STACK_PUBLIC_PORT", &portal_dir.edge.to_string()),
        ("STACK_ALLOW_PRIVATE", "true"),
    ]);
    let id = portal_dir.deploy("alice");
    let hanging = wedge(api);
    portal.wait_for("When Dokploy hangs");

    let health = portal_dir.get("/health");
    assert!(health.contains("\"status\":\"degraded\"") && health.contains(CODE), "{health}");
    let body = r#"{"name":"bobby"}"#;
    let start = format!(
        "POST /api/deploy HTTP/1.0\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let refused = exchange(portal_dir.port, &start);
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

    post(api, "/sandbox/restart", &Value::Null);
    drop(hanging);
    let stream = portal_dir.get(&format!("/api/status/{id}"));
    assert!(stream.contains("event: complete") && !stream.contains("rolling_back"), "{stream}");
    assert!(!portal_dir.get("/health").contains(CODE));
}
