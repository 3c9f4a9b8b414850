//! The words for the states of the deployment page.

use super::receipt;
use crate::app::page_state::PageState;
use domain::receipt::Receipt;
use domain::stack_name::StackName;

/// Returns the text of the badge.
pub(crate) fn badge(page_state: PageState) -> &'static str {
    match page_state {
        PageState::Deploying => "Deploying",
        PageState::CleaningUp => "Cleaning up",
        PageState::Cancelling => "Cancelling",
        PageState::Removing => "Removing",
        PageState::Live => "Live",
        PageState::NotRunning => "Not running",
        PageState::Failed => "Failed",
        PageState::Cancelled | PageState::CancelledStuck => "Cancelled",
        PageState::NotRemoved => "Unfinished",
        PageState::Removed => "Removed",
    }
}

/// Returns the page's heading.
pub(crate) fn heading(page_state: PageState, name: &StackName) -> String {
    match page_state {
        PageState::Deploying | PageState::CleaningUp | PageState::Cancelling => name.to_string(),
        PageState::Removing => format!("Removing {name}"),
        PageState::Live => format!("{name} is live"),
        PageState::NotRunning => format!("{name} is not running"),
        PageState::Failed => format!("{name} could not be started"),
        PageState::Cancelled | PageState::CancelledStuck => format!("{name} was cancelled"),
        PageState::NotRemoved => format!("{name} is only partly removed"),
        PageState::Removed => format!("{name} is removed"),
    }
}

/// Returns the announcement of the end for screen readers: the heading, the last `message`, and
/// the outcome for the resources.
pub(crate) fn announcement(
    page_state: PageState,
    name: &StackName,
    message: &str,
    receipt: &Receipt,
) -> String {
    let heading = heading(page_state, name);
    let left = receipt::heading(receipt, receipt);
    match page_state {
        PageState::NotRemoved => format!("{heading}. {message}"),
        PageState::Failed => format!("{heading}. {message} {left}."),
        PageState::Cancelled | PageState::CancelledStuck | PageState::Removed => {
            format!("{heading}. {left}.")
        }
        PageState::Deploying
        | PageState::CleaningUp
        | PageState::Cancelling
        | PageState::Removing
        | PageState::Live
        | PageState::NotRunning => format!("{heading}."),
    }
}

/// Returns the title of the tab, which shows the state to a person who uses another tab.
pub(crate) fn title(page_state: PageState, name: &StackName, percent: u8) -> String {
    match page_state {
        PageState::Deploying => format!("{percent} % · {name}"),
        PageState::CleaningUp => format!("{name}: removing what was made"),
        PageState::Cancelling => format!("{name}: cancelling"),
        PageState::Removing => format!("{name}: removing"),
        PageState::Live | PageState::Removed => format!("✓ {}", heading(page_state, name)),
        PageState::NotRunning | PageState::Failed | PageState::NotRemoved => {
            format!("✗ {}", heading(page_state, name))
        }
        PageState::CancelledStuck => format!("✗ {}; clean-up continues", heading(page_state, name)),
        PageState::Cancelled => heading(page_state, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_without_a_stack_is_announced_with_what_became_of_everything() {
        let name = StackName::parse("alice").unwrap();
        let (clean, unknown) = (Receipt::of(Vec::new()), Receipt::default());
        let cases = [
            (
                PageState::Failed,
                &clean,
                "alice could not be started. Why. Nothing was left behind.",
            ),
            (
                PageState::Failed,
                &unknown,
                "alice could not be started. Why. We could not verify that nothing is left.",
            ),
            (PageState::Cancelled, &clean, "alice was cancelled. Nothing was left behind."),
            (
                PageState::CancelledStuck,
                &unknown,
                "alice was cancelled. We could not verify that nothing is left.",
            ),
            (PageState::NotRemoved, &unknown, "alice is only partly removed. Why."),
            (PageState::Removed, &clean, "alice is removed. Nothing was left behind."),
        ];
        for (page_state, receipt, words) in cases {
            assert_eq!(announcement(page_state, &name, "Why.", receipt), words);
        }
    }

    #[test]
    fn the_tab_tells_how_it_stands() {
        let name = StackName::parse("alice").unwrap();
        let cases = [
            (PageState::Deploying, "60 % · alice", "/icon-running.svg"),
            (PageState::CleaningUp, "alice: removing what was made", "/icon-running.svg"),
            (PageState::Cancelling, "alice: cancelling", "/icon-running.svg"),
            (PageState::Removing, "alice: removing", "/icon-running.svg"),
            (PageState::Live, "✓ alice is live", "/icon-live.svg"),
            (PageState::NotRunning, "✗ alice is not running", "/icon-failed.svg"),
            (PageState::Failed, "✗ alice could not be started", "/icon-failed.svg"),
            (PageState::Cancelled, "alice was cancelled", "/icon-over.svg"),
            (
                PageState::CancelledStuck,
                "✗ alice was cancelled; clean-up continues",
                "/icon-failed.svg",
            ),
            (PageState::NotRemoved, "✗ alice is only partly removed", "/icon-failed.svg"),
            (PageState::Removed, "✓ alice is removed", "/icon-over.svg"),
        ];
        for (page_state, words, path) in cases {
            assert_eq!((title(page_state, &name, 60).as_str(), page_state.icon()), (words, path));
        }
    }
}
