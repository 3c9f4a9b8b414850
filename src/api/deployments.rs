//! The server functions that start, cancel and retry a deployment, and remove its stack.

use leptos::prelude::*;

use crate::wire::ApiError;

/// Starts the deployment of `name`, and redirects the caller to its page.
///
/// After an error, a form post without JavaScript is redirected to the home page, which shows the
/// reason.
///
/// # Errors
///
/// Returns the reason why nothing was started.
#[server(prefix = "/api/fn", endpoint = "start_deployment")]
pub async fn start_deployment(
    /// The name of the stack.
    #[server(default)]
    name: String,
) -> Result<(), ApiError> {
    use crate::server::stacks::StartRequest;

    let (service, caller) = (super::service()?, super::caller()?);
    match service.start_for_page(&caller, &StartRequest::named(&name)).await {
        Ok(started) => {
            leptos_axum::redirect(&super::reply::started_at(&service, &caller, &started.id));
            super::reply::show_once(started.ticket);
            Ok(())
        }
        Err(error) => Err(super::reply::refuse(&name, error)),
    }
}

/// Requests the cancellation of the deployment `id`, and redirects the caller to its page.
///
/// # Errors
///
/// Returns the reason why it was not cancelled.
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

/// Retries the ended deployment `id`, and redirects the caller to the page of the new one. A
/// repeated call starts nothing and redirects to the same page.
///
/// # Errors
///
/// Returns the reason why nothing was started.
#[server(prefix = "/api/fn", endpoint = "retry_deployment")]
pub async fn retry_deployment(
    /// The ended deployment's id.
    #[server(default)]
    id: String,
) -> Result<(), ApiError> {
    use super::reply::{act_on_deployment, leads_to_form, show_once};
    use crate::server::page::page_of;

    let (service, caller) = (super::service()?, super::caller()?);
    act_on_deployment(&id, async |id| match service.retry_once(&caller, id).await {
        Ok(started) => {
            show_once(started.ticket);
            Ok(page_of(&started.id))
        }
        Err(error) => leads_to_form(id, error),
    })
    .await
}

/// Starts the removal of the live stack `name`, and redirects the caller to the page of the
/// removal.
///
/// It removes only the stack of the operation `id`: the page with the form may be older than the
/// stack that has the name now.
///
/// # Errors
///
/// Returns the reason why nothing was removed.
#[server(prefix = "/api/fn", endpoint = "remove_stack")]
pub async fn remove_stack(
    /// The stack's name.
    #[server(default)]
    name: String,
    /// The id of the deployment that created it, or of its unfinished removal.
    #[server(default)]
    id: String,
    /// `0` to delete its data, which is kept otherwise.
    #[server(default)]
    keep_data: String,
) -> Result<(), ApiError> {
    use super::reply::act_on_deployment;
    use crate::server::page::page_of;
    use crate::server::store::Disposal;

    let (service, caller) = (super::service()?, super::caller()?);
    act_on_deployment(&id, async |id| {
        let disposal = if keep_data == "0" { Disposal::Delete } else { Disposal::Keep };
        let removing = service.remove(&caller, &name, Some(id), disposal).await?;
        Ok(page_of(&removing.id))
    })
    .await
}
