//! The words of the home page of somebody who has stacks.

use super::frame::PORTAL;
use super::stack::state;
use crate::wire::StackView;
use domain::kind::StackStatus;
use domain::phase::Status;
use domain::stack_name::StackName;

pub(crate) const HEADING: &str = "My stacks";
pub(crate) const NEW_STACK: &str = "New stack";

/// Returns the title of the tab. It says which operations run, so that it changes when one ends.
pub(crate) fn title(stacks: &[StackView]) -> String {
    let is_under_way = |stack: &&StackView| {
        stack.operation.as_ref().is_some_and(|operation| operation.status == Status::InProgress)
    };
    let doing =
        |stack: &StackView| format!("{}: {}", stack.name, state(stack.status).to_lowercase());
    let under_way: Vec<_> = stacks.iter().filter(is_under_way).map(doing).collect();
    match &under_way[..] {
        [] => format!("{HEADING} · {PORTAL}"),
        [one] => one.clone(),
        [one, rest @ ..] => format!("{one}, {} more", rest.len()),
    }
}

/// Returns the words for since when a stack has been there.
pub(crate) fn since(stack: &StackView, at: &str) -> String {
    match (stack.state, stack.status) {
        (None, _) => format!("requested {at}"),
        (Some(_), StackStatus::Running) => format!("live since {at}"),
        (Some(_), _) => format!("first live {at}"),
    }
}

/// Returns the label of the link to a stack.
pub(crate) fn open(name: &StackName) -> String {
    format!("Open {name}")
}

/// Returns the label of the link to another version of a stack's template.
pub(crate) fn update(name: &StackName) -> String {
    format!("Update available for {name}")
}

/// Returns the label of the button that starts a stack again.
pub(crate) fn start(name: &StackName) -> String {
    format!("Start {name}")
}

/// Returns the label of the link to the page that says what is wrong with a stack.
pub(crate) fn see_why(name: &StackName) -> String {
    format!("See why {name} does not work")
}
