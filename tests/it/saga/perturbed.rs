//! Operations on a live stack that meet faults, crashes and requests to cancel: what the matrices of the
//! kinds share.

use clock::Clock;
use domain::progress::End;

use super::scenario::{AFTER, BEFORE, Perturbation};
use super::world::World;
use crate::support::core_platform::Moment;
use crate::support::faulty_store::Crash;

/// The number of rounds of clean-up after an end.
const CLEAN_UPS: u32 = 6;

/// The end of an operation, with its clean-up.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) end: End,
    pub(super) crashes: u32,
    /// The number of faults that nothing met.
    pub(super) missed: usize,
    /// The first write and the first call, and the last ones before the clean-up.
    first: (u32, usize),
    last: (u32, usize),
    /// The number of calls, with the clean-up.
    pub(super) calls: usize,
}

impl World {
    /// Drives the operation that has begun to its end and cleans up, with these faults and this
    /// perturbation.
    pub(super) async fn drive_perturbed(
        &mut self,
        faults: &[String],
        perturbation: Option<Perturbation>,
    ) -> Ended {
        let first = (self.store.writes() + 1, self.platform.calls() + 1);
        for fault in faults {
            self.inject(fault);
        }
        match perturbation {
            Some(Perturbation::Crash(write, crash)) => self.store.crash_at(write, crash),
            Some(Perturbation::CancelAtWrite(write, when)) => self.store.cancel_at(write, when),
            Some(Perturbation::CancelAtCall(call, moment)) => self.cancel_at_call(call, moment),
            None => {}
        }
        let crashes = self.drive().await;
        let last = (self.store.writes(), self.platform.calls());
        let missed = self.platform.core().waiting_faults().len();
        self.platform.core().start_docker(self.clock.now());
        self.clean_up(CLEAN_UPS).await;
        let calls = self.platform.calls() - first.1;
        Ended { end: self.end().await, crashes, missed, first, last, calls }
    }
}

impl Ended {
    /// Returns a crash before and after each write.
    pub(super) fn crash_anywhere(&self) -> impl Iterator<Item = Perturbation> + use<> {
        let both =
            |write| [Crash::Before, Crash::After].map(|crash| Perturbation::Crash(write, crash));
        (self.first.0..=self.last.0).flat_map(both)
    }

    /// Returns the requests to cancel at each write, and at every `every`th call.
    pub(super) fn cancel_anywhere(
        &self,
        every: usize,
    ) -> impl Iterator<Item = Perturbation> + use<> {
        let last = self.last.0;
        let at_write = |write| [BEFORE, AFTER].map(|when| Perturbation::CancelAtWrite(write, when));
        let at_call =
            |call| [Moment::Before, Moment::After].map(|at| Perturbation::CancelAtCall(call, at));
        // After the last write it has ended.
        let writes = (self.first.0..=last).flat_map(at_write);
        let writes = writes.filter(move |one| *one != Perturbation::CancelAtWrite(last, AFTER));
        writes.chain((self.first.1..=self.last.1).step_by(every).flat_map(at_call))
    }
}
