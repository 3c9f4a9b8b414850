//! The words of the deployment island: its status, panels and buttons.

use domain::kind::{Direction, Kind};
use domain::stack_name::StackName;

/// The message while the event stream is broken.
pub(crate) const LOST: &str = "Reconnecting… the operation continues without this page";
/// The note while no stream gets through.
pub(crate) const POLLING: &str =
    "Live updates do not reach this browser, so this page asks for news every few seconds.";
/// The message after the session has ended.
pub(crate) const SIGNED_OUT: &str =
    "Your session has ended. The operation continues without this page";
/// The links to the page of the stack.
pub(crate) const TO_STACK: &str = "Go to the stack";
pub(crate) const MANAGE: &str = "Manage it";

/// Returns the message between a request to cancel and the begin of the rollback.
pub(crate) fn will_cancel(kind: &Kind) -> &'static str {
    if kind.keeps_stack() {
        "Cancelling… the stack becomes what it was before"
    } else {
        "Cancelling… everything that was created is removed again"
    }
}

/// Returns the name of the progress bar.
pub(crate) fn progress(kind: &Kind) -> &'static str {
    match kind.direction {
        Direction::Forward if kind.keeps_stack() => "Progress of the operation",
        Direction::Forward => "Progress of the deployment",
        Direction::Back => "Progress of the removal",
    }
}

/// Returns the message that the stack is live.
pub(crate) fn is_live(name: &StackName, url: &str) -> String {
    format!("{name} is live at {url}")
}

/// Returns the words for the time to the live stack.
pub(crate) fn took(duration: &str) -> String {
    format!("in {duration}")
}

/// What stands around the stack's name before the link to the earlier attempt.
pub(crate) const RETRY_OF: [&str; 2] = ["Retry of ", ". "];
pub(crate) const SEE_EARLIER: &str = "See the earlier attempt";
pub(crate) const SEE_NEWER: &str = "See the newer attempt";
pub(crate) const SIGN_IN_AGAIN: &str = "Sign in again";
pub(crate) const CANCEL: &str = "Cancel";
pub(crate) const CANCELLING: &str = "Cancelling…";
pub(crate) const OPEN: &str = "Open";
pub(crate) const START_ANOTHER: &str = "Start another";
pub(crate) const START_YOUR_OWN: &str = "Start one of your own";
pub(crate) const DEPLOY_NEW: &str = "Deploy something new";
pub(crate) const CHOOSE_ANOTHER: &str = "Choose another name";
pub(crate) const TRY_AGAIN: &str = "Try again";
pub(crate) use super::buttons::STARTING;
pub(crate) const TRY_REMOVAL: &str = "Try now";
pub(crate) const TRYING_REMOVAL: &str = "Trying…";

/// What a viewer may do about a stack that is not running.
pub(crate) const ASK_OPERATORS: &str = "The operators of this portal can see the reason and a \
     remedy: ask them. Nothing was removed, and you do not need to remove the stack. We check it \
     regularly; reload this page to see its state.";
pub(crate) const OPEN_ADDRESS: &str = "Open its address";

/// Returns the words about a stack that is not running.
pub(crate) fn is_down(name: &StackName) -> String {
    format!(
        "{name} was deployed successfully, but the platform runs no container of it now, so its \
         address does not answer. "
    )
}

/// Returns the sentence about the time of the downtime: both durations are in words.
pub(crate) fn detected(since: &str, seen: &str) -> String {
    format!("First detected {since} ago, last checked {seen} ago.")
}

pub(crate) const REMOVE_STACK: &str = "Remove this stack";
/// What stands around the stack's name if nothing of it is kept.
pub(crate) const REMOVES: [&str; 2] = ["This permanently removes ", ". "];
/// What stands around the stack's name if its data is kept.
pub(crate) const REMOVES_BUT_DATA: [&str; 2] = ["This removes ", ". "];
pub(crate) const NO_DATA: &str = "No data is kept.";
pub(crate) const REMOVING: &str = "Removing…";

/// Says for how long the data of a removed stack is kept.
pub(crate) fn data_is_kept(days: u64) -> String {
    match days {
        1 => String::from("Its data is kept for a day, and can be brought back."),
        days => format!("Its data is kept for {days} days, and can be brought back."),
    }
}

/// Returns the label of the button that removes the stack with its data.
pub(crate) fn remove_with_data(name: &StackName) -> String {
    format!("Remove {name} and its data")
}

/// Returns the label of the button that removes the stack.
pub(crate) fn remove(name: &StackName) -> String {
    format!("Remove {name}")
}

/// What to do where the same again fails as well until an operator has corrected the image.
pub(crate) const ASK_TO_CORRECT: &str = "Ask the operator to correct the image: give them the reference. \
     Until then, trying again ends the same way.";
pub(crate) const REFERENCE: &str = "Reference ";
pub(crate) const SUPPORT: &str = "Details for support";
pub(crate) const COPY_SUPPORT: &str = "Copy details for support";
/// The label of that button after it is pressed: once they are copied, or if that failed.
pub(crate) const AFTER_COPY: [&str; 2] = ["Copied", "Select them below"];

pub(crate) const LOG: &str = "Log";

/// Returns the words for the number of an attempt, for the end of a line of the log.
pub(crate) fn attempt(number: u32) -> String {
    format!(" (try {number})")
}
