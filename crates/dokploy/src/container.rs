//! Containers: what Docker runs for a service, which may differ from the platform's records.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{AppName, ContainerId, TaskId};

/// The fields of Docker's inspection of a container that callers need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// True if the container runs and is not restarting.
    pub is_running: bool,
    /// The image with which it was made, as the service names it. It has no digest unless the
    /// service gives one.
    pub image: String,
    /// The requested environment variables that the container has.
    pub variables: BTreeMap<String, String>,
    /// The time of its start; `None` before.
    pub started_at: Option<Timestamp>,
    /// How it has ended; `None` while it runs, and before its start.
    pub exit: Option<Exit>,
}

/// The end of a container (recordings day-two 382, 414).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The exit code. 137 means that it was killed, and 143 that it ended when it was asked to.
    pub code: i64,
    /// True if it was killed because it used more memory than it may.
    pub is_out_of_memory: bool,
    /// The time of its end, if Docker reports one.
    pub at: Option<Timestamp>,
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

/// A container of the platform's own node, of a service or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeContainer {
    /// Its id.
    pub id: ContainerId,
    /// Its name. For one of a service it is `<appName>.<slot>.<task id>`.
    pub name: String,
    /// The image with which it was made.
    pub image: String,
    /// What it does.
    pub state: ContainerState,
}

/// What a container does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerState {
    /// It was made and has not started yet. The next container of a crash loop waits like this.
    Created,
    /// It runs.
    Running,
    /// It has exited.
    Exited {
        /// Its exit code, if the platform reports one.
        code: Option<i64>,
    },
    /// It is in another state, such as being removed.
    Other,
}

/// A task: one attempt of a service to run its container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// True if the swarm wants it to run, now or after a pause; false if it has ended or is being
    /// ended. The tasks before an update stay in the list with false, even after the service was
    /// scaled to zero (recordings day-two 44, 600).
    pub is_wanted: bool,
    /// Its state.
    pub state: TaskState,
    /// Docker's error message, if there is one.
    pub error: Option<String>,
}

impl Task {
    /// Returns the exit code in its error message, if there is one: `task: non-zero exit (137)`. It
    /// may be followed by a reason.
    pub fn exit_code(&self) -> Option<i64> {
        let (_, rest) = self.error.as_deref()?.split_once("non-zero exit (")?;
        rest.split(')').next()?.parse().ok()
    }
}

/// The fields of the swarm's inspection of a task that callers need (recordings day-two 381, 414).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InspectedTask {
    /// The swarm's word for its state, such as `running`, `failed`, `complete` or `rejected`.
    pub state: String,
    /// The swarm's word for the state that it should have, such as `running` or `shutdown`.
    pub desired: String,
    /// The time since which it has its state, if the swarm reports one.
    pub since: Option<Timestamp>,
    /// The error message, if there is one.
    pub error: Option<String>,
    /// The exit code of its container; `None` before the container starts.
    pub exit_code: Option<i64>,
    /// The long id of its container, if it has one.
    pub container: Option<ContainerId>,
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
    fn the_exit_code_of_a_task_is_in_its_error() {
        for (error, expected) in [
            (Some("task: non-zero exit (3)"), Some(3)),
            (Some("task: non-zero exit (137): dockerexec: unhealthy container"), Some(137)),
            (Some("task: non-zero exit (x)"), None),
            (Some("no suitable node (scheduling constraints not satisfied on 1 node)"), None),
            (None, None),
        ] {
            let error = error.map(str::to_owned);
            let id = TaskId(String::new());
            let task = Task { id, is_wanted: false, state: TaskState::Failed, error };
            assert_eq!(task.exit_code(), expected, "{task:?}");
        }
    }

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
