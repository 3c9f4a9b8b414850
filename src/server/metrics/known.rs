//! The series that exist before anything has happened, at zero.
//!
//! Prometheus computes an increase from two samples: an event that creates its series is in none.
//! So each series whose labels are from a fixed list is created at the start. The calls to the
//! platform have no such list.

use super::labels::{CodeLabels, EndLabels, PhaseLabels, StoreLabels};
use super::{Access, Metrics, Outcome};
use domain::event::FailureCode;
use domain::kind::Kinds;
use domain::refusal::RefusalCode;

impl Metrics {
    /// Creates the series of these kinds of operations, of all refusals and of the store.
    pub(super) fn create_known(&self, kinds: Kinds) {
        for kind in kinds.all() {
            for (outcome, code) in ends() {
                drop(self.ended.get_or_create(&EndLabels::new(kind.name, outcome, code)));
            }
            for phase in kind.phases() {
                drop(self.phases.get_or_create(&PhaseLabels::new(kind, phase)));
            }
        }
        for code in RefusalCode::all() {
            drop(self.refusals.get_or_create(&CodeLabels { code: code.as_str() }));
        }
        self.create_health();
        for access in [Access::Read, Access::Write] {
            for is_answered in [true, false] {
                drop(self.store.get_or_create(&StoreLabels::new(access, is_answered)));
            }
        }
    }
}

/// Returns the ends that an operation can have: each outcome with the codes that it can have.
fn ends() -> impl Iterator<Item = (Outcome, Option<FailureCode>)> {
    let failures = FailureCode::all().map(|code| {
        let outcome =
            if code == FailureCode::Cancelled { Outcome::Cancelled } else { Outcome::Failed };
        (outcome, Some(code))
    });
    let stuck = FailureCode::all().map(|code| (Outcome::Stuck, Some(code)));
    [(Outcome::Done, None)].into_iter().chain(failures).chain(stuck)
}
