//! The sandbox in a process of its own, for portals that use it over the network.

use std::process::Command;

use serde_json::Value;

use super::process::{PortalDir, Running, exchange, free_port, request};

/// The key of a sandbox whose key does not matter.
const KEY: &str = "key-of-the-sandbox";

/// A separate sandbox process.
pub(crate) struct Platform {
    pub(crate) api: u16,
    edge: u16,
    key: &'static str,
    sandbox: Running,
}

impl Platform {
    /// Starts it, with its stacks at the edge of `portal_dir`.
    pub(crate) fn start(portal_dir: &PortalDir) -> Self {
        Self::start_with(portal_dir, KEY, &[])
    }

    /// Starts it with the given key and additional arguments.
    pub(crate) fn start_with(
        portal_dir: &PortalDir,
        key: &'static str,
        arguments: &[&str],
    ) -> Self {
        Self::start_at(free_port(), portal_dir, key, arguments)
    }

    /// Starts one that answers each call after `latency` milliseconds.
    pub(crate) fn answering_after(portal_dir: &PortalDir, latency: &str) -> Self {
        Self::start_with(portal_dir, KEY, &["--latency", latency])
    }

    /// Starts it with its API at the port `api`.
    pub(crate) fn start_at(
        api: u16,
        portal_dir: &PortalDir,
        key: &'static str,
        arguments: &[&str],
    ) -> Self {
        let edge = portal_dir.edge;
        let mut sandbox = portal_dir.command(&[]);
        sandbox
            .env("SANDBOX_API_KEY", key)
            .arg("sandbox")
            .args(["--listen", &format!("127.0.0.1:{api}")])
            .args(["--edge", &format!("127.0.0.1:{edge}")])
            .args(arguments);
        let mut sandbox = Running::spawn(&mut sandbox);
        sandbox.wait_for("API listens on");
        Self { api, edge, key, sandbox }
    }

    /// Lets something go wrong in it.
    pub(crate) fn inject(&self, fault: &str) {
        let body = format!("{{\"faults\":[\"{fault}\"]}}");
        let request = format!(
            "POST /sandbox/faults HTTP/1.0\r\nHost: x\r\nX-Api-Key: {}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.key,
            body.len()
        );
        assert!(exchange(self.api, &request).contains(" 200 "), "{fault}");
    }

    /// Returns the variables of a portal that drives it.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("DOKPLOY_URL", format!("http://127.0.0.1:{}", self.api)),
            ("DOKPLOY_API_TOKEN", self.key.to_owned()),
            ("STACK_DOMAIN_SUFFIX", String::from("localhost")),
            ("STACK_SCHEME", String::from("http")),
            ("STACK_PUBLIC_PORT", self.edge.to_string()),
            ("STACK_ALLOW_PRIVATE", String::from("true")),
            ("STACK_IMAGE", String::from("sandbox/hello")),
        ]
    }

    /// Returns the command of a portal that uses it. `variables` override all others.
    pub(crate) fn command(&self, portal_dir: &PortalDir, variables: &[(&str, &str)]) -> Command {
        let mut command = portal_dir.command(&[]);
        command.envs(self.variables()).envs(variables.iter().copied());
        command
    }

    /// Starts a portal that uses it, and waits until the portal is ready.
    pub(crate) fn portal(&self, portal_dir: &PortalDir, variables: &[(&str, &str)]) -> Running {
        let mut portal = Running::spawn(&mut self.command(portal_dir, variables));
        portal.wait_until_ready();
        portal
    }

    /// Calls the API. A null `body` means none.
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = format!("X-Api-Key: {}\r\nContent-Type: application/json\r\n", self.key);
        let answer = exchange(self.api, &request(&format!("{method} {path}"), &headers, &body));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{path}: {answer}");
        serde_json::from_str(body).unwrap_or_default()
    }

    /// Returns the platform's state.
    pub(crate) fn state(&self) -> Value {
        self.call("GET", "/sandbox/state", &Value::Null)
    }

    /// Stops it with SIGTERM, and returns its exit code and the duration in seconds.
    pub(crate) fn end(self) -> (Option<i32>, i64) {
        self.sandbox.end()
    }

    /// Kills it, and returns its output.
    pub(crate) fn kill(self) -> Vec<String> {
        self.sandbox.kill()
    }
}
