//! Parses a time that an operator types.

use jiff::Timestamp;

/// A text is neither a time nor a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a day as 2026-11-23, or a time as 2026-11-23T09:55:24Z")]
pub struct ParseSinceError;

/// Parses a time, or a day, which means its beginning in UTC.
///
/// # Errors
///
/// Returns an error when `text` is neither.
pub fn since(text: &str) -> Result<Timestamp, ParseSinceError> {
    let day = || format!("{text}T00:00:00Z").parse();
    text.parse().or_else(|_| day()).map_err(|_| ParseSinceError)
}

#[cfg(test)]
mod tests {
    use crate::server::stacks::admin::since::*;

    #[test]
    fn a_day_or_a_time_is_read_and_nothing_else() {
        let read = |text| since(text).map(|time| time.to_string());
        assert_eq!(read("2026-11-23").unwrap(), "2026-11-23T00:00:00Z");
        assert_eq!(read("2026-11-23T09:55:24Z").unwrap(), "2026-11-23T09:55:24Z");
        assert_eq!(read("2026-11-23T09:55:24+02:00").unwrap(), "2026-11-23T07:55:24Z");
        for text in ["", "yesterday", "2026-11-31", "23.11.2026", "1795427270"] {
            assert_eq!(read(text), Err(ParseSinceError), "{text:?}");
        }
    }
}
