//! Containers: what really runs of a service, whatever the platform's records say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::AppName;

/// The short or long id of a container, as Docker shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContainerId(pub String);

/// The parts of Docker's inspection that anybody needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// True if it runs, and is not about to be started again.
    pub is_running: bool,
    /// Those of its variables that were asked for.
    pub variables: BTreeMap<String, String>,
}

/// A container of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its id.
    pub id: ContainerId,
    /// Its name, `<appName>.<slot>.<task id>`.
    pub name: String,
    /// True if it runs; otherwise it has ended, or not begun.
    pub is_running: bool,
}

/// One try of a service to run its container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Describes how it fares.
    pub state: TaskState,
    /// The error, in Docker's words.
    pub error: Option<String>,
}

/// Describes how a task fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Its container runs.
    Running,
    /// Its container stopped by itself, or never started.
    Failed,
    /// Anything else: waiting, starting, shut down in good order.
    Other,
}

/// The number of containers that a service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// How many run.
    pub running: u64,
    /// How many are wanted.
    pub wanted: u64,
}

impl Scale {
    /// Returns whether a container runs and is to go on.
    pub fn runs(self) -> bool {
        self.running > 0 && self.wanted > 0
    }
}

impl AppName {
    /// Returns whether `container` is the name of a container of exactly this service, which is
    /// `<appName>.<slot>.<task id>`. The name of another service may begin with this one's.
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
