//! The JSON API of kept data.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use serde::Serialize;

use super::deployments::{Parameter, parameter};
use super::operations::removal;
use crate::http::HttpState;
use crate::http::error::Failed;
use crate::http::headers::NO_STORE;
use crate::server::auth::access::Caller;
use crate::server::stacks::Removing;
use crate::wire::KeptView;

#[derive(Serialize)]
struct KeptBody {
    success: bool,
    kept: Vec<KeptView>,
}

/// `GET /api/data`: the caller's kept data.
pub(in crate::http) async fn list(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
) -> Result<impl IntoResponse, Failed> {
    let kept = state.service.kept_data(&caller).await?;
    Ok((NO_STORE, Json(KeptBody { success: true, kept })))
}

/// `DELETE /api/data/:id`: deletes kept data.
pub(in crate::http) async fn delete(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    id: Parameter,
) -> Result<impl IntoResponse, Failed> {
    let id = state.service.delete_data(&caller, &parameter(id)?).await?;
    let body = removal(Removing { id, data: None });
    Ok((StatusCode::ACCEPTED, NO_STORE, Json(body)))
}
