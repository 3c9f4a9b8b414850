//! Checks that the platform shows a running container of exactly this deployment: something else
//! could answer at the address.

use super::VerifyHealth;
use crate::server::local_fault::{self, LocalFault};
use crate::server::platform::{ContainerId, PlatformError};
use crate::server::saga::context::Context;

/// The maximum number of containers of the service that are inspected. It normally has one, and two
/// for a moment.
const MAX_CONTAINERS: usize = 4;

/// The state of the deployment's container, as the platform shows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ContainerState {
    /// It runs.
    Running(ContainerId),
    /// None runs.
    None,
    /// Unknown: the platform or its Docker does not answer.
    Unknown,
    /// A local fault of the portal prevented the query. Contains the reason.
    LocalFault(LocalFault, String),
}

/// Looks for a running container of the deployment. With a mark, the container must carry it;
/// without one, as an older version of the portal configured it, the container only has to belong
/// to exactly this service. Containers that ran before the operation do not count.
pub(super) async fn look(cx: &Context, wanted: &VerifyHealth) -> ContainerState {
    match find(cx, wanted).await {
        Ok(Some(id)) => ContainerState::Running(id),
        // While Docker is down, the platform shows no containers at all.
        Ok(None) => match cx.platform.node_count().await {
            Ok(1..) => ContainerState::None,
            Ok(0) => ContainerState::Unknown,
            Err(error) => unknown(&error),
        },
        Err(error) => unknown(&error),
    }
}

/// Returns the state after a failed query, which does not fail the step: the query is repeated.
fn unknown(error: &PlatformError) -> ContainerState {
    let fault = error.local_fault();
    fault.map_or(ContainerState::Unknown, |fault| {
        ContainerState::LocalFault(local_fault::classify(fault), error.to_string())
    })
}

async fn find(cx: &Context, wanted: &VerifyHealth) -> Result<Option<ContainerId>, PlatformError> {
    let VerifyHealth { application, mark, former } = wanted;
    let name = &application.app_name;
    let running = cx.platform.running_containers(name).await?.into_iter();
    let own = running.filter(|one| one.is_running && name.owns_container(&one.name));
    let own = own.filter(|one| !former.containers.contains(&one.id));
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
