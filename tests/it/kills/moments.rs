//! The moments of the kills: random, but spread over all phases.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use domain::phase::Phase;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

/// The phases in which an operation acts.
const PHASES: [Phase; 9] = [
    Phase::INITIALIZING,
    Phase::CREATING_PROJECT,
    Phase::GETTING_ENVIRONMENT,
    Phase::CREATING_APPLICATION,
    Phase::CONFIGURING_APPLICATION,
    Phase::CREATING_DOMAIN,
    Phase::DEPLOYING,
    Phase::VERIFYING_HEALTH,
    Phase::ROLLING_BACK,
];

/// One kill in this many hits the portal before it listens.
const STARTING: usize = 8;

/// The moment of the next kill.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    /// This long after the process was started, most likely before it listens.
    AfterStart(Duration),
    /// This long after it was ready.
    AfterReady(Duration),
    /// This long after a deployment was seen in this phase.
    In(Phase, Duration),
}

/// The phases that the kills hit.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    /// For each phase, the number of kills while a deployment was in it.
    phases: BTreeMap<Phase, usize>,
    /// The number of kills before the portal listened.
    starting: usize,
    kills: usize,
}

impl Coverage {
    /// Chooses the next moment: mostly one in a phase that had few kills so far.
    pub(crate) fn next(&self, rng: &mut StdRng) -> Moment {
        let mut after = |most| Duration::from_millis(rng.random_range(0..=most));
        let (at_once, soon, later) = (after(20), after(60), after(900));
        if self.starting < self.kills / STARTING {
            return Moment::AfterStart(at_once);
        }
        if rng.random_bool(0.25) {
            return Moment::AfterReady(later);
        }
        let mut rarest = PHASES;
        rarest.sort_by_key(|phase| self.in_phase(*phase));
        Moment::In(*rarest[..4].choose(rng).unwrap(), soon)
    }

    /// Records a kill while deployments were in `phases`.
    pub(crate) fn note(&mut self, phases: impl IntoIterator<Item = Phase>) {
        self.kills += 1;
        phases.into_iter().for_each(|phase| *self.phases.entry(phase).or_default() += 1);
    }

    /// Records a kill before the portal listened.
    pub(crate) fn note_start(&mut self) {
        self.kills += 1;
        self.starting += 1;
    }

    fn in_phase(&self, phase: Phase) -> usize {
        self.phases.get(&phase).copied().unwrap_or_default()
    }

    /// Checks that the kills hit most phases, including the start and the rollback.
    pub(crate) fn assert_wide(&self) {
        let hit = PHASES.iter().filter(|phase| self.in_phase(**phase) > 0).count();
        assert!(hit >= PHASES.len() - 2, "{self}");
        assert!(self.in_phase(Phase::ROLLING_BACK) > 0 && self.starting > 0, "{self}");
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} kills; deployments were at them in", self.kills)?;
        writeln!(f, "{:>5}  (before the portal listened)", self.starting)?;
        PHASES
            .iter()
            .try_for_each(|phase| writeln!(f, "{:>5}  {}", self.in_phase(*phase), phase.as_str()))
    }
}
