//! Shows the generated secrets of a stack again, on its page.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::api::deployments::{Parameter, parameter};
use super::error::with_code;
use super::sign_in::see_other;
use super::{HttpState, generated};
use crate::server::auth::access::Caller;
use crate::server::page::{page_of, refused_at};
use crate::server::stacks::deployment_id;

/// `POST /deployments/:id/reveal`: leads back to the page with a ticket for the secrets in a cookie,
/// or with the reason why not.
pub(super) async fn reveal(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    id: Parameter,
    headers: HeaderMap,
) -> Response {
    let id = parameter(id).ok().and_then(|id| deployment_id(&id).ok());
    let Some(id) = id else { return see_other("/", []) };
    let page = page_of(&id);
    let now = state.service.clock().now();
    let revealed = async {
        let signed_in = state.authenticator.signed_in(&headers, now).await?;
        state.service.reveal(&caller, &id, signed_in).await
    };
    match revealed.await {
        Ok(ticket) => see_other(&page, generated::write(state.authenticator.is_secure(), ticket)),
        Err(error) => with_code(see_other(&refused_at(&page, error.code), []), error.code),
    }
}
