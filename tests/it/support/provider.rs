//! A real identity provider as a process: `end2end/provider.mjs`.

use std::process::{Command, Stdio};

use super::process::{Running, free_port};

/// A provider that ends with the test.
pub(crate) struct Provider {
    _running: Running,
    pub(crate) port: u16,
}

impl Provider {
    /// Starts a provider that the portal at `portal` may send people to.
    pub(crate) fn start(portal: &str) -> Self {
        let port = free_port();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/end2end");
        let mut command = Command::new("node");
        command.current_dir(folder).arg("provider.mjs").arg(port.to_string()).arg(portal);
        let mut running = Running::spawn(command.stdin(Stdio::null()));
        running.wait_for("The provider answers at");
        Self { _running: running, port }
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the variables of a portal whose people sign in here.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = variables(self.issuer());
        variables.push(("OIDC_SCOPES", String::from("openid profile groups")));
        variables
    }
}

/// Returns the variables of a portal whose people sign in at `issuer`.
pub(super) fn variables(issuer: String) -> Vec<(&'static str, String)> {
    vec![
        ("AUTH", String::from("oidc")),
        ("OIDC_ISSUER", issuer),
        ("OIDC_CLIENT_ID", String::from("portal")),
        ("OIDC_CLIENT_SECRET", String::from("portal-secret")),
        ("OIDC_NAME", String::from("Example Ltd")),
        ("OIDC_OPERATOR_GROUP", String::from("operators")),
    ]
}
