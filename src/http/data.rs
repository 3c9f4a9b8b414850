//! The form of the page of kept data: deletes some.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use super::HttpState;
use super::api::deployments::{Parameter, parameter};
use super::error::with_code;
use super::sign_in::see_other;
use crate::server::auth::access::Caller;
use crate::server::page::{DATA, page_of, refused_at};

/// `POST /data/:id/delete`: deletes kept data, and leads to the page of the deletion.
pub(super) async fn delete(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    id: Parameter,
) -> Response {
    let Ok(id) = parameter(id) else { return see_other(DATA, []) };
    match state.service.delete_data(&caller, &id).await {
        Ok(deletion) => see_other(&page_of(&deletion), []),
        Err(error) => with_code(see_other(&refused_at(DATA, error.code), []), error.code),
    }
}
