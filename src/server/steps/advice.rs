//! Advice: what an operator can do about a leftover, given the present state of the platform.
//!
//! A remedy that helps in one state does harm in another: if an application is deleted while its
//! deploy job runs, its service is left behind, and Dokploy cannot remove it. So the platform is
//! read before anything is advised. Since a remedy may be read later, it says when it is safe. If
//! something is only slow, the remedy is to wait, and says for what.

use std::time::Duration;

use super::named::named;
use super::routes;
use crate::server::platform::{
    AppName, ApplicationId, ApplicationSummary, Container, Host, Platform, PlatformError, Project,
    ProjectSummary, QueuedJob, RouteFile, routes_host,
};
use crate::server::saga::context::Context;
use crate::server::saga::failure::call_failure;
use crate::server::settings::StackSettings;
use domain::platform_problem::PlatformProblem;
use domain::receipt::{Line, Outcome, ResourceKind};
use domain::remedy::Remedy;

/// The time after which a look makes no further call, since it delays the recording of the end.
/// Each call has a time limit of its own.
const LIMIT: Duration = Duration::from_secs(5);

/// Sets the remedy of every leftover, according to the present state of the platform. It retries no
/// call: if one fails, the remedy is to wait for the platform.
pub(crate) async fn advise(cx: &Context, mut lines: Vec<Line>) -> Vec<Line> {
    let is_left = |line: &Line| line.outcome == Outcome::Left;
    if !lines.iter().any(is_left) {
        return lines;
    }
    let situation = situation(cx, &lines).await;
    for line in lines.iter_mut().filter(|line| is_left(line)) {
        line.remedy = Some(match &situation {
            Err(wait) => wait.clone(),
            // A remedy that a step set is more specific.
            Ok(seen) => line.remedy.take().unwrap_or_else(|| seen.remedy(cx, line)),
        });
    }
    lines
}

/// Returns what exists, or what there is to wait for if nothing can be removed now.
async fn situation(cx: &Context, lines: &[Line]) -> Result<Seen, Remedy> {
    // A platform that hangs would not answer.
    if cx.is_wedged() {
        return Err(Remedy::AwaitPlatform { problem: PlatformProblem::Wedged });
    }
    let look = Look { cx, since: cx.clock.monotonic() };
    match (look_around(&look, lines).await, cx.platform.problem()) {
        (Ok(situation), _) => situation,
        // A single failure is not yet a problem of the whole platform.
        (Err(_), Some(problem)) => Err(Remedy::AwaitPlatform { problem }),
        (Err(error), None) => Err(Remedy::AwaitAnswer { failure: call_failure(&error) }),
    }
}

/// Sets the remedy of a leftover if the platform was not read.
pub(crate) fn unseen(mut line: Line) -> Line {
    line.remedy.get_or_insert(Remedy::AwaitCleanUp { marker: None });
    line
}

/// The resources of the operation that exist.
struct Seen {
    projects: Vec<(ProjectSummary, Option<Project>)>,
    /// The recorded application, if it exists but is in none of `projects`.
    moved: Option<String>,
    services: Vec<AppName>,
    containers: Vec<Container>,
    hosts: Vec<Host>,
    /// The reverse proxy's file that routes our host, if no domain of that host exists.
    open: Option<RouteFile>,
}

/// A reading of the platform in bounded time.
struct Look<'a> {
    cx: &'a Context,
    /// The time at which it began, on the monotonic clock.
    since: Duration,
}

impl Look<'_> {
    /// Returns the platform.
    ///
    /// # Errors
    ///
    /// Returns a time-out once [`LIMIT`] has passed.
    fn platform(&self) -> Result<&dyn Platform, PlatformError> {
        let spent = self.cx.clock.monotonic().saturating_sub(self.since);
        if spent < LIMIT {
            Ok(&*self.cx.platform)
        } else {
            Err(PlatformError::TimedOut { call: "advice", limit: LIMIT })
        }
    }
}

async fn look_around(
    look: &Look<'_>,
    lines: &[Line],
) -> Result<Result<Seen, Remedy>, PlatformError> {
    let cx = look.cx;
    let projects = projects(look, lines).await?;
    let mut jobs = look.platform()?.queue().await?.into_iter();
    if jobs.any(|QueuedJob { application, .. }| is_ours(cx, &projects, &application)) {
        return Ok(Err(Remedy::AwaitJob));
    }
    if look.platform()?.node_count().await? == 0 {
        return Ok(Err(Remedy::AwaitDocker));
    }
    let hosts = look.platform()?.hosts().await?;
    let moved = moved(look, &projects, &hosts).await?;
    let is_asked = lines.iter().any(|line| line.resource == ResourceKind::Domain);
    let is_known = |host: &Host| host.name.eq_ignore_ascii_case(&cx.host);
    let is_asked = is_asked && !hosts.iter().any(is_known);
    let open = if is_asked { open_file(look).await } else { None };
    let services = look.platform()?.services().await?;
    let mut containers = Vec::new();
    for line in lines.iter().filter(|line| line.resource == ResourceKind::Service) {
        let name = AppName(line.name.clone());
        containers.extend(look.platform()?.containers(&name).await?);
    }
    Ok(Ok(Seen { projects, moved, services, containers, hosts, open }))
}

/// Finds the projects with the operation's marker, the recorded one, and those that `lines` name.
async fn projects(
    look: &Look<'_>,
    lines: &[Line],
) -> Result<Vec<(ProjectSummary, Option<Project>)>, PlatformError> {
    let cx = look.cx;
    let recorded = cx.journal.resources().project_id;
    let is_named = |summary: &ProjectSummary| {
        let named = lines.iter().filter(|line| line.resource == ResourceKind::Project);
        let mut named = named.filter_map(|line| line.id.as_ref()).chain(&recorded);
        named.any(|id| *id == summary.id.0)
    };
    let mut found = Vec::new();
    for summary in look.platform()?.projects().await? {
        if cx.is_our_project(&summary) || is_named(&summary) {
            let whole = look.platform()?.project(&summary.id).await?;
            found.push((summary, whole));
        }
    }
    Ok(found)
}

/// Returns whether an application is the recorded one, or has the operation's marker.
fn is_ours(
    cx: &Context,
    projects: &[(ProjectSummary, Option<Project>)],
    id: &ApplicationId,
) -> bool {
    let mut applications = applications(projects);
    cx.journal.resources().application_id.as_ref() == Some(&id.0)
        || applications.any(|one| one.id == *id && cx.is_our_application(one))
}

/// Finds the recorded application if somebody moved it to another project. The platform port cannot
/// look up an application by its id, so it counts as existing if a host routes to it or it has
/// jobs.
async fn moved(
    look: &Look<'_>,
    projects: &[(ProjectSummary, Option<Project>)],
    hosts: &[Host],
) -> Result<Option<String>, PlatformError> {
    let recorded = look.cx.journal.resources().application_id.map(ApplicationId);
    let is_here = |id: &ApplicationId| applications(projects).any(|one| one.id == *id);
    let Some(id) = recorded.filter(|id| !is_here(id)) else { return Ok(None) };
    let is_there = hosts.iter().any(|host| host.leads_to.as_ref() == Some(&id))
        || !look.platform()?.jobs(&id).await?.is_empty();
    Ok(is_there.then_some(id.0))
}

fn applications(
    projects: &[(ProjectSummary, Option<Project>)],
) -> impl Iterator<Item = &ApplicationSummary> {
    let environments = projects.iter().filter_map(|(_, whole)| whole.as_ref());
    environments.flat_map(|whole| &whole.environments).flat_map(|one| &one.applications)
}

/// Finds a route file of the operation's services that routes our host. A file that cannot be read
/// is skipped.
async fn open_file(look: &Look<'_>) -> Option<RouteFile> {
    for file in look.cx.journal.services().iter().filter_map(RouteFile::of) {
        let text = look.platform().ok()?.route_file(&file).await.ok().flatten();
        if text.is_some_and(|text| routes_host(&text, &look.cx.host)) {
            return Some(file);
        }
    }
    None
}

impl Seen {
    fn remedy(&self, cx: &Context, line: &Line) -> Remedy {
        match line.resource {
            ResourceKind::Domain => self.of_domain(cx, line),
            ResourceKind::Service => self.of_service(cx, &AppName(line.name.clone())),
            ResourceKind::Application => self.of_application(cx, line),
            ResourceKind::Project => self.of_project(cx, line),
            ResourceKind::Volume => self.of_volume(cx, line),
        }
    }

    /// Finds the domain by its id, or by its host if it routes to our application: another domain
    /// for the same host is somebody else's.
    fn of_domain(&self, cx: &Context, line: &Line) -> Remedy {
        let leads_to_us = |host: &Host| {
            let leads_to = host.leads_to.as_ref();
            leads_to.is_some_and(|id| is_ours(cx, &self.projects, id))
        };
        let is_it = |host: &&Host| {
            line.id.as_ref() == Some(&host.domain.0)
                || host.name.eq_ignore_ascii_case(&line.name) && leads_to_us(host)
        };
        match (self.hosts.iter().find(is_it), &self.open) {
            (Some(Host { leads_to: Some(id), .. }), _) if self.moved.as_ref() == Some(&id.0) => {
                was_moved(cx, &id.0)
            }
            (Some(Host { name, domain, .. }), _) => Remedy::DeleteDomain(named(name, domain)),
            (None, Some(file)) => routes::still_routed(file, &cx.host),
            (None, None) => Remedy::AlreadyGone,
        }
    }

    fn of_service(&self, cx: &Context, name: &AppName) -> Remedy {
        if let Some(application) = applications(&self.projects).find(|one| one.app_name == *name) {
            let remedy = Box::new(delete_application(cx, application));
            return Remedy::WithApplication { remedy };
        }
        if self.services.contains(name) {
            // If its application was moved, Dokploy can still remove both.
            return match &self.moved {
                Some(id) => was_moved(cx, id),
                None => Remedy::RemoveService { service: name.to_string() },
            };
        }
        match self.containers.iter().find(|one| name.owns_container(&one.name)) {
            Some(container) => Remedy::AwaitContainer { container: container.name.clone() },
            None => Remedy::AlreadyGone,
        }
    }

    fn of_application(&self, cx: &Context, line: &Line) -> Remedy {
        let is_it = |one: &&ApplicationSummary| match &line.id {
            Some(id) => *id == one.id.0,
            None => one.name == line.name && cx.is_marked(one.description.as_deref()),
        };
        match (applications(&self.projects).find(is_it), &self.moved) {
            (Some(application), _) => delete_application(cx, application),
            (None, Some(id)) if line.id.as_ref() == Some(id) => was_moved(cx, id),
            (None, _) => Remedy::AlreadyGone,
        }
    }

    /// A volume is removed after the application that has it.
    fn of_volume(&self, cx: &Context, line: &Line) -> Remedy {
        let mut applications = applications(&self.projects);
        if self.moved.is_some() || applications.any(|one| is_ours(cx, &self.projects, &one.id)) {
            return Remedy::AwaitCleanUp { marker: None };
        }
        Remedy::RemoveVolume { volume: line.name.clone() }
    }

    fn of_project(&self, cx: &Context, line: &Line) -> Remedy {
        let is_it = |(one, _): &&(ProjectSummary, Option<Project>)| match &line.id {
            Some(id) => *id == one.id.0,
            None => one.name == line.name && cx.is_marked(one.description.as_deref()),
        };
        let Some((project, whole)) = self.projects.iter().find(is_it) else {
            return Remedy::AlreadyGone;
        };
        let ProjectSummary { id, name, description, .. } = project;
        let named = named(name, id);
        if !cx.is_marked(description.as_deref()) {
            return Remedy::MarkProject { named, marker: cx.marker.clone() };
        }
        if let Some(application) = &self.moved {
            return was_moved(cx, application);
        }
        let environments = whole.iter().flat_map(|project| &project.environments);
        let mut holds = environments.map(|one| one.applications.len() + one.other_services);
        if holds.any(|count| count > 0) {
            Remedy::EmptyProject(named)
        } else {
            Remedy::DeleteProject(named)
        }
    }
}

/// Returns how to delete an application without leaving its service behind.
fn delete_application(cx: &Context, application: &ApplicationSummary) -> Remedy {
    let named = named(&application.name, &application.id);
    if cx.is_marked(application.description.as_deref()) {
        Remedy::DeleteApplication(named)
    } else {
        Remedy::MarkApplication { named, marker: cx.marker.clone() }
    }
}

/// Returns what to do about an application that somebody moved.
fn was_moved(cx: &Context, id: &str) -> Remedy {
    let project = StackSettings::project(&cx.deployment.name);
    Remedy::MoveBack { application: id.to_owned(), project }
}
