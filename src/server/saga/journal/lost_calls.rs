//! Lost calls: their responses were lost, so they may have created a resource twice, or may still
//! take effect.

use jiff::Timestamp;

use super::Journal;
use crate::server::{
    saga::late_commit,
    store::{StepId, StepRecord},
};

impl Journal {
    /// Returns whether an earlier run stopped during `step`, so that its calls may have succeeded.
    pub(crate) fn was_interrupted(&self, step: StepId) -> bool {
        self.state.lock().interrupted.contains(&step)
    }

    /// Notes that a call of `step` lost its response now.
    pub(crate) fn record_lost_response(&self, step: StepId) {
        let now = self.clock.now();
        let mut state = self.state.lock();
        state.response_lost = true;
        state.late.insert(step, late_commit::until(now));
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
