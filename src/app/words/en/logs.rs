//! The words of the log of a stack.

use jiff::Timestamp;

pub(crate) use domain::words::log::{CUT, container, gap};

pub(crate) const SEARCH: &str = "Find in the log";
pub(crate) const FIND: &str = "Find";
pub(crate) const DOWNLOAD: &str = "Download";

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
