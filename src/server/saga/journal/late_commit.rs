//! Late commits: for how long the platform may still carry out a call whose response was lost.
//!
//! Until then, the absence of a resource proves nothing: an undo that looks too early would report
//! a resource as gone that the platform creates afterwards. Such a call may also have created a
//! resource twice.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::Journal;
use crate::server::store::{StepId, StepRecord, Steps};
use domain::time::later;

/// The time for which the platform may still carry out a call after its response was lost.
pub(crate) const WINDOW: Duration = Duration::from_secs(30);

/// Returns the steps whose calls the platform may still carry out, each with the time until which
/// that is possible.
///
/// These are the steps of an earlier run that were interrupted, that failed, or that succeeded
/// although a response was lost. `ended` is the time at which the deployment that executed the
/// steps ended, if it did.
pub(crate) fn pending(
    steps: &Steps,
    ended: Option<Timestamp>,
    now: Timestamp,
) -> BTreeMap<StepId, Timestamp> {
    let failed_at = steps.records.values().find_map(|record| record.cause()?.at);
    // The records do not say when a response was lost, so each case uses a later known time. While
    // the operation goes on, that is now.
    let since = |record: &StepRecord| match record {
        StepRecord::Started => Some(now),
        StepRecord::Succeeded { response_lost: true, .. } => failed_at.or(ended).or(Some(now)),
        StepRecord::Failed { .. } => failed_at,
        StepRecord::Succeeded { response_lost: false, .. } | StepRecord::Undone { .. } => None,
    };
    let late = |(step, record): (&StepId, &StepRecord)| Some((*step, until(since(record)?)));
    steps.records.iter().filter_map(late).collect()
}

/// Returns the time until which the platform may still carry out a call whose response was lost at
/// `lost`.
pub(crate) fn until(lost: Timestamp) -> Timestamp {
    later(lost, WINDOW)
}

impl Journal {
    /// Returns whether an earlier run stopped during `step`, so that its calls may have succeeded.
    pub(crate) fn was_interrupted(&self, step: StepId) -> bool {
        self.state.lock().interrupted.contains(&step)
    }

    /// Returns the steps during which an earlier run stopped.
    pub(crate) fn interrupted(&self) -> Vec<StepId> {
        self.state.lock().interrupted.clone()
    }

    /// Notes that a call of `step` lost its response now.
    pub(crate) fn record_lost_response(&self, step: StepId) {
        let now = self.clock.now();
        let mut state = self.state.lock();
        state.response_lost = true;
        state.late.insert(step, until(now));
    }

    /// Returns the time until which a lost call of `step` may still take effect, if there was one.
    pub(crate) fn late_commit_until(&self, step: StepId) -> Option<Timestamp> {
        self.state.lock().late.get(&step).copied()
    }

    /// Returns whether any step lost a response or was interrupted.
    pub(crate) fn may_have_duplicates(&self) -> bool {
        let state = self.state.lock();
        let response_lost = |record: &StepRecord| {
            matches!(record, StepRecord::Succeeded { response_lost: true, .. })
        };
        !state.interrupted.is_empty() || state.steps.records.values().any(response_lost)
    }
}
