//! The JSON API of templates, and their icons.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::deployments::{Parameter, parameter};
use crate::http::HttpState;
use crate::http::error::Failed;
use crate::http::headers::NO_STORE;
use crate::server::auth::access::Caller;
use crate::wire::TemplateView;
use domain::refusal::{Refusal, Unreadable};

/// The headers of an icon. An operator may have it from anywhere, so nothing in it runs, and it loads
/// nothing, if somebody opens it as a page.
const ICON: [(HeaderName, HeaderValue); 3] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml")),
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    ),
];

#[derive(Serialize)]
struct TemplatesBody {
    templates: Vec<TemplateView>,
}

/// The query of a schema.
#[derive(Deserialize)]
pub(in crate::http) struct SchemaQuery {
    /// The name of the stack, on which some defaults depend.
    name: Option<String>,
}

/// `GET /api/templates`: the templates that the caller is offered.
pub(in crate::http) async fn list(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
) -> Result<impl IntoResponse, Failed> {
    let templates = state.service.templates(&caller).await?;
    Ok((NO_STORE, Json(TemplatesBody { templates })))
}

/// `GET /api/templates/:id/schema`: the JSON Schema of the answers to a template's questions.
pub(in crate::http) async fn schema(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    id: Parameter,
    query: Result<Query<SchemaQuery>, QueryRejection>,
) -> Result<impl IntoResponse, Failed> {
    let Query(query) = query.map_err(|_| Refusal::InvalidRequest(Unreadable::Query))?;
    let name = query.name.as_deref();
    let schema = state.service.template_schema(&caller, &parameter(id)?, name).await?;
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/schema+json"))];
    Ok((kind, NO_STORE, Body::from(schema.to_string())))
}

/// `GET /templates/:id/icon.svg`: the icon of a template.
pub(in crate::http) async fn icon(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    id: Parameter,
) -> Result<Response, Failed> {
    let entry = state.service.template(&caller, &parameter(id)?).await?;
    let icon = entry.icon.clone().ok_or(Refusal::NoSuchTemplate)?;
    Ok((ICON, icon).into_response())
}
