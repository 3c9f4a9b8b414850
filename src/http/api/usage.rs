//! The JSON API of what a stack uses.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::deployments::{Parameter, parameter};
use crate::http::HttpState;
use crate::http::error::Failed;
use crate::http::headers::NO_STORE;
use crate::http::query::unreadable;
use crate::server::auth::access::Caller;
use crate::server::stacks::{self, UsageRange};
use crate::wire::UsageSeries;
use domain::refusal::{QueryField, Refusal, Unreadable};

#[derive(Serialize)]
struct UsageBody {
    success: bool,
    #[serde(flatten)]
    series: UsageSeries,
}

/// The query of a series.
#[derive(Deserialize)]
pub(in crate::http) struct UsageQuery {
    id: Option<String>,
    range: Option<String>,
}

/// `GET /api/stacks/:name/usage`: what a stack used.
pub(in crate::http) async fn usage(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    name: Parameter,
    query: Result<Query<UsageQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Failed> {
    let unread = |_| Refusal::InvalidRequest(Unreadable::Query);
    let Query(UsageQuery { id, range }) = query.map_err(unread)?;
    let range = range.map_or(Some(UsageRange::Hour), |text| UsageRange::parse(&text));
    let range = range.ok_or_else(|| unreadable(QueryField::Range))?;
    let of = id.as_deref().map(stacks::deployment_id).transpose()?;
    let series = state.service.usage(&caller, &parameter(name)?, of.as_ref(), range).await?;
    Ok((NO_STORE, Json(UsageBody { success: true, series })))
}
