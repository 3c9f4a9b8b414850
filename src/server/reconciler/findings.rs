//! The comparison: finds resources that should not exist, and missing ones that should.
//!
//! It is pure. A finding may be removable only if the resource has the marker of a deployment that
//! ended or is live, and never if a live stack recorded the resource.

use super::containers::Idle;
use super::drift::drift;
use super::finding::{Finding, Resource};
use super::row;
use super::view::{Live, MarkedProject, OperationState, OwnVolume, PlatformView, StoreView};
use crate::server::platform::{AppName, ApplicationId, ApplicationSummary, Host};
use crate::server::reconciler::report::NotRunning;
use crate::server::settings::StackSettings;
use crate::server::store::{KeptData, KeptState, KeptVolume};
use domain::deployment::DeploymentId;
use domain::receipt::ResourceKind;

/// Compares the two sides.
pub(super) fn findings(store: &StoreView, platform: &PlatformView) -> Vec<Finding> {
    let mut found = Vec::new();
    for project in &platform.projects {
        let known = project.creator.as_ref().and_then(|id| Some((id, store.operation_state(id)?)));
        match known {
            None => {
                let (marker, resource) = (project.marker.clone(), of_project(project));
                found.push(Finding::Unknown { marker, resource });
            }
            Some((id, OperationState::Gone { name })) => {
                let (id, resource) = (id.clone(), of_project(project));
                found.push(if project.name == StackSettings::project(name) {
                    Finding::Leftover { id, resource }
                } else {
                    Finding::Copy { id, resource }
                });
            }
            Some((_, OperationState::Busy | OperationState::Live(_))) => {}
        }
    }
    for (id, operation_state) in &store.operations {
        if let OperationState::Live(live) = operation_state {
            compare_stack(id, live, platform, &mut found);
        }
    }
    for name in &platform.services {
        found.extend(orphan(name, store, platform));
    }
    found.extend(stray_volumes(store, platform));
    found.extend(lost_data(store, platform));
    found
}

/// Finds the volumes of this portal that no stack and no kept data has.
fn stray_volumes<'a>(
    store: &'a StoreView,
    platform: &'a PlatformView,
) -> impl Iterator<Item = Finding> + 'a {
    let is_stray = |volume: &&OwnVolume| {
        let state = store.operation_state(&volume.stack.deployment());
        match state {
            Some(OperationState::Busy | OperationState::Live(_)) => false,
            Some(OperationState::Gone { .. }) | None => !store.keeps(&volume.name),
        }
    };
    let stray = platform.volumes.iter().filter(is_stray);
    stray.map(|OwnVolume { name, .. }| Finding::StrayVolume { volume: name.clone() })
}

/// Finds the volumes of kept data that are gone, if Docker answered before and after it listed the
/// volumes.
fn lost_data<'a>(
    store: &'a StoreView,
    platform: &'a PlatformView,
) -> impl Iterator<Item = Finding> + 'a {
    let is_kept = |data: &&KeptData| match data.state {
        KeptState::Kept | KeptState::Lost(_) => platform.is_volume_list_proven,
        KeptState::Removing | KeptState::InUse(_) | KeptState::Deleting => false,
    };
    store.kept.iter().filter(is_kept).flat_map(|data| {
        let is_gone =
            |volume: &&KeptVolume| platform.all_volumes.iter().all(|one| one.0 != volume.name);
        let is_all = data.volumes.iter().all(|volume| is_gone(&volume));
        data.volumes.iter().filter(is_gone).map(move |volume| Finding::LostData {
            id: data.stack.data_id(),
            name: data.name.clone(),
            volume: volume.name.clone(),
            is_all,
        })
    })
}

/// Compares a live stack with its resources on the platform.
fn compare_stack(
    id: &DeploymentId,
    live: &Live,
    platform: &PlatformView,
    found: &mut Vec<Finding>,
) {
    let lost = |part| Finding::Lost { name: live.name.clone(), id: id.clone(), part };
    let duplicate = |resource| Finding::Duplicate { id: id.clone(), resource };
    let copy = |resource| Finding::Copy { id: id.clone(), resource };
    let (kept, others) = projects_of(id, live, platform);
    let Some(project) = kept else {
        found.push(lost(ResourceKind::Project));
        return;
    };
    let project_name = StackSettings::project(&live.name);
    found.extend(others.into_iter().map(|other| {
        let resource = of_project(other);
        if other.name == project_name { duplicate(resource) } else { copy(resource) }
    }));
    let (kept, others) = applications_of(live, project);
    let Some(application) = kept else {
        found.push(lost(ResourceKind::Application));
        return;
    };
    let is_named_so = |one: &&ApplicationSummary| one.name == live.name.as_str();
    let (others, copies): (Vec<_>, Vec<_>) = others.into_iter().partition(is_named_so);
    found.extend(copies.into_iter().map(|other| copy(of_application(other))));
    let is_double = |id: &ApplicationId| others.iter().any(|other| other.id == *id);
    let theirs = |host: &&&Host| !host.leads_to.as_ref().is_some_and(&is_double);
    let (own, elsewhere): (Vec<&Host>, Vec<&Host>) = platform
        .hosts
        .iter()
        .filter(|host| host.name.eq_ignore_ascii_case(&live.host))
        .partition(|host| host.leads_to.as_ref() == Some(&application.id));
    if live.should_run
        && let Some(Idle::Known(why) | Idle::Ending(why)) = platform.idle.get(&application.app_name)
    {
        found.push(Finding::NotRunning {
            name: live.name.clone(),
            id: id.clone(),
            application: application.id.clone(),
            service: application.app_name.clone(),
            why: *why,
        });
    }
    found.extend(drifts(id, live, application, platform));
    found.extend(others.iter().map(|other| duplicate(of_application(other))));
    found.extend(duplicate_domains(live, &own).into_iter().map(duplicate));
    if own.is_empty() {
        found.push(Finding::Unrouted {
            name: live.name.clone(),
            host: live.host.clone(),
            application: application.id.clone(),
        });
    }
    found.extend(elsewhere.iter().filter(theirs).map(|host| Finding::Contested {
        name: live.name.clone(),
        host: live.host.clone(),
        domain: host.domain.clone(),
    }));
}

/// Compares what the service of a live stack runs, and what the platform's row of its application
/// holds, with the stack's revision.
fn drifts<'a>(
    id: &'a DeploymentId,
    live: &'a Live,
    application: &'a ApplicationSummary,
    platform: &'a PlatformView,
) -> impl Iterator<Item = Finding> + 'a {
    let (name, app_name) = (&live.name, &application.app_name);
    let expected = live.expected.as_ref();
    let runs = expected.and_then(|expected| {
        let state = platform.states.get(app_name).filter(|_| live.should_run);
        let (id, name, application) = (id.clone(), name.clone(), application.id.clone());
        drift(expected, state?).map(|drift| Finding::Drift { name, id, application, drift })
    });
    let holds = expected.and_then(|expected| {
        let row = platform.rows.get(app_name)?;
        let (id, name, application) = (id.clone(), name.clone(), application.id.clone());
        let drift = row::drift(expected, live.should_run, row)?;
        Some(Finding::RowDrift { name, id, application, drift })
    });
    runs.into_iter().chain(holds)
}

/// Repeats those of the `known` findings whose stack's state the platform does not show now: they
/// remain valid until it does.
pub(super) fn undecided<'a>(
    known: &'a [NotRunning],
    store: &'a StoreView,
    platform: &'a PlatformView,
) -> impl Iterator<Item = Finding> + 'a {
    known.iter().filter_map(|known| {
        let Some(OperationState::Live(live)) = store.operation_state(&known.deployment) else {
            return None;
        };
        let is_unknown =
            live.should_run && platform.idle.get(&known.service) == Some(&Idle::Unknown);
        let application = live.kept.application_id.clone().filter(|_| is_unknown)?;
        Some(Finding::NotRunning {
            name: live.name.clone(),
            id: known.deployment.clone(),
            application: ApplicationId(application),
            service: known.service.clone(),
            why: known.why,
        })
    })
}

/// Finds the project that a live stack has recorded, and the others with its marker.
fn projects_of<'a>(
    id: &DeploymentId,
    live: &Live,
    platform: &'a PlatformView,
) -> (Option<&'a MarkedProject>, Vec<&'a MarkedProject>) {
    let ours = platform.projects.iter().filter(|project| project.creator.as_ref() == Some(id));
    let (kept, others): (Vec<_>, Vec<_>) =
        ours.partition(|project| live.kept.project_id.as_ref() == Some(&project.id.0));
    (kept.first().copied(), others)
}

/// Finds the application that a live stack has recorded, and the others with its marker in the same
/// project.
fn applications_of<'a>(
    live: &Live,
    project: &'a MarkedProject,
) -> (Option<&'a ApplicationSummary>, Vec<&'a ApplicationSummary>) {
    let is_ours =
        |one: &&ApplicationSummary| one.description.as_deref() == Some(project.marker.as_str());
    let (kept, others): (Vec<_>, Vec<_>) = project
        .applications
        .iter()
        .filter(is_ours)
        .partition(|one| live.kept.application_id.as_ref() == Some(&one.id.0));
    (kept.first().copied(), others)
}

/// Finds the duplicates of the domain that a live stack has recorded, if the recorded one exists.
fn duplicate_domains(live: &Live, own: &[&Host]) -> Vec<Resource> {
    let is_kept = |host: &&&Host| live.kept.domain_id.as_ref() == Some(&host.domain.0);
    if !own.iter().any(|host| is_kept(&host)) {
        return Vec::new();
    }
    let others = own.iter().filter(|host| !is_kept(host));
    let resource = |host: &&Host| Resource {
        kind: ResourceKind::Domain,
        id: host.domain.0.clone(),
        name: host.name.clone(),
    };
    others.map(resource).collect()
}

/// Returns a finding if a service of ours runs without an application.
fn orphan(name: &AppName, store: &StoreView, platform: &PlatformView) -> Option<Finding> {
    let mut rows = platform.projects.iter().flat_map(|project| &project.applications);
    if rows.any(|application| application.app_name == *name) {
        return None;
    }
    let owners = || store.services.iter().filter(|(owned, _)| owned == name).map(|(_, id)| id);
    let is_over = |id: &DeploymentId| match store.operation_state(id) {
        Some(OperationState::Gone { .. }) => true,
        // If only the project's marker is missing, its applications are not in `platform`: then the
        // application of this service may still exist.
        Some(OperationState::Live(live)) => {
            // An application that somebody moved to another project is not in `platform` either.
            let leads_to_it = |host: &Host| {
                let leads_to = host.leads_to.as_ref().map(|id| id.0.as_str());
                leads_to.is_some() && leads_to == live.kept.application_id.as_deref()
            };
            if platform.hosts.iter().any(leads_to_it) {
                return false;
            }
            let is_deleted = |id: &String| !platform.all_projects.contains(id);
            projects_of(id, live, platform).0.is_some()
                || live.kept.project_id.as_ref().is_some_and(is_deleted)
        }
        Some(OperationState::Busy) | None => false,
    };
    let id = owners().next().filter(|_| owners().all(is_over))?;
    Some(Finding::Service { name: name.clone(), id: id.clone() })
}

fn of_project(project: &MarkedProject) -> Resource {
    let (id, name) = (project.id.0.clone(), project.name.clone());
    Resource { kind: ResourceKind::Project, id, name }
}

fn of_application(application: &ApplicationSummary) -> Resource {
    let (id, name) = (application.id.0.clone(), application.app_name.0.clone());
    Resource { kind: ResourceKind::Application, id, name }
}

#[cfg(test)]
mod tests;
