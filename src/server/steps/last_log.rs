//! What the container of a stack wrote last, and how it ended, before it is removed or replaced.

use crate::server::logs;
use crate::server::platform::{AppName, Container, ContainerId, Exit};
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::store::Cause;
use domain::event::FailureCode;
use domain::last_log::{LastLog, LogState};

/// The number of containers of which the one that ended is looked for: the newest ones may have been
/// made and not started.
const MOST_SEARCHED: usize = 6;
/// The number of containers whose logs are read, until one has written something.
const MOST_READ: usize = 3;

/// Which container of a service is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// The last one that ended.
    Ended,
    /// The one that runs.
    Running,
}

/// Adds it to the reason for which a step has failed: the undo removes the container.
pub(super) async fn explain<T>(
    cx: &Context,
    service: &AppName,
    former: &[ContainerId],
    ended: Result<T, StepError>,
) -> Result<T, StepError> {
    match ended {
        Err(StepError::Failed(cause)) => {
            let meant = meant(cause.code).filter(|_| !cx.is_undoing());
            let Some(meant) = meant else { return Err(StepError::Failed(cause)) };
            let last_log = Some(Box::new(read(cx, service, former, meant).await));
            Err(StepError::Failed(Cause { last_log, ..cause }))
        }
        Ok(_) | Err(StepError::Store(_)) => ended,
    }
}

/// Returns the container whose log may say why an operation failed so, if there is one.
fn meant(code: FailureCode) -> Option<Meant> {
    match code {
        FailureCode::CrashLoop => Some(Meant::Ended),
        FailureCode::HealthTimeout | FailureCode::Deadline => Some(Meant::Running),
        FailureCode::PlatformRefused
        | FailureCode::PlatformUnreachable
        | FailureCode::PlatformKeyRefused
        | FailureCode::AddressInUse
        | FailureCode::PlatformWedged
        | FailureCode::ImageNotFound
        | FailureCode::RegistryRefused
        | FailureCode::RegistryUnreachable
        | FailureCode::DockerUnreachable
        | FailureCode::DeployFailed
        | FailureCode::CertificateTimeout
        | FailureCode::StillRunning
        | FailureCode::PortalImpaired
        | FailureCode::SecretsSealed
        | FailureCode::Cancelled
        | FailureCode::Internal
        | FailureCode::DeploymentFailed => None,
    }
}

/// Reads it, within a bounded time, which the limits of the step do not count. Nothing that goes wrong
/// is an error. The containers `former`, which were there before the operation, do not count.
pub(super) async fn read(
    cx: &Context,
    service: &AppName,
    former: &[ContainerId],
    meant: Meant,
) -> LastLog {
    if cx.is_wedged() {
        return LastLog::without(LogState::Unavailable);
    }
    let last = look(cx, service, former, meant).await;
    // In a crash loop containers come and go, and the newest ones may not have begun.
    let is_empty = last.lines.is_empty() && last.log == LogState::Read;
    if is_empty && meant == Meant::Ended {
        let again = look(cx, service, former, meant).await;
        return if again.lines.is_empty() { last } else { again };
    }
    last
}

/// Looks for a container and reads its log.
async fn look(cx: &Context, service: &AppName, former: &[ContainerId], meant: Meant) -> LastLog {
    let Ok(containers) = cx.logs.platform.containers_to_read(service).await else {
        return LastLog::without(LogState::Unavailable);
    };
    let is_own = |one: &Container| service.owns_container(&one.name) && !former.contains(&one.id);
    let mut own: Vec<_> = containers.into_iter().filter(is_own).collect();
    // The newest comes first.
    match meant {
        Meant::Ended => {
            let ended = ended(cx, &own).await;
            own.sort_by_key(|one| (Some(&one.id) != ended.as_ref(), one.is_running));
        }
        Meant::Running => own.sort_by_key(|one| !one.is_running),
    }
    own.truncate(MOST_READ);
    if own.is_empty() {
        return LastLog::without(LogState::Gone);
    }
    let last = logs::last_log(&cx.logs, cx.stack, &own).await;
    let read = own.iter().find(|one| last.container.as_ref() == Some(&one.name));
    let Some(read) = read else { return last };
    match cx.platform.container_exit(&read.id).await {
        Ok(Some(Exit { code, is_out_of_memory, .. })) => {
            LastLog { exit_code: Some(code), out_of_memory: is_out_of_memory, ..last }
        }
        Ok(None) | Err(_) => last,
    }
}

/// Returns the newest of these containers that has ended.
async fn ended(cx: &Context, containers: &[Container]) -> Option<ContainerId> {
    let stopped = containers.iter().filter(|one| !one.is_running);
    for Container { id, .. } in stopped.take(MOST_SEARCHED) {
        if let Ok(Some(_)) = cx.platform.container_exit(id).await {
            return Some(id.clone());
        }
    }
    None
}
