//! Containers: what Docker runs for a service, which may differ from the platform's records.

use std::collections::BTreeMap;

use super::{AppName, ContainerId};

/// The fields of Docker's inspection of a container that callers need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// True if the container runs and is not restarting.
    pub is_running: bool,
    /// The requested environment variables that the container has.
    pub variables: BTreeMap<String, String>,
}

/// A container of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its id.
    pub id: ContainerId,
    /// Its name, `<appName>.<slot>.<task id>`.
    pub name: String,
    /// True if the container runs; false if it has exited or not started yet.
    pub is_running: bool,
}

/// A task: one attempt of a service to run its container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its state.
    pub state: TaskState,
    /// Docker's error message, if there is one.
    pub error: Option<String>,
}

/// The state of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Its container runs.
    Running,
    /// Its container exited, or could not be started.
    Failed,
    /// Any other state: waiting, starting, or shut down on request.
    Other,
}

/// The numbers of containers of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// The number of containers that run.
    pub running: u64,
    /// The number of containers that should run.
    pub wanted: u64,
}

impl Scale {
    /// Returns whether a container runs and should continue to run.
    pub fn runs(self) -> bool {
        self.running > 0 && self.wanted > 0
    }
}

impl AppName {
    /// Returns whether `container` is the name of a container of exactly this service:
    /// `<appName>.<slot>.<task id>`. A prefix is not enough, because the name of another service
    /// may begin with the name of this one.
    pub fn owns_container(&self, container: &str) -> bool {
        let rest = container.strip_prefix(&self.0).and_then(|rest| rest.strip_prefix('.'));
        let Some((slot, task)) = rest.and_then(|rest| rest.split_once('.')) else { return false };
        let are = |text: &str, allowed: fn(&char) -> bool| {
            !text.is_empty() && text.chars().all(|c| allowed(&c))
        };
        are(slot, char::is_ascii_digit) && are(task, char::is_ascii_alphanumeric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_belongs_to_exactly_one_service() {
        let name = AppName(String::from("stack-al-wpltkk"));
        for (container, expected) in [
            ("stack-al-wpltkk.1.kiu8188z04i8mik5wgqast952", true),
            ("stack-al-wpltkk.12.kiu8188z04i8mik5wgqast952", true),
            ("stack-al-wpltkk-2.1.kiu8188z04i8mik5wgqast952", false),
            ("stack-al-wpltkk2.1.kiu8188z04i8mik5wgqast952", false),
            ("stack-al-wpltkk.other.1.kiu8188z04i8mik5wgqast952", false),
            ("stack-al-wpltkk.1.kiu.8188", false),
            ("stack-al-wpltkk.1.", false),
            ("stack-al-wpltkk..kiu8188z04", false),
            ("stack-al-wpltkk", false),
            ("x-stack-al-wpltkk.1.kiu8188z04", false),
        ] {
            assert_eq!(name.owns_container(container), expected, "{container}");
        }
    }
}
