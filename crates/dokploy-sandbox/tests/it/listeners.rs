//! The sandbox over its sockets.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use clock::SystemClock;
use dokploy_sandbox::{Sandbox, SandboxConfig, StartSandboxError, Timing, start};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

const KEY: &str = "key-of-the-tests";

fn config() -> SandboxConfig {
    let mut config = SandboxConfig::new(KEY.into(), 1);
    config.edge.set_port(0);
    config.latency = Duration::ZERO;
    config.timing = Timing::NONE;
    config
}

struct Running {
    sandbox: Sandbox,
    shutdown: CancellationToken,
}

async fn run(config: SandboxConfig) -> Running {
    let shutdown = CancellationToken::new();
    let sandbox = start(config, Arc::new(SystemClock), shutdown.clone()).await.unwrap();
    Running { sandbox, shutdown }
}

impl Running {
    /// Sends one request on a connection of its own and returns status and body.
    async fn send(&self, method: &str, path: &str, body: &Value) -> Option<(u16, String)> {
        let api = self.sandbox.url();
        let api = api.strip_prefix("http://").unwrap();
        let headers = format!("x-api-key: {KEY}\r\ncontent-type: application/json");
        exchange(api, method, path, &headers, &body.to_string()).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, text) = self.send("POST", path, &body).await.unwrap();
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn visit(&self, host: &str, path: &str) -> (u16, String) {
        let edge = self.sandbox.edge();
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: {host}:{}\r\nconnection: close\r\n\r\n",
            edge.port()
        );
        raw(&edge.to_string(), &head).await.unwrap()
    }

    /// Deploys a stack with the calls of the portal, and returns its application.
    async fn deploy(&self, name: &str, image: &str) -> String {
        let project = self.post("/api/project.create", json!({ "name": name })).await;
        let environment = &project["environment"]["environmentId"];
        let wanted = json!({ "name": name, "environmentId": environment, "appName": name });
        let application = self.post("/api/application.create", wanted).await;
        let id = application["applicationId"].as_str().unwrap().to_owned();
        let settings = json!({ "applicationId": id, "sourceType": "docker", "dockerImage": image });
        self.post("/api/application.update", settings).await;
        let host = format!("{name}.localhost");
        self.post("/api/domain.create", json!({ "host": host, "applicationId": id })).await;
        self.post("/api/application.deploy", json!({ "applicationId": id, "title": "t" })).await;
        id
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.sandbox.stopped().await;
    }
}

async fn exchange(
    address: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Option<(u16, String)> {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    raw(address, &request).await
}

/// Returns status and body; `None` for a connection that ended without a byte.
async fn raw(address: &str, request: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Some((status, body.to_owned()))
}

#[tokio::test]
async fn a_deployed_stack_answers_at_its_own_host() {
    let running = run(config()).await;
    running.deploy("alice", "sandbox/hello").await;
    let (status, page) = running.visit("alice.localhost", "/").await;
    assert_eq!(status, 200);
    assert!(page.contains("<h1>alice</h1>"), "{page}");
    let health = running.visit("alice.localhost", "/health").await;
    assert_eq!(health, (200, json!({ "status": "ok" }).to_string()));
    assert_eq!(running.visit("bob.localhost", "/").await.0, 404);
    running.stop().await;
}

#[tokio::test]
async fn a_host_answers_502_until_its_service_runs() {
    let running = run(SandboxConfig { timing: Timing::default(), ..config() }).await;
    running.deploy("alice", "sandbox/slow").await;
    assert_eq!(running.visit("alice.localhost", "/health").await.0, 502);
    running.stop().await;
}

#[tokio::test]
async fn a_stack_that_is_not_well_says_so() {
    let running = run(config()).await;
    running.deploy("alice", "sandbox/unhealthy").await;
    assert_eq!(running.visit("alice.localhost", "/health").await.0, 503);
    running.stop().await;
}

#[tokio::test]
async fn live_stacks_are_live_again_after_a_restart_of_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/on/the/way/sandbox.json");
    let config = SandboxConfig { state: Some(path), ..config() };
    let running = run(config.clone()).await;
    running.deploy("alice", "sandbox/hello").await;
    assert_eq!(running.visit("alice.localhost", "/health").await.0, 200);
    running.stop().await;
    let running = run(config).await;
    assert_eq!(running.visit("alice.localhost", "/health").await.0, 200);
    running.stop().await;
}

#[tokio::test]
async fn what_was_answered_is_already_on_disk_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.json");
    let running = run(SandboxConfig { state: Some(path.clone()), ..config() }).await;
    running.post("/api/project.create", json!({ "name": "demo" })).await;
    let state = std::fs::read_to_string(&path).unwrap();
    assert!(state.contains("\"name\":\"demo\""), "{state}");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    running.stop().await;
}

#[tokio::test]
async fn a_state_file_that_is_none_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.json");
    std::fs::write(&path, "half a fi").unwrap();
    let config = SandboxConfig { state: Some(path), ..config() };
    let error = start(config, Arc::new(SystemClock), CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, StartSandboxError::State(..)), "{error}");
}

#[tokio::test]
async fn a_busy_edge_port_stops_the_start_with_a_sentence() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let edge = taken.local_addr().unwrap();
    let config = SandboxConfig { edge, ..config() };
    let error = start(config, Arc::new(SystemClock), CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, StartSandboxError::EdgeInUse(address) if address == edge));
    assert!(error.to_string().contains("SANDBOX_EDGE_PORT"), "{error}");
}

#[tokio::test]
async fn a_reset_drops_the_connection_without_a_byte_after_the_effect() {
    let running = run(config()).await;
    let faults = json!({ "faults": ["project.create:reset"] });
    running.post("/sandbox/faults", faults).await;
    let answer = running.send("POST", "/api/project.create", &json!({ "name": "p" })).await;
    assert_eq!(answer, None);
    let (_, projects) = running.send("GET", "/api/project.all", &Value::Null).await.unwrap();
    assert!(projects.contains("\"name\":\"p\""), "{projects}");
    running.stop().await;
}

#[tokio::test]
async fn an_answer_that_hangs_does_not_hold_up_the_end() {
    let running = run(config()).await;
    let faults = json!({ "faults": ["project.create:timeout"] });
    running.post("/sandbox/faults", faults).await;
    let body = json!({ "name": "p" });
    let hanging = running.send("POST", "/api/project.create", &body);
    let core = running.sandbox.core();
    let ending = async {
        let now = jiff::Timestamp::UNIX_EPOCH;
        while core.lock().unwrap().inventory(now)["projects"] == json!([]) {
            tokio::task::yield_now().await;
        }
        running.shutdown.cancel();
    };
    let (answer, ()) = tokio::join!(hanging, ending);
    assert_eq!(answer, None);
    running.stop().await;
}

#[tokio::test]
async fn each_call_is_timed_with_its_latency() {
    let latency = Duration::from_millis(20);
    let running = run(SandboxConfig { latency, ..config() }).await;
    running.post("/api/project.create", json!({ "name": "p" })).await;
    let calls = running.sandbox.calls();
    let names: Vec<_> = calls.iter().map(|call| call.call.as_str()).collect();
    assert_eq!(names, ["project.create"]);
    assert!(calls[0].duration >= latency, "{calls:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_in_plain_text() {
    let running = run(config()).await;
    let body = json!({ "name": "x".repeat(1024 * 1024) });
    let answer = running.send("POST", "/api/project.create", &body).await;
    assert_eq!(answer, Some((413, "Body exceeded 1mb limit".to_owned())));
    running.stop().await;
}
