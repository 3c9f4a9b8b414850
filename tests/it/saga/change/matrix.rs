//! The matrix of changes: every fault at every call, and in some of these scenarios a crash at every
//! write and a request to cancel at every write and every call.
//!
//! Whatever happens, exactly one revision answers at the end, which is the one that the stack has, the
//! receipt says so, and the number of calls is bounded (promise P19).

use std::fmt;

use ai_stack_deployer::server::store::State;
use domain::progress::End;
use domain::receipt::{Line, Outcome, ResourceKind};
use serde_json::Value;

use super::attached::{live_with, of};
use super::{World, live};
use crate::saga::perturbed::Ended;
use crate::saga::scenario::{Perturbation, Tally};
use crate::saga::volumes::volumes;
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
    /// Another port, a volume more, one less, and one at another folder.
    Attachments,
    /// The same, with an image that does not run.
    CrashWithAttachments,
}

const AIMS: [Aim; 5] =
    [Aim::Image, Aim::Setting, Aim::Crash, Aim::Attachments, Aim::CrashWithAttachments];

impl Aim {
    /// Returns whether the revision runs.
    fn is_good(self) -> bool {
        match self {
            Self::Image | Self::Setting | Self::Attachments => true,
            Self::Crash | Self::CrashWithAttachments => false,
        }
    }

    /// Returns the image of the revision, if it is another one.
    fn image(self) -> Option<&'static str> {
        match self {
            Self::Image | Self::Attachments => Some("sandbox/revisions:2"),
            Self::Crash | Self::CrashWithAttachments => Some("sandbox/revisions:crashloop"),
            Self::Setting => None,
        }
    }

    fn has_attachments(self) -> bool {
        match self {
            Self::Attachments | Self::CrashWithAttachments => true,
            Self::Image | Self::Setting | Self::Crash => false,
        }
    }
}

/// The port and the volumes of a stack before a change of these, and after it.
const BEFORE: (u16, &[(&str, &str)]) = (8080, &[("data", "/data"), ("old", "/old")]);
const AFTER: (u16, &[(&str, &str)]) = (9090, &[("data", "/files"), ("new", "/new")]);

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
        let has_attachments = self.aim.has_attachments();
        let mut world = if has_attachments {
            live_with("sandbox/revisions:1", BEFORE.1).await
        } else {
            live().await
        };
        world
            .ask_to_change(50, |spec| {
                match self.aim.image() {
                    Some(image) => image.clone_into(&mut spec.image),
                    None => spec.size.memory_bytes = Some(64 << 20),
                }
                if has_attachments {
                    spec.port = AFTER.0;
                    spec.volumes = of(AFTER.1);
                }
            })
            .await;
        let ended = world.drive_perturbed(&self.faults, perturbation).await;
        assert!(ended.calls < MOST_CALLS, "{what}: {} calls", ended.calls);
        world.holds(&what).await;
        world.assert_nothing_is_between(self.aim, &what).await;
        if has_attachments {
            world.assert_attached(&what).await;
        }
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
        let changed = aim.image().filter(|_| aim.is_good());
        let expected = match (changed, self.present().await) {
            (Some(image), 2) => image,
            (Some(_) | None, _) => "sandbox/revisions:1",
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
        let is_volume = |line: &Line| line.resource == ResourceKind::Volume;
        let mut others = receipt.lines.iter().filter(|line| !is_volume(line));
        assert!(others.all(is_restored), "{what}: {receipt:?}");
    }

    /// Checks that the stack has the volumes and the port of its revision, and that the store knows
    /// every volume that there is.
    async fn assert_attached(&self, what: &str) {
        let (port, mounted) = if self.present().await == 2 { AFTER } else { BEFORE };
        let inventory = self.platform.inventory().await;
        assert_eq!(inventory["domains"][0]["port"], port, "{what}");
        let mut existing = vec!["data", "old"];
        if volumes(&self.platform).await.len() > existing.len() {
            existing.insert(1, "new");
        }
        self.has(mounted, &existing, what).await;
        assert!(self.present().await == 1 || existing.len() == 3, "{what}: it has its volume");
    }
}

/// Returns the calls that change something in a change of this kind, without those that one without
/// other attachments has as well.
fn changing(aim: Aim) -> Vec<&'static str> {
    match aim {
        Aim::Image | Aim::Crash => vec!["application.update", "application.deploy"],
        Aim::Setting => vec!["application.update", "application.reload"],
        Aim::Attachments | Aim::CrashWithAttachments => {
            vec!["mounts.create", "mounts.remove", "domain.update"]
        }
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
        let looks = if aim.has_attachments() { &[][..] } else { &LOOKS[..] };
        let has_job = aim == Aim::Image || aim == Aim::Crash;
        let job = has_job.then_some("deployment.all");
        for call in changing(aim).into_iter().chain(looks.iter().copied()).chain(job) {
            let more = ["docker-down=5s", "restart", "database-lost=5s"];
            for fault in TRANSIENT.into_iter().chain(more) {
                let scenario = Scenario::new(aim, &format!("{call}:{fault}"));
                let ended = scenario.run(None).await;
                assert_eq!(ended.missed, 0, "{scenario:?}: nothing met its fault");
                let is_good = matches!(ended.end, End::Live(_));
                // With Docker down, a job or a container that begins meanwhile fails, as it should.
                let may_fail = fault.starts_with("docker-down") || fault == "restart";
                let expected = aim.is_good();
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
