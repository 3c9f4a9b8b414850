//! The JSON API of deployments, compatible with the older server.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use super::body;
use crate::http::HttpState;
use crate::http::error::{self, Failed};
use crate::http::headers::{self, NO_STORE};
use crate::server::auth::access::Caller;
use crate::server::stacks::{self, IdempotentRequest};
use crate::server::store::IdempotencyKey;
use crate::wire::{ApiError, NameVerdict};
use domain::deployment::{Deployment, DeploymentId, Snapshot};
use domain::last_log::LastLog;
use domain::refusal::Refusal;

/// The maximum length of an idempotency key, in bytes.
const KEY_LENGTH: usize = 255;

/// A path's parameter, or the error in its encoding.
pub(in crate::http) type Parameter = Result<Path<String>, PathRejection>;

#[derive(Serialize)]
#[serde(untagged)]
enum CheckBody<'a> {
    Valid { available: bool, valid: bool, name: &'a str, url: &'a str },
    Invalid { available: bool, valid: bool, name: &'a str, error: String, code: &'a str },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AcceptedBody<'a> {
    success: bool,
    deployment_id: &'a DeploymentId,
    url: &'a str,
    status_endpoint: String,
    deployment_endpoint: String,
    page: String,
    /// The secrets that were generated, by the keys of their parameters. They are in this answer
    /// only, and not in one that is replayed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    generated: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct DeploymentBody {
    success: bool,
    deployment: Snapshot,
    /// What the container wrote last, for whoever may change the stack.
    #[serde(rename = "lastLog", skip_serializing_if = "Option::is_none")]
    last_log: Option<LastLog>,
}

/// `GET /api/check/:name`: whether a name is available.
pub(in crate::http) async fn check(
    state: &HttpState,
    caller: &Caller,
    path: &str,
) -> Result<Response, Failed> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let name = percent_decode_str(name).decode_utf8().map_err(|_| Refusal::InvalidPath)?;
    let verdict = state.service.check_name(caller, &name).await;
    let body = match &verdict {
        NameVerdict::Free { name, url } => {
            CheckBody::Valid { available: true, valid: true, name: name.as_str(), url }
        }
        NameVerdict::Taken { name, url, .. } => {
            CheckBody::Valid { available: false, valid: true, name: name.as_str(), url }
        }
        NameVerdict::Invalid { name, code, sentence } => {
            let error = format!("{sentence}.");
            CheckBody::Invalid { available: false, valid: false, name, error, code }
        }
    };
    Ok(headers::json(StatusCode::OK, &body))
}

/// `POST /api/deploy`: starts a deployment.
pub(in crate::http) async fn deploy(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    content: Bytes,
) -> Result<Response, Failed> {
    let key = key_of(&caller, &headers)?;
    let idempotency = key.map(|key| IdempotentRequest { key, body: content.to_vec() });
    let request = body::request(&content);
    let response =
        state.service.start_idempotent(&caller, request, idempotency, accepted, refused).await?;
    Ok(into_http(response))
}

/// `GET /api/deployment/:id`: the current state of a deployment.
pub(in crate::http) async fn deployment(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    id: Parameter,
) -> Result<impl IntoResponse, Failed> {
    let (deployment, last_log) = state.service.snapshot(&caller, &deployment_id(id)?).await?;
    Ok((NO_STORE, Json(DeploymentBody { success: true, deployment, last_log })))
}

/// Reads the idempotency key of a request, if it has one.
pub(super) fn key_of(
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<Option<IdempotencyKey>, Failed> {
    let key = idempotency_key(headers)?;
    Ok(key.map(|key| IdempotencyKey { caller: key_scope(caller), key }))
}

/// Returns the scope of an idempotency key: the owner, or all clients at one address.
fn key_scope(caller: &Caller) -> String {
    match caller.identity.owner() {
        Some(owner) => owner.to_string(),
        None => caller.address.to_string(),
    }
}

/// Reads a deployment's id.
pub(in crate::http) fn deployment_id(id: Parameter) -> Result<DeploymentId, Failed> {
    Ok(stacks::deployment_id(&parameter(id)?)?)
}

/// Reads a path's parameter.
pub(in crate::http) fn parameter(parameter: Parameter) -> Result<String, Failed> {
    match parameter {
        Ok(Path(text)) => Ok(text),
        Err(_) => Err(Refusal::InvalidPath.into()),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Failed> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    match value.to_str() {
        Ok(key) if is_key(key) && values.next().is_none() => Ok(Some(key.to_owned())),
        _ => Err(Refusal::InvalidIdempotencyKey.into()),
    }
}

fn is_key(text: &str) -> bool {
    (1..=KEY_LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Returns the response to an accepted start for which these secrets were `generated`.
pub(in crate::http) fn accepted(
    deployment: &Deployment,
    generated: &BTreeMap<String, SecretString>,
) -> stacks::Response {
    let id = &deployment.id;
    let deployment_endpoint = format!("/api/deployment/{id}");
    let location = Some(deployment_endpoint.clone());
    let body = error::json(&AcceptedBody {
        success: true,
        deployment_id: id,
        url: &deployment.url,
        status_endpoint: format!("/api/status/{id}"),
        deployment_endpoint,
        page: format!("/deployments/{id}"),
        generated: (generated.iter())
            .map(|(key, text)| (key.as_str(), text.expose_secret()))
            .collect(),
    });
    stacks::Response { status: 201, location, body }
}

fn refused(error: &ApiError) -> stacks::Response {
    stacks::Response { status: error.status(), location: None, body: error::json(error) }
}

/// Turns a stored response into an HTTP response.
pub(in crate::http) fn into_http(response: stacks::Response) -> Response {
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    let mut http = (status, kind, NO_STORE, Body::from(response.body)).into_response();
    if let Some(location) = response.location.and_then(|text| HeaderValue::try_from(text).ok()) {
        http.headers_mut().insert(header::LOCATION, location);
    }
    http
}
