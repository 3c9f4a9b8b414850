//! The actors, which do random things to the portals and the platform.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ai_stack_deployer::server::stacks::{Response, Service, StartRequest, Started};
use ai_stack_deployer::server::store::{Disposal, Kept as _, KeptFilter, StoredEvent};
use dokploy_sandbox::Fault;
use domain::deployment::{Deployment, DeploymentId};
use rand::RngExt;
use rand::rngs::StdRng;

use super::simulation::{Portal, Simulation};
use crate::support::caller;
use crate::support::fake_platform::TRANSIENT;
use crate::support::faulty_store::Crash;

/// The duration of the actions.
pub(super) const LONG: Duration = Duration::from_mins(4);
pub(super) const NAMES: [&str; 3] = ["alice", "bob", "carol"];
const CALLS: [&str; 16] = [
    "project.create",
    "project.all",
    "project.one",
    "project.remove",
    "application.create",
    "application.update",
    "application.reload",
    "application.deploy",
    "application.delete",
    "application.cleanQueues",
    "domain.create",
    "domain.delete",
    "domain.byApplicationId",
    "deployment.all",
    "docker.getContainersByAppLabel",
    "swarm.getNodes",
];
/// The faults besides [`TRANSIENT`].
const FAULTS: [&str; 6] = [
    "latency=8s", "restart", "docker-down=40s", "database-down=40s", "database-lost=40s",
    "key-limited=40s",
];

impl Simulation {
    pub(super) fn one_portal(&self, rng: &mut StdRng) -> &Portal {
        &self.portals[rng.random_range(0..self.portals.len())]
    }

    fn one_begun(&self, rng: &mut StdRng) -> Option<DeploymentId> {
        let begun = self.begun.lock().unwrap();
        (!begun.is_empty()).then(|| begun[rng.random_range(0..begun.len())].clone())
    }

    /// Starts deployments, sometimes twice.
    pub(super) async fn person(&self, mut rng: StdRng) {
        self.pause(&mut rng, LONG / 4).await;
        let name = NAMES[rng.random_range(0..NAMES.len())];
        for _ in 0..rng.random_range(1..=2) {
            let service = &self.one_portal(&mut rng).service;
            self.begin(service, StartRequest::named(name)).await;
        }
    }

    async fn begin(&self, service: &Arc<Service>, request: StartRequest) {
        let (name, data) = (request.name.clone(), request.data.clone());
        match start(service, request).await {
            Some(id) => {
                self.note(format!("began {name} as {id}, with {data:?}"));
                self.brought_back.fetch_add(data.map_or(0, |_| 1), Ordering::Relaxed);
                self.begun.lock().unwrap().push(id);
            }
            None => self.note(format!("could not begin {name}, with {data:?}")),
        }
    }

    /// Returns the id of some data of a removed stack, whatever happens to it.
    async fn one_kept(&self) -> Option<String> {
        let kept = self.store.kept_data(&KeptFilter::All).await.unwrap();
        kept.first().map(|data| data.stack.data_id())
    }

    /// Removes a stack with or without its data, and later brings data back or deletes it.
    async fn remove(&self, service: &Arc<Service>, rng: &mut StdRng) {
        let name = NAMES[rng.random_range(0..NAMES.len())];
        let disposal = if rng.random_bool(0.3) { Disposal::Delete } else { Disposal::Keep };
        let result = service.remove(&caller(), name, None, disposal).await;
        let result = result.map(|removing| removing.id);
        if let Ok(id) = &result {
            self.removals.lock().unwrap().entry(id.clone()).or_default().push(disposal);
        }
        self.note(format!("remove {name}, {disposal:?}: {:?}", result.map_err(|error| error.code)));
        if !self.has_volume {
            return;
        }
        self.pause(rng, LONG / 2).await;
        let Some(data) = self.one_kept().await else { return };
        if rng.random_bool(0.7) {
            let request = StartRequest { data: Some(data), ..StartRequest::named(name) };
            self.begin(service, request).await;
        } else {
            let result = service.delete_data(&caller(), &data).await;
            self.note(format!("delete {data}: {:?}", result.map_err(|error| error.code)));
        }
    }

    /// Cancels or retries a deployment, or removes a stack.
    pub(super) async fn foreign_actor(&self, mut rng: StdRng) {
        self.pause(&mut rng, LONG).await;
        let service = &self.one_portal(&mut rng).service;
        let Some(id) = self.one_begun(&mut rng) else { return };
        // Where there is data to keep, more stacks are removed.
        match rng.random_range(0..if self.has_volume { 12 } else { 5 }) {
            0..3 => {
                let result = service.cancel(&caller(), &id).await;
                self.note(format!(
                    "cancel {id}: {:?}",
                    result.as_ref().map_err(|error| &error.code)
                ));
                if result.is_ok() {
                    self.cancelled.lock().unwrap().push(id);
                }
            }
            3 => match service.retry(&caller(), &id).await {
                Ok(Started { deployment, .. }) => {
                    self.note(format!("retried {id} as {}", deployment.id));
                    self.begun.lock().unwrap().push(deployment.id);
                }
                Err(error) => self.note(format!("retry {id}: {:?}", error.code)),
            },
            _ => self.remove(service, &mut rng).await,
        }
    }

    /// Injects faults into calls.
    pub(super) async fn fault_injector(&self, mut rng: StdRng) {
        self.pause(&mut rng, LONG).await;
        let call = CALLS[rng.random_range(0..CALLS.len())];
        let faults = [&TRANSIENT[..], &FAULTS].concat();
        let fault = faults[rng.random_range(0..faults.len())];
        let often = rng.random_range(1..=3);
        // If Docker stops during a removal, an operator must help, so this happens at most once.
        let often = if fault.starts_with("docker") { 1 } else { often };
        let fault = format!("{call}:{fault}:{often}");
        self.note(&fault);
        self.platform.core().inject(fault.parse::<Fault>().unwrap());
    }

    /// Stops parts of the platform for a while.
    pub(super) async fn outage(&self, mut rng: StdRng) {
        self.pause(&mut rng, LONG).await;
        let now = self.clock.now();
        match rng.random_range(0..3) {
            0 => {
                self.note("the platform restarts");
                self.platform.core().restart(now);
            }
            1 => {
                self.note("the database stops");
                self.platform.core().stop_database(now);
                self.pause(&mut rng, LONG / 2).await;
                self.platform.core().start_database(self.clock.now());
                self.note("the database is back");
            }
            _ => {
                self.note("Docker stops");
                self.platform.core().stop_docker(now);
                self.pause(&mut rng, LONG / 2).await;
                self.platform.core().start_docker(self.clock.now());
                self.note("Docker is back");
            }
        }
    }

    /// Kills a worker and restarts it, or cuts a portal off from the store.
    pub(super) async fn killer(&self, mut rng: StdRng) {
        self.pause(&mut rng, LONG).await;
        let index = rng.random_range(0..self.portals.len());
        let portal = &self.portals[index];
        if rng.random_bool(0.2) {
            self.note(format!("portal {index} is cut off"));
            portal.line.set_down(true);
            self.pause(&mut rng, LONG / 4).await;
            portal.line.set_down(false);
            self.note(format!("portal {index} is back"));
            return;
        }
        if rng.random_bool(0.7) {
            // A crash exactly at a write, which a kill at a random time hardly ever hits. The
            // worker continues, and the next holder of the lease resumes.
            let crash = if rng.random_bool(0.5) { Crash::Before } else { Crash::After };
            let write = portal.line.writes() + rng.random_range(1..=12);
            self.note(format!("portal {index} crashes at its write {write}: {crash:?}"));
            portal.line.crash_at(write, crash);
            return;
        }
        self.note(format!("portal {index} is killed"));
        portal.kill();
        self.pause(&mut rng, Duration::from_secs(45)).await;
        if self.portals.len() == 1 && rng.random_bool(0.5) {
            self.store.void_leases();
        }
        self.note(format!("portal {index} starts"));
        portal.start();
    }

    /// Watches a deployment like a browser, loses the connection repeatedly, and returns the
    /// events.
    pub(super) async fn watcher(&self, mut rng: StdRng) -> Option<Seen> {
        self.pause(&mut rng, LONG).await;
        let id = self.one_begun(&mut rng)?;
        let mut seen = Seen { id, events: Vec::new() };
        loop {
            let portal = self.one_portal(&mut rng);
            let mut notifications = portal.ports().notifier.watch(&seen.id);
            for _ in 0..rng.random_range(1..20) {
                let after = seen.events.last().map_or(0, |event| event.seq);
                // A stream that cannot read the store closes, and the browser reconnects.
                let Ok(events) = portal.service.events(&seen.id, after).await else { break };
                seen.events.extend(events);
                if seen.events.last().is_some_and(StoredEvent::is_end) {
                    return Some(seen);
                }
                tokio::select! {
                    biased;
                    _ = notifications.changed() => {}
                    () = self.clock.sleep(Duration::from_secs(15)) => {}
                }
            }
            self.pause(&mut rng, Duration::from_secs(10)).await;
        }
    }
}

/// The events that a watcher saw.
pub(super) struct Seen {
    pub(super) id: DeploymentId,
    pub(super) events: Vec<StoredEvent>,
}

async fn start(service: &Arc<Service>, request: StartRequest) -> Option<DeploymentId> {
    let accepted = |deployment: &Deployment, _: &BTreeMap<_, _>| Response {
        status: 201,
        location: None,
        body: deployment.id.to_string(),
    };
    let refused = |_: &_| Response { status: 409, location: None, body: String::new() };
    let result = service.start_idempotent(&caller(), Ok(request), None, accepted, refused).await;
    DeploymentId::parse(&result.ok()?.body).ok()
}
