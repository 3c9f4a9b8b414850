//! The platform's ten database connections, and how it hangs if it runs out of them.

use std::sync::Arc;
use std::time::Duration;

use clock::SystemClock;
use dokploy_sandbox::{Sandbox, SandboxConfig, start};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const KEY: &str = "key-of-the-tests";
/// Every answer that comes at all comes within this time.
const TIMEOUT: Duration = Duration::from_secs(2);

struct Platform {
    sandbox: Sandbox,
    application: String,
}

impl Platform {
    async fn start() -> Self {
        let mut config = SandboxConfig::new(KEY.into(), 1);
        config.edge.set_port(0);
        config.latency = Duration::from_millis(2);
        let shutdown = CancellationToken::new();
        let sandbox = start(config, Arc::new(SystemClock), shutdown).await.unwrap();
        let mut platform = Self { sandbox, application: String::new() };
        let project = platform.post("project.create", &json!({ "name": "p" })).await.unwrap();
        let environment = &project["environment"]["environmentId"];
        let body = json!({ "name": "a", "environmentId": environment });
        let application = platform.post("application.create", &body).await.unwrap();
        platform.application = application["applicationId"].as_str().unwrap().to_owned();
        platform
    }

    async fn post(&self, call: &str, body: &Value) -> Option<Value> {
        timeout(TIMEOUT, self.exchange("POST", &format!("/api/{call}"), body)).await.ok()
    }

    async fn get(&self, path: &str) -> Option<Value> {
        timeout(TIMEOUT, self.exchange("GET", path, &Value::Null)).await.ok()
    }

    async fn exchange(&self, method: &str, path: &str, body: &Value) -> Value {
        let api = self.sandbox.url();
        let mut stream = TcpStream::connect(api.strip_prefix("http://").unwrap()).await.unwrap();
        let body = body.to_string();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-api-key: {KEY}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{path}: {answer}");
        serde_json::from_str(body).unwrap_or_default()
    }

    /// Attaches `count` hosts concurrently, and counts the answers.
    async fn attach(&self, count: usize) -> usize {
        let hosts = (0..count).map(|number| {
            let host = format!("{number}.localhost");
            let body = json!({ "host": host, "applicationId": self.application });
            async move { self.post("domain.create", &body).await.is_some() }
        });
        futures::future::join_all(hosts).await.into_iter().filter(|answered| *answered).count()
    }

    async fn is_healthy(&self) -> bool {
        self.get("/api/trpc/settings.health").await.is_some()
    }
}

#[tokio::test]
async fn eight_hosts_attached_at_once_only_queue() {
    let platform = Platform::start().await;
    for _ in 0..5 {
        assert_eq!(platform.attach(8).await, 8);
    }
    assert!(platform.is_healthy().await);
}

#[tokio::test]
async fn sixteen_hosts_attached_at_once_hang_every_call_until_a_restart() {
    let platform = Platform::start().await;
    assert!(platform.attach(16).await < 16);
    // The clients have disconnected by now, but their calls still hang.
    assert!(!platform.is_healthy().await);
    assert_eq!(platform.get("/api/project.all").await, None);
    let health = platform.get("/api/health").await;
    assert_eq!(health, Some(json!({ "ok": true })), "it checks nothing");
    platform.exchange("POST", "/sandbox/restart", &Value::Null).await;
    assert!(platform.is_healthy().await);
    assert_eq!(platform.attach(8).await, 8);
}
