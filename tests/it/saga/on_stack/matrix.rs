//! The matrix of the kinds that keep their stack: every fault at every call, and in each of these
//! scenarios a crash at every write and a request to cancel at every write and every call.
//!
//! Whatever happens, what runs at the end is what the stack should be, the receipt says so, and the
//! number of calls is bounded.

use std::fmt;

use ai_stack_deployer::server::store::{Desired, State};
use domain::event::FailureCode;
use domain::kind::{Kind, RESTART, START, STOP, StackState};
use domain::progress::End;
use domain::receipt::{Line, Outcome};
use serde_json::Value;

use super::{World, live};
use crate::saga::perturbed::Ended;
use crate::saga::scenario::{Perturbation, Tally};
use crate::support::fake_platform::TRANSIENT;

/// The kinds that keep their stack.
const KINDS: [&Kind; 3] = [&STOP, &START, &RESTART];
/// The calls of each.
const CALLS: [&str; 5] = [
    "application.update",
    "application.reload",
    "docker.getContainersByAppLabel",
    "docker.getServiceContainersByAppName",
    "swarm.getNodes",
];
/// The most calls of an operation with its clean-up.
const MOST_CALLS: usize = 600;

/// A kind, and the faults that meet its calls.
#[derive(Clone)]
struct Scenario {
    kind: &'static Kind,
    faults: Vec<String>,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {:?}", self.kind.noun, self.faults)
    }
}

impl Scenario {
    fn new(kind: &'static Kind, faults: &[String]) -> Self {
        Self { kind, faults: faults.to_vec() }
    }

    /// Runs it, and checks that the stack is what the end says.
    async fn run(&self, perturbation: Option<Perturbation>) -> Ended {
        let what = format!("{self:?} {perturbation:?}");
        let mut world = live("sandbox/hello").await;
        if !self.kind.starts_from.contains(&StackState::Live) {
            world.run_on_stack(&STOP, 49).await;
            world.platform.inventory().await;
        }
        let (_, task) = world.answers();
        world.ask_for(self.kind, 50).await;
        let ended = world.drive_perturbed(&self.faults, perturbation).await;
        assert!(ended.calls < MOST_CALLS, "{what}: {} calls", ended.calls);
        world.assert_is_as_it_should_be(self.kind, &what).await;
        if self.kind.name == RESTART.name && matches!(ended.end, End::Live(_)) {
            assert_ne!(world.answers().1, task, "{what}: the container is the old one");
        }
        ended
    }
}

impl World {
    /// Checks that store, platform and receipt agree on what the stack is.
    async fn assert_is_as_it_should_be(&self, kind: &Kind, what: &str) {
        let (record, desired) = (self.record().await, self.desired().await);
        assert_eq!(record.state, State::RolledBack, "{what}");
        let (end, expected) = match self.end().await {
            End::Live(_) => (None, kind.done),
            End::Failed(failure) => (Some(failure), kind.undone),
            End::Removed(removed) => panic!("{what}: {removed:?}"),
        };
        assert_eq!(Desired::of(expected), Some(desired), "{what}");
        assert_eq!(self.count().await, (1, 1, 1, 1), "{what}: nothing is lost");
        let inventory = self.platform.inventory().await;
        let (status, replicas) = match desired {
            Desired::Running => (200, 1),
            Desired::Stopped => (502, 0),
        };
        assert_eq!(inventory["services"][0]["replicas"], Value::from(replicas), "{what}");
        assert_eq!(self.answers().0, status, "{what}: {desired:?}");
        let Some(failure) = end else { return };
        let receipt = record.metadata.receipt.unwrap_or(failure.receipt);
        assert!(receipt.clean && receipt.lines.iter().all(Line::is_settled), "{what}: {receipt:?}");
        for line in receipt.lines {
            let restored = match desired {
                Desired::Running => Outcome::Restored,
                Desired::Stopped => Outcome::VerifiedGone,
            };
            assert_eq!(line.outcome, restored, "{what}");
        }
    }
}

/// Returns every fault at every call of every kind, of those that pass.
fn passing() -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    for kind in KINDS {
        for call in CALLS {
            let other = ["docker-down=5s", "restart", "database-lost=5s"];
            for fault in TRANSIENT.into_iter().chain(other) {
                scenarios.push(Scenario::new(kind, &[format!("{call}:{fault}")]));
            }
        }
    }
    scenarios
}

/// Returns scenarios in which a call fails until the step is given up, with and without an effect,
/// and for so long that the undo fails as well.
fn lasting() -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    for kind in KINDS {
        for call in ["application.update", "application.reload"] {
            for fault in ["error-before:6", "error-after:6", "ignored:1", "error-before:12"] {
                // A restart has no undo.
                if kind.name != RESTART.name || fault != "error-before:12" {
                    scenarios.push(Scenario::new(kind, &[format!("{call}:{fault}")]));
                }
            }
        }
        scenarios.push(Scenario::new(kind, &[String::from("application.reload:docker-down=20m")]));
    }
    scenarios
}

/// Returns the scenarios of each kind in which something else happens as well: none of the faults, one
/// whose answer is lost, and those that last.
fn perturbed() -> Vec<Scenario> {
    let lost = ["application.update:timeout", "application.reload:error-after"];
    let few = KINDS.into_iter().flat_map(|kind| {
        let lost = lost.map(|fault| Scenario::new(kind, &[fault.to_owned()]));
        std::iter::once(Scenario::new(kind, &[])).chain(lost)
    });
    few.collect()
}

async fn run(scenarios: Vec<Scenario>, is_cancelled: bool) -> Tally {
    let mut tally = Tally::default();
    for scenario in scenarios {
        let calm = scenario.run(None).await;
        assert_eq!(calm.missed, 0, "{scenario:?}: nothing met its fault");
        tally.count(&[]);
        let perturbations: Vec<_> = if is_cancelled {
            calm.cancel_anywhere(1).collect()
        } else {
            calm.crash_anywhere().collect()
        };
        for perturbation in perturbations {
            let ended = scenario.run(Some(perturbation)).await;
            let what = format!("{scenario:?} {perturbation:?}");
            if is_cancelled {
                let End::Failed(failure) = &ended.end else { panic!("{what}: {:?}", ended.end) };
                assert_eq!(failure.code, FailureCode::Cancelled, "{what}");
            } else {
                assert_eq!(ended.crashes, 1, "{what}: it went on as if nothing had happened");
            }
            tally.count(&[perturbation]);
        }
    }
    println!("{tally}");
    tally
}

#[tokio::test]
async fn whatever_passes_a_stop_a_start_or_a_restart_is_done() {
    for scenario in passing() {
        let ended = scenario.run(None).await;
        assert!(matches!(ended.end, End::Live(_)), "{scenario:?}: {:?}", ended.end);
        assert_eq!(ended.missed, 0, "{scenario:?}: nothing met its fault");
    }
}

#[tokio::test]
async fn a_crash_anywhere_leaves_the_stack_as_it_should_be() {
    let all = perturbed().into_iter().chain(lasting());
    assert!(run(all.collect(), false).await.total() > 300);
}

#[tokio::test]
async fn a_cancel_request_anywhere_leaves_the_stack_as_it_was() {
    let is_hopeless = |scenario: &Scenario| scenario.faults[0].ends_with(":6");
    let all = perturbed().into_iter().chain(lasting().into_iter().filter(is_hopeless));
    assert!(run(all.collect(), true).await.total() > 500);
}
