//! The two sides of the comparison, read into plain values.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use super::containers::{self, AT_ONCE, Idle, Scales};
use super::drift::{self, Expected};
use super::row::{self, RowState};
use crate::server::platform::{
    AppName, ApplicationSummary, Host, Platform, PlatformError, ProjectId, ProjectSummary,
    ServiceState, VolumeName,
};
use crate::server::settings::StackSettings;
use crate::server::store::{
    Desired, Journal, KeptData, KeptFilter, Record, Result, Stack, State, Store, StoreError,
};
use domain::deployment::DeploymentId;
use domain::event::{EventBody, Resources};
use domain::stack_id::{RevisionId, StackId};
use domain::stack_name::StackName;
use domain::stack_spec::StackSpec;

/// The platform's resources that concern this portal.
#[derive(Clone, Debug, Default)]
pub(super) struct PlatformView {
    /// The projects with a marker of this portal.
    pub(super) projects: Vec<MarkedProject>,
    /// The ids of all projects, whatever their markers.
    pub(super) all_projects: BTreeSet<String>,
    /// All hosts.
    pub(super) hosts: Vec<Host>,
    /// All services; none while Docker is down.
    pub(super) services: BTreeSet<AppName>,
    /// Services of our applications that are not known to run a container.
    pub(super) idle: BTreeMap<AppName, Idle>,
    /// What the services of our applications run, as far as the platform shows it.
    pub(super) states: BTreeMap<AppName, ServiceState>,
    /// What the rows of our applications hold, as far as the platform shows it.
    pub(super) rows: BTreeMap<AppName, RowState>,
    /// The volumes of this portal; none while Docker is down.
    pub(super) volumes: Vec<OwnVolume>,
    /// The names of all volumes. Those of data that was kept under another name of the portal do not
    /// begin with today's.
    pub(super) all_volumes: Vec<VolumeName>,
    /// True if Docker answered both before and after it listed the volumes, so that one that is not
    /// listed does not exist.
    pub(super) is_volume_list_proven: bool,
}

/// A volume of this portal.
#[derive(Clone, Debug)]
pub(super) struct OwnVolume {
    /// The stack that its name names. Another stack may have it by now.
    pub(super) stack: StackId,
    pub(super) name: String,
}

/// A project with a marker of this portal.
#[derive(Clone, Debug)]
pub(super) struct MarkedProject {
    pub(super) id: ProjectId,
    pub(super) name: String,
    pub(super) marker: String,
    /// The deployment that the marker names, if it names one.
    pub(super) creator: Option<DeploymentId>,
    /// All its applications, marked or not.
    pub(super) applications: Vec<ApplicationSummary>,
}

/// The recorded state of the live stacks, and of every operation that has resources on the
/// platform.
#[derive(Clone, Debug, Default)]
pub(super) struct StoreView {
    pub(super) operations: BTreeMap<DeploymentId, OperationState>,
    /// The services with their operations. A service can have several, since a removal records it
    /// as well.
    pub(super) services: Vec<(AppName, DeploymentId)>,
    /// The data of stacks that are gone or being removed.
    pub(super) kept: Vec<KeptData>,
}

/// The state of an operation, as far as the comparison needs it.
#[derive(Clone, Debug)]
pub(super) enum OperationState {
    /// A worker handles it, or will: it is in progress or stuck, or another operation on its stack
    /// is.
    Busy,
    /// Its stack is live, and no worker handles it.
    Live(Live),
    /// It ended with nothing left.
    Gone {
        /// The name of its stack.
        name: StackName,
    },
}

/// A live stack.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) name: StackName,
    pub(super) host: String,
    /// The resources that were recorded when it went live.
    pub(super) kept: Resources,
    /// False if somebody stopped it (promise P22).
    pub(super) should_run: bool,
    /// What it should be made of; `None` if that is not known.
    pub(super) expected: Option<Expected>,
}

impl PlatformView {
    /// Reads the platform.
    pub(super) async fn read(
        platform: &dyn Platform,
        settings: &StackSettings,
    ) -> Result<Self, PlatformError> {
        let projects = platform.projects().await?;
        let all_projects = projects.iter().map(|one| one.id.0.clone()).collect();
        let projects = marked_projects(platform, projects, &settings.marker_prefix()).await?;
        let applications = projects.iter().flat_map(|project| &project.applications);
        let applications: Vec<_> = applications.collect();
        let rows = row::read(platform, &applications).await;
        let hosts = platform.hosts().await?;
        let listed: Scales = platform.scales().await?.into_iter().collect();
        let ours: BTreeSet<_> =
            applications.iter().map(|application| application.app_name.clone()).collect();
        let existing = ours.iter().filter(|name| listed.contains_key(name)).cloned().collect();
        let states = drift::inspect(platform, &existing).await;
        let idle = containers::idle(platform, ours, &listed).await;
        let services = listed.into_keys().collect();
        let was_up = has_node(platform).await;
        let own_volume = |VolumeName(name): VolumeName| {
            let (stack, _) = settings.parse_volume(&name)?;
            Some(OwnVolume { stack, name })
        };
        let all_volumes = platform.volumes().await?;
        let volumes = all_volumes.iter().cloned().filter_map(own_volume).collect();
        let is_volume_list_proven = was_up && has_node(platform).await;
        let view =
            Self { projects, all_projects, hosts, services, idle, states, rows, ..Self::default() };
        Ok(Self { volumes, all_volumes, is_volume_list_proven, ..view })
    }
}

/// Returns whether Docker answers, as far as the platform shows it.
async fn has_node(platform: &dyn Platform) -> bool {
    matches!(platform.own_node().await, Ok(Some(_)))
}

/// Reads those of `all` projects whose markers begin with `prefix`.
async fn marked_projects(
    platform: &dyn Platform,
    all: Vec<ProjectSummary>,
    prefix: &str,
) -> Result<Vec<MarkedProject>, PlatformError> {
    let is_ours = |text: &String| text.starts_with(prefix);
    let mut marked = all;
    marked.retain(|project| project.description.as_ref().is_some_and(is_ours));
    let mut found = Vec::new();
    for some in marked.chunks(AT_ONCE) {
        found.extend(try_join_all(some.iter().map(|one| platform.project(&one.id))).await?);
    }
    let mut projects = Vec::new();
    for (summary, project) in marked.into_iter().zip(found) {
        let Some(project) = project else { continue };
        let Some(marker) = project.description.filter(is_ours) else {
            continue;
        };
        let environments = project.environments.into_iter();
        projects.push(MarkedProject {
            id: project.id,
            name: summary.name,
            creator: creator(&marker, prefix),
            marker,
            applications: environments.flat_map(|one| one.applications).collect(),
        });
    }
    Ok(projects)
}

/// Returns the deployment that `marker` names.
fn creator(marker: &str, prefix: &str) -> Option<DeploymentId> {
    let id = DeploymentId::parse(marker.strip_prefix(prefix)?).ok()?;
    // A marker names the deployment that makes a stack, never a later operation on it.
    (StackId::of(&id).deployment() == id).then_some(id)
}

impl StoreView {
    /// Reads the state of the live stacks, and of the operations whose resources `platform` shows.
    pub(super) async fn read(store: &dyn Store, platform: &PlatformView) -> Result<Self> {
        let mut services = store.services().await?;
        services.retain(|(name, _)| platform.services.contains(name));
        let stacks = store.stacks(None).await?;
        let makers = platform.projects.iter().filter_map(|project| project.creator.clone());
        let owners = services.iter().map(|(_, owner)| owner.clone());
        let live = stacks.iter().map(|stack| stack.deployment.id.clone());
        let present: Vec<_> = stacks.iter().map(|stack| stack.revision.stack).collect();
        let specs = store.present_specs(&present).await?.into_iter();
        let expected = specs.map(|(RevisionId { stack, number }, StackSpec { image, .. })| {
            (stack, Expected { revision: number, image })
        });
        let mut expected: BTreeMap<StackId, Expected> = expected.collect();
        let kept = store.kept_data(&KeptFilter::All).await?;
        let is_kept = |volume: &&OwnVolume| keeps(&kept, &volume.name);
        let others = platform.volumes.iter().filter(|volume| !is_kept(volume));
        let holders = others.map(|volume| volume.stack.deployment());
        let ids: BTreeSet<DeploymentId> = makers.chain(owners).chain(live).chain(holders).collect();
        let mut operations = BTreeMap::new();
        for id in ids {
            if let Some(record) = store.find(&id).await? {
                let stack = stacks.iter().find(|stack| stack.deployment.id == id);
                let expected = expected.remove(&StackId::of(&id));
                let operation_state = operation_state(store, record, stack, expected).await?;
                operations.insert(id, operation_state);
            }
        }
        Ok(Self { operations, services, kept })
    }

    /// Returns whether the volume called `name` is one of kept data, or was until a stack brought it
    /// back.
    pub(super) fn keeps(&self, name: &str) -> bool {
        keeps(&self.kept, name)
    }

    /// Returns the state of `id`; `None` if it is not in the database.
    pub(super) fn operation_state(&self, id: &DeploymentId) -> Option<&OperationState> {
        self.operations.get(id)
    }
}

fn keeps(kept: &[KeptData], name: &str) -> bool {
    kept.iter().flat_map(|data| &data.volumes).any(|volume| volume.name == name)
}

/// Returns the state of a recorded operation; `stack` is its live stack, if the list read before
/// contained one, and `expected` what that should run.
async fn operation_state(
    journal: &dyn Journal,
    record: Record,
    stack: Option<&Stack>,
    expected: Option<Expected>,
) -> Result<OperationState> {
    match (record.state, stack) {
        (State::RolledBack, _) => Ok(OperationState::Gone { name: record.deployment.name }),
        (State::Live, Some(Stack { operation: None, desired, .. })) => {
            let should_run = *desired == Desired::Running;
            let kept = recorded(journal, &record).await?;
            let Record { deployment, host, .. } = record;
            Ok(OperationState::Live(Live {
                name: deployment.name,
                host,
                kept,
                should_run,
                expected,
            }))
        }
        // A stack that went live after the list was read is compared in the next round.
        (State::Live | State::Active | State::Stuck, _) => Ok(OperationState::Busy),
    }
}

/// Reads the resources of a live stack from the last event of its deployment.
async fn recorded(journal: &dyn Journal, record: &Record) -> Result<Resources> {
    let corrupt = || StoreError::Corrupt { what: "end of a deployment" };
    let last = journal.events(&record.deployment.id, record.seq.saturating_sub(1), 1).await?;
    let event = last.first().ok_or_else(corrupt)?.decode().map_err(|_| corrupt())?;
    match event.body {
        EventBody::Complete(completion) => Ok(completion.resources),
        EventBody::Progress(_)
        | EventBody::Log(_)
        | EventBody::Removed(_)
        | EventBody::Error(_) => Err(corrupt()),
    }
}

#[cfg(test)]
mod tests {
    use domain::kind::REMOVE;

    use super::*;

    #[test]
    fn a_marker_names_a_deployment_of_this_portal_or_nobody() {
        let prefix = "ai-stack-deployer/default/";
        let id = DeploymentId::from_random(7);
        assert_eq!(creator(&format!("{prefix}{id}"), prefix), Some(id.clone()));
        let removal = REMOVE.operation_id(7);
        for other in [
            format!("ai-stack-deployer/other/{id}"),
            format!("{prefix}{removal}"),
            format!("{prefix}{id} and more"),
            String::from(prefix),
        ] {
            assert_eq!(creator(&other, prefix), None, "{other}");
        }
    }
}
