//! One look at a stack: what the platform shows of its service, and what its address answers.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::server::platform::{AppName, ContainerState, NodeContainer, Scale};
use crate::server::probe::{Health, Probe};
use domain::stack_event::Problem;
use domain::template::HealthPath;

/// The time limit of one probe.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The stack works.
    Good,
    /// It does not work.
    Bad(Problem),
    /// It could not be found out: the platform or the portal's own machine has a fault.
    Unknown,
}

/// A look, with what the address answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// What was found.
    pub look: Look,
    /// The HTTP status, if something answered.
    pub status: Option<u16>,
    /// The services of the stack.
    pub services: Vec<AppName>,
    /// The names of the containers that ran.
    pub running: Vec<String>,
}

impl Looked {
    /// A look that found nothing out.
    pub const UNKNOWN: Self =
        Self { look: Look::Unknown, status: None, services: Vec::new(), running: Vec::new() };
}

/// What the platform shows of a stack's service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    /// Its name; several if it was made twice.
    pub(super) names: Vec<AppName>,
    pub(super) state: ServiceState,
    /// The names of its containers that run.
    running: Vec<String>,
}

/// The state of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServiceState {
    /// A container runs.
    Running,
    /// No container runs.
    NotRunning,
    /// The last container has just ended, and another one is on its way or has started by now.
    Restarting,
    /// The platform does not say.
    Unknown,
}

impl Service {
    /// Returns the state of the service of these `names`.
    pub(super) fn of(
        names: Vec<AppName>,
        scales: &BTreeMap<AppName, Option<Scale>>,
        containers: &[NodeContainer],
    ) -> Self {
        let is_own = |one: &&NodeContainer| names.iter().any(|name| name.owns_container(&one.name));
        let own: Vec<_> = containers.iter().filter(is_own).collect();
        let known: Vec<_> = names.iter().filter_map(|name| *scales.get(name)?).collect();
        let is_waiting = |one: &&NodeContainer| one.state == ContainerState::Created;
        let has_ended = |one: &&&NodeContainer| matches!(one.state, ContainerState::Exited { .. });
        let state = if known.iter().any(|scale| scale.runs()) {
            ServiceState::Running
        } else if known.len() < names.len()
            || own.iter().any(|one| one.state == ContainerState::Running)
        {
            // It may be about to stop, or have just started.
            ServiceState::Unknown
        } else if known.iter().all(|scale| scale.wanted == 0) {
            ServiceState::NotRunning
        } else if own.iter().any(is_waiting) || own.iter().filter(has_ended).count() > 1 {
            ServiceState::Restarting
        } else {
            ServiceState::NotRunning
        };
        let runs = |one: &&&NodeContainer| one.state == ContainerState::Running;
        let running = own.iter().filter(runs).map(|one| one.name.clone()).collect();
        Self { names, state, running }
    }

    /// Returns the service as it is where these containers ran at the look before, with nothing
    /// asked of the platform since: if others run by now, those have ended by themselves.
    pub(super) fn after(mut self, before: &[String]) -> Self {
        let is_other = |one: &String| !before.contains(one);
        let is_replaced = !before.is_empty() && !self.running.is_empty();
        if is_replaced && self.running.iter().all(is_other) {
            self.state = ServiceState::Restarting;
        }
        self
    }
}

/// Judges the stack at `url` by its service and, if that runs, by what its `paths` answer.
pub(super) async fn look(
    probe: &dyn Probe,
    url: &str,
    paths: &[HealthPath],
    service: Service,
) -> Looked {
    let Service { names: services, state, running } = service;
    let (look, status) = match state {
        ServiceState::NotRunning => (Look::Bad(Problem::NotRunning), None),
        ServiceState::Restarting => (Look::Bad(Problem::Restarting), None),
        ServiceState::Running | ServiceState::Unknown => ask(probe, url, paths).await,
    };
    Looked { look, status, services, running }
}

/// Asks all `paths` of the address, up to the first whose answer is not good.
async fn ask(probe: &dyn Probe, url: &str, paths: &[HealthPath]) -> (Look, Option<u16>) {
    let mut last = (Look::Good, None);
    for path in paths {
        let health = probe.check(&format!("{url}{}", path.path), TIMEOUT).await;
        last = judge(path, &health);
        if last.0 != Look::Good {
            break;
        }
    }
    last
}

/// Judges what one path answered.
fn judge(path: &HealthPath, health: &Health) -> (Look, Option<u16>) {
    match health {
        Health::Answering(status) if path.accepts(*status) => (Look::Good, Some(*status)),
        Health::Answering(status) => (Look::Bad(Problem::BadAnswer), Some(*status)),
        Health::Silent(_) => (Look::Bad(Problem::NoAnswer), None),
        Health::Untrusted(_) => (Look::Bad(Problem::BadCertificate), None),
        Health::LocalFault(..) => (Look::Unknown, None),
    }
}
