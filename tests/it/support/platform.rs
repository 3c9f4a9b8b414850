//! The sandbox alone, for portals whose records are in PostgreSQL.

use super::process::{PortalDir, Running, exchange, free_port};

const API_KEY: &str = "key-of-the-sandbox";

/// A sandbox that runs alone.
pub(crate) struct Platform {
    api: u16,
    edge: u16,
    _sandbox: Running,
}

impl Platform {
    /// Starts it, with its stacks at the place's edge.
    pub(crate) fn start(portal_dir: &PortalDir) -> Self {
        let (api, edge) = (free_port(), portal_dir.edge);
        let mut sandbox = portal_dir.command(&[]);
        sandbox
            .args(["sandbox", "--api-key", API_KEY])
            .args(["--listen", &format!("127.0.0.1:{api}")])
            .args(["--edge", &format!("127.0.0.1:{edge}")]);
        let mut sandbox = Running::spawn(&mut sandbox);
        sandbox.wait_for("API listens on");
        Self { api, edge, _sandbox: sandbox }
    }

    /// Lets something go wrong in it.
    pub(crate) fn inject(&self, fault: &str) {
        let body = format!("{{\"faults\":[\"{fault}\"]}}");
        let request = format!(
            "POST /sandbox/faults HTTP/1.0\r\nHost: x\r\nX-Api-Key: {API_KEY}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        assert!(exchange(self.api, &request).contains(" 200 "), "{fault}");
    }

    /// Returns the variables of a portal that drives it.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("DOKPLOY_URL", format!("http://127.0.0.1:{}", self.api)),
            ("DOKPLOY_API_TOKEN", String::from(API_KEY)),
            ("STACK_DOMAIN_SUFFIX", String::from("localhost")),
            ("STACK_SCHEME", String::from("http")),
            ("STACK_PUBLIC_PORT", self.edge.to_string()),
            ("STACK_ALLOW_PRIVATE", String::from("true")),
            ("STACK_IMAGE", String::from("sandbox/hello")),
        ]
    }

    /// Starts a portal that drives it and keeps its records at `url`.
    pub(crate) fn portal(&self, portal_dir: &PortalDir, url: &str) -> Running {
        let mut command = portal_dir.command(&[("DATABASE_URL", url)]);
        let mut portal = Running::spawn(command.envs(self.variables()));
        portal.wait_until_ready();
        portal
    }
}
