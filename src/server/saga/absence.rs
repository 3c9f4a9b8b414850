//! Proof of absence: a service counts as gone only when the platform's answers prove it.
//!
//! With Docker down, the platform answers every query with an empty list (recordings 246 to 248).
//! So an empty list counts only if the platform listed a node both before and after it: with one
//! check alone, Docker may have come back just after the empty list. The service's tasks disappear
//! at once, its containers some seconds later (recordings day-two 424 and 546), so the service is
//! gone only when neither is listed.

use std::time::Duration;

use super::context::Context;
use super::failure::StepError;
use crate::server::platform::{AppName, TaskState, VolumeName};
use domain::time::elapsed_ms;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The time limit for a removed service to disappear.
const LIMIT: Duration = Duration::from_mins(1);
/// The number of calls of one check that finds something, for the rate limit that all operations
/// share.
const CALLS_PER_CHECK: u32 = 3;

/// Waits until the service called `name` is proved gone. Returns `false` after [`LIMIT`].
pub(crate) async fn service_is_gone(cx: &Context, name: &AppName) -> Result<bool, StepError> {
    wait_until(cx, || is_absent(cx, name)).await
}

/// Waits until it is proved that nothing of the service called `name` runs, which itself stays.
/// Returns `false` after [`LIMIT`].
pub(crate) async fn nothing_runs(cx: &Context, name: &AppName) -> Result<bool, StepError> {
    wait_until(cx, || is_idle(cx, name)).await
}

/// Returns whether the volume called `name` is proved gone: Docker answered both before and after a
/// list without it.
pub(crate) async fn volume_is_gone(cx: &Context, name: &VolumeName) -> Result<bool, StepError> {
    if !has_node(cx).await? {
        return Ok(false);
    }
    let volumes = cx.query("dockerVolume.getVolumes", || cx.platform.volumes()).await?;
    Ok(!volumes.contains(name) && has_node(cx).await?)
}

/// Waits until Docker answers. Returns `false` after [`LIMIT`].
pub(crate) async fn docker_is_up(cx: &Context) -> Result<bool, StepError> {
    wait_until(cx, || has_node(cx)).await
}

/// Repeats `check` with growing pauses until it returns `true`. Returns `false` after [`LIMIT`].
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
    // The cheapest query comes first: all operations share one list of services. Containers come
    // last, since they are the last to disappear.
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

async fn is_idle(cx: &Context, name: &AppName) -> Result<bool, StepError> {
    Ok(has_node(cx).await? && runs_nothing(cx, name).await? && has_node(cx).await?)
}

/// Returns whether no container runs and no task is to run, which is also so while Docker is down.
async fn runs_nothing(cx: &Context, name: &AppName) -> Result<bool, StepError> {
    let platform = &cx.platform;
    let running = || platform.running_containers(name);
    if !cx.query("docker.getContainersByAppLabel", running).await?.is_empty() {
        return Ok(false);
    }
    let tasks = cx.query("docker.getServiceContainersByAppName", || platform.tasks(name)).await?;
    // Those before an update stay in the list.
    Ok(tasks.iter().all(|task| !task.is_wanted && task.state != TaskState::Running))
}

/// Returns whether Docker answers.
pub(crate) async fn has_node(cx: &Context) -> Result<bool, StepError> {
    Ok(cx.node_count().await? > 0)
}
