//! Times: those before and after others, and the form on the wire, which is UTC to the millisecond,
//! as in `2026-11-23T09:55:24.515Z`.
//!
//! Only this form, which browsers use as well, is supported, by code of our own: a library's
//! parser and printer would be a tenth of the page's WebAssembly.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

/// Returns the milliseconds from `since` to `until`; 0 if the clock was set back.
pub fn elapsed_ms(since: Timestamp, until: Timestamp) -> u64 {
    u64::try_from(until.as_millisecond() - since.as_millisecond()).unwrap_or(0)
}

/// Returns `time` minus `by`, or the minimum timestamp if that is out of range.
pub fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// Returns `time` plus `by`, or the maximum timestamp if that is out of range.
pub fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Writes a time.
///
/// # Errors
/// Returns the errors of the serializer.
pub fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&Written(*time))
}

/// Reads a time.
///
/// # Errors
/// Returns an error for a text in another format, and the errors of the deserializer.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let text = Cow::<str>::deserialize(from)?;
    parse(text.as_bytes())
        .ok_or_else(|| D::Error::custom("not a time like 2026-11-23T09:55:24.515Z"))
}

/// Optional times.
pub mod optional {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes a time, or null.
    ///
    /// # Errors
    /// Returns the errors of the serializer.
    pub fn serialize<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, to),
            None => to.serialize_none(),
        }
    }

    /// Reads a time, or null.
    ///
    /// # Errors
    /// Returns an error for a text in another format, and the errors of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        #[derive(Deserialize)]
        struct Present(#[serde(with = "super")] Timestamp);
        Ok(Option::<Present>::deserialize(from)?.map(|Present(time)| time))
    }
}

/// Returns the form of a time on the wire.
pub fn written(time: Timestamp) -> impl fmt::Display {
    Written(time)
}

struct Written(Timestamp);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = Offset::UTC.to_datetime(self.0);
        let (year, month, day) = (time.year(), time.month(), time.day());
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        let millisecond = time.millisecond();
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z"
        )
    }
}

pub(crate) fn parse(text: &[u8]) -> Option<Timestamp> {
    let separators =
        [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (23, b'Z')];
    let in_place = separators.iter().all(|(at, byte)| text.get(*at) == Some(byte));
    if !in_place || text.len() != 24 {
        return None;
    }
    let number = |from: usize, to: usize| {
        text.get(from..to)?.iter().try_fold(0i16, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + i16::from(byte - b'0'))
        })
    };
    let small = |from, to| i8::try_from(number(from, to)?).ok();
    let nanoseconds = i32::from(number(20, 23)?) * 1_000_000;
    let time = DateTime::new(
        number(0, 4)?,
        small(5, 7)?,
        small(8, 10)?,
        small(11, 13)?,
        small(14, 16)?,
        small(17, 19)?,
        nanoseconds,
    );
    Offset::UTC.to_timestamp(time.ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn a_time_reads_back_as_it_was_written_and_as_everybody_else_reads_it(
            ms in 0i64..253_402_300_799_999,
        ) {
            let time = Timestamp::from_millisecond(ms).unwrap();
            let text = Written(time).to_string();
            prop_assert_eq!(parse(text.as_bytes()), Some(time));
            prop_assert_eq!(text.parse::<Timestamp>().unwrap(), time);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,30}|[0-9TZ:.-]{24}") {
            if let Some(time) = parse(text.as_bytes()) {
                prop_assert_eq!(Written(time).to_string(), text);
            }
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "2026-11-23",
            "2026-11-23T09:55:24Z",
            "2026-13-23T09:55:24.515Z",
            "2026-11-23T09:55:24.515+",
            "2026-11-23 09:55:24.515Z",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
