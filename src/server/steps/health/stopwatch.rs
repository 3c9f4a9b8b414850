//! Stopwatches for the parts of a health wait that do not count against the stack.

use jiff::Timestamp;

use crate::server::saga::context::Context;
use domain::message::MessageCode;
use domain::time::elapsed_ms;

/// Adds up the time for which a condition held. While it holds, the page shows a message about it.
#[derive(Default)]
pub(crate) struct Stopwatch {
    /// The time since which the condition holds, if it does.
    pub(super) since: Option<Timestamp>,
    /// The milliseconds for which it held before.
    ms: u64,
}

impl Stopwatch {
    /// Resumes after a restart. The journal has no stopwatches, so this uses the time for which
    /// the message `code` was shown.
    pub(super) fn resume(cx: &Context, code: &MessageCode, now: Timestamp) -> Self {
        let time_shown = cx.shown_for(|shown| shown == code);
        Self {
            since: cx.journal.message_since(code).map(|_| now),
            ms: u64::try_from(time_shown.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Records whether the condition holds at `now`.
    pub(super) fn note(&mut self, lasts: bool, now: Timestamp) {
        match (lasts, self.since) {
            (true, None) => self.since = Some(now),
            (false, Some(since)) => {
                self.ms += elapsed_ms(since, now);
                self.since = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// Returns for how many milliseconds the condition has held until `now`.
    pub(super) fn total_ms(&self, now: Timestamp) -> u64 {
        self.ms + self.since.map_or(0, |since| elapsed_ms(since, now))
    }
}
