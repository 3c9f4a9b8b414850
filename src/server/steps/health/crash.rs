//! What the tasks of a service say of a container that ends.

use crate::server::platform::{Task, TaskState};
use domain::event::FailureCode;
use domain::message::MessageCode;

/// The number of failed tasks that count as a crash loop.
const CRASHES: usize = 3;
/// What Docker says of a task whose image is neither on the node nor in its registry.
const NO_IMAGE: &str = "No such image:";

/// Returns the failure of a container that stops repeatedly, or of which Docker has no image, if the
/// tasks show one.
pub(super) fn crash(tasks: &[Task]) -> Option<(FailureCode, MessageCode)> {
    let count = |state| tasks.iter().filter(|task| task.state == state).count();
    if count(TaskState::Failed) < CRASHES || count(TaskState::Running) > 0 {
        return None;
    }
    Some(crashed(tasks))
}

/// Returns the failure of a container that ended, or of which Docker has no image.
pub(super) fn crashed(tasks: &[Task]) -> (FailureCode, MessageCode) {
    let mut errors = tasks.iter().filter_map(|task| task.error.as_deref());
    if errors.clone().any(|error| error.starts_with(NO_IMAGE)) {
        return (FailureCode::ImageNotFound, MessageCode::ImageNotFound);
    }
    let exit_code =
        errors.find_map(|error| error.strip_prefix("task: non-zero exit (")?.strip_suffix(')'));
    let message = MessageCode::CrashLoop { exit_code: exit_code.map(ToOwned::to_owned) };
    (FailureCode::CrashLoop, message)
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
            crash(&[starting(), failed(), failed(), failed()]).unwrap().1,
            MessageCode::CrashLoop { exit_code: Some(String::from("1")) }
        );
    }

    #[test]
    fn a_rejected_container_is_a_crash_loop_without_an_exit_code() {
        let rejected = || task(TaskState::Failed, "invalid mount config for type \"bind\"");
        let failure = crash(&[rejected(), rejected(), rejected()]).unwrap();
        let message = MessageCode::CrashLoop { exit_code: None };
        assert_eq!(failure, (FailureCode::CrashLoop, message));
    }
}
