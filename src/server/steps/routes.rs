//! Verifies that an address is gone, and removes stale routes to it.
//!
//! The platform's list of domains is not enough: if somebody deletes a project in Dokploy, the
//! reverse proxy's route file remains, and the stack continues to answer. So an address is gone if
//! the platform does not list it and no stack of ours answers there.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;

use crate::server::platform::{
    AppName, Application, Host, Permitted, ProjectId, Refusals, RouteFile, routes_host,
};
use crate::server::probe::Health;
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use domain::receipt::{Line, Outcome, ResourceKind};
use domain::remedy::Remedy;
use domain::time::elapsed_ms;

/// The time limit for the reverse proxy to apply a change. It took two seconds at most when
/// measured.
const LIMIT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(250);
/// The time limit of one probe.
const ASK_LIMIT: Duration = Duration::from_secs(5);

/// The state of the route files of services whose application is gone.
enum Stale {
    /// None routes our host.
    Closed,
    /// This file routes our host.
    Open(RouteFile),
    /// The platform does not show this file. A silent address proves nothing then: its stack may be
    /// slow or restarting.
    Unseen(RouteFile),
}

/// Corrects `lines` if our address is reported as verified gone and is not: a stale file routes it,
/// or our stack may still answer there. `is_known` is true if the platform still has the
/// application, and therefore needs the file.
pub(crate) async fn prove(
    cx: &Context,
    application: &Application,
    is_known: bool,
    mut lines: Vec<Line>,
) -> Result<Vec<Line>, StepError> {
    let services = services_of(cx, application);
    let is_stale = !is_known && !is_elsewhere(cx, application).await?;
    let stale = if is_stale { Some(close_stale_routes(cx, &services).await?) } else { None };
    let is_ours = |line: &Line| line.resource == ResourceKind::Domain && line.name == cx.host;
    let is_proved = |line: &Line| is_ours(line) && line.outcome == Outcome::VerifiedGone;
    let left = match stale {
        Some(Stale::Open(file)) => {
            cx.warn("domain.verify", "Something still answers at the address");
            Some(still_routed(&file, &cx.host))
        }
        None if !lines.iter().any(is_proved) => return Ok(lines),
        // Without the file's content, a silent address does not prove that the file routes nothing.
        Some(Stale::Unseen(_)) => remedy(cx, stale, &services).await?,
        stale => match is_silent(cx).await? {
            Some(true) => return Ok(lines),
            Some(false) => {
                cx.warn("domain.verify", "Something still answers at the address");
                remedy(cx, stale, &services).await?
            }
            None => {
                cx.warn("domain.verify", "Whether the address still answers could not be asked");
                None
            }
        },
    };
    if left.is_some() && !lines.iter().any(is_ours) {
        lines.push(cx.line(ResourceKind::Domain, None, &cx.host, Outcome::VerifiedGone));
    }
    for line in lines.iter_mut().filter(|line| is_proved(line)) {
        line.outcome = if left.is_some() { Outcome::Left } else { Outcome::Removed };
        line.remedy.clone_from(&left);
    }
    Ok(lines)
}

/// Returns the remedy for an address that may still answer for our stack; `None` if it cannot be
/// our stack.
async fn remedy(
    cx: &Context,
    stale: Option<Stale>,
    services: &BTreeSet<AppName>,
) -> Result<Option<Remedy>, StepError> {
    Ok(match stale {
        // Only a stack with a service can answer; without one, something else answers.
        Some(stale) if has_service(cx, services).await? => Some(match stale {
            Stale::Unseen(file) => still_routed(&file, &cx.host),
            Stale::Open(_) | Stale::Closed => Remedy::CheckProxy { host: cx.host.clone() },
        }),
        // The undo of the application removes the service next, and with it the answer.
        Some(_) | None => None,
    })
}

/// Returns all services that the operation has had, including that of `application`.
fn services_of(cx: &Context, application: &Application) -> BTreeSet<AppName> {
    let mut services = cx.journal.services();
    services.insert(application.app_name.clone());
    services
}

/// Returns the remedy for a file that routes an address whose application is gone.
pub(crate) fn still_routed(file: &RouteFile, host: &str) -> Remedy {
    let content = file.without_routes().trim_end().to_owned();
    Remedy::ReplaceRouteFile { path: file.path(), host: host.to_owned(), content }
}

/// Waits until nothing that may be our stack answers at the address. Returns `false` if that takes
/// too long or the probe fails, and `None` if a local fault of the portal prevented the probe.
async fn is_silent(cx: &Context) -> Result<Option<bool>, StepError> {
    let urls = cx.health_urls();
    let since = cx.now();
    loop {
        // A panic of the probe must not end the undo: the address is then only not verified.
        let asked = AssertUnwindSafe(ask(cx, &urls)).catch_unwind().await;
        match asked {
            Ok(health) if !may_be_a_stack(&health) => return Ok(Some(true)),
            Ok(_) if u128::from(elapsed_ms(since, cx.now())) < LIMIT.as_millis() => {}
            Ok(Health::LocalFault(..)) => return Ok(None),
            Ok(_) | Err(_) => return Ok(Some(false)),
        }
        match cx.wait(PAUSE).await {
            Ok(()) => {}
            Err(StepError::Failed(_)) => return Ok(Some(false)),
            Err(error @ StepError::Store(_)) => return Err(error),
        }
    }
}

/// Probes the paths of the stack, one after the other, until one answers as a stack may.
async fn ask(cx: &Context, urls: &[String]) -> Health {
    let mut last = Health::Silent(String::from("no path is asked"));
    for url in urls {
        last = cx.probe.check(url, ASK_LIMIT).await;
        if may_be_a_stack(&last) {
            break;
        }
    }
    last
}

/// Returns whether the reverse proxy itself answers with this status: it has no route, or nothing
/// behind the route.
pub(super) fn is_of_router(status: u16) -> bool {
    matches!(status, 404 | 502 | 504)
}

/// Returns whether a stack may have given this answer.
fn may_be_a_stack(health: &Health) -> bool {
    match health {
        // After a failed check, a stack may still answer.
        Health::LocalFault(..) => true,
        Health::Answering(status) => !is_of_router(*status),
        Health::Silent(_) | Health::Untrusted(_) => false,
    }
}

/// Overwrites route files that an older version left behind after the application was gone, and
/// returns the line for the address if one of them still routes it.
pub(crate) async fn close_left_open(
    cx: &Context,
    application: &Application,
) -> Result<Option<Line>, StepError> {
    Ok(match close_stale_routes(cx, &services_of(cx, application)).await? {
        Stale::Open(file) => {
            let remedy = Some(still_routed(&file, &cx.host));
            let left = cx.line(ResourceKind::Domain, None, &cx.host, Outcome::Left);
            Some(Line { remedy, ..left })
        }
        Stale::Closed | Stale::Unseen(_) => None,
    })
}

/// Overwrites those route files of these services that route our host, and returns the resulting
/// state.
///
/// Call it only after the application is gone: until then the platform itself uses the file.
async fn close_stale_routes(
    cx: &Context,
    services: &BTreeSet<AppName>,
) -> Result<Stale, StepError> {
    let mut stale = Stale::Closed;
    for file in services.iter().filter_map(RouteFile::of) {
        let mut seen = look(cx, &file).await?;
        if matches!(seen, Stale::Open(_)) {
            let refusals = Refusals::default();
            let done = "Removed the stale route of the address from the reverse proxy";
            let write = || refusals.record(&*cx.platform, cx.platform.clear_route_file(&file));
            let written = cx.mutate("settings.updateTraefikFile", done, write).await?;
            // The call reports success even if it failed, so the file is read again.
            if matches!(written, Permitted::Yes(())) {
                seen = look(cx, &file).await?;
            }
        }
        if matches!((&stale, &seen), (Stale::Closed, _) | (_, Stale::Open(_))) {
            stale = seen;
        }
    }
    Ok(stale)
}

/// Reads whether the file routes our host.
async fn look(cx: &Context, file: &RouteFile) -> Result<Stale, StepError> {
    let refusals = Refusals::default();
    let read = || refusals.record(&*cx.platform, cx.platform.route_file(file));
    Ok(match cx.query("settings.readTraefikFile", read).await? {
        Permitted::No(_) => Stale::Unseen(file.clone()),
        Permitted::Yes(Some(text)) if routes_host(&text, &cx.host) => Stale::Open(file.clone()),
        Permitted::Yes(_) => Stale::Closed,
    })
}

/// Returns whether the platform still has the application, without our marker or in another
/// project: a host routes to it, it has jobs, or its project contains it.
pub(crate) async fn is_elsewhere(
    cx: &Context,
    application: &Application,
) -> Result<bool, StepError> {
    let leads_to = |host: &Host| host.leads_to.as_ref() == Some(&application.id);
    if cx.query("overview.domains", || cx.platform.hosts()).await?.iter().any(leads_to) {
        return Ok(true);
    }
    let jobs = || cx.platform.jobs(&application.id);
    if !cx.query("deployment.all", jobs).await?.is_empty() {
        return Ok(true);
    }
    let Some(project) = cx.journal.resources().project_id else { return Ok(false) };
    let id = ProjectId(project);
    let project = cx.query("project.one", || cx.platform.project(&id)).await?;
    let environments = project.into_iter().flat_map(|project| project.environments);
    let mut applications = environments.flat_map(|one| one.applications);
    Ok(applications.any(|one| one.id == application.id))
}

/// Returns whether one of these services exists.
async fn has_service(cx: &Context, services: &BTreeSet<AppName>) -> Result<bool, StepError> {
    Ok(cx.services().await?.iter().any(|service| services.contains(service)))
}

#[cfg(test)]
mod tests {
    use crate::server::steps::routes::*;

    #[test]
    fn a_proxy_that_knows_no_such_address_is_told_from_a_stack_that_is_not_well() {
        let answers = |status| may_be_a_stack(&Health::Answering(status));
        assert!([200, 301, 401, 403, 418, 500, 503].into_iter().all(answers));
        assert!(![404, 502, 504].into_iter().any(answers));
        assert!(!may_be_a_stack(&Health::Silent(String::from("no connection"))));
        assert!(!may_be_a_stack(&Health::Untrusted(String::from("self-signed"))));
    }
}
