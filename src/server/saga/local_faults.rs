//! The duration of local faults of the portal. The limits of steps do not count it, since the stack
//! and the platform are not at fault; the deadline of the deployment does.
//!
//! A local fault is a message in the journal, so its duration counts across restarts. An outage of the
//! database cannot be recorded there: each process remembers its own.

use std::time::Duration;

use jiff::Timestamp;

use super::context::Context;
use super::outages::Span;
use crate::server::local_fault::LocalFault;
use crate::server::store::{Result, StepId};
use domain::event::Level;
use domain::message::MessageCode;
use domain::time::elapsed_ms;
use domain::words::fault;

/// The pause between probes during a local fault, which says nothing about what is probed.
pub(crate) const PROBE_PAUSE: Duration = Duration::from_secs(1);
/// The shortest wait at the end of a limit while the limit is paused.
const LEAST_PAUSE: Duration = Duration::from_secs(1);

impl Context {
    /// Returns for how long, since `began`, the portal had local faults during the present phase.
    pub(crate) fn local_fault_time(&self, began: Timestamp) -> Duration {
        let now = self.clock.now();
        let mut spans = self.outages.spans(now);
        spans.extend(self.journal.spans(is_local_fault));
        union(spans, began, now)
    }

    /// Returns for how long messages that `is_meant` selects were shown while the database was
    /// available.
    pub(crate) fn shown_for(&self, is_meant: impl Fn(&MessageCode) -> bool) -> Duration {
        let now = self.clock.now();
        let outages = self.outages.spans(now);
        let shown = self.journal.spans(is_meant);
        shown
            .into_iter()
            .map(|(since, until)| {
                let whole = Duration::from_millis(elapsed_ms(since, until));
                whole.saturating_sub(union(outages.clone(), since, until))
            })
            .sum()
    }

    /// Logs for the person who watches that the database was unavailable, if it was since `step`
    /// began. This time counts only against the deadline of the deployment.
    pub(crate) fn log_outage(&self, step: StepId) {
        let now = self.clock.now();
        let Some(began) = self.journal.running_since(step) else { return };
        let away = union(self.outages.spans(now), began, now).as_secs();
        if away > 0 {
            let past = fault::past(LocalFault::Database);
            self.warn("journal.write", &format!("{past} for {away} s: it goes on from there"));
        }
    }

    /// Shows the message of a local fault that prevented `action`, and logs it once.
    pub(crate) async fn show_local_fault(
        &self,
        action: &'static str,
        fault: LocalFault,
        reason: &str,
    ) -> Result<()> {
        let message = MessageCode::WaitingForPortal { fault };
        if self.journal.message().as_ref() == Some(&message) {
            return Ok(());
        }
        let description = fault::present(fault);
        tracing::warn!(action, reason, "{description}: waiting for it");
        self.log(Level::Warn, action, &format!("{description}: waiting for it"), 0, None);
        self.journal.set_message(message).await
    }

    /// Restores the phase's own message, if the message of a local fault is shown.
    pub(crate) async fn clear_local_fault(&self) -> Result<()> {
        self.journal.clear_message(is_local_fault).await
    }

    /// Returns the longest wait if `left` is left of a limit: at least [`LEAST_PAUSE`] while the
    /// limit is paused, by a local fault or because the platform hangs. Otherwise the saga would
    /// wake in a tight loop at the end of the limit.
    pub(crate) fn longest(&self, left: Duration) -> Duration {
        let stands_still = self.is_wedged() || !self.is_undoing() && self.has_local_fault();
        if stands_still { left.max(LEAST_PAUSE) } else { left }
    }

    fn has_local_fault(&self) -> bool {
        self.journal.message().as_ref().is_some_and(is_local_fault) || self.outages.is_on()
    }

    /// Returns the present local fault, or one that lasted at the time `end`, when the limit
    /// passed.
    pub(crate) fn local_fault_at(&self, end: Timestamp) -> Option<LocalFault> {
        let told = match self.journal.message() {
            Some(MessageCode::WaitingForPortal { fault }) => Some(fault),
            _ => None,
        };
        let outages = self.outages.spans(self.clock.now());
        let is_away = |(since, until): &Span| *since <= end && *until >= end;
        told.or_else(|| outages.iter().any(is_away).then_some(LocalFault::Database))
    }
}

/// Returns whether the message is that of a local fault.
fn is_local_fault(code: &MessageCode) -> bool {
    matches!(code, MessageCode::WaitingForPortal { .. })
}

/// Returns the total duration of the union of `spans` between `from` and `until`.
fn union(mut spans: Vec<Span>, from: Timestamp, until: Timestamp) -> Duration {
    spans.sort_unstable();
    let (mut covered, mut ms) = (from, 0);
    for (since, end) in spans {
        let (since, end) = (since.max(covered), end.min(until));
        ms += elapsed_ms(since, end);
        covered = covered.max(end);
    }
    Duration::from_millis(ms)
}

#[cfg(test)]
mod tests {
    use crate::server::saga::local_faults::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_427_270 + second).unwrap()
    }

    #[test]
    fn times_that_overlap_count_once() {
        for (spans, seconds) in [
            (vec![], 0),
            (vec![(0, 10)], 10),
            (vec![(5, 8), (0, 10)], 10),
            (vec![(0, 10), (8, 20), (30, 31)], 21),
            (vec![(-50, 3), (98, 500)], 5),
            (vec![(-50, -3), (200, 500)], 0),
        ] {
            let spans = spans.into_iter().map(|(since, until)| (at(since), at(until))).collect();
            assert_eq!(union(spans, at(0), at(100)), Duration::from_secs(seconds));
        }
    }
}
