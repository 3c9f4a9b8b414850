//! The server function that starts a deployment.

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
    match super::service()?.start_deployment(&name).await {
        Ok(id) => {
            leptos_axum::redirect(&format!("/deployments/{id}"));
            Ok(())
        }
        Err(error) => Err(super::reply::refuse(&name, error)),
    }
}
