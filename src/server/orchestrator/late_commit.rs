//! Late commits: for how long a call whose response was lost may still be carried out.
//!
//! An undo that looks too early would call something gone that only comes later.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use crate::server::ports::store::{StepId, StepRecord, Steps};

/// The time after its answer was lost for which a call may still be carried out by the platform.
pub(super) const WINDOW: Duration = Duration::from_secs(30);

/// Returns until when calls may still be carried out whose answers an earlier run lost: those
/// of a step that it was in the middle of, that failed, or that lost one on the way. `ended` is
/// when what made all that came to its end, if it did.
pub(super) fn pending(
    steps: &Steps,
    ended: Option<Timestamp>,
    now: Timestamp,
) -> BTreeMap<StepId, Timestamp> {
    let failed_at = steps.records.values().find_map(|record| match record {
        StepRecord::Failed { cause } | StepRecord::Undone { cause: Some(cause), .. } => cause.at,
        StepRecord::Started
        | StepRecord::Succeeded { .. }
        | StepRecord::Undone { cause: None, .. } => None,
    });
    let since = |record: &StepRecord| match record {
        StepRecord::Started => Some(now),
        StepRecord::Succeeded { response_lost: true, .. } => failed_at.or(ended),
        StepRecord::Failed { .. } => failed_at,
        StepRecord::Succeeded { response_lost: false, .. } | StepRecord::Undone { .. } => None,
    };
    let late = |(step, record): (&StepId, &StepRecord)| Some((*step, until(since(record)?)));
    steps.records.iter().filter_map(late).collect()
}

/// Returns until when a call may still be carried out whose response was lost at `lost`.
pub(super) fn until(lost: Timestamp) -> Timestamp {
    lost.checked_add(WINDOW).unwrap_or(lost)
}
