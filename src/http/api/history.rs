//! The JSON API of the history of a stack.

use std::sync::Arc;

use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::deployments::{Parameter, parameter};
use crate::http::HttpState;
use crate::http::error::Failed;
use crate::http::headers::NO_STORE;
use crate::http::query::number;
use crate::server::auth::access::Caller;
use crate::server::stacks;
use crate::wire::HistoryPage;
use domain::refusal::{QueryField, Refusal, Unreadable};

#[derive(Serialize)]
struct HistoryBody {
    success: bool,
    #[serde(flatten)]
    page: HistoryPage,
}

/// The query of a history.
#[derive(Deserialize)]
pub(in crate::http) struct HistoryQuery {
    id: Option<String>,
    after: Option<String>,
}

/// `GET /api/stacks/:name/history`: the events of a stack after `after`, oldest first.
pub(in crate::http) async fn history(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    name: Parameter,
    query: Result<Query<HistoryQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Failed> {
    let unreadable = |_| Refusal::InvalidRequest(Unreadable::Query);
    let Query(HistoryQuery { id, after }) = query.map_err(unreadable)?;
    let of = id.as_deref().map(stacks::deployment_id).transpose()?;
    let after = number(QueryField::After, after.as_deref())?;
    let (name, after) = (parameter(name)?, after.unwrap_or(0));
    let page = state.service.history(&caller, &name, of.as_ref(), after).await?;
    Ok((NO_STORE, Json(HistoryBody { success: true, page })))
}
