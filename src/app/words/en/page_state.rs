//! The words for the states of the page of an operation.

use super::receipt;
use crate::app::page_state::PageState;
use domain::kind::{Kind, StackStatus};
use domain::phase::Phase;
use domain::receipt::Receipt;
use domain::stack_name::StackName;

/// Returns the text of the badge. A changed stack is live as soon as it answers, while it is still being
/// watched.
pub(crate) fn badge(page_state: PageState, kind: &Kind, phase: Phase) -> &'static str {
    match page_state {
        PageState::Running if kind.is_watching(phase) => "Live, watching",
        PageState::Running => of_kind(kind).0,
        PageState::CleaningUp if kind.keeps_stack() => "Going back",
        PageState::CleaningUp => "Cleaning up",
        PageState::Cancelling => "Cancelling",
        PageState::Removing => "Removing",
        PageState::Live => "Live",
        PageState::NotRunning => "Not running",
        PageState::Stopped => "Stopped",
        PageState::Done => "Done",
        PageState::Failed => "Failed",
        PageState::Cancelled | PageState::CancelledStuck => "Cancelled",
        PageState::NotRemoved => "Unfinished",
        PageState::Removed => "Removed",
    }
}

/// Returns what the stack is during an operation of the kind, and what was done to it afterwards.
fn of_kind(kind: &Kind) -> (&'static str, &'static str) {
    match kind.status {
        StackStatus::Deploying => ("Deploying", "started"),
        StackStatus::Stopping => ("Stopping", "stopped"),
        StackStatus::Starting => ("Starting", "started"),
        StackStatus::Restarting => ("Restarting", "restarted"),
        StackStatus::Changing => ("Changing", "changed"),
        // No other kind runs steps.
        StackStatus::Removing
        | StackStatus::Running
        | StackStatus::Stopped
        | StackStatus::Unhealthy
        | StackStatus::Stuck
        | StackStatus::Gone => ("Removing", "removed"),
    }
}

/// Returns the page's heading.
pub(crate) fn heading(page_state: PageState, name: &StackName, kind: &Kind) -> String {
    let done = of_kind(kind).1;
    match page_state {
        PageState::Running | PageState::CleaningUp | PageState::Cancelling => name.to_string(),
        PageState::Removing => format!("Removing {name}"),
        PageState::Live => format!("{name} is live"),
        PageState::NotRunning => format!("{name} is not running"),
        PageState::Stopped => format!("{name} is stopped"),
        PageState::Done => format!("{name} was {done}"),
        PageState::Failed => format!("{name} could not be {done}"),
        PageState::Cancelled | PageState::CancelledStuck if kind.keeps_stack() => {
            format!("{name} was not {done}")
        }
        PageState::Cancelled | PageState::CancelledStuck => format!("{name} was cancelled"),
        PageState::NotRemoved => format!("{name} is only partly removed"),
        PageState::Removed => format!("{name} is removed"),
    }
}

/// Returns the announcement of the end for screen readers: the heading, the last `message`, and
/// the outcome for the resources, or the `revision` that a change led to.
pub(crate) fn announcement(
    page_state: PageState,
    name: &StackName,
    kind: &Kind,
    message: &str,
    receipt: &Receipt,
    revision: Option<u32>,
) -> String {
    let heading = heading(page_state, name, kind);
    let left = receipt::heading(kind, receipt, receipt);
    match page_state {
        PageState::NotRemoved => format!("{heading}. {message}"),
        PageState::Failed => format!("{heading}. {message} {left}."),
        PageState::Cancelled | PageState::CancelledStuck | PageState::Removed => {
            format!("{heading}. {left}.")
        }
        PageState::Running
        | PageState::CleaningUp
        | PageState::Cancelling
        | PageState::Removing
        | PageState::Live
        | PageState::NotRunning
        | PageState::Stopped => format!("{heading}."),
        PageState::Done => match revision {
            Some(revision) => format!("{heading}. It has revision {revision} now."),
            None => format!("{heading}."),
        },
    }
}

/// Returns the title of the tab, which shows the state to a person who uses another tab.
pub(crate) fn title(page_state: PageState, name: &StackName, kind: &Kind, percent: u8) -> String {
    let heading = heading(page_state, name, kind);
    match page_state {
        PageState::Running => format!("{percent} % · {name}"),
        PageState::CleaningUp if kind.keeps_stack() => format!("{name}: going back"),
        PageState::CleaningUp => format!("{name}: removing what was made"),
        PageState::Cancelling => format!("{name}: cancelling"),
        PageState::Removing => format!("{name}: removing"),
        PageState::Live | PageState::Removed | PageState::Done => format!("✓ {heading}"),
        PageState::NotRunning | PageState::Failed | PageState::NotRemoved => {
            format!("✗ {heading}")
        }
        PageState::CancelledStuck => format!("✗ {heading}; clean-up continues"),
        PageState::Cancelled | PageState::Stopped => heading,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::kind::{CHANGE, DEPLOY, RESTART, START, STOP};

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
            assert_eq!(announcement(page_state, &name, &DEPLOY, "Why.", receipt, None), words);
        }
    }

    #[test]
    fn a_change_says_that_the_stack_is_live_while_it_is_watched_and_which_revision_it_has() {
        let name = StackName::parse("alice").unwrap();
        let (watched, others): (Vec<_>, Vec<_>) =
            CHANGE.listed().partition(|phase| CHANGE.is_watching(*phase));
        for (phases, words) in [(&watched, "Live, watching"), (&others, "Changing")] {
            assert!(!phases.is_empty());
            for phase in phases {
                assert_eq!(badge(PageState::Running, &CHANGE, *phase), words, "{phase:?}");
            }
        }
        let said = |page_state, receipt: &Receipt, revision| {
            announcement(page_state, &name, &CHANGE, "Why.", receipt, revision)
        };
        let nothing = Receipt::of(Vec::new());
        assert_eq!(
            said(PageState::Done, &nothing, Some(2)),
            "alice was changed. It has revision 2 now."
        );
        let failed = "alice could not be changed. Why. Nothing else was changed.";
        assert_eq!(said(PageState::Failed, &nothing, Some(2)), failed);
    }

    #[test]
    fn the_tab_tells_how_it_stands() {
        let name = StackName::parse("alice").unwrap();
        let cases = [
            (PageState::Running, "60 % · alice", "/icon-running.svg"),
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
            assert_eq!(
                (title(page_state, &name, &DEPLOY, 60).as_str(), page_state.icon()),
                (words, path)
            );
        }
    }

    #[test]
    fn an_operation_on_a_stack_that_stays_says_what_it_did() {
        let name = StackName::parse("alice").unwrap();
        let cases = [
            (&STOP, PageState::Running, "Stopping", "alice", "60 % · alice"),
            (&START, PageState::Running, "Starting", "alice", "60 % · alice"),
            (&RESTART, PageState::CleaningUp, "Going back", "alice", "alice: going back"),
            (&STOP, PageState::Done, "Done", "alice was stopped", "✓ alice was stopped"),
            (&RESTART, PageState::Done, "Done", "alice was restarted", "✓ alice was restarted"),
            (
                &START,
                PageState::Failed,
                "Failed",
                "alice could not be started",
                "✗ alice could not be started",
            ),
            (
                &STOP,
                PageState::Cancelled,
                "Cancelled",
                "alice was not stopped",
                "alice was not stopped",
            ),
        ];
        for (kind, page_state, badge_words, heading_words, title_words) in cases {
            assert_eq!(badge(page_state, kind, Phase::INITIALIZING), badge_words);
            assert_eq!(heading(page_state, &name, kind), heading_words);
            assert_eq!(title(page_state, &name, kind, 60), title_words);
        }
    }
}
