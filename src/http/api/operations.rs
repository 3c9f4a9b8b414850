//! The JSON API of existing operations: cancel, retry, stacks and their removal.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::deployments::{Parameter, accepted, deployment_id, into_http, parameter};
use crate::http::HttpState;
use crate::http::error::Failed;
use crate::http::headers::NO_STORE;
use crate::http::query::unreadable;
use crate::server::auth::access::Caller;
use crate::server::stacks::{self, Asked, KeptUntil, Listed, Removing, StackAction};
use crate::server::store::Disposal;
use crate::wire::{StackDetails, StackView};
use domain::deployment::DeploymentId;
use domain::refusal::{QueryField, Refusal, Unreadable};
use domain::time::written;

#[derive(Serialize)]
struct StacksBody {
    success: bool,
    stacks: Vec<StackView>,
}

#[derive(Serialize)]
struct StackBody {
    success: bool,
    stack: OneStack,
}

#[derive(Serialize)]
struct OneStack {
    #[serde(flatten)]
    view: StackView,
    #[serde(flatten)]
    details: Option<StackDetails>,
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
    /// The id of the data of the stack that is kept, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_id: Option<String>,
    /// Until when it is kept at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_until: Option<String>,
}

#[derive(Serialize)]
struct UnchangedBody {
    success: bool,
    changed: bool,
}

/// The query of the list.
#[derive(Deserialize)]
pub(in crate::http) struct ListQuery {
    all: Option<String>,
}

/// The query that names one stack by its id.
#[derive(Deserialize)]
struct StackQuery {
    id: Option<String>,
}

/// The stack that a request is for: by its name in the path, and with `?id=` by its id as well.
pub(in crate::http) struct NamedStack {
    pub(in crate::http) name: String,
    pub(in crate::http) id: Option<DeploymentId>,
}

impl<S: Send + Sync> FromRequestParts<S> for NamedStack {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let name = parameter(Path::from_request_parts(parts, state).await)?;
        let query = Query::<StackQuery>::from_request_parts(parts, state).await;
        let unreadable = |_| Refusal::InvalidRequest(Unreadable::Query);
        let Query(StackQuery { id }) = query.map_err(unreadable)?;
        let id = id.as_deref().map(stacks::deployment_id).transpose()?;
        Ok(Self { name, id })
    }
}

/// The query of a removal.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct RemovalQuery {
    id: Option<String>,
    keep_data: Option<String>,
}

/// `POST /api/deployment/:id/cancel`: requests the cancellation of a deployment.
pub(in crate::http) async fn cancel(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    id: Parameter,
) -> Result<impl IntoResponse, Failed> {
    let id = deployment_id(id)?;
    state.service.cancel(&caller, &id).await?;
    let status_endpoint = format!("/api/status/{id}");
    let body = CancelledBody { success: true, deployment_id: id, status_endpoint };
    Ok((StatusCode::ACCEPTED, NO_STORE, Json(body)))
}

/// `POST /api/deployment/:id/retry`: starts a new deployment with the name of a failed or cancelled
/// one.
pub(in crate::http) async fn retry(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    id: Parameter,
) -> Result<Response, Failed> {
    let started = state.service.retry(&caller, &deployment_id(id)?).await?;
    Ok(into_http(accepted(&started.deployment, &started.generated)))
}

/// `GET /api/stacks`: the live stacks; with `?all=1`, every one that is not gone.
pub(in crate::http) async fn stacks(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Failed> {
    // An older client may have sent anything.
    let all = query.ok().and_then(|Query(ListQuery { all })| all);
    let listed = if all.as_deref() == Some("1") { Listed::All } else { Listed::Live };
    let stacks = state.service.stacks(&caller, listed).await?;
    Ok((NO_STORE, Json(StacksBody { success: true, stacks })))
}

/// `GET /api/stacks/:name`: one live stack.
pub(in crate::http) async fn stack(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    NamedStack { name, id }: NamedStack,
) -> Result<impl IntoResponse, Failed> {
    let (view, details) = state.service.stack(&caller, &name, id.as_ref()).await?;
    Ok((NO_STORE, Json(StackBody { success: true, stack: OneStack { view, details } })))
}

/// `DELETE /api/stacks/:name`: removes a live stack; with `?id=`, only if the stack has this id. Its
/// data is kept, unless `?keepData=0` says otherwise.
pub(in crate::http) async fn remove(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    name: Parameter,
    query: Result<Query<RemovalQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Failed> {
    let unread = |_| Refusal::InvalidRequest(Unreadable::Query);
    let Query(RemovalQuery { id, keep_data }) = query.map_err(unread)?;
    let of = id.as_deref().map(stacks::deployment_id).transpose()?;
    let disposal = match keep_data.as_deref() {
        None | Some("1") => Disposal::Keep,
        Some("0") => Disposal::Delete,
        Some(_) => return Err(unreadable(QueryField::KeepData).into()),
    };
    let name = parameter(name)?;
    let removing = state.service.remove(&caller, &name, of.as_ref(), disposal).await?;
    Ok((StatusCode::ACCEPTED, NO_STORE, Json(removal(removing))))
}

/// Returns the answer to a request that began the operation.
pub(in crate::http) fn removal(Removing { id, data }: Removing) -> impl Serialize {
    let (data_id, data_until) = data.map(|KeptUntil { id, until }| (id, until)).unzip();
    RemovalBody {
        success: true,
        status_endpoint: format!("/api/status/{id}"),
        deployment_endpoint: format!("/api/deployment/{id}"),
        page: format!("/deployments/{id}"),
        operation_id: id,
        data_id,
        data_until: data_until.map(|until| written(until).to_string()),
    }
}

/// `POST /api/stacks/:name/stop`: lets nothing of a live stack run.
pub(in crate::http) async fn stop(
    state: State<Arc<HttpState>>,
    caller: Extension<Caller>,
    stack: NamedStack,
) -> Result<Response, Failed> {
    act(state, caller, stack, StackAction::Stop).await
}

/// `POST /api/stacks/:name/start`: lets a stopped stack run again.
pub(in crate::http) async fn start(
    state: State<Arc<HttpState>>,
    caller: Extension<Caller>,
    stack: NamedStack,
) -> Result<Response, Failed> {
    act(state, caller, stack, StackAction::Start).await
}

/// `POST /api/stacks/:name/restart`: replaces the container of a live stack.
pub(in crate::http) async fn restart(
    state: State<Arc<HttpState>>,
    caller: Extension<Caller>,
    stack: NamedStack,
) -> Result<Response, Failed> {
    act(state, caller, stack, StackAction::Restart).await
}

async fn act(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    NamedStack { name, id }: NamedStack,
    action: StackAction,
) -> Result<Response, Failed> {
    let asked = state.service.act_on(&caller, &name, id.as_ref(), action).await?;
    Ok(match asked {
        Asked::Begun(id) => {
            let body = removal(Removing { id, data: None });
            (StatusCode::ACCEPTED, NO_STORE, Json(body)).into_response()
        }
        Asked::Unchanged => unchanged(false),
    })
}

/// Returns the answer to a request that began nothing, and says whether it changed something.
pub(super) fn unchanged(changed: bool) -> Response {
    let body = UnchangedBody { success: true, changed };
    (StatusCode::OK, NO_STORE, Json(body)).into_response()
}
