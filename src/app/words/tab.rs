//! The browser tab: title and icon, so that a person who went elsewhere sees how it stands.

use crate::domain::{phase::Phase, progress::Progress, stack_name::StackName};

/// Returns the tab's title.
pub(crate) fn title(name: &StackName, progress: &Progress) -> String {
    match progress.phase {
        Phase::Completed => format!("✓ {name} is live"),
        Phase::Failed => format!("✗ {}", failed(name, progress.phase)),
        Phase::Cancelled => failed(name, progress.phase),
        Phase::RollingBack => format!("{name}: removing what was made"),
        Phase::Removing => format!("{name}: removing"),
        Phase::Removed => format!("{name} is removed"),
        Phase::Initializing
        | Phase::CreatingProject
        | Phase::GettingEnvironment
        | Phase::CreatingApplication
        | Phase::ConfiguringApplication
        | Phase::CreatingDomain
        | Phase::Deploying
        | Phase::VerifyingHealth => format!("{} % · {name}", progress.percent),
    }
}

/// Says that `name` is not up after `end`.
pub(crate) fn failed(name: &StackName, end: Phase) -> String {
    let what = if end == Phase::Cancelled { "was cancelled" } else { "could not be started" };
    format!("{name} {what}")
}

/// Returns the path of the tab's icon.
pub(crate) fn icon(phase: Phase) -> &'static str {
    match phase {
        Phase::Completed | Phase::Removed => "/icon-live.svg",
        Phase::Failed | Phase::Cancelled => "/icon-failed.svg",
        Phase::Initializing
        | Phase::CreatingProject
        | Phase::GettingEnvironment
        | Phase::CreatingApplication
        | Phase::ConfiguringApplication
        | Phase::CreatingDomain
        | Phase::Deploying
        | Phase::VerifyingHealth
        | Phase::RollingBack
        | Phase::Removing => "/icon-running.svg",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tab_tells_how_it_stands() {
        let name = StackName::parse("alice").unwrap();
        let cases = [
            (Phase::CreatingDomain, "60 % · alice", "/icon-running.svg"),
            (Phase::RollingBack, "alice: removing what was made", "/icon-running.svg"),
            (Phase::Completed, "✓ alice is live", "/icon-live.svg"),
            (Phase::Failed, "✗ alice could not be started", "/icon-failed.svg"),
            (Phase::Cancelled, "alice was cancelled", "/icon-failed.svg"),
        ];
        for (phase, words, path) in cases {
            let mut progress = Progress::default();
            progress.phase = phase;
            progress.percent = 60;
            assert_eq!((title(&name, &progress).as_str(), icon(phase)), (words, path));
        }
    }
}
