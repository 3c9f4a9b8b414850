//! Lets the visitors of a stack wait while its container is replaced, by the portal's middleware of
//! the reverse proxy.
//!
//! A stack goes without where that does not work: no operation fails by it.

use std::time::Duration;

use crate::server::platform::{ApplicationId, Domain};
use crate::server::probe::Health;
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;

/// The time within which the reverse proxy applies a change: two seconds at most when measured
/// (recording day-two 479).
const APPLIED: Duration = Duration::from_secs(3);
/// The time limit of one probe.
const ASK_LIMIT: Duration = Duration::from_secs(5);
/// The number of attempts to name the middleware. The operation goes on without it, so it gets the
/// seconds in which a short fault passes, and not the time that the step needs for the rest.
const ATTEMPTS: u32 = 3;
const ACTION: &str = "domain.update";
/// The status of the proxy where it has no route, or a middleware of it does not exist.
const NO_ROUTE: u16 = 404;

/// Names the middleware in those domains of the stack that do not name it yet.
pub(super) async fn let_wait(cx: &Context, application: &ApplicationId) -> Result<(), StepError> {
    let Ok(name) = cx.retry.ensure().await else {
        cx.warn(ACTION, "Visitors may get an error for some seconds: they cannot be kept waiting");
        return Ok(());
    };
    for domain in cx.domains_of(application).await?.iter().filter(|one| one.host == cx.host) {
        if domain.middlewares.contains(&name) {
            // An earlier attempt may have ended before it looked.
            take_back_if_lost(cx, domain, &name).await?;
        } else {
            attach(cx, domain, &name).await?;
        }
    }
    Ok(())
}

/// Takes the middleware out of the stack's domains if the address has no route, as an attempt that was
/// cancelled before it looked may have left it.
pub(super) async fn restore(cx: &Context, application: &ApplicationId) -> Result<(), StepError> {
    let Some(name) = cx.retry.known_name() else { return Ok(()) };
    let names_it = |domain: &&Domain| domain.host == cx.host && domain.middlewares.contains(&name);
    for domain in cx.domains_of(application).await?.iter().filter(names_it) {
        take_back_if_lost(cx, domain, &name).await?;
    }
    Ok(())
}

/// Names the middleware in the domain. It is the last one, so that what comes before it, such as a
/// login, is asked once. If the address has no route any more then, that is taken back.
async fn attach(cx: &Context, domain: &Domain, name: &str) -> Result<(), StepError> {
    let had_route = has_route(cx).await;
    let with: Vec<_> = domain.middlewares.iter().cloned().chain([name.to_owned()]).collect();
    let done = "Visitors wait while the container is replaced";
    let set = || cx.platform.set_middlewares(domain, &with);
    match cx.mutate_at_most(ATTEMPTS, ACTION, done, set).await {
        Ok(()) => {}
        // The wait ends the operation if it is to end. The call may have taken effect all the same.
        Err(StepError::Failed(_)) => {
            cx.warn(
                ACTION,
                "Visitors may get an error for some seconds: they cannot be kept waiting",
            );
        }
        Err(error @ StepError::Store(_)) => return Err(error),
    }
    cx.wait(APPLIED).await?;
    if had_route { take_back_if_lost(cx, domain, name).await } else { Ok(()) }
}

/// Takes the middleware out of the domain if the address has no route.
async fn take_back_if_lost(cx: &Context, domain: &Domain, name: &str) -> Result<(), StepError> {
    if has_route(cx).await {
        return Ok(());
    }
    let done = "The address had no route any more, so visitors do not wait";
    let others: Vec<_> = domain.middlewares.iter().filter(|one| *one != name).cloned().collect();
    cx.mutate(ACTION, done, || cx.platform.set_middlewares(domain, &others)).await
}

/// Returns whether the reverse proxy has a route for the stack's address.
async fn has_route(cx: &Context) -> bool {
    let Some(url) = cx.health_urls().into_iter().next() else { return false };
    match cx.probe.check(&url, ASK_LIMIT).await {
        Health::Answering(status) => status != NO_ROUTE,
        Health::Silent(_) | Health::Untrusted(_) | Health::LocalFault(..) => true,
    }
}
