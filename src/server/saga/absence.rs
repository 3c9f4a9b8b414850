//! Proof of absence: a service is gone only when the platform can prove it.
//!
//! With Docker down, the platform answers "none" to every question (recordings 246 to 248).
//! So an empty answer counts only between two looks that both saw a node: one look alone may
//! fall into the moment in which Docker comes back. The service's tasks are gone at once, its
//! containers some seconds later (recordings day-two 424 and 546): only without any of them is
//! nothing left of it.

use std::time::Duration;

use super::{context::Context, failure::StepError};
use crate::server::platform::AppName;
use domain::progress::elapsed_ms;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The time that a removed service may take to disappear.
const LIMIT: Duration = Duration::from_mins(1);
/// The number of calls that a look takes when it finds something, for whoever looks at the same
/// time.
const CALLS_PER_CHECK: u32 = 3;

/// Waits until the service called `name` is proved gone; `false` when that takes too long.
pub(crate) async fn service_is_gone(cx: &Context, name: &AppName) -> Result<bool, StepError> {
    wait_until(cx, || is_absent(cx, name)).await
}

/// Waits until Docker answers; `false` when that takes too long.
pub(crate) async fn docker_is_up(cx: &Context) -> Result<bool, StepError> {
    wait_until(cx, || has_node(cx)).await
}

/// Looks again and again, ever less often, until `check` sees it or the limit is over.
async fn wait_until<F>(cx: &Context, check: impl Fn() -> F + Send) -> Result<bool, StepError>
where
    F: Future<Output = Result<bool, StepError>> + Send,
{
    let since = cx.now();
    let mut pause = FIRST_PAUSE;
    while !check().await? {
        if u128::from(elapsed_ms(since, cx.now())) >= LIMIT.as_millis() {
            return Ok(false);
        }
        cx.wait(pause.max(cx.paced_delay(CALLS_PER_CHECK))).await?;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(true)
}

async fn is_absent(cx: &Context, name: &AppName) -> Result<bool, StepError> {
    let platform = &cx.platform;
    if !has_node(cx).await? {
        return Ok(false);
    }
    // What one call tells everybody comes first, and then what goes last.
    if cx.services().await?.contains(name) {
        return Ok(false);
    }
    let running = || platform.running_containers(name);
    if !cx.query("docker.getContainersByAppLabel", running).await?.is_empty() {
        return Ok(false);
    }
    let tasks = cx.query("docker.getServiceContainersByAppName", || platform.tasks(name)).await?;
    if !tasks.is_empty() {
        return Ok(false);
    }
    let all = || platform.containers(name);
    if !cx.query("docker.getContainersByAppNameMatch", all).await?.is_empty() {
        return Ok(false);
    }
    has_node(cx).await
}

async fn has_node(cx: &Context) -> Result<bool, StepError> {
    Ok(cx.node_count().await? > 0)
}
