//! The rate limit of the API key: each request counts twice, since its key is verified twice.
//!
//! It must not know what a call does.

use std::time::Duration;

use jiff::Timestamp;

use super::refusal::{unauthorized, unauthorized_within};
use super::request::Answer;

/// The limit on verifications of the key within a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyLimit {
    most: u32,
    window: Duration,
    used: u32,
    last: Option<Timestamp>,
}

impl KeyLimit {
    /// Creates a limit of `most` verifications within `window`.
    pub(super) fn new(most: u32, window: Duration) -> Self {
        Self { most, window, used: 0, last: None }
    }

    /// Verifies the key twice for `call`, and returns a 401 if the limit is reached: a bare one at
    /// the first verification, one with a code at the second (recordings 153, day-two 90).
    pub(super) fn refusal(&mut self, now: Timestamp, call: &str) -> Option<Answer> {
        let is_over = |last: Timestamp| now.duration_since(last).unsigned_abs() > self.window;
        if self.last.is_some_and(is_over) {
            self.used = 0;
        }
        if self.used >= self.most {
            return Some(unauthorized());
        }
        self.last = Some(now);
        self.used += 1;
        if self.used >= self.most {
            return Some(unauthorized_within(call));
        }
        self.used += 1;
        None
    }
}
