//! Takeovers: the end of the attempt that the former holder of the lease began.
//!
//! A holder that stops gracefully ends the span of its attempt and releases its lease. One that is
//! killed does neither.

use super::context::Context;
use crate::server::lease::Lease;

impl Context {
    /// Sends the span of the attempt during which another process was interrupted, if `lease` was
    /// taken over from one: from the recorded beginning of the step until now.
    pub(crate) fn trace_takeover(&self, lease: &Lease) {
        let is_taken_over = lease.former.as_ref().is_some_and(|former| *former != lease.owner);
        if !is_taken_over || self.journal.mode().is_after_end() {
            return;
        }
        let now = self.clock.now();
        for step in self.journal.interrupted() {
            let since = self.journal.running_since(step).unwrap_or(now);
            self.trace.interrupted(step, (since, now));
        }
    }
}
