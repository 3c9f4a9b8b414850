//! The promises that must hold after every schedule.

use std::collections::BTreeSet;

use ai_stack_deployer::server::store::{
    Disposal, Journal, Kept as _, KeptFilter, KeptState, Record, RevisionOutcome, Specs as _, State,
};
use domain::deployment::DeploymentId;
use domain::event::{Event, EventBody, FailureCode};
use domain::kind::{KindName, Kinds};
use domain::phase::Phase;
use domain::progress::{End, Progress};
use domain::stack_id::StackId;
use serde_json::Value;

use super::acting::assert_one_at_a_time;
use super::actors::Seen;
use super::simulation::Simulation;
use crate::support::settings::stack_settings;

/// The maximum duration of a deployment in seconds: its deadline, the drain limit, calls in
/// progress at either, and the time without a portal.
const LONGEST_S: i64 = (15 + 5 + 5) * 60;

impl Simulation {
    /// Checks all promises.
    pub(super) async fn assert_promises(&self, seen: &[Seen]) {
        let records = self.store.records();
        for record in &records {
            self.assert_ended_once(record).await;
        }
        let cancelled = self.cancelled.lock().unwrap().clone();
        for id in &cancelled {
            let end = self.progress(id).await.end.unwrap();
            let is_cancelled =
                matches!(&end, End::Failed(failure) if failure.code == FailureCode::Cancelled);
            assert!(is_cancelled, "P11: {id} was to be cancelled and ended {end:?}");
        }
        assert_one_at_a_time(&records);
        for seen in seen {
            self.assert_saw_all(seen).await;
        }
        self.assert_agrees_with_platform(&records).await;
        self.assert_volumes_are_accounted_for(&records).await;
    }

    /// Returns the names of the volumes of the stack that the deployment `id` made.
    async fn volumes_of(&self, id: &DeploymentId) -> Vec<String> {
        let known = self.store.stack_volumes(StackId::of(id)).await.unwrap();
        known.volumes.into_iter().map(|volume| volume.name.0).collect()
    }

    /// Checks that each volume on the platform belongs to a live stack or is kept and listed, and that
    /// none is gone which no operation was to delete (promise P24).
    async fn assert_volumes_are_accounted_for(&self, records: &[Record]) {
        for (id, said) in &*self.removals.lock().unwrap() {
            let record = records.iter().find(|record| record.deployment.id == *id).unwrap();
            let may_delete = !self.has_volume || said.contains(&Disposal::Delete);
            assert!(may_delete || record.disposal == Disposal::Keep, "P24: {id} deleted the data");
        }
        let (mut known, mut to_delete) = (BTreeSet::new(), BTreeSet::new());
        for data in self.store.kept_data(&KeptFilter::All).await.unwrap() {
            let is_over = match &data.state {
                KeptState::Kept => true,
                KeptState::InUse(user) => user.is_live,
                KeptState::Removing | KeptState::Deleting | KeptState::Lost(_) => false,
            };
            assert!(is_over, "P24: {data:?}");
            known.extend(data.volumes.into_iter().map(|volume| volume.name));
        }
        let mut ever = BTreeSet::new();
        for record in records {
            let id = &record.deployment.id;
            match (&record.metadata.links.removes, record.disposal) {
                (Some(of), Disposal::Delete) => to_delete.extend(self.volumes_of(of).await),
                (None, _) if matches!(self.progress(id).await.end, Some(End::Live(_))) => {
                    let volumes = self.volumes_of(id).await;
                    if record.state == State::Live {
                        known.extend(volumes.iter().cloned());
                    }
                    ever.extend(volumes);
                }
                (Some(_), Disposal::Keep) | (None, _) => {}
            }
        }
        let inventory = self.platform.inventory().await;
        let there = texts(&inventory, "volumes", "name");
        for name in known.clone() {
            // The first container of a revision makes its volumes.
            if !there.contains(&name) && self.has_untried_revision(&name).await {
                known.remove(&name);
                ever.remove(&name);
            }
        }
        assert_eq!(there, in_order(&known), "P24: volumes");
        let gone = ever.difference(&known).collect::<BTreeSet<_>>();
        let unasked: Vec<_> = gone.into_iter().filter(|name| !to_delete.contains(*name)).collect();
        assert!(unasked.is_empty(), "P24: nobody was to delete {unasked:?}");
    }

    /// Returns whether the stack that made this volume has a revision that has never run.
    async fn has_untried_revision(&self, volume: &str) -> bool {
        let (stack, _) = stack_settings("").parse_volume(volume).unwrap();
        let revisions = self.store.revisions(stack).await.unwrap();
        revisions.iter().any(|one| one.outcome == Some(RevisionOutcome::Untried))
    }

    async fn progress(&self, id: &DeploymentId) -> Progress {
        Progress::of(self.events(id).await)
    }

    async fn events(&self, id: &DeploymentId) -> Vec<Event> {
        let events = self.store.events(id, 0, u32::MAX).await.unwrap();
        events.iter().map(|event| event.decode().unwrap()).collect()
    }

    /// Checks that there is one end, and that it is the last event (promises P1, P12, P13, P14).
    async fn assert_ended_once(&self, record: &Record) {
        let id = &record.deployment.id;
        let events = self.events(id).await;
        let kind = Kinds::default().of(record.deployment.kind);
        let mut phase = Phase::INITIALIZING;
        for (seq, event) in (1..).zip(&events) {
            assert_eq!(event.seq, seq, "P14: a gap in {id}");
            if let EventBody::Progress(update) = &event.body {
                assert!(
                    kind.may_become(phase, update.phase),
                    "P12: {phase:?} -> {:?}",
                    update.phase
                );
                phase = update.phase;
            }
        }
        let ends = events.iter().filter(|event| event.is_end()).count();
        assert!(ends == 1 && events.last().unwrap().is_end(), "P12: {ends} ends of {id}");
        let took = record.metadata.completed.unwrap().duration_since(record.deployment.started);
        assert!(took.as_secs() <= LONGEST_S, "P13: {id} took {took}");
        let end = Progress::of(events).end.unwrap();
        match (record.state, &end) {
            (State::Live | State::RolledBack, End::Live(_))
            | (State::RolledBack, End::Failed(_) | End::Removed(_)) => {}
            (state, end) => panic!("P12: {id} is {state:?} and ended {end:?}"),
        }
    }

    /// Checks that a watcher saw each event once, in order, and as it is in the store (promise
    /// P14).
    async fn assert_saw_all(&self, seen: &Seen) {
        let stored = self.store.events(&seen.id, 0, u32::MAX).await.unwrap();
        assert_eq!(seen.events, stored, "P14: a watcher of {} saw something else", seen.id);
    }

    /// Checks that the platform has one of each resource for each live stack, and nothing else
    /// (promises P2, P3, P5, P8).
    async fn assert_agrees_with_platform(&self, records: &[Record]) {
        let live = |record: &&Record| {
            record.state == State::Live && record.deployment.kind == KindName::DEPLOY
        };
        let live: Vec<&Record> = records.iter().filter(live).collect();
        let names: BTreeSet<_> = live.iter().map(|record| &record.deployment.name).collect();
        assert_eq!(names.len(), live.len(), "P2: two live stacks of one name");

        let markers: BTreeSet<String> = live
            .iter()
            .map(|record| format!("ai-stack-deployer/test/{}", record.deployment.id))
            .collect();
        let hosts: BTreeSet<String> = live.iter().map(|record| record.host.clone()).collect();
        let inventory = self.platform.inventory().await;
        assert_eq!(texts(&inventory, "projects", "description"), in_order(&markers), "projects");
        let applications = texts(&inventory, "applications", "description");
        assert_eq!(applications, in_order(&markers), "applications");
        assert_eq!(texts(&inventory, "domains", "host"), in_order(&hosts), "domains");
        let mut routes = texts(&inventory, "routes", "host");
        // The portal's own, by which it proves that the proxy has its middleware.
        routes.retain(|host| host != "retry--test.localhost");
        assert_eq!(routes, in_order(&hosts), "routes");
        let services = texts(&inventory, "services", "appName");
        assert_eq!(services, texts(&inventory, "applications", "appName"), "services");
        self.assert_runs_as_desired(&inventory).await;
    }
}

fn texts(inventory: &Value, list: &str, key: &str) -> Vec<String> {
    let rows = inventory[list].as_array().unwrap().iter();
    let mut texts: Vec<_> =
        rows.map(|row| row[key].as_str().unwrap_or_default().to_owned()).collect();
    texts.sort();
    texts
}

fn in_order(set: &BTreeSet<String>) -> Vec<String> {
    set.iter().cloned().collect()
}
