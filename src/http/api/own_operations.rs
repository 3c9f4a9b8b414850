//! The JSON API of the caller's operations.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::deployments::{Parameter, deployment_id};
use crate::http::HttpState;
use crate::http::error::Failed;
use crate::http::headers::NO_STORE;
use crate::server::auth::access::Caller;
use crate::server::stacks::OwnOperations;
use crate::wire::{OperationEntry, OperationsPage};
use domain::last_log::LastLog;
use domain::refusal::{Refusal, Unreadable};

#[derive(Serialize)]
struct ListBody {
    success: bool,
    #[serde(flatten)]
    page: OperationsPage,
}

#[derive(Serialize)]
struct OperationBody {
    success: bool,
    operation: OperationEntry,
    /// What the container wrote last, for whoever may change the stack.
    #[serde(rename = "lastLog", skip_serializing_if = "Option::is_none")]
    last_log: Option<LastLog>,
}

/// The query of the list.
#[derive(Deserialize)]
pub(in crate::http) struct OperationsQuery {
    stack: Option<String>,
    kind: Option<String>,
    status: Option<String>,
    before: Option<String>,
}

/// `GET /api/operations`: the caller's operations, newest first, a page at a time.
pub(in crate::http) async fn list(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<OperationsQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Failed> {
    let Query(query) = query.map_err(|_| Refusal::InvalidRequest(Unreadable::Query))?;
    let OperationsQuery { stack, kind, status, before } = query;
    let filter = OwnOperations { stack, kind, status, before };
    let page = state.service.own_operations(&caller, &filter).await?;
    Ok((NO_STORE, Json(ListBody { success: true, page })))
}

/// `GET /api/operations/:id`: one operation, of any kind.
pub(in crate::http) async fn one(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    id: Parameter,
) -> Result<impl IntoResponse, Failed> {
    let (operation, last_log) = state.service.operation(&caller, &deployment_id(id)?).await?;
    Ok((NO_STORE, Json(OperationBody { success: true, operation, last_log })))
}
