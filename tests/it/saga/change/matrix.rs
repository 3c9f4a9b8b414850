//! The matrix of changes: every fault at every call, and in some of these scenarios a crash at every
//! write and a request to cancel at every write and every call.
//!
//! Whatever happens, exactly one revision answers at the end, which is the one that the stack has, the
//! receipt says so, and the number of calls is bounded (promise P19).

use std::fmt;

use ai_stack_deployer::server::store::State;
use domain::progress::End;
use domain::receipt::{Line, Outcome};
use serde_json::Value;

use super::{World, live};
use crate::saga::perturbed::Ended;
use crate::saga::scenario::{Perturbation, Tally};
use crate::support::fake_platform::TRANSIENT;

/// What a change is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    /// An image that runs, which a deploy job fetches.
    Image,
    /// A setting, for which the container is replaced without a job.
    Setting,
    /// An image that does not run, so that the change is taken back.
    Crash,
}

const AIMS: [Aim; 3] = [Aim::Image, Aim::Setting, Aim::Crash];

/// The calls by which a change looks at what runs.
const LOOKS: [&str; 4] = [
    "docker.getConfig",
    "docker.getContainersByAppLabel",
    "docker.getServiceContainersByAppName",
    "swarm.getNodes",
];
/// The most calls of a change with its clean-up.
const MOST_CALLS: usize = 1_500;

/// A change, and the faults that meet its calls.
#[derive(Clone)]
struct Scenario {
    aim: Aim,
    faults: Vec<String>,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} with {:?}", self.aim, self.faults)
    }
}

impl Scenario {
    fn new(aim: Aim, fault: &str) -> Self {
        Self { aim, faults: vec![fault.to_owned()] }
    }

    /// Runs it, and checks what the stack is then.
    async fn run(&self, perturbation: Option<Perturbation>) -> Ended {
        let what = format!("{self:?} {perturbation:?}");
        let mut world = live().await;
        let image = match self.aim {
            Aim::Image => Some("sandbox/revisions:2"),
            Aim::Crash => Some("sandbox/revisions:crashloop"),
            Aim::Setting => None,
        };
        world
            .ask_to_change(50, |spec| match image {
                Some(image) => image.clone_into(&mut spec.image),
                None => spec.size.memory_bytes = Some(64 << 20),
            })
            .await;
        let ended = world.drive_perturbed(&self.faults, perturbation).await;
        assert!(ended.calls < MOST_CALLS, "{what}: {} calls", ended.calls);
        world.holds(&what).await;
        world.assert_nothing_is_between(self.aim, &what).await;
        ended
    }
}

impl World {
    /// Checks that store, platform and receipt agree on the revision of the stack.
    async fn assert_nothing_is_between(&self, aim: Aim, what: &str) {
        let record = self.record().await;
        assert_eq!(record.state, State::RolledBack, "{what}");
        assert_eq!(self.count().await, (1, 1, 1, 1), "{what}: nothing is lost");
        let inventory = self.platform.inventory().await;
        assert_eq!(inventory["services"][0]["replicas"], Value::from(1), "{what}");
        let image = &inventory["applications"][0]["dockerImage"];
        let expected = match (aim, self.present().await) {
            (Aim::Image, 2) => "sandbox/revisions:2",
            (Aim::Image | Aim::Setting | Aim::Crash, _) => "sandbox/revisions:1",
        };
        assert_eq!(*image, expected, "{what}: the row");
        let failure = match self.end().await {
            End::Live(_) => return,
            End::Failed(failure) => failure,
            End::Removed(removed) => panic!("{what}: {removed:?}"),
        };
        let receipt = record.metadata.receipt.unwrap_or(failure.receipt);
        assert!(receipt.clean && receipt.lines.iter().all(Line::is_settled), "{what}: {receipt:?}");
        let is_restored = |line: &Line| line.outcome == Outcome::Restored;
        assert!(receipt.lines.iter().all(is_restored), "{what}: {receipt:?}");
    }
}

/// Returns the calls that change something in a change of this kind.
fn changing(aim: Aim) -> [&'static str; 2] {
    match aim {
        Aim::Image | Aim::Crash => ["application.update", "application.deploy"],
        Aim::Setting => ["application.update", "application.reload"],
    }
}

/// Returns the scenarios in which something else happens as well: an answer that is lost, and faults
/// that last until a step is given up, or its undo as well.
fn perturbed() -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    for aim in AIMS {
        for call in changing(aim) {
            for fault in ["timeout", "error-after:6", "error-before:12"] {
                scenarios.push(Scenario::new(aim, &format!("{call}:{fault}")));
            }
        }
    }
    scenarios
}

#[tokio::test]
async fn whatever_passes_a_change_ends_as_it_would_have() {
    for aim in AIMS {
        let job = (aim != Aim::Setting).then_some("deployment.all");
        for call in changing(aim).into_iter().chain(LOOKS).chain(job) {
            let more = ["docker-down=5s", "restart", "database-lost=5s"];
            for fault in TRANSIENT.into_iter().chain(more) {
                let scenario = Scenario::new(aim, &format!("{call}:{fault}"));
                let ended = scenario.run(None).await;
                assert_eq!(ended.missed, 0, "{scenario:?}: nothing met its fault");
                let is_good = matches!(ended.end, End::Live(_));
                // With Docker down, a job or a container that begins meanwhile fails, as it should.
                let may_fail = fault.starts_with("docker-down") || fault == "restart";
                let expected = aim != Aim::Crash;
                assert!(
                    is_good == expected || (may_fail && expected),
                    "{scenario:?}: {:?}",
                    ended.end
                );
            }
        }
    }
}

#[tokio::test]
async fn a_crash_anywhere_leaves_one_revision() {
    let mut tally = Tally::default();
    for scenario in perturbed() {
        let calm = scenario.run(None).await;
        for perturbation in calm.crash_anywhere() {
            let ended = scenario.run(Some(perturbation)).await;
            assert_eq!(ended.crashes, 1, "{scenario:?} {perturbation:?}: it went on");
            tally.count(&[perturbation]);
        }
    }
    println!("{tally}");
    assert!(tally.total() > 200);
}

#[tokio::test]
async fn a_cancel_request_anywhere_leaves_one_revision() {
    let mut tally = Tally::default();
    for scenario in perturbed() {
        let calm = scenario.run(None).await;
        for perturbation in calm.cancel_anywhere(11) {
            scenario.run(Some(perturbation)).await;
            tally.count(&[perturbation]);
        }
    }
    println!("{tally}");
    assert!(tally.total() > 300);
}
