//! The words of the log of a stack.

#[cfg(feature = "ssr")]
use jiff::Timestamp;

#[cfg(feature = "ssr")]
pub(crate) use domain::words::log::{CUT, container, gap};

pub(crate) const PAUSE: &str = "Pause";
#[cfg(feature = "ssr")]
pub(crate) const WRAP: &str = "Wrap lines";
#[cfg(feature = "ssr")]
pub(crate) const TO_END: &str = "Jump to the end";
#[cfg(feature = "ssr")]
pub(crate) const SEARCH: &str = "Find in the log";
#[cfg(feature = "ssr")]
pub(crate) const FIND: &str = "Find";
#[cfg(feature = "ssr")]
pub(crate) const DOWNLOAD: &str = "Download";

/// Returns the title of the page.
#[cfg(feature = "ssr")]
pub(crate) fn title(name: &str) -> String {
    format!("Log of {name}")
}

/// Says that there are no lines.
#[cfg(feature = "ssr")]
pub(crate) fn nothing(search: Option<&str>) -> String {
    match search {
        Some(text) => format!("No line has the text “{text}”."),
        None => "There is no line yet. The stack has no container, or it has written nothing."
            .to_owned(),
    }
}

/// Formats the time of a line: of the day, in UTC.
#[cfg(feature = "ssr")]
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}
