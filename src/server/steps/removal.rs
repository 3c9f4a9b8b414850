//! Removes resources of this portal, and returns the receipt's lines about them.
//!
//! Every function is idempotent: a resource that is already gone counts as removed. Call them only
//! for resources with our marker.

use super::advice;
use super::named::named;
use crate::server::platform::{
    AppName, Application, ApplicationId, Domain, DomainId, Project, ProjectId,
};
use crate::server::saga::absence;
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::store::Result;
use crate::server::visible;
use domain::receipt::{Line, Outcome, ResourceKind};
use domain::remedy::Remedy;
use domain::words;

impl Context {
    /// Returns a line of the receipt. [`super::advice`] sets the remedy of a leftover for which the
    /// step knows none.
    pub(crate) fn line(
        &self,
        resource: ResourceKind,
        id: Option<&str>,
        name: &str,
        outcome: Outcome,
    ) -> Line {
        // Our own names are visible. Somebody else may have given this one, in Dokploy.
        let (id, name) = (id.map(ToOwned::to_owned), visible::name(name));
        Line { resource, id, name, outcome, at: self.clock.now(), remedy: None }
    }

    /// Returns the line for a resource that was looked for again: `is_there` is true if it was found.
    pub(crate) fn checked_line(
        &self,
        resource: ResourceKind,
        id: &str,
        name: &str,
        is_there: bool,
    ) -> Line {
        let outcome = if is_there { Outcome::Left } else { Outcome::VerifiedGone };
        self.line(resource, Some(id), name, outcome)
    }

    /// Reads the domains of an application.
    pub(crate) async fn domains_of(&self, id: &ApplicationId) -> Result<Vec<Domain>, StepError> {
        self.query("domain.byApplicationId", || self.platform.domains_of(id)).await
    }

    /// Removes a domain that a lost response duplicated; `action` is what the log calls the search.
    pub(crate) async fn remove_duplicate(
        &self,
        action: &'static str,
        id: &DomainId,
    ) -> Result<(), StepError> {
        self.warn(action, "Removing a duplicate address of this deployment");
        let delete = || self.platform.delete_domain(id);
        self.mutate("domain.delete", "Removed the duplicate address", delete).await.map(drop)
    }

    /// Returns the lines for an application that could not be removed.
    pub(crate) fn leftover_application(&self, application: &Application) -> Vec<Line> {
        let (id, name) = (&application.id, self.deployment.name.as_str());
        vec![
            self.leftover_service(&application.app_name),
            self.line(ResourceKind::Application, Some(&id.0), name, Outcome::Left),
        ]
    }

    /// Returns the line for a service that is not verified as gone.
    pub(crate) fn leftover_service(&self, name: &AppName) -> Line {
        self.line(ResourceKind::Service, None, &name.0, Outcome::Left)
    }
}

/// Removes every domain of one of our applications, and verifies that none is left.
pub(crate) async fn remove_domains(
    cx: &Context,
    application: &ApplicationId,
) -> Result<Vec<Line>, StepError> {
    let domains = cx.domains_of(application).await?;
    for domain in domains.iter().rev() {
        let done = format!("Removed the address {}", domain.host);
        cx.mutate("domain.delete", &done, || cx.platform.delete_domain(&domain.id)).await?;
    }
    if domains.is_empty() {
        return Ok(Vec::new());
    }
    let still_there = cx.domains_of(application).await?;
    let line = |Domain { id, host, .. }: &Domain| {
        let is_there = still_there.iter().any(|domain| domain.id == *id);
        cx.checked_line(ResourceKind::Domain, &id.0, host, is_there)
    };
    Ok(domains.iter().rev().map(line).collect())
}

/// Removes one of our applications, and verifies that its service is gone.
///
/// It removes nothing while Docker is down: the platform would delete the application and report
/// success, and no call could remove the service afterwards.
pub(crate) async fn remove_application(
    cx: &Context,
    application: &Application,
) -> Result<Vec<Line>, StepError> {
    if !absence::docker_is_up(cx).await? {
        return Ok(cx.leftover_application(application));
    }
    cx.journal.record_service(&application.app_name).await?;
    let delete = || cx.platform.delete_application(&application.id);
    cx.mutate("application.delete", "Removed the application", delete).await?;
    let service = service_line(cx, &application.app_name).await?;
    let name = cx.deployment.name.as_str();
    let id = Some(application.id.0.as_str());
    Ok(vec![service, cx.line(ResourceKind::Application, id, name, Outcome::Removed)])
}

/// Verifies that a service whose application is gone is gone as well, and returns its line.
pub(crate) async fn service_line(cx: &Context, name: &AppName) -> Result<Line, StepError> {
    let since = cx.clock.now();
    if absence::service_is_gone(cx, name).await? {
        cx.info("service.verify", "Verified that no container is left", since);
        Ok(cx.line(ResourceKind::Service, None, &name.0, Outcome::VerifiedGone))
    } else {
        Ok(cx.leftover_service(name))
    }
}

/// Removes one of our projects with our applications in it. A project that contains anything else
/// is left.
pub(crate) async fn remove_project(
    cx: &Context,
    id: &ProjectId,
    name: &str,
) -> Result<Vec<Line>, StepError> {
    let mut lines = Vec::new();
    for application in cx.marked_applications_in(id).await? {
        lines.extend(remove_application(cx, &application.into()).await?);
    }
    if lines.iter().any(|line| line.outcome == Outcome::Left) {
        return Ok(lines);
    }
    let line = |outcome| cx.line(ResourceKind::Project, Some(&id.0), name, outcome);
    let find = || cx.platform.project(id);
    if let Some(project) = cx.query("project.one", find).await? {
        if !is_empty(&project) {
            let remedy = Remedy::FindOwner(named(name, id));
            lines.push(Line { remedy: Some(remedy), ..line(Outcome::Left) });
            return Ok(lines);
        }
        let remove = || cx.platform.remove_project(id);
        cx.mutate("project.remove", "Removed the project", remove).await?;
        if cx.query("project.one", find).await?.is_some() {
            lines.push(line(Outcome::Left));
            return Ok(lines);
        }
    }
    lines.push(line(Outcome::VerifiedGone));
    Ok(lines)
}

fn is_empty(project: &Project) -> bool {
    project
        .environments
        .iter()
        .all(|environment| environment.applications.is_empty() && environment.other_services == 0)
}

/// Removes duplicates of the resources that the journal recorded for a live stack, and returns
/// their lines. If the recorded resource does not exist, nothing counts as its duplicate.
pub(crate) async fn remove_duplicates(cx: &Context) -> Result<Vec<Line>, StepError> {
    let mut lines = Vec::new();
    let kept = cx.journal.resources();
    let (kept_project, others): (Vec<_>, Vec<_>) = cx
        .marked_projects()
        .await?
        .into_iter()
        .partition(|project| kept.project_id.as_ref() == Some(&project.id.0));
    let Some(kept_project) = kept_project.first() else { return Ok(lines) };
    for project in others {
        cx.warn("doubles.remove", "Removing a duplicate project of this deployment");
        lines.extend(remove_project(cx, &project.id, &project.name).await?);
    }
    let (kept_application, others): (Vec<_>, Vec<_>) = cx
        .marked_applications_in(&kept_project.id)
        .await?
        .into_iter()
        .partition(|application| kept.application_id.as_ref() == Some(&application.id.0));
    let Some(kept_application) = kept_application.first() else {
        return Ok(advice::advise(cx, lines).await);
    };
    for application in others {
        cx.warn("doubles.remove", "Removing a duplicate application of this deployment");
        lines.extend(remove_application(cx, &application.into()).await?);
    }
    lines.extend(duplicate_domains(cx, &kept_application.id, kept.domain_id.as_deref()).await?);
    Ok(advice::advise(cx, lines).await)
}

/// Logs duplicates that could not be removed, since the receipt of a live stack does not list them.
/// Returns whether none is left.
pub(crate) fn warn_of_leftovers(
    cx: &Context,
    removed: Result<Vec<Line>, StepError>,
) -> Result<bool> {
    let lines = match removed {
        Ok(lines) => lines,
        Err(StepError::Failed(cause)) => {
            cx.warn("doubles.remove", &format!("Could not look for duplicates: {}", cause.message));
            return Ok(false);
        }
        Err(StepError::Store(error)) => return Err(error),
    };
    let leftover: Vec<_> = lines.iter().filter(|line| line.outcome == Outcome::Left).collect();
    for line in &leftover {
        let remedy = line.remedy.as_ref().map(words::remedy::sentence).unwrap_or_default();
        let (noun, name) = (line.resource.noun(), &line.name);
        cx.warn("doubles.remove", &format!("Could not remove the {noun} {name}: {remedy}"));
    }
    Ok(leftover.is_empty())
}

async fn duplicate_domains(
    cx: &Context,
    application: &ApplicationId,
    kept: Option<&str>,
) -> Result<Vec<Line>, StepError> {
    let domains = cx.domains_of(application).await?;
    let is_kept = |domain: &Domain| kept == Some(domain.id.0.as_str());
    let mut lines = Vec::new();
    if !domains.iter().any(is_kept) {
        return Ok(lines);
    }
    // Somebody added a domain with another host on purpose.
    for domain in domains.iter().filter(|domain| domain.host == cx.host && !is_kept(domain)) {
        cx.remove_duplicate("doubles.remove", &domain.id).await?;
        let id = Some(domain.id.0.as_str());
        lines.push(cx.line(ResourceKind::Domain, id, &domain.host, Outcome::Removed));
    }
    Ok(lines)
}
