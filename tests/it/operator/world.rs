//! A portal's folder and a platform, with commands and manual changes.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::process::{PortalDir, Running, exchange, free_port};

const KEY: &str = "key-of-the-sandbox";

/// A portal's folder and a platform.
pub(crate) struct World {
    pub(crate) portal_dir: PortalDir,
    api: u16,
    _sandbox: Running,
}

impl World {
    /// Starts a platform without latency.
    pub(crate) fn start() -> Self {
        Self::answering_after(1)
    }

    /// Starts a platform that answers after `latency` milliseconds.
    pub(crate) fn answering_after(latency: u32) -> Self {
        let (portal_dir, api) = (PortalDir::new(), free_port());
        let mut command = portal_dir.command(&[]);
        command
            .args(["sandbox", "--api-key", KEY, "--latency", &latency.to_string()])
            .args(["--listen", &format!("127.0.0.1:{api}")])
            .args(["--edge", &format!("127.0.0.1:{}", portal_dir.edge)]);
        let mut sandbox = Running::spawn(&mut command);
        sandbox.wait_for("API listens on");
        Self { portal_dir, api, _sandbox: sandbox }
    }

    pub(crate) fn variables(&self, image: &str) -> Vec<(&'static str, String)> {
        vec![
            ("DOKPLOY_URL", format!("http://127.0.0.1:{}", self.api)),
            ("DOKPLOY_API_TOKEN", KEY.to_owned()),
            ("STACK_IMAGE", image.to_owned()),
            ("STACK_DOMAIN_SUFFIX", String::from("localhost")),
            ("STACK_SCHEME", String::from("http")),
            ("STACK_PUBLIC_PORT", self.portal_dir.edge.to_string()),
            ("STACK_ALLOW_PRIVATE", String::from("true")),
        ]
    }

    pub(crate) fn portal(&self, image: &str) -> Running {
        let mut command = self.portal_dir.command(&[]);
        let mut portal = Running::spawn(command.envs(self.variables(image)));
        portal.wait_until_ready();
        portal
    }

    /// Runs a command, and returns its exit code and its output.
    pub(crate) fn give(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = self.portal_dir.command(&[]);
        let output = command.envs(self.variables("sandbox/hello")).args(arguments).output();
        said(&output.unwrap())
    }

    /// Deploys `name` and waits for the end; returns the deployment's id.
    pub(crate) fn deploy(&self, name: &str, end: &str) -> String {
        let id = self.portal_dir.deploy(name);
        let stream = self.portal_dir.get(&format!("/api/status/{id}"));
        assert!(stream.contains(&format!("event: {end}")), "{stream}");
        id
    }

    /// Calls the platform as another user.
    pub(crate) fn as_somebody_else(&self, method: &str, call: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = exchange(
            self.api,
            &format!(
                "{method} {call} HTTP/1.0\r\nHost: x\r\nX-Api-Key: {KEY}\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
        );
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{call}: {answer}");
        serde_json::from_str(body).unwrap_or_default()
    }

    /// Reads the number of clean-up attempts of the stuck operation.
    pub(crate) fn tries(&self) -> u32 {
        let (_, text) = self.give(&["stuck", "list"]);
        let (_, rest) = text.split_once("tried ").unwrap();
        let word = rest.split(' ').next().unwrap();
        if word == "once" { 1 } else { word.parse().unwrap() }
    }

    pub(crate) fn make_project(&self, stack: &str, marker: &str) -> Value {
        let name = format!("ai-stack-{stack}");
        let body = json!({ "name": name, "description": marker, "env": "" });
        self.as_somebody_else("POST", "/api/project.create", &body)
    }

    pub(crate) fn project_count(&self) -> usize {
        self.existing("projects").len()
    }

    /// Lists the existing resources of a kind on the platform.
    pub(crate) fn existing(&self, what: &str) -> Vec<Value> {
        let state = self.as_somebody_else("GET", "/sandbox/state", &Value::Null);
        state[what].as_array().unwrap().clone()
    }

    /// Requests the removal of the stack `name` of the deployment `of`, and returns the removal's
    /// id.
    pub(crate) fn remove(&self, name: &str, of: &str) -> String {
        let remove = format!(
            "DELETE /api/stacks/{name}?id={of} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        );
        let answer = exchange(self.portal_dir.port, &remove);
        let at = answer.find("rem_").unwrap_or_else(|| panic!("{answer}"));
        answer[at..at + 36].to_owned()
    }
}

pub(crate) fn said(output: &Output) -> (Option<i32>, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}
