//! Time within a wait that somebody else than the stack is to blame for.

use jiff::Timestamp;

use crate::server::orchestrator::context::Context;
use domain::progress::elapsed_ms;

/// Time that something has cost, and costs while a sentence about it is shown.
#[derive(Default)]
pub(super) struct Stopwatch {
    pub(super) since: Option<Timestamp>,
    ms: u64,
}

impl Stopwatch {
    /// Goes on from what was shown before a restart.
    pub(super) fn resume(cx: &Context, sentence: &str, now: Timestamp) -> Self {
        let time_shown = cx.shown_for(|message| message == sentence);
        Self {
            since: cx.journal.message_since(sentence).map(|_| now),
            ms: u64::try_from(time_shown.as_millis()).unwrap_or(u64::MAX),
        }
    }

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

    pub(super) fn total_ms(&self, now: Timestamp) -> u64 {
        self.ms + self.since.map_or(0, |since| elapsed_ms(since, now))
    }
}
