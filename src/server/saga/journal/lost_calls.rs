//! The calls whose response nobody saw: what they do may exist twice, or come late.

use jiff::Timestamp;

use super::Journal;
use crate::server::{
    saga::late_commit,
    store::{StepId, StepRecord},
};

impl Journal {
    /// Returns whether an earlier run may have carried `step` out.
    pub(crate) fn was_interrupted(&self, step: StepId) -> bool {
        self.state().interrupted.contains(&step)
    }

    /// Notes that `step` lost a response, so that something may exist twice, or come late.
    pub(crate) fn record_lost_response(&self, step: StepId) {
        let now = self.clock.now();
        let mut state = self.state();
        state.response_lost = true;
        state.late.insert(step, late_commit::until(now));
    }

    /// Returns until when a lost call of `step` may still be carried out.
    pub(crate) fn late_commit_until(&self, step: StepId) -> Option<Timestamp> {
        self.state().late.get(&step).copied()
    }

    /// Returns whether any step lost a response or was interrupted.
    pub(crate) fn may_have_duplicates(&self) -> bool {
        let state = self.state();
        let response_lost = |record: &StepRecord| {
            matches!(record, StepRecord::Succeeded { response_lost: true, .. })
        };
        !state.interrupted.is_empty() || state.steps.records.values().any(response_lost)
    }
}
