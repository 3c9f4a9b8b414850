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
use crate::server::auth::accounts::Digest;
use crate::server::auth::cookies;
use crate::server::page::{page_of, refused_at};
use crate::server::stacks::deployment_id;

/// `POST /deployments/:id/reveal`: leads back to the page with the secrets in a cookie, or with the
/// reason why not.
pub(super) async fn reveal(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    id: Parameter,
    headers: HeaderMap,
) -> Response {
    let id = parameter(id).ok().and_then(|id| deployment_id(&id).ok());
    let Some(id) = id else { return see_other("/", []) };
    let session = cookies::read(&headers, cookies::SESSION).map(Digest::of);
    let page = page_of(&id);
    match state.service.reveal(&caller, &id, session.as_ref()).await {
        Ok(secrets) => {
            see_other(&page, generated::write(state.authenticator.is_secure(), &id, &secrets))
        }
        Err(error) => with_code(see_other(&refused_at(&page, error.code), []), error.code),
    }
}
