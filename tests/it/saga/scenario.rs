//! Scenarios: an image, faults of the platform, and the expected ends; and their perturbations.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ai_stack_deployer::server::store::{CancelRequest, Disposal, State, Store};
use domain::event::FailureCode;
use domain::progress::End;

use super::volumes::volume;
use super::world::World;
use crate::support::core_platform::Moment;
use crate::support::faulty_store::Crash;
use crate::support::memory_store::MemoryStore;
use crate::support::settings::stack_settings;

/// Before the write, for a request to cancel.
pub(super) const BEFORE: Crash = Crash::Before;
/// After the write, for a request to cancel.
pub(super) const AFTER: Crash = Crash::After;

/// A scenario: the image and the faults on the platform.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub(super) image: &'static str,
    pub(super) faults: Vec<String>,
    /// The states in which it may end without a perturbation.
    pub(super) expected: &'static [State],
    /// True if it is a removal of a live stack. The faults begin with the removal.
    pub(super) is_removed: bool,
    /// The data of the stack.
    pub(super) data: Data,
}

/// The data of the stack of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data {
    /// It has none.
    None,
    /// It has a volume, with which a removal does this.
    Own(Disposal),
    /// It has the volume of a former stack, which it brings back.
    BroughtBack,
}

/// A perturbation of the portal. Writes and calls are counted from the start of the scenario, from
/// 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Perturbation {
    /// The portal crashes at a write.
    Crash(u32, Crash),
    /// A person cancels just before or after a write.
    CancelAtWrite(u32, Crash),
    /// A person cancels before a call has its effect, or after that.
    CancelAtCall(usize, Moment),
}

/// The end of a scenario.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) state: State,
    pub(super) code: Option<FailureCode>,
    pub(super) writes: u32,
    cancel_request: CancelRequest,
    crashes: u32,
    /// The first write and the first call of the scenario.
    first: (u32, usize),
    calls: usize,
    /// The faults that did not occur.
    missed: Vec<String>,
}

impl Scenario {
    pub(super) fn new(image: &'static str, faults: &[&str], expected: &'static [State]) -> Self {
        let faults = faults.iter().map(|&fault| fault.to_owned()).collect();
        Self { image, faults, expected, is_removed: false, data: Data::None }
    }

    /// Returns what its removal does with the data.
    fn disposal(&self) -> Disposal {
        match self.data {
            Data::Own(disposal) => disposal,
            Data::None | Data::BroughtBack => Disposal::Delete,
        }
    }

    /// Runs the scenario with `perturbations`, and checks that it ends with all resources or none.
    pub(super) async fn run(&self, perturbations: &[Perturbation]) -> Ended {
        self.run_in(Arc::new(MemoryStore::default()), perturbations).await
    }

    /// Runs the scenario over `store`, which must be empty.
    pub(super) async fn run_in(
        &self,
        store: Arc<dyn Store>,
        perturbations: &[Perturbation],
    ) -> Ended {
        let what = format!("{self:?} {perturbations:?}");
        let settings = stack_settings(self.image);
        let mut world = match self.data {
            Data::None => World::begin_by(store, settings, &[]).await,
            Data::Own(_) => {
                World::begin_with(store, settings, |spec| spec.volumes.push(volume()), &[]).await
            }
            Data::BroughtBack => World::begin_with_kept_data(store, settings, volume()).await,
        };
        if self.is_removed {
            world.drive().await;
            world.remove_with(self.disposal()).await;
        }
        let first = (world.store.writes() + 1, world.platform.calls() + 1);
        for fault in &self.faults {
            world.inject(fault);
        }
        for perturbation in perturbations {
            match *perturbation {
                Perturbation::Crash(write, crash) => world.store.crash_at(write, crash),
                Perturbation::CancelAtWrite(write, when) => world.store.cancel_at(write, when),
                Perturbation::CancelAtCall(call, moment) => world.cancel_at_call(call, moment),
            }
        }
        let crashes = world.drive().await;
        // An undo that its deadline interrupted continues as clean-up.
        let tries = world.clean_up(4).await;
        assert!(tries == 0 || !perturbations.is_empty(), "{what}: it got stuck");
        world.assert_all_or_nothing(&what).await;
        let record = world.record().await;
        let waiting = world.platform.core().waiting_faults().to_vec();
        Ended {
            state: record.state,
            code: match world.end().await {
                End::Failed(failure) => Some(failure.code),
                End::Live(_) | End::Removed(_) => None,
            },
            writes: world.store.writes(),
            cancel_request: record.cancel_request,
            crashes,
            first,
            calls: world.platform.calls(),
            missed: waiting.iter().map(|fault| format!("{fault:?}")).collect(),
        }
    }
}

impl Ended {
    /// Returns every crash that is possible in it.
    pub(super) fn crashes(&self) -> Vec<Perturbation> {
        let both =
            |write| [Crash::Before, Crash::After].map(|crash| Perturbation::Crash(write, crash));
        (self.first.0..=self.writes).flat_map(both).collect()
    }

    /// Returns every request to cancel that is possible in it.
    pub(super) fn cancellations(&self) -> Vec<Perturbation> {
        let at_write = |write| [BEFORE, AFTER].map(|when| Perturbation::CancelAtWrite(write, when));
        let at_call =
            |call| [Moment::Before, Moment::After].map(|at| Perturbation::CancelAtCall(call, at));
        // After the last write it has ended.
        let writes = (self.first.0..=self.writes).flat_map(at_write);
        let writes = writes.filter(|perturbation| {
            *perturbation != Perturbation::CancelAtWrite(self.writes, AFTER)
        });
        writes.chain((self.first.1..=self.calls).flat_map(at_call)).collect()
    }

    /// Checks that every fault occurred.
    pub(super) fn assert_struck(&self, scenario: &Scenario) {
        assert!(self.missed.is_empty(), "{scenario:?}: nothing met {:?}", self.missed);
    }

    /// Checks that each perturbation occurred and had its effect.
    pub(super) fn assert_perturbed(&self, scenario: &Scenario, perturbations: &[Perturbation]) {
        let what = format!("{scenario:?} {perturbations:?}");
        let is_crash =
            |perturbation: &&Perturbation| matches!(perturbation, Perturbation::Crash(..));
        let crashes = perturbations.iter().filter(is_crash).count();
        assert_eq!(self.crashes as usize, crashes, "{what}: it went on as if nothing had happened");
        if crashes < perturbations.len() {
            assert_eq!(self.cancel_request, CancelRequest::Requested, "{what}: nobody cancelled");
            let end = (self.state, self.code);
            assert_eq!(end, (State::RolledBack, Some(FailureCode::Cancelled)), "{what}");
        }
    }
}

/// The number of schedules that ran, by their perturbations.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<&'static str, u32>);

impl Tally {
    /// Counts one schedule.
    pub(super) fn count(&mut self, perturbations: &[Perturbation]) {
        let kind = match perturbations {
            [] => "calm",
            [Perturbation::Crash(..)] => "with a crash",
            [Perturbation::CancelAtWrite(..)] => "cancelled at a write",
            [Perturbation::CancelAtCall(..)] => "cancelled at a call",
            _ => "with several",
        };
        *self.0.entry(kind).or_default() += 1;
    }

    /// Returns the number of all schedules.
    pub(super) fn total(&self) -> u32 {
        self.0.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} schedules:", self.total())?;
        for (kind, count) in &self.0 {
            write!(f, " {count} {kind},")?;
        }
        Ok(())
    }
}
