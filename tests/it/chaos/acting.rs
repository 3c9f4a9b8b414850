//! People who stop, start, restart and change stacks, and what must hold of it afterwards.

use std::collections::BTreeMap;
use std::time::Duration;

use ai_stack_deployer::server::stacks::{Asked, StackAction};
use ai_stack_deployer::server::store::{
    Desired, NewOperation, NewRevision, OperationOutcome, Record, Specs as _, Stacks as _, State,
};
use domain::event::{EventBody, ProgressUpdate};
use domain::kind::CHANGE;
use domain::stack_id::StackId;
use domain::stack_name::StackName;
use domain::template::Volume;
use jiff::Timestamp;
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::Value;

use super::actors::{LONG, NAMES};
use super::simulation::Simulation;
use crate::support::caller;

/// The images to which a stack is changed.
const CHANGED: [&str; 4] =
    ["sandbox/hello:2", "sandbox/hello:3", "sandbox/crashloop:2", "sandbox/dying"];
/// What a stack with a volume mounts after a change, as keys and folders.
const VOLUMES: [&[(&str, &str)]; 4] =
    [&[("data", "/data")], &[("data", "/files"), ("more", "/more")], &[("more", "/data")], &[]];
/// The longest pause between two of them.
const SOON: Duration = Duration::from_secs(25);

impl Simulation {
    /// Stops, starts and restarts stacks, sometimes at once with somebody else or a removal.
    pub(super) async fn acting_person(&self, mut rng: StdRng) {
        self.pause(&mut rng, LONG / 2).await;
        for _ in 0..rng.random_range(2..=6) {
            self.pause(&mut rng, SOON).await;
            let name = NAMES[rng.random_range(0..NAMES.len())];
            let action = match rng.random_range(0..4) {
                0 => StackAction::Stop,
                1 => StackAction::Start,
                2 => StackAction::Restart,
                _ => {
                    let image = CHANGED[rng.random_range(0..CHANGED.len())];
                    let volumes = self.has_volume.then(|| VOLUMES[rng.random_range(0..4)]);
                    self.change(name, image, volumes, rng.random()).await;
                    continue;
                }
            };
            let (one, other) = (self.one_portal(&mut rng), self.one_portal(&mut rng));
            let caller = caller();
            let one = one.service.act_on(&caller, name, None, action);
            // A double press that reaches two portals.
            let twice = rng.random_bool(0.2);
            let other = async {
                if !twice {
                    return None;
                }
                Some(other.service.act_on(&caller, name, None, action).await)
            };
            let (asked, again) = futures::join!(one, other);
            for asked in [Some(asked), again].into_iter().flatten() {
                self.note(format!("{action:?} {name}: {asked:?}"));
                if let Ok(Asked::Begun(id)) = asked {
                    self.begun.lock().unwrap().push(id);
                }
            }
        }
    }

    /// Changes the image of a stack, and what it mounts, if it is there and nothing else is under way.
    async fn change(
        &self,
        name: &str,
        image: &str,
        volumes: Option<&[(&str, &str)]>,
        number: u128,
    ) {
        let name = StackName::parse(name).unwrap();
        let found = self.store.stacks(Some(&name)).await.unwrap();
        let Some(stack) = found.into_iter().next() else { return };
        let revisions = self.store.revisions(stack.revision.stack).await.unwrap();
        let Some(mut spec) = self.store.spec(stack.revision).await.unwrap() else { return };
        image.clone_into(&mut spec.spec.image);
        if let Some(volumes) = volumes {
            let volume = |(key, path): &(&str, &str)| Volume {
                key: (*key).to_owned(),
                path: (*path).to_owned(),
                exclusive: false,
            };
            spec.spec.volumes = volumes.iter().map(volume).collect();
        }
        let revision = NewRevision {
            from: stack.revision.number,
            number: revisions[0].number + 1,
            spec,
            by: None,
            template: None,
            response: None,
        };
        let started = self.clock.now();
        let new = NewOperation {
            id: CHANGE.operation_id(number),
            kind: &CHANGE,
            started,
            first: EventBody::Progress(ProgressUpdate::first(&CHANGE, started)),
            of: Some(stack.deployment.id),
            expired: None,
            limit: None,
            revision: Some(revision),
            audit_entry: None,
            claim: None,
        };
        let begun = self.store.begin_operation(&name, &new).await;
        self.note(format!("change {name} to {image}: {begun:?}"));
        if let Ok(OperationOutcome::Accepted(id)) = begun {
            self.begun.lock().unwrap().push(id);
        }
    }

    /// Checks that of each stack runs what it should be (promises P19 and P22).
    pub(super) async fn assert_runs_as_desired(&self, inventory: &Value) {
        let rows = |list: &str| inventory[list].as_array().unwrap().clone();
        for stack in self.store.stacks(None).await.unwrap() {
            let marker = format!("ai-stack-deployer/test/{}", stack.deployment.id);
            let applications = rows("applications");
            let own = applications.iter().find(|one| one["description"] == marker.as_str());
            let name = &own.unwrap()["appName"];
            let services = rows("services");
            let service = services.iter().find(|one| one["appName"] == *name).unwrap();
            let expected = match stack.desired {
                Desired::Running => 1,
                Desired::Stopped => 0,
            };
            assert_eq!(service["replicas"], expected, "P22: {:?}", stack.deployment);
            if stack.desired == Desired::Running
                && let Some(sealed) = self.store.spec(stack.revision).await.unwrap()
            {
                let images = [&service["image"], &own.unwrap()["dockerImage"]];
                assert_eq!(images, [&*sealed.spec.image; 2], "P19: {:?}", stack.deployment);
            }
        }
    }

    /// Returns how many changes there were.
    pub(super) fn changed(&self) -> u64 {
        let is_one = |record: &Record| record.deployment.kind == CHANGE.name;
        self.store.records().iter().filter(|record| is_one(record)).count() as u64
    }

    /// Returns how many operations on stacks that are there have ended, and how many stacks are
    /// stopped.
    pub(super) async fn acted(&self) -> (u64, u64) {
        let records = self.store.records();
        let is_one = |record: &&Record| {
            record.deployment.id.as_str().starts_with("op_") && record.state == State::RolledBack
        };
        let stacks = self.store.stacks(None).await.unwrap();
        let stopped = stacks.iter().filter(|stack| stack.desired == Desired::Stopped);
        (records.iter().filter(is_one).count() as u64, stopped.count() as u64)
    }
}

/// Checks that no two operations were under way on one stack at any time (promise P20).
pub(super) fn assert_one_at_a_time(records: &[Record]) {
    let mut of_stack: BTreeMap<StackId, Vec<&Record>> = BTreeMap::new();
    for record in records {
        of_stack.entry(record.revision.stack).or_default().push(record);
    }
    for mut records in of_stack.into_values() {
        records.sort_by_key(|record| record.deployment.started);
        for pair in records.windows(2) {
            let completed: Timestamp = pair[0].metadata.completed.unwrap();
            let (one, other) = (&pair[0].deployment, &pair[1].deployment);
            assert!(completed <= other.started, "P20: {} and {} at once", one.id, other.id);
        }
    }
}
