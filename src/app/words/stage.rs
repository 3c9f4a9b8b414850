//! Which of its faces the page shows, and the few words that each has.

use super::receipt;
use crate::domain::{
    deployment::Kind, phase::Phase, progress::Progress, receipt::Receipt, stack_name::StackName,
};

/// A face of the deployment's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Steps are being done.
    Deploying,
    /// They are being undone after a failure.
    CleaningUp,
    /// They are being undone, or about to be, because somebody wished so.
    Cancelling,
    /// A removal is under way.
    Removing,
    /// The stack is up.
    Live,
    /// The stack came up, and no container of it runs now.
    NotRunning,
    /// It could not be started.
    Failed,
    /// Somebody wished it away before it was up, and nothing is left.
    Cancelled,
    /// Somebody wished it away before it was up, and not all of it could be removed yet.
    CancelledStuck,
    /// A removal could not remove everything yet.
    NotRemoved,
    /// A removal has removed everything.
    Removed,
}

/// What [`Stage::of`] looks at besides the events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Besides {
    /// What the operation does.
    pub(crate) kind: Kind,
    /// Whether somebody wished to cancel it.
    pub(crate) is_cancelling: bool,
    /// Whether nothing is left by now.
    pub(crate) is_clean: bool,
    /// Whether no container runs of the stack that came up, as far as is known.
    pub(crate) is_down: bool,
}

impl Stage {
    /// Tells which face the page shows.
    pub(crate) fn of(progress: &Progress, besides: Besides) -> Self {
        match progress.phase {
            Phase::Completed if besides.is_down => Self::NotRunning,
            Phase::Completed => Self::Live,
            Phase::Removed => Self::Removed,
            Phase::Failed => match besides.kind {
                Kind::Deployment => Self::Failed,
                Kind::Removal if besides.is_clean => Self::Removed,
                Kind::Removal => Self::NotRemoved,
            },
            Phase::Cancelled if besides.is_clean => Self::Cancelled,
            Phase::Cancelled => Self::CancelledStuck,
            Phase::Removing => Self::Removing,
            _ if besides.kind == Kind::Removal => Self::Removing,
            _ if besides.is_cancelling => Self::Cancelling,
            Phase::RollingBack => Self::CleaningUp,
            Phase::Initializing
            | Phase::CreatingProject
            | Phase::GettingEnvironment
            | Phase::CreatingApplication
            | Phase::ConfiguringApplication
            | Phase::CreatingDomain
            | Phase::Deploying
            | Phase::VerifyingHealth => Self::Deploying,
        }
    }

    /// Tells whether there is more to come.
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

    /// Returns the word that styles select the stage by.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Deploying | Self::CleaningUp | Self::Cancelling | Self::Removing => "under-way",
            Self::Live => "live",
            Self::NotRunning | Self::Failed | Self::CancelledStuck | Self::NotRemoved => "failed",
            Self::Cancelled | Self::Removed => "over",
        }
    }

    /// Returns what stands in the badge.
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

    /// Says once, to those who only listen, how it ended without a stack: with the events' last
    /// `message`, and what became of everything.
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

    /// Returns the tab's title, so that a person who went elsewhere sees how it stands.
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
            Self::CancelledStuck => format!("✗ {}; clean-up goes on", self.heading(name)),
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

    fn stage(kind: Kind, phase: Phase, change: impl FnOnce(&mut Besides)) -> Stage {
        let mut progress = Progress::default();
        progress.phase = phase;
        let mut besides = Besides { kind, is_cancelling: false, is_clean: false, is_down: false };
        change(&mut besides);
        Stage::of(&progress, besides)
    }

    #[test]
    fn the_face_follows_from_the_events_and_what_is_known_besides() {
        use Kind::{Deployment, Removal};
        let cancelling = |besides: &mut Besides| besides.is_cancelling = true;
        let clean = |besides: &mut Besides| besides.is_clean = true;
        let down = |besides: &mut Besides| besides.is_down = true;
        let as_is = |_: &mut Besides| {};
        let cases = [
            (stage(Deployment, Phase::Initializing, as_is), Stage::Deploying),
            (stage(Deployment, Phase::Deploying, as_is), Stage::Deploying),
            (stage(Deployment, Phase::Deploying, cancelling), Stage::Cancelling),
            (stage(Deployment, Phase::RollingBack, as_is), Stage::CleaningUp),
            (stage(Deployment, Phase::RollingBack, cancelling), Stage::Cancelling),
            (stage(Deployment, Phase::Completed, cancelling), Stage::Live),
            (stage(Deployment, Phase::Completed, down), Stage::NotRunning),
            (stage(Deployment, Phase::Failed, down), Stage::Failed),
            (stage(Deployment, Phase::Failed, as_is), Stage::Failed),
            (stage(Deployment, Phase::Failed, clean), Stage::Failed),
            (stage(Deployment, Phase::Cancelled, clean), Stage::Cancelled),
            (stage(Deployment, Phase::Cancelled, cancelling), Stage::CancelledStuck),
            (stage(Removal, Phase::Initializing, as_is), Stage::Removing),
            (stage(Removal, Phase::Removing, as_is), Stage::Removing),
            (stage(Removal, Phase::Failed, as_is), Stage::NotRemoved),
            (stage(Removal, Phase::Failed, clean), Stage::Removed),
            (stage(Removal, Phase::Removed, clean), Stage::Removed),
        ];
        for (index, (stage, expected)) in cases.into_iter().enumerate() {
            assert_eq!(stage, expected, "case {index}");
        }
    }

    #[test]
    fn an_end_without_a_stack_is_announced_with_what_became_of_everything() {
        let name = StackName::parse("alice").unwrap();
        let (clean, unknown) = (Receipt::of(Vec::new()), Receipt::default());
        let cases = [
            (Stage::Failed, &clean, "alice could not be started. Why. Nothing was left behind."),
            (
                Stage::Failed,
                &unknown,
                "alice could not be started. Why. We could not check that nothing is left.",
            ),
            (Stage::Cancelled, &clean, "alice was cancelled. Nothing was left behind."),
            (
                Stage::CancelledStuck,
                &unknown,
                "alice was cancelled. We could not check that nothing is left.",
            ),
            (Stage::NotRemoved, &unknown, "alice is only partly removed. Why."),
            (Stage::Removed, &clean, "alice is removed. Nothing was left behind."),
        ];
        for (stage, receipt, words) in cases {
            assert_eq!(stage.announcement(&name, "Why.", receipt), words);
        }
    }

    #[test]
    fn the_tab_tells_how_it_stands() {
        let name = StackName::parse("alice").unwrap();
        let cases = [
            (Stage::Deploying, "60 % · alice", "/icon-running.svg"),
            (Stage::CleaningUp, "alice: removing what was made", "/icon-running.svg"),
            (Stage::Cancelling, "alice: cancelling", "/icon-running.svg"),
            (Stage::Removing, "alice: removing", "/icon-running.svg"),
            (Stage::Live, "✓ alice is live", "/icon-live.svg"),
            (Stage::NotRunning, "✗ alice is not running", "/icon-failed.svg"),
            (Stage::Failed, "✗ alice could not be started", "/icon-failed.svg"),
            (Stage::Cancelled, "alice was cancelled", "/icon-over.svg"),
            (Stage::CancelledStuck, "✗ alice was cancelled; clean-up goes on", "/icon-failed.svg"),
            (Stage::NotRemoved, "✗ alice is only partly removed", "/icon-failed.svg"),
            (Stage::Removed, "✓ alice is removed", "/icon-over.svg"),
        ];
        for (stage, words, path) in cases {
            assert_eq!((stage.title(&name, 60).as_str(), stage.icon()), (words, path));
        }
    }
}
