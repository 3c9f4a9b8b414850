//! Addresses: when one is gone, and what routes one that should be.
//!
//! The platform's word is not enough: who deletes a project by hand leaves the file behind by
//! which the reverse proxy routes, and the stack goes on answering. So an address is gone when the
//! platform does not know it and it does not answer for our stack.

use std::{
    collections::BTreeSet,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use futures::FutureExt;

use crate::server::{
    platform::{AppName, Application, Host, PlatformError, ProjectId, RouteFile, routes_host},
    probe::Health,
    saga::{context::Context, failure::StepError},
};
use domain::{
    progress::elapsed_ms,
    receipt::{Line, Outcome, ResourceKind},
};

/// The time that the reverse proxy may take to take a change up: it took two seconds at most.
const LIMIT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(250);
/// The time that one question to the address may take.
const ASK_LIMIT: Duration = Duration::from_secs(5);

/// Describes how the files stand by which the reverse proxy routes to services whose application is
/// gone.
enum Stale {
    /// None routes our address.
    Closed,
    /// This one does.
    Open(RouteFile),
    /// The platform does not show this one: an address that is silent may only be slow, or its
    /// stack be restarting.
    Unseen(RouteFile),
}

/// Takes back in `lines` that our address is proved gone where it is not: a file routes it that
/// outlived its application, or our stack may answer there. `is_known` says whether the platform
/// has the application still, which it keeps the file for.
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
        // No answer proves that it routes nothing.
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

/// Says what to do about an address that still answers, where that may be our stack.
async fn remedy(
    cx: &Context,
    stale: Option<Stale>,
    services: &BTreeSet<AppName>,
) -> Result<Option<String>, StepError> {
    Ok(match stale {
        // It can only be our stack while that has a service; else it is somebody else's.
        Some(stale) if has_service(cx, services).await? => Some(match stale {
            Stale::Unseen(file) => still_routed(&file, &cx.host),
            Stale::Open(_) | Stale::Closed => not_taken_up(&cx.host),
        }),
        // Its service goes next, and it with that.
        Some(_) | None => None,
    })
}

/// Returns the services that the operation has had, that of `application` among them.
fn services_of(cx: &Context, application: &Application) -> BTreeSet<AppName> {
    let mut services = cx.journal.services();
    services.insert(application.app_name.clone());
    services
}

/// Says what to do about a file that routes an address whose application is gone.
pub(crate) fn still_routed(file: &RouteFile, host: &str) -> String {
    let (path, text) = (file.path(), file.without_routes());
    format!(
        "The reverse proxy's file {path} still routes {host}, although its application is deleted: \
         delete this file on the Dokploy server, or replace its content with: {}",
        text.trim_end()
    )
}

fn not_taken_up(host: &str) -> String {
    format!(
        "{host} still answers although no route to it exists: check the reverse proxy's log for a \
         file that it cannot read. Until that file is repaired, the proxy applies no route changes"
    )
}

/// Waits until nothing answers any more at the address that may be our stack; `false` when that
/// takes too long, or cannot be told, and none where the portal itself could not ask.
async fn is_silent(cx: &Context) -> Result<Option<bool>, StepError> {
    let url = cx.health_url();
    let since = cx.now();
    loop {
        // What is proved of an address is worth no undo that ends nowhere.
        let asked = AssertUnwindSafe(cx.probe.check(&url, ASK_LIMIT)).catch_unwind().await;
        match asked {
            Ok(health) if !may_be_a_stack(&health) => return Ok(Some(true)),
            Ok(_) if u128::from(elapsed_ms(since, cx.now())) < LIMIT.as_millis() => {}
            Ok(Health::Unasked(..)) => return Ok(None),
            Ok(_) | Err(_) => return Ok(Some(false)),
        }
        match cx.wait(PAUSE).await {
            Ok(()) => {}
            Err(StepError::Failed(_)) => return Ok(Some(false)),
            Err(error @ StepError::Store(_)) => return Err(error),
        }
    }
}

/// Tells a stack's answer from none, and from those by which a reverse proxy says that it knows no
/// such address, or has nobody behind it.
fn may_be_a_stack(health: &Health) -> bool {
    match health {
        // Of one that could not be asked nothing is known.
        Health::Healthy | Health::Unasked(..) => true,
        Health::Answering(status) => !matches!(status, 404 | 502 | 504),
        Health::Silent(_) | Health::Untrusted(_) => false,
    }
}

/// Closes the files of services whose application is gone, where an older version left them open,
/// and returns the line for an address that one of them still routes.
pub(crate) async fn close_left_open(
    cx: &Context,
    application: &Application,
) -> Result<Option<Line>, StepError> {
    Ok(match close_stale_routes(cx, &services_of(cx, application)).await? {
        Stale::Open(file) => {
            let remedy = Some(still_routed(&file, &cx.host));
            Some(cx.leftover_line(ResourceKind::Domain, None, &cx.host, remedy))
        }
        Stale::Closed | Stale::Unseen(_) => None,
    })
}

/// Takes the address out of the files of these services, and tells how they stand then.
///
/// Only after the application is gone is such a file nobody's: until then the platform keeps it.
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
            let write = || refusals.record(cx, cx.platform.clear_route_file(&file));
            // The call says that it was done also when it was not.
            if cx.mutate("settings.updateTraefikFile", done, write).await?.is_some() {
                seen = look(cx, &file).await?;
            }
        }
        if matches!((&stale, &seen), (Stale::Closed, _) | (_, Stale::Open(_))) {
            stale = seen;
        }
    }
    Ok(stale)
}

/// Looks whether the file routes our address.
async fn look(cx: &Context, file: &RouteFile) -> Result<Stale, StepError> {
    let refusals = Refusals::default();
    let read = || refusals.record(cx, cx.platform.route_file(file));
    Ok(match cx.query("settings.readTraefikFile", read).await? {
        None => Stale::Unseen(file.clone()),
        Some(Some(text)) if routes_host(&text, &cx.host) => Stale::Open(file.clone()),
        Some(_) => Stale::Closed,
    })
}

/// Counts how often a call was refused to a key that others take: then it may not make this one,
/// which Dokploy says by a 403, or by the 401 that it has for everything.
#[derive(Debug, Default)]
struct Refusals(AtomicU32);

impl Refusals {
    /// The number of refusals that prove it: after one alone, the key may only just be taken again.
    const ENOUGH: u32 = 2;

    /// Makes a call; none where the key may not make it.
    async fn record<T: Send>(
        &self,
        cx: &Context,
        call: impl Future<Output = Result<T, PlatformError>> + Send,
    ) -> Result<Option<T>, PlatformError> {
        match call.await {
            Err(PlatformError::Refused { .. }) => Ok(None),
            Err(error @ PlatformError::KeyRefused { .. }) => {
                if cx.platform.projects().await.is_err() {
                    self.0.store(0, Ordering::Relaxed);
                    return Err(error);
                }
                let refused = self.0.fetch_add(1, Ordering::Relaxed) + 1;
                if refused < Self::ENOUGH { Err(error) } else { Ok(None) }
            }
            result => result.map(Some),
        }
    }
}

/// Returns whether the platform has the application still, though not with our marker, or not where
/// we made it: then a host leads to it, or it has jobs.
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

/// Returns whether one of these services is there.
async fn has_service(cx: &Context, services: &BTreeSet<AppName>) -> Result<bool, StepError> {
    Ok(cx.services().await?.iter().any(|service| services.contains(service)))
}

#[cfg(test)]
mod tests {
    use crate::server::steps::routes::*;

    #[test]
    fn a_proxy_that_knows_no_such_address_is_told_from_a_stack_that_is_not_well() {
        let answers = |status| may_be_a_stack(&Health::Answering(status));
        assert!(may_be_a_stack(&Health::Healthy));
        assert!([200, 301, 401, 403, 418, 500, 503].into_iter().all(answers));
        assert!(![404, 502, 504].into_iter().any(answers));
        assert!(!may_be_a_stack(&Health::Silent(String::from("no connection"))));
        assert!(!may_be_a_stack(&Health::Untrusted(String::from("self-signed"))));
    }
}
