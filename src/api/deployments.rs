//! The server functions that start, cancel and try again a deployment, and remove its stack.

use leptos::prelude::*;

use super::wire::ApiError;

/// Starts the deployment of `name` and sends the caller to its page.
///
/// A plain form post is answered by a redirect either way: to the deployment's page, or back
/// to the home page, which says what stood in the way.
///
/// # Errors
///
/// Returns why nothing was started.
#[server(prefix = "/api/fn", endpoint = "start_deployment")]
pub async fn start_deployment(
    /// The name of the stack.
    #[server(default)]
    name: String,
) -> Result<(), ApiError> {
    let (service, caller) = (super::service()?, super::caller()?);
    match service.start_deployment(&caller, &name).await {
        Ok(id) => {
            leptos_axum::redirect(&crate::server::page::page_of(&id));
            Ok(())
        }
        Err(error) => Err(super::reply::refuse(&name, error)),
    }
}

/// Asks that the deployment `id` be cancelled, and sends the caller to its page.
///
/// # Errors
///
/// Returns why that cannot be.
#[server(prefix = "/api/fn", endpoint = "cancel_deployment")]
pub async fn cancel_deployment(
    /// The deployment's id.
    #[server(default)]
    id: String,
) -> Result<(), ApiError> {
    use super::reply::act_on_deployment;
    use crate::server::page::page_of;

    let (service, caller) = (super::service()?, super::caller()?);
    act_on_deployment(&id, async |id| service.cancel(&caller, id).await.map(|()| page_of(id))).await
}

/// Tries the ended deployment `id` again, and sends the caller to the new one's page. Asked
/// again, it sends the caller there again.
///
/// # Errors
///
/// Returns why nothing was started.
#[server(prefix = "/api/fn", endpoint = "retry_deployment")]
pub async fn retry_deployment(
    /// The ended deployment's id.
    #[server(default)]
    id: String,
) -> Result<(), ApiError> {
    use super::reply::act_on_deployment;
    use crate::server::page::page_of;

    let (service, caller) = (super::service()?, super::caller()?);
    act_on_deployment(&id, async |id| {
        service.retry_once(&caller, id).await.map(|newer| page_of(&newer))
    })
    .await
}

/// Takes the live stack `name` down, and sends the caller to the removal's page.
///
/// The page that was posted from may be older than the stack that has the name now: nothing is
/// done unless that is the stack of the operation `id`.
///
/// # Errors
///
/// Returns why that cannot be.
#[server(prefix = "/api/fn", endpoint = "remove_stack")]
pub async fn remove_stack(
    /// The stack's name.
    #[server(default)]
    name: String,
    /// The deployment that brought it up, or its unfinished removal.
    #[server(default)]
    id: String,
) -> Result<(), ApiError> {
    use super::reply::act_on_deployment;
    use crate::server::page::page_of;

    let (service, caller) = (super::service()?, super::caller()?);
    act_on_deployment(&id, async |id| {
        let removal = service.remove(&caller, &name, Some(id)).await?;
        Ok(page_of(&removal))
    })
    .await
}
