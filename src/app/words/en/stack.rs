//! The words of the pages of a stack.

use super::time;
use crate::server::stacks::StackAction;
use crate::server::store::State;
use domain::event::FailureCode;
use domain::kind::{Kind, StackStatus};
use domain::progress::End;
use domain::stack_name::StackName;

/// The name of the list of tabs.
pub(crate) const TABS: &str = "Pages of this stack";
pub(crate) const LOGS: &str = "Logs";
pub(crate) const OVERVIEW: &str = "Overview";

pub(crate) const NOT_FOUND: &str = "Stack not found";
pub(crate) const NOT_FOUND_LEAD: &str = "There is no stack of yours at this address. If you started it \
     without signing in, use the whole address that you were given: it has the id of your stack.";
pub(crate) const ANOTHER: &str = "Another stack has this name now";
pub(crate) const ANOTHER_LEAD: &str =
    "The stack that this address means is gone. Since then, the name was used again.";
pub(crate) const ANOTHER_LINK: &str = "Show the stack that has the name now";
pub(crate) const UNAVAILABLE: &str = "Stack not available";
pub(crate) const UNAVAILABLE_HEADING: &str = "We cannot show this stack now";

/// Returns the words for a state.
pub(crate) fn state(status: StackStatus) -> &'static str {
    match status {
        StackStatus::Deploying => "Deploying",
        StackStatus::Running => "Running",
        StackStatus::Changing => "Changing",
        StackStatus::Stopping => "Stopping",
        StackStatus::Stopped => "Stopped",
        StackStatus::Starting => "Starting",
        StackStatus::Restarting => "Restarting",
        StackStatus::Unhealthy => "Unhealthy",
        StackStatus::Removing => "Removing",
        StackStatus::Stuck => "Stuck",
        StackStatus::Gone => "Removed",
    }
}

/// Returns the title of the tab.
pub(crate) fn title(name: &StackName, status: StackStatus) -> String {
    format!("{name}: {}", state(status).to_lowercase())
}

/// The link to the page of the operation that is under way.
pub(crate) const SEE_PROGRESS: &str = "See the progress";
pub(crate) const SINCE: &str = "First live";
pub(crate) const TEMPLATE: &str = "Template";
pub(crate) const REVISION: &str = "Revision";
/// The label of the time at which the stack expires.
pub(crate) const STOPS: &str = "Stops on";
pub(crate) const UPDATE_AVAILABLE: &str = "Update available.";
pub(crate) const LAST: &str = "Last operations";

pub(crate) use super::deployment::{
    NO_DATA, OPEN, REMOVE_STACK, REMOVES, REMOVES_BUT_DATA, data_is_kept, remove, remove_with_data,
};

/// Returns the label of a button.
pub(crate) fn action(action: StackAction) -> &'static str {
    match action {
        StackAction::Stop => "Stop",
        StackAction::Start => "Start",
        StackAction::Restart => "Restart",
    }
}

/// Returns the label of the button while an operation runs.
pub(crate) fn busy(status: StackStatus) -> String {
    format!("{}…", state(status))
}

/// Returns the words for a kind of operation.
pub(crate) fn operation(kind: &Kind) -> String {
    let mut letters = kind.noun.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Returns the words for how an operation is, or has ended.
pub(crate) fn end(state: State, end: Option<&End>) -> &'static str {
    match (state, end) {
        (State::Active, _) => "in progress",
        (State::Stuck, _) => "not finished",
        (State::Live | State::RolledBack, Some(End::Failed(failure))) => {
            if failure.code == FailureCode::Cancelled { "cancelled" } else { "failed" }
        }
        (State::Live | State::RolledBack, Some(End::Live(_) | End::Removed(_)) | None) => "done",
    }
}

/// Returns the words for when an operation was begun, and how long it took.
pub(crate) fn time(ago_ms: u64, took_ms: Option<u64>) -> String {
    let ago = time::about(ago_ms / 1000);
    took_ms.map_or_else(
        || format!("for {ago}"),
        |took| format!("{ago} ago, took {}", time::duration(took)),
    )
}
