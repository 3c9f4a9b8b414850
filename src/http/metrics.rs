//! `/metrics` for Prometheus: on a port of its own, or on the portal's with a bearer token.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::headers::NO_STORE;
use super::{HttpState, error};
use crate::server::metrics::CONTENT_TYPE;
use crate::server::settings::MetricsSettings;

/// The path on either port.
const PATH: &str = "/metrics";

/// Answers `GET /metrics` on the portal's port: only if the operator has set a token and no port of
/// its own. Otherwise the address does not exist.
pub(super) async fn on_main_port(
    State(state): State<Arc<HttpState>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match &*state.metrics_settings {
        MetricsSettings { addr: None, token: Some(_) } => answer(&state, &headers).await,
        MetricsSettings { .. } => error::unknown(&uri).into_response(),
    }
}

/// Returns the router of the port that serves nothing else.
pub fn metrics_router(state: HttpState) -> Router {
    Router::new().fallback(on_own_port).with_state(Arc::new(state))
}

async fn on_own_port(State(state): State<Arc<HttpState>>, request: Request) -> Response {
    match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, PATH) => answer(&state, request.headers()).await,
        (_, PATH) => {
            let allow = [(header::ALLOW, HeaderValue::from_static("GET, HEAD"))];
            (StatusCode::METHOD_NOT_ALLOWED, allow).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Answers with the metrics, or with 401 if the token is missing or wrong.
async fn answer(state: &HttpState, headers: &HeaderMap) -> Response {
    if let Some(token) = &state.metrics_settings.token
        && !has_token(headers, token.expose_secret())
    {
        let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
        return (StatusCode::UNAUTHORIZED, NO_STORE, challenge).into_response();
    }
    let text = state.service.metrics().text(&state.service.present().await);
    (NO_STORE, [(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
}

/// Returns whether the request has exactly this bearer token. The digests are compared, so that the
/// time says nothing about the token.
fn has_token(headers: &HeaderMap, token: &str) -> bool {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(given), None) = (given.next(), given.next()) else { return false };
    let given = given.to_str().unwrap_or_default();
    let Some((scheme, given)) = given.split_once(' ') else { return false };
    scheme.eq_ignore_ascii_case("bearer") && Sha256::digest(given.trim()) == Sha256::digest(token)
}
