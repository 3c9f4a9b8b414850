//! The states of the deployment page, and how each looks.

use domain::kind::{Direction, Kind};
use domain::phase::Phase;
use domain::progress::Progress;

/// A state of the deployment's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// Steps are being run.
    Running,
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
    /// The stack that was live is stopped now.
    Stopped,
    /// The operation did what was asked with a stack that stays.
    Done,
    /// The operation failed.
    Failed,
    /// Somebody cancelled it, and everything is as before.
    Cancelled,
    /// Somebody cancelled it, and not everything is as before yet.
    CancelledStuck,
    /// A removal could not remove everything yet.
    NotRemoved,
    /// A removal has removed everything.
    Removed,
}

/// The inputs of [`PageState::of`] besides the events.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct PageStateInputs {
    /// The kind of the operation.
    pub(crate) kind: &'static Kind,
    /// True if somebody asked to cancel it.
    pub(crate) is_cancelling: bool,
    /// True if nothing is left by now.
    pub(crate) is_clean: bool,
    /// True if no container of the live stack runs, as far as the portal knows.
    pub(crate) is_down: bool,
    /// True if the stack that was live is stopped now.
    pub(crate) is_stopped: bool,
}

impl PageState {
    /// Returns the state that the page shows.
    pub(crate) fn of(progress: &Progress, inputs: PageStateInputs) -> Self {
        match progress.phase {
            Phase::COMPLETED if inputs.kind.keeps_stack() => Self::Done,
            Phase::COMPLETED if inputs.is_stopped => Self::Stopped,
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
            _ => Self::Running,
        }
    }

    /// Returns whether the operation is in progress.
    pub(crate) fn is_under_way(self) -> bool {
        matches!(self, Self::Running | Self::CleaningUp | Self::Cancelling | Self::Removing)
    }

    /// Returns the attribute value by which styles select the state.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Running | Self::CleaningUp | Self::Cancelling | Self::Removing => "under-way",
            Self::Live => "live",
            Self::NotRunning | Self::Failed | Self::CancelledStuck | Self::NotRemoved => "failed",
            Self::Cancelled | Self::Removed | Self::Stopped | Self::Done => "over",
        }
    }

    /// Returns the path of the tab's icon.
    pub(crate) fn icon(self) -> &'static str {
        match self {
            Self::Running | Self::CleaningUp | Self::Cancelling | Self::Removing => {
                "/icon-running.svg"
            }
            Self::Live | Self::Done => "/icon-live.svg",
            Self::NotRunning | Self::Failed | Self::CancelledStuck | Self::NotRemoved => {
                "/icon-failed.svg"
            }
            Self::Cancelled | Self::Removed | Self::Stopped => "/icon-over.svg",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::kind::{DEPLOY, REMOVE, RESTART, START, STOP};

    fn page_state(
        kind: &'static Kind,
        phase: Phase,
        change: impl FnOnce(&mut PageStateInputs),
    ) -> PageState {
        let mut progress = Progress::default();
        progress.phase = phase;
        let mut inputs = PageStateInputs {
            kind,
            is_cancelling: false,
            is_clean: false,
            is_down: false,
            is_stopped: false,
        };
        change(&mut inputs);
        PageState::of(&progress, inputs)
    }

    #[test]
    fn the_state_follows_from_the_events_and_the_other_inputs() {
        let cancelling = |inputs: &mut PageStateInputs| inputs.is_cancelling = true;
        let clean = |inputs: &mut PageStateInputs| inputs.is_clean = true;
        let down = |inputs: &mut PageStateInputs| inputs.is_down = true;
        let stopped = |inputs: &mut PageStateInputs| inputs.is_stopped = true;
        let as_is = |_: &mut PageStateInputs| {};
        let cases = [
            (page_state(&DEPLOY, Phase::INITIALIZING, as_is), PageState::Running),
            (page_state(&DEPLOY, Phase::DEPLOYING, as_is), PageState::Running),
            (page_state(&DEPLOY, Phase::DEPLOYING, cancelling), PageState::Cancelling),
            (page_state(&DEPLOY, Phase::ROLLING_BACK, as_is), PageState::CleaningUp),
            (page_state(&DEPLOY, Phase::ROLLING_BACK, cancelling), PageState::Cancelling),
            (page_state(&DEPLOY, Phase::COMPLETED, cancelling), PageState::Live),
            (page_state(&DEPLOY, Phase::COMPLETED, down), PageState::NotRunning),
            (page_state(&DEPLOY, Phase::COMPLETED, stopped), PageState::Stopped),
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
            (page_state(&STOP, Phase::INITIALIZING, as_is), PageState::Running),
            (page_state(&STOP, Phase::COMPLETED, stopped), PageState::Done),
            (page_state(&START, Phase::COMPLETED, as_is), PageState::Done),
            (page_state(&RESTART, Phase::COMPLETED, down), PageState::Done),
            (page_state(&STOP, Phase::ROLLING_BACK, as_is), PageState::CleaningUp),
            (page_state(&STOP, Phase::FAILED, clean), PageState::Failed),
            (page_state(&START, Phase::CANCELLED, clean), PageState::Cancelled),
            (page_state(&RESTART, Phase::CANCELLED, as_is), PageState::CancelledStuck),
        ];
        for (index, (page_state, expected)) in cases.into_iter().enumerate() {
            assert_eq!(page_state, expected, "case {index}");
        }
    }
}
