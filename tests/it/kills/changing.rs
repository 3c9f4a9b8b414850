//! A portal that is killed in each phase of changes: to a revision that runs, to one that crashes, and
//! of one that is cancelled.

use std::thread;
use std::time::Duration;

use clock::{Clock, SystemClock};
use domain::kind::CHANGE;
use domain::phase::Phase;
use rand::RngExt;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::END;
use super::world::{Platform, World};
use crate::support::process::exchange;
use crate::support::revisions::{offer, offer_with_volume};
use test_support::seed;

const NAMES: [&str; 3] = ["alice", "bobby", "carol"];
const AIMS: [Aim; 3] = [Aim::Runs, Aim::Crashes, Aim::IsCancelled];
/// The moments of the kills, in the order in which they come.
const KILLS: [(Phase, Aim); 5] = [
    (Phase::PREPARING, Aim::Runs),
    (Phase::SWITCHING, Aim::Crashes),
    (Phase::VERIFYING_HEALTH, Aim::IsCancelled),
    (Phase::WATCHING, Aim::Runs),
    (Phase::ROLLING_BACK, Aim::Crashes),
];
/// A kill comes at most this long after its phase was seen.
const LATEST_MS: u64 = 120;
const PAUSE: Duration = Duration::from_millis(20);
/// Lets each of the changes be prepared for a while.
const SLOW_PREPARATION: &str = "domain.byApplicationId:latency=1s:3";

/// What a change leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    Runs,
    Crashes,
    IsCancelled,
}

impl Aim {
    /// Returns the body of the change.
    fn body(self) -> Value {
        match self {
            Self::Runs | Self::IsCancelled => json!({ "size": "large" }),
            Self::Crashes => json!({ "version": "2.0.0" }),
        }
    }
}

/// A live stack of one revision.
struct Stack {
    name: &'static str,
    /// The id of its deployment.
    id: String,
    aim: Aim,
}

impl World {
    /// Waits until the operation `id` is in `phase`, or beyond it, and returns its phase.
    fn reached(&self, id: &str, phase: Phase) -> String {
        let began = SystemClock.now();
        loop {
            let (_, body) = self.send(&format!("GET /api/deployment/{id}"));
            let now = body["deployment"]["phase"].as_str().unwrap().to_owned();
            let is_over = body["deployment"]["timestamps"]["completed"].is_string();
            let at = |phase: &str| CHANGE.steps.iter().position(|one| one.phase.as_str() == phase);
            let is_beyond = at(&now).zip(at(phase.as_str())).is_some_and(|(now, at)| now > at);
            if now == phase.as_str() || is_beyond || is_over {
                return now;
            }
            let waited = SystemClock.now().duration_since(began).unsigned_abs();
            assert!(waited < END, "{id} does not reach {phase:?}: {body}");
            thread::sleep(PAUSE);
        }
    }

    /// Deploys the stacks of the first version, and offers the second one.
    fn with_stacks(folder: &TempDir) -> (Self, [Stack; 3]) {
        offer(folder.path(), "1.0.0", "1").unwrap();
        let catalogue = folder.path().to_str().unwrap();
        let variables = [("CATALOGUE", catalogue), ("STACK_CHANGE_WATCH", "1s")];
        let mut world = Self::start(Platform::alone(), &variables, seed::seed("changing"));
        world.portal().wait_until_ready();
        let ids = NAMES.map(|name| world.portal_dir.deploy(name));
        for id in &ids {
            assert_eq!(world.ended(id)["phase"], "completed");
        }
        offer_with_volume(folder.path(), "2.0.0", "crashloop").unwrap();
        world.kill_portal();
        world.inject(SLOW_PREPARATION);
        let mut all = NAMES.into_iter().zip(ids).zip(AIMS);
        let stacks = [(); 3].map(|()| {
            let ((name, id), aim) = all.next().unwrap();
            Stack { name, id, aim }
        });
        (world, stacks)
    }
}

impl Stack {
    fn path(&self, below: &str) -> String {
        format!("/api/stacks/{}{below}?id={}", self.name, self.id)
    }

    /// Begins the change, and returns the operation.
    fn begin(&self, world: &World) -> String {
        let line = format!("PATCH {}", self.path(""));
        let (status, body) = world.send_body(&line, &self.aim.body().to_string());
        assert_eq!(status, 202, "{}: {body}", self.name);
        body["operationId"].as_str().unwrap().to_owned()
    }

    /// Checks that the change `id` ended as it was meant to, and that the stack has exactly one
    /// revision, which is the one that answers.
    fn assert_holds(&self, world: &World, id: &str) {
        let operation = world.ended(id);
        let what = format!("{}: {operation}", self.name);
        let (phase, revision, outcome) = match self.aim {
            Aim::Runs => ("completed", 2, "live"),
            Aim::Crashes => ("failed", 1, "reverted"),
            Aim::IsCancelled => ("cancelled", 1, "reverted"),
        };
        assert_eq!(operation["phase"], phase, "{what}");
        let (_, body) = world.send(&format!("GET {}", self.path("")));
        assert_eq!(body["stack"]["revision"], revision, "{what}: {body}");
        assert_eq!(body["stack"]["status"], "running", "{what}: {body}");
        let (_, body) = world.send(&format!("GET {}", self.path("/revisions")));
        let newest = &body["revisions"][0];
        assert_eq!((&newest["number"], &newest["outcome"]), (&json!(2), &json!(outcome)), "{what}");
        let ask = format!("GET / HTTP/1.0\r\nHost: {}.localhost\r\n\r\n", self.name);
        let answer = exchange(world.portal_dir.edge, &ask).to_ascii_lowercase();
        let own = format!("x-sandbox-revision: {revision}\r\n");
        assert!(answer.contains(" 200 ") && answer.contains(&own), "{what}: {answer}");
    }
}

#[test]
fn a_portal_killed_in_any_phase_of_changes_leaves_each_stack_with_one_verified_revision() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, stacks) = World::with_stacks(&folder);
    let ids = stacks.each_ref().map(|stack| stack.begin(&world));
    let began = SystemClock.now();
    for (phase, aim) in KILLS {
        let id = &ids[AIMS.iter().position(|one| *one == aim).unwrap()];
        let reached = world.reached(id, phase);
        if aim == Aim::IsCancelled {
            let (status, body) = world.send(&format!("POST /api/deployment/{id}/cancel"));
            assert_eq!(status, 202, "{body}");
        }
        let pause = world.rng.random_range(0..LATEST_MS);
        thread::sleep(Duration::from_millis(pause));
        world.kill_portal();
        println!("killed {pause} ms after a change was in {reached}, for {}", phase.as_str());
    }
    for (stack, id) in stacks.iter().zip(&ids) {
        stack.assert_holds(&world, id);
    }
    println!("ended after {} s", SystemClock.now().duration_since(began).as_secs());
    let state = world.end();
    for kind in ["projects", "applications", "domains"] {
        assert_eq!(state[kind].as_array().unwrap().len(), NAMES.len(), "{kind}: {state}");
    }
    for service in state["services"].as_array().unwrap() {
        assert_eq!(service["replicas"], 1, "{service}");
    }
}
