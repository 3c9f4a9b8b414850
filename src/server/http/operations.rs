//! The JSON API for what is there already: cancel, retry, stacks and their removal.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::{
    HttpState,
    compat::{Parameter, accepted, answer, deployment_id, parameter},
    error::Failed,
    headers::NO_STORE,
};
use crate::{api::wire::StackView, domain::deployment::DeploymentId, server::service};

#[derive(Serialize)]
struct StacksBody {
    success: bool,
    stacks: Vec<StackView>,
}

#[derive(Serialize)]
struct StackBody {
    success: bool,
    stack: StackView,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelledBody {
    success: bool,
    deployment_id: DeploymentId,
    status_endpoint: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RemovalBody {
    success: bool,
    operation_id: DeploymentId,
    status_endpoint: String,
    deployment_endpoint: String,
    page: String,
}

/// Which stack of a name is to be removed.
#[derive(Deserialize)]
pub(super) struct Meant {
    id: Option<String>,
}

/// `POST /api/deployment/:id/cancel`: asks that a deployment be cancelled.
pub(super) async fn cancel(
    State(state): State<HttpState>,
    id: Parameter,
) -> Result<impl IntoResponse, Failed> {
    let id = deployment_id(id)?;
    state.service.cancel(&id).await?;
    let status_endpoint = format!("/api/status/{id}");
    let body = CancelledBody { success: true, deployment_id: id, status_endpoint };
    Ok((StatusCode::ACCEPTED, NO_STORE, Json(body)))
}

/// `POST /api/deployment/:id/retry`: tries an ended deployment again.
pub(super) async fn retry(
    State(state): State<HttpState>,
    id: Parameter,
) -> Result<Response, Failed> {
    let deployment = state.service.retry(&deployment_id(id)?).await?;
    Ok(answer(accepted(&deployment)))
}

/// `GET /api/stacks`: what is live.
pub(super) async fn stacks(State(state): State<HttpState>) -> Result<impl IntoResponse, Failed> {
    let stacks = state.service.stacks().await?;
    Ok((NO_STORE, Json(StacksBody { success: true, stacks })))
}

/// `GET /api/stacks/:name`: one live stack.
pub(super) async fn stack(
    State(state): State<HttpState>,
    name: Parameter,
) -> Result<impl IntoResponse, Failed> {
    let stack = state.service.stack(&parameter(name)?).await?;
    Ok((NO_STORE, Json(StackBody { success: true, stack })))
}

/// `DELETE /api/stacks/:name`: takes a live stack down; with `?id=`, that one or none.
pub(super) async fn remove(
    State(state): State<HttpState>,
    name: Parameter,
    query: Result<Query<Meant>, QueryRejection>,
) -> Result<impl IntoResponse, Failed> {
    let Ok(Query(Meant { id })) = query else {
        let message = "The query could not be read: send at most one id.";
        return Err(Failed::new(400, "INVALID_REQUEST", message));
    };
    let of = id.as_deref().map(service::deployment_id).transpose()?;
    let id = state.service.remove(&parameter(name)?, of.as_ref()).await?;
    let body = RemovalBody {
        success: true,
        status_endpoint: format!("/api/status/{id}"),
        deployment_endpoint: format!("/api/deployment/{id}"),
        page: format!("/deployments/{id}"),
        operation_id: id,
    };
    Ok((StatusCode::ACCEPTED, NO_STORE, Json(body)))
}
