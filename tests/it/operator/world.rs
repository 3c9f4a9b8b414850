//! A portal's folder and a platform, with commands and manual changes.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::platform::Platform;
use crate::support::process::{PortalDir, Running, exchange, id_in, request};

/// A portal's folder and a platform.
pub(crate) struct World {
    pub(crate) portal_dir: PortalDir,
    platform: Platform,
}

impl World {
    /// Starts a platform without latency.
    pub(crate) fn start() -> Self {
        Self::answering_after("1")
    }

    /// Starts a platform that answers after `latency` milliseconds.
    pub(crate) fn answering_after(latency: &str) -> Self {
        let portal_dir = PortalDir::new();
        let platform = Platform::answering_after(&portal_dir, latency);
        Self { portal_dir, platform }
    }

    pub(crate) fn portal(&self, image: &str) -> Running {
        self.portal_with(&[("STACK_IMAGE", image)])
    }

    /// Starts a portal with additional environment variables.
    pub(crate) fn portal_with(&self, variables: &[(&str, &str)]) -> Running {
        self.platform.portal(&self.portal_dir, variables)
    }

    /// Runs a command, and returns its exit code and its output.
    pub(crate) fn give(&self, arguments: &[&str]) -> (Option<i32>, String) {
        self.give_with(&[], arguments)
    }

    /// Like [`Self::give`], with additional environment variables.
    pub(crate) fn give_with(
        &self,
        variables: &[(&str, &str)],
        arguments: &[&str],
    ) -> (Option<i32>, String) {
        let mut command = self.platform.command(&self.portal_dir, variables);
        said(&command.args(arguments).output().unwrap())
    }

    /// Deploys `name` and waits for the end; returns the deployment's id.
    pub(crate) fn deploy(&self, name: &str, end: &str) -> String {
        self.portal_dir.deploy_until(name, end)
    }

    /// Lets something go wrong on the platform.
    pub(crate) fn inject(&self, fault: &str) {
        self.platform.inject(fault);
    }

    /// Calls the platform as another user.
    pub(crate) fn as_another_user(&self, method: &str, call: &str, body: &Value) -> Value {
        self.platform.call(method, call, body)
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
        self.as_another_user("POST", "/api/project.create", &body)
    }

    pub(crate) fn project_count(&self) -> usize {
        self.existing("projects").len()
    }

    /// Lists the existing resources of a kind on the platform.
    pub(crate) fn existing(&self, what: &str) -> Vec<Value> {
        self.platform.state()[what].as_array().unwrap().clone()
    }

    /// Requests the removal of the stack `name` of the deployment `of`, and returns the removal's
    /// id.
    pub(crate) fn remove(&self, name: &str, of: &str) -> String {
        let remove = request(&format!("DELETE /api/stacks/{name}?id={of}"), "", "");
        id_in(&exchange(self.portal_dir.port, &remove), "rem_")
    }
}

pub(crate) fn said(output: &Output) -> (Option<i32>, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}
