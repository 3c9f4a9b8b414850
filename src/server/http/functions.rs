//! What the page's own calls, the server functions, get back.
//!
//! Errors have the API's form, whatever was sent. A person who posted the form without scripts
//! is led back to the home page instead, which has words for every refusal.

use axum::{
    body::Body,
    extract::{Query, Request, State},
    http::{HeaderName, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use leptos::server_fn::error::SERVER_FN_ERROR_HEADER;
use serde::Deserialize;

use super::{
    HttpState,
    compat::body,
    error::{Code, Failed},
    headers::NO_STORE,
};
use crate::api;

/// Where the server functions are.
const FUNCTIONS: &str = "/api/fn/";

/// What the home page's form holds.
#[derive(Deserialize)]
struct StartForm {
    #[serde(default)]
    name: String,
}

/// Reads a server function's request within the limits of the API's, and looks after its answer.
pub(super) async fn answer(
    State(state): State<HttpState>,
    request: Request,
    next: Next,
) -> Response {
    if !request.uri().path().starts_with(FUNCTIONS) {
        return next.run(request).await;
    }
    let by_form = api::accepts_html(request.headers());
    let (parts, content) = request.into_parts();
    let (name, response) = match body::read(content, state.service.clock()).await {
        Ok(content) => {
            let name = name_in(&content);
            let request = Request::from_parts(parts, Body::from(content));
            (name, understood(next.run(request).await))
        }
        Err(failed) => (String::new(), failed.into_response()),
    };
    match response.extensions().get::<Code>() {
        Some(Code(code)) if by_form => {
            let location = [(header::LOCATION, api::refusal_location(&name, code))];
            (StatusCode::FOUND, NO_STORE, location).into_response()
        }
        Some(_) | None => (NO_STORE, response).into_response(),
    }
}

/// Puts an error of ours in place of the framework's for a request that it could not read:
/// it blames the server, and sends a person to wherever they came from without a word.
fn understood(response: Response) -> Response {
    let header = |name: HeaderName| response.headers().get(name)?.to_str().ok();
    let is_ours = match header(header::LOCATION) {
        Some(location) => location.starts_with("/?name="),
        None => response.status() != StatusCode::INTERNAL_SERVER_ERROR,
    };
    if is_ours || !response.headers().contains_key(SERVER_FN_ERROR_HEADER) {
        return response;
    }
    let message = "The form could not be read: send each of its fields once.";
    Failed::new(400, "INVALID_REQUEST", message).into_response()
}

/// Returns the name that a form holds, as far as it can be read: a form is written like a query.
fn name_in(form: &[u8]) -> String {
    let uri = Uri::try_from([b"/?", form].concat()).unwrap_or_default();
    Query::<StartForm>::try_from_uri(&uri).map(|Query(form)| form.name).unwrap_or_default()
}
