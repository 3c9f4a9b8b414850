//! Checks that the platform shows a running container of exactly this deployment: an answer at the
//! address can be anybody's.

use crate::server::{
    local_fault::{self, LocalFault},
    platform::{Application, ContainerId, PlatformError},
    saga::context::Context,
    steps::configuration::OperationTag,
};

/// The number of containers of one service that are looked at: it has one, or two for a moment.
const MAX_CONTAINERS: usize = 4;

/// The state of the deployment's container, as the platform shows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ContainerState {
    /// It runs.
    Running(ContainerId),
    /// None runs.
    None,
    /// The platform, or its Docker, does not say.
    Unknown,
    /// The platform could not be asked, for what the portal itself lacks, and why.
    Unasked(LocalFault, String),
}

/// Looks for a running container of the deployment. Where its configuration carries `mark`, the
/// container has to carry it, too; where an older version of the portal configured it, it is
/// enough that it belongs to exactly this service.
pub(crate) async fn look(
    cx: &Context,
    application: &Application,
    mark: Option<&OperationTag>,
) -> ContainerState {
    match find(cx, application, mark).await {
        Ok(Some(id)) => ContainerState::Running(id),
        // With Docker down the platform shows no container of anybody.
        Ok(None) => match cx.platform.node_count().await {
            Ok(1..) => ContainerState::None,
            Ok(0) => ContainerState::Unknown,
            Err(error) => unknown(&error),
        },
        Err(error) => unknown(&error),
    }
}

/// Not worth failing for: it is asked again anyway.
fn unknown(error: &PlatformError) -> ContainerState {
    let fault = error.local_fault();
    fault.map_or(ContainerState::Unknown, |fault| {
        ContainerState::Unasked(local_fault::classify(fault), error.to_string())
    })
}

async fn find(
    cx: &Context,
    application: &Application,
    mark: Option<&OperationTag>,
) -> Result<Option<ContainerId>, PlatformError> {
    let name = &application.app_name;
    let running = cx.platform.running_containers(name).await?.into_iter();
    let own = running.filter(|one| one.is_running && name.owns_container(&one.name));
    for container in own.take(MAX_CONTAINERS) {
        let Some(mark) = mark else { return Ok(Some(container.id)) };
        let inspected = cx.platform.inspect_container(&container.id).await?;
        let is_meant = inspected.is_some_and(|inspected| {
            inspected.is_running && inspected.operation.as_ref() == Some(&mark.operation)
        });
        if is_meant {
            return Ok(Some(container.id));
        }
    }
    Ok(None)
}
