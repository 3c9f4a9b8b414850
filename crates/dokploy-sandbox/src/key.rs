//! The rate limit of the API key: each request counts twice, since its key is verified twice.
//!
//! It must not know a call.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    refusal::{unauthorized, unauthorized_within},
    request::Answer,
};

/// The number of times that the key may be verified within a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyLimit {
    most: u32,
    window: Duration,
    used: u32,
    last: Option<Timestamp>,
}

impl KeyLimit {
    /// Makes a limit of `most` verifications within `window`, of which none is used.
    pub(super) fn new(most: u32, window: Duration) -> Self {
        Self { most, window, used: 0, last: None }
    }

    /// Verifies the key twice for `call`, and returns the 401 where the limit is reached: a bare
    /// one the first time, one with a code the second (recording 153; day two, recording 90).
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
