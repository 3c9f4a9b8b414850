//! The position of an operation among the steps of its kind.

use super::Journal;
use crate::server::store::{StepId, StepRecord};
use domain::receipt::Line;

impl Journal {
    /// Returns the current or else the next step, and whether it has begun. A step without a record
    /// before others that have one was left out: it is none of this operation.
    pub(crate) fn under_way(&self) -> (StepId, bool) {
        let state = self.state.lock();
        let record = |step: StepId| state.steps.records.get(&step);
        let mut newest_first = self.kind.steps.iter().rev().map(|step| step.id);
        let last = newest_first.find(|step| record(*step).is_some());
        let is_open = |step: &StepId| record(*step) == Some(&StepRecord::Started);
        if let Some(open) = last.filter(is_open) {
            return (open, true);
        }
        let mut steps = self.kind.steps.iter().map(|step| step.id);
        let next = match last {
            Some(last) => steps.skip_while(|step| *step != last).nth(1),
            None => steps.next(),
        };
        let step = next.unwrap_or(self.last_step());
        (step, record(step).is_some())
    }

    /// Returns the last of the kind's steps.
    pub(crate) fn last_step(&self) -> StepId {
        self.kind.steps.last().map_or(StepId::new(""), |step| step.id)
    }

    /// Returns the receipt's lines of all steps undone so far, newest step first.
    pub(crate) fn undone_lines(&self) -> Vec<Line> {
        let state = self.state.lock();
        let newest_first = self.kind.steps.iter().rev();
        let records = newest_first.filter_map(|step| state.steps.records.get(&step.id));
        let lines = records.filter_map(|record| match record {
            StepRecord::Undone { lines, .. } => Some(lines.clone()),
            StepRecord::Started | StepRecord::Succeeded { .. } | StepRecord::Failed { .. } => None,
        });
        lines.flatten().collect()
    }
}
