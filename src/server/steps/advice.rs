//! Advice: what an operator can do about what is left, by how the platform stands right now.
//!
//! What helps in one state does harm in another: an application that is deleted while its deploy
//! job runs leaves its service behind for ever. So nothing is advised without a look, and what is
//! advised says when it is safe, since it may be read later. Where things are only slow, the
//! advice is to wait, and says for what.

use std::time::Duration;

use super::routes;
use crate::server::{
    platform::{
        AppName, ApplicationId, ApplicationSummary, Container, Host, Platform, PlatformError,
        Project, ProjectSummary, QueuedJob, RouteFile, routes_host,
    },
    saga::{context::Context, failure::describe_failure},
    settings::StackSettings,
};
use domain::{
    platform_problem::PlatformProblem,
    receipt::{Line, Outcome, ResourceKind},
};

/// The words about a resource that is gone.
const GONE: &str = "Nothing to do: it no longer exists";
/// When an application may be deleted by hand.
const SAFELY: &str = "while no deployment of it is running or queued there, and Docker answers";
/// The time after which a look makes no further call: the end that it is for is recorded only
/// afterwards. A call has a time limit of its own.
const LIMIT: Duration = Duration::from_secs(5);

/// Gives every line of what is left the advice that fits now. It asks once, and takes no answer
/// for an answer.
pub(crate) async fn advise(cx: &Context, mut lines: Vec<Line>) -> Vec<Line> {
    let is_left = |line: &Line| line.outcome == Outcome::Left;
    if !lines.iter().any(is_left) {
        return lines;
    }
    let situation = situation(cx, &lines).await;
    for line in lines.iter_mut().filter(|line| is_left(line)) {
        let remedy = situation.remedy(cx, line);
        line.remedy = Some(remedy);
    }
    lines
}

async fn situation(cx: &Context, lines: &[Line]) -> Situation {
    // A platform that hangs is not asked.
    if cx.is_wedged() {
        return Situation::Problem(PlatformProblem::Wedged);
    }
    let look = Look { cx, since: cx.clock.monotonic() };
    match (look_around(&look, lines).await, cx.platform.problem()) {
        (Ok(situation), _) => situation,
        // One refusal proves nothing yet.
        (Err(_), Some(problem)) => Situation::Problem(problem),
        (Err(error), None) => Situation::Silent(error),
    }
}

/// Gives a line advice where nobody has looked at the platform.
pub(crate) fn unseen(mut line: Line) -> Line {
    line.remedy.get_or_insert_with(|| {
        String::from("Waiting for the portal's next attempt, which checks what exists: see its log")
    });
    line
}

/// Describes how the platform stands.
enum Situation {
    /// It does not work for the portal until an operator acts.
    Problem(PlatformProblem),
    /// It does not answer, or not usefully.
    Silent(PlatformError),
    /// Its Docker does not answer.
    NoDocker,
    /// A deploy job of ours runs, or waits.
    Deploying,
    /// Nothing is in the way.
    Calm(Box<Seen>),
}

/// What there is of the operation.
struct Seen {
    projects: Vec<(ProjectSummary, Option<Project>)>,
    /// The application that is recorded, where it is in none of them, but still in Dokploy.
    moved: Option<String>,
    services: Vec<AppName>,
    containers: Vec<Container>,
    hosts: Vec<Host>,
    /// The file that routes our address although nothing else of it is there.
    open: Option<RouteFile>,
}

/// A look at the platform, of bounded length.
struct Look<'a> {
    cx: &'a Context,
    /// The time at which it began, by the monotonic clock.
    since: Duration,
}

impl Look<'_> {
    /// Returns the platform, unless the time for looking is used up.
    fn platform(&self) -> Result<&dyn Platform, PlatformError> {
        let spent = self.cx.clock.monotonic().saturating_sub(self.since);
        if spent < LIMIT {
            Ok(&*self.cx.platform)
        } else {
            Err(PlatformError::timed_out("advice", LIMIT))
        }
    }
}

async fn look_around(look: &Look<'_>, lines: &[Line]) -> Result<Situation, PlatformError> {
    let cx = look.cx;
    let projects = projects(look, lines).await?;
    let mut jobs = look.platform()?.queue().await?.into_iter();
    if jobs.any(|QueuedJob { application, .. }| is_ours(cx, &projects, &application)) {
        return Ok(Situation::Deploying);
    }
    if look.platform()?.node_count().await? == 0 {
        return Ok(Situation::NoDocker);
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
    Ok(Situation::Calm(Box::new(Seen { projects, moved, services, containers, hosts, open })))
}

/// Finds the projects that we made, the one that is recorded, and those that the lines name.
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

/// Returns whether an application is the recorded one, or another that we made.
fn is_ours(
    cx: &Context,
    projects: &[(ProjectSummary, Option<Project>)],
    id: &ApplicationId,
) -> bool {
    let mut applications = applications(projects);
    cx.journal.resources().application_id.as_ref() == Some(&id.0)
        || applications.any(|one| one.id == *id && cx.is_our_application(one))
}

/// Finds the recorded application where somebody has moved it: a host leads to it, or it has jobs.
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

/// Finds a file of ours that routes our address; what the platform does not show is none.
async fn open_file(look: &Look<'_>) -> Option<RouteFile> {
    for file in look.cx.journal.services().iter().filter_map(RouteFile::of) {
        let text = look.platform().ok()?.route_file(&file).await.ok().flatten();
        if text.is_some_and(|text| routes_host(&text, &look.cx.host)) {
            return Some(file);
        }
    }
    None
}

impl Situation {
    fn remedy(&self, cx: &Context, line: &Line) -> String {
        match self {
            Self::Problem(problem) => {
                format!("Waiting for Dokploy to work for the portal again: {}", problem.remedy())
            }
            Self::Silent(error) => {
                format!("Waiting for Dokploy to answer: {}", describe_failure(error))
            }
            Self::NoDocker => String::from(
                "Waiting for Docker on the Dokploy server to answer: delete nothing until then, or \
                 a container is left behind",
            ),
            Self::Deploying => String::from(
                "Waiting for Dokploy's deploy job to end: delete nothing until then, or its \
                 container is left behind",
            ),
            Self::Calm(seen) => {
                // What a step has found out itself is more exact than what is seen from here.
                line.remedy.clone().unwrap_or_else(|| seen.remedy(cx, line))
            }
        }
    }
}

impl Seen {
    fn remedy(&self, cx: &Context, line: &Line) -> String {
        match line.resource {
            ResourceKind::Domain => self.of_domain(cx, line),
            ResourceKind::Service => self.of_service(cx, &AppName(line.name.clone())),
            ResourceKind::Application => self.of_application(cx, line),
            ResourceKind::Project => self.of_project(cx, line),
        }
    }

    /// Another domain for the same host is somebody else's.
    fn of_domain(&self, cx: &Context, line: &Line) -> String {
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
            (Some(Host { name, domain, .. }), _) => {
                format!("Delete the domain {name} ({domain}) in Dokploy")
            }
            (None, Some(file)) => routes::still_routed(file, &cx.host),
            (None, None) => GONE.to_owned(),
        }
    }

    fn of_service(&self, cx: &Context, name: &AppName) -> String {
        if let Some(application) = applications(&self.projects).find(|one| one.app_name == *name) {
            return format!(
                "It is removed with its application. {}",
                delete_application(cx, application)
            );
        }
        if self.services.contains(name) {
            // Its application may be in Dokploy still.
            return match &self.moved {
                Some(id) => was_moved(cx, id),
                None => format!("docker service rm {name}"),
            };
        }
        match self.containers.iter().find(|one| name.owns_container(&one.name)) {
            Some(container) => {
                format!("Waiting for Docker to stop and remove the container {}", container.name)
            }
            None => GONE.to_owned(),
        }
    }

    fn of_application(&self, cx: &Context, line: &Line) -> String {
        let is_it = |one: &&ApplicationSummary| match &line.id {
            Some(id) => *id == one.id.0,
            None => one.name == line.name && cx.is_marked(one.description.as_deref()),
        };
        match (applications(&self.projects).find(is_it), &self.moved) {
            (Some(application), _) => delete_application(cx, application),
            (None, Some(id)) if line.id.as_ref() == Some(id) => was_moved(cx, id),
            (None, _) => GONE.to_owned(),
        }
    }

    fn of_project(&self, cx: &Context, line: &Line) -> String {
        let is_it = |(one, _): &&(ProjectSummary, Option<Project>)| match &line.id {
            Some(id) => *id == one.id.0,
            None => one.name == line.name && cx.is_marked(one.description.as_deref()),
        };
        let Some((project, whole)) = self.projects.iter().find(is_it) else {
            return GONE.to_owned();
        };
        let ProjectSummary { id, name, description, .. } = project;
        if !cx.is_marked(description.as_deref()) {
            return unmarked(cx, &format!("project {name} ({id})"));
        }
        if let Some(application) = &self.moved {
            return was_moved(cx, application);
        }
        let environments = whole.iter().flat_map(|project| &project.environments);
        let mut holds = environments.map(|one| one.applications.len() + one.other_services);
        if holds.any(|count| count > 0) {
            format!(
                "Delete what is in the project {name} ({id}) in Dokploy, {SAFELY}, and then the \
                 project: in the other order its container is left behind"
            )
        } else {
            format!("Delete the project {name} ({id}) in Dokploy")
        }
    }
}

/// Says how an application is deleted without leaving its service behind.
fn delete_application(cx: &Context, application: &ApplicationSummary) -> String {
    let ApplicationSummary { id, name, description, .. } = application;
    if cx.is_marked(description.as_deref()) {
        format!("Delete the application {name} ({id}) in Dokploy, {SAFELY}")
    } else {
        unmarked(cx, &format!("application {name} ({id})"))
    }
}

/// Says what to do about an application that somebody has moved.
fn was_moved(cx: &Context, id: &str) -> String {
    let project = StackSettings::project(&cx.deployment.name);
    format!(
        "The application {id} was moved out of the project {project} in Dokploy: move it back, and \
         the portal removes it, or delete it where it is, {SAFELY}"
    )
}

/// Says what to do about what the portal made and does not touch any more.
pub(crate) fn unmarked(cx: &Context, what: &str) -> String {
    format!(
        "The {what} no longer has the portal's marker, so the portal does not change it: set its \
         description to {} again, and the portal removes it",
        cx.marker
    )
}
