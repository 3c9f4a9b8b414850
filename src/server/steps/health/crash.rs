//! What the tasks of a service say of a container that ends.

use crate::server::platform::{Task, TaskState};
use domain::message::MessageCode;

/// The number of failed tasks that count as a crash loop.
const CRASHES: usize = 3;

/// Returns the message about a crash loop, if the tasks show one.
pub(super) fn crash(tasks: &[Task]) -> Option<MessageCode> {
    let count = |state| tasks.iter().filter(|task| task.state == state).count();
    if count(TaskState::Failed) < CRASHES || count(TaskState::Running) > 0 {
        return None;
    }
    Some(crashed(tasks))
}

/// Returns the message that the container ended.
pub(super) fn crashed(tasks: &[Task]) -> MessageCode {
    let exit_code = tasks
        .iter()
        .filter_map(|task| task.error.as_deref())
        .find_map(|error| error.strip_prefix("task: non-zero exit (")?.strip_suffix(')'));
    MessageCode::CrashLoop { exit_code: exit_code.map(ToOwned::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::platform::TaskId;

    fn task(state: TaskState, error: &str) -> Task {
        let id = TaskId(String::new());
        let error = (!error.is_empty()).then(|| error.to_owned());
        Task { id, is_wanted: state != TaskState::Failed, state, error }
    }

    #[test]
    fn three_failed_tasks_and_none_running_are_a_crash_loop() {
        let failed = || task(TaskState::Failed, "task: non-zero exit (1)");
        let starting = || task(TaskState::Other, "");
        assert_eq!(crash(&[starting(), failed(), failed()]), None);
        let running = task(TaskState::Running, "");
        assert_eq!(crash(&[running, failed(), failed(), failed()]), None);
        assert_eq!(
            crash(&[starting(), failed(), failed(), failed()]).unwrap(),
            MessageCode::CrashLoop { exit_code: Some(String::from("1")) }
        );
    }

    #[test]
    fn a_rejected_container_is_a_crash_loop_without_an_exit_code() {
        let rejected = || task(TaskState::Failed, "invalid mount config for type \"bind\"");
        let message = crash(&[rejected(), rejected(), rejected()]).unwrap();
        assert_eq!(message, MessageCode::CrashLoop { exit_code: None });
    }
}
