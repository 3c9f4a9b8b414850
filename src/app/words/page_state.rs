//! The states of the deployment page, and the words for each.

use super::receipt;
use domain::{
    kind::{Direction, Kind},
    phase::Phase,
    progress::Progress,
    receipt::Receipt,
    stack_name::StackName,
};

/// A state of the deployment's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// Steps are being run.
    Deploying,
    /// Steps are being undone after a failure.
    CleaningUp,
    /// Steps are being undone, or about to be, because somebody cancelled.
    Cancelling,
    /// A removal is in progress.
    Removing,
    /// The stack is live.
    Live,
    /// The stack is live, but none of its containers runs now.
    NotRunning,
    /// The stack could not be started.
    Failed,
    /// Somebody cancelled the deployment, and nothing is left.
    Cancelled,
    /// Somebody cancelled the deployment, and some resources could not be removed yet.
    CancelledStuck,
    /// A removal could not remove everything yet.
    NotRemoved,
    /// A removal has removed everything.
    Removed,
}

/// The inputs of [`PageState::of`] besides the events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageStateInputs {
    /// The kind of the operation.
    pub(crate) kind: &'static Kind,
    /// True if somebody asked to cancel it.
    pub(crate) is_cancelling: bool,
    /// True if nothing is left by now.
    pub(crate) is_clean: bool,
    /// True if no container of the live stack runs, as far as the portal knows.
    pub(crate) is_down: bool,
}

impl PageState {
    /// Returns the state that the page shows.
    pub(crate) fn of(progress: &Progress, inputs: PageStateInputs) -> Self {
        match progress.phase {
            Phase::COMPLETED if inputs.is_down => Self::NotRunning,
            Phase::COMPLETED => Self::Live,
            Phase::REMOVED => Self::Removed,
            Phase::FAILED => match inputs.kind.direction {
                Direction::Forward => Self::Failed,
                Direction::Back if inputs.is_clean => Self::Removed,
                Direction::Back => Self::NotRemoved,
            },
            Phase::CANCELLED if inputs.is_clean => Self::Cancelled,
            Phase::CANCELLED => Self::CancelledStuck,
            Phase::REMOVING => Self::Removing,
            _ if inputs.kind.direction == Direction::Back => Self::Removing,
            _ if inputs.is_cancelling => Self::Cancelling,
            Phase::ROLLING_BACK => Self::CleaningUp,
            _ => Self::Deploying,
        }
    }

    /// Returns whether the operation is in progress.
    pub(crate) fn is_under_way(self) -> bool {
        match self {
            Self::Deploying | Self::CleaningUp | Self::Cancelling | Self::Removing => true,
            Self::Live
            | Self::NotRunning
            | Self::Failed
            | Self::Cancelled
            | Self::CancelledStuck
            | Self::NotRemoved
            | Self::Removed => false,
        }
    }

    /// Returns the attribute value by which styles select the state.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Deploying | Self::CleaningUp | Self::Cancelling | Self::Removing => "under-way",
            Self::Live => "live",
            Self::NotRunning | Self::Failed | Self::CancelledStuck | Self::NotRemoved => "failed",
            Self::Cancelled | Self::Removed => "over",
        }
    }

    /// Returns the text of the badge.
    pub(crate) fn badge(self) -> &'static str {
        match self {
            Self::Deploying => "Deploying",
            Self::CleaningUp => "Cleaning up",
            Self::Cancelling => "Cancelling",
            Self::Removing => "Removing",
            Self::Live => "Live",
            Self::NotRunning => "Not running",
            Self::Failed => "Failed",
            Self::Cancelled | Self::CancelledStuck => "Cancelled",
            Self::NotRemoved => "Unfinished",
            Self::Removed => "Removed",
        }
    }

    /// Returns the page's heading.
    pub(crate) fn heading(self, name: &StackName) -> String {
        match self {
            Self::Deploying | Self::CleaningUp | Self::Cancelling => name.to_string(),
            Self::Removing => format!("Removing {name}"),
            Self::Live => format!("{name} is live"),
            Self::NotRunning => format!("{name} is not running"),
            Self::Failed => format!("{name} could not be started"),
            Self::Cancelled | Self::CancelledStuck => format!("{name} was cancelled"),
            Self::NotRemoved => format!("{name} is only partly removed"),
            Self::Removed => format!("{name} is removed"),
        }
    }

    /// Returns the announcement of the end for screen readers: the heading, the last `message`, and
    /// the outcome for the resources.
    pub(crate) fn announcement(self, name: &StackName, message: &str, receipt: &Receipt) -> String {
        let heading = self.heading(name);
        let left = receipt::heading(receipt, receipt);
        match self {
            Self::NotRemoved => format!("{heading}. {message}"),
            Self::Failed => format!("{heading}. {message} {left}."),
            Self::Cancelled | Self::CancelledStuck | Self::Removed => {
                format!("{heading}. {left}.")
            }
            Self::Deploying
            | Self::CleaningUp
            | Self::Cancelling
            | Self::Removing
            | Self::Live
            | Self::NotRunning => format!("{heading}."),
        }
    }

    /// Returns the title of the tab, which shows the state to a person who uses another tab.
    pub(crate) fn title(self, name: &StackName, percent: u8) -> String {
        match self {
            Self::Deploying => format!("{percent} % · {name}"),
            Self::CleaningUp => format!("{name}: removing what was made"),
            Self::Cancelling => format!("{name}: cancelling"),
            Self::Removing => format!("{name}: removing"),
            Self::Live | Self::Removed => format!("✓ {}", self.heading(name)),
            Self::NotRunning | Self::Failed | Self::NotRemoved => {
                format!("✗ {}", self.heading(name))
            }
            Self::CancelledStuck => format!("✗ {}; clean-up continues", self.heading(name)),
            Self::Cancelled => self.heading(name),
        }
    }

    /// Returns the path of the tab's icon.
    pub(crate) fn icon(self) -> &'static str {
        match self {
            Self::Deploying | Self::CleaningUp | Self::Cancelling | Self::Removing => {
                "/icon-running.svg"
            }
            Self::Live => "/icon-live.svg",
            Self::NotRunning | Self::Failed | Self::CancelledStuck | Self::NotRemoved => {
                "/icon-failed.svg"
            }
            Self::Cancelled | Self::Removed => "/icon-over.svg",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::kind::{DEPLOY, REMOVE};

    fn page_state(
        kind: &'static Kind,
        phase: Phase,
        change: impl FnOnce(&mut PageStateInputs),
    ) -> PageState {
        let mut progress = Progress::default();
        progress.phase = phase;
        let mut inputs =
            PageStateInputs { kind, is_cancelling: false, is_clean: false, is_down: false };
        change(&mut inputs);
        PageState::of(&progress, inputs)
    }

    #[test]
    fn the_state_follows_from_the_events_and_the_other_inputs() {
        let cancelling = |inputs: &mut PageStateInputs| inputs.is_cancelling = true;
        let clean = |inputs: &mut PageStateInputs| inputs.is_clean = true;
        let down = |inputs: &mut PageStateInputs| inputs.is_down = true;
        let as_is = |_: &mut PageStateInputs| {};
        let cases = [
            (page_state(&DEPLOY, Phase::INITIALIZING, as_is), PageState::Deploying),
            (page_state(&DEPLOY, Phase::DEPLOYING, as_is), PageState::Deploying),
            (page_state(&DEPLOY, Phase::DEPLOYING, cancelling), PageState::Cancelling),
            (page_state(&DEPLOY, Phase::ROLLING_BACK, as_is), PageState::CleaningUp),
            (page_state(&DEPLOY, Phase::ROLLING_BACK, cancelling), PageState::Cancelling),
            (page_state(&DEPLOY, Phase::COMPLETED, cancelling), PageState::Live),
            (page_state(&DEPLOY, Phase::COMPLETED, down), PageState::NotRunning),
            (page_state(&DEPLOY, Phase::FAILED, down), PageState::Failed),
            (page_state(&DEPLOY, Phase::FAILED, as_is), PageState::Failed),
            (page_state(&DEPLOY, Phase::FAILED, clean), PageState::Failed),
            (page_state(&DEPLOY, Phase::CANCELLED, clean), PageState::Cancelled),
            (page_state(&DEPLOY, Phase::CANCELLED, cancelling), PageState::CancelledStuck),
            (page_state(&REMOVE, Phase::INITIALIZING, as_is), PageState::Removing),
            (page_state(&REMOVE, Phase::REMOVING, as_is), PageState::Removing),
            (page_state(&REMOVE, Phase::FAILED, as_is), PageState::NotRemoved),
            (page_state(&REMOVE, Phase::FAILED, clean), PageState::Removed),
            (page_state(&REMOVE, Phase::REMOVED, clean), PageState::Removed),
        ];
        for (index, (page_state, expected)) in cases.into_iter().enumerate() {
            assert_eq!(page_state, expected, "case {index}");
        }
    }

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
            assert_eq!(page_state.announcement(&name, "Why.", receipt), words);
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
            assert_eq!((page_state.title(&name, 60).as_str(), page_state.icon()), (words, path));
        }
    }
}
