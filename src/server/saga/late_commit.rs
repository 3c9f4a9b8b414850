//! Late commits: for how long the platform may still carry out a call whose response was lost.
//!
//! Until then, the absence of a resource proves nothing: an undo that looks too early would report
//! a resource as gone that the platform creates afterwards.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

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
    let failed_at = steps.records.values().find_map(|record| match record {
        StepRecord::Failed { cause } | StepRecord::Undone { cause: Some(cause), .. } => cause.at,
        StepRecord::Started
        | StepRecord::Succeeded { .. }
        | StepRecord::Undone { cause: None, .. } => None,
    });
    // The records do not say when a response was lost, so each case uses a later known time.
    let since = |record: &StepRecord| match record {
        StepRecord::Started => Some(now),
        StepRecord::Succeeded { response_lost: true, .. } => failed_at.or(ended),
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
