//! The words of the log of a stack.

use jiff::Timestamp;

#[cfg(feature = "ssr")]
use domain::last_log::LogState;
#[cfg(feature = "ssr")]
use domain::words::exit;

pub(crate) use domain::words::log::{CUT, GAP, container, gap};

pub(crate) const SEARCH: &str = "Find in the log";
pub(crate) const FIND: &str = "Find";
pub(crate) const DOWNLOAD: &str = "Download";
pub(crate) const PAUSE: &str = "Pause";
pub(crate) const RESUME: &str = "Resume";
pub(crate) const WRAP: &str = "Wrap lines";
pub(crate) const TO_END: &str = "Jump to the end";
pub(crate) const LIVE: &str = "Live: new lines are added as they are written.";
pub(crate) const PAUSED: &str = "Paused: new lines wait.";
pub(crate) const LOST: &str = "The connection is lost. It is being opened again.";
pub(crate) const ENDED: &str = "New lines are not added any more. Load the page again.";

/// Returns the title of the page.
pub(crate) fn title(name: &str) -> String {
    format!("Log of {name}")
}

/// Says that there are no lines.
pub(crate) fn nothing(search: Option<&str>) -> String {
    match search {
        Some(text) => format!("No line has the text “{text}”."),
        None => "There is no line yet. The stack has no container, or it has written nothing."
            .to_owned(),
    }
}

/// Formats the time of a line: of the day, in UTC.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

/// The heading of what a container wrote last.
#[cfg(feature = "ssr")]
pub(crate) const LAST: &str = "The last lines of the container";
/// The same where the operation has failed.
#[cfg(feature = "ssr")]
pub(crate) const WHY: &str = "Why: the last lines of the container";

/// Says why there are no lines of it.
#[cfg(feature = "ssr")]
pub(crate) fn no_lines(log: LogState) -> &'static str {
    match log {
        LogState::Read => "It had written nothing.",
        LogState::Gone => "The container was gone already, and its log with it.",
        LogState::Unavailable => "Its log could not be read in time.",
    }
}

/// Says how a container ended, if it did.
#[cfg(feature = "ssr")]
pub(crate) fn end(exit_code: Option<i64>, out_of_memory: bool) -> Option<String> {
    match (exit_code, out_of_memory) {
        (Some(code), true) => Some(format!(
            "It was killed because it used more memory than it may (exit code {code})."
        )),
        (None, true) => Some("It was killed because it used more memory than it may.".to_owned()),
        (Some(code), false) => Some(format!("It ended {}.", exit::with_code(code))),
        (None, false) => None,
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_container_is_said_in_plain_words_before_its_code() {
        let cases = [
            (Some(1), false, Some("It ended with an error (exit code 1).")),
            (Some(0), false, Some("It ended without an error (exit code 0).")),
            (None, true, Some("It was killed because it used more memory than it may.")),
            (None, false, None),
        ];
        for (code, out_of_memory, words) in cases {
            assert_eq!(end(code, out_of_memory).as_deref(), words);
        }
    }
}
