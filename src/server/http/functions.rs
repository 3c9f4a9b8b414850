//! The responses to the page's own calls, the server functions.
//!
//! Errors have the API's form, whatever was sent. A person who posted a form is led back to the
//! page it is on instead, which has words for every refusal.

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
    api::body,
    error::{Code, Failed},
    headers::NO_STORE,
};
use crate::api;
use domain::{
    deployment::DeploymentId,
    refusal::{Refusal, RefusalCode, Unreadable},
};

/// Where the server functions are.
const FUNCTIONS: &str = "/api/fn/";

/// The fields of a form that tell which page it is on: a name on the home page, an id on the page
/// of an operation.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Form {
    name: String,
    id: String,
}

impl Form {
    /// Reads a form, as far as it can be read: it is written like a query.
    fn read(content: &[u8]) -> Self {
        let uri = Uri::try_from([b"/?", content].concat()).unwrap_or_default();
        Query::try_from_uri(&uri).map(|Query(form)| form).unwrap_or_default()
    }

    /// Returns the address of its page that says why it came back.
    fn refusal_location(&self, code: RefusalCode) -> String {
        match DeploymentId::parse(&self.id) {
            Ok(id) => api::operation_refusal_location(&id, code),
            Err(_) => api::refusal_location(&self.name, code),
        }
    }
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
    let (form, response) = match body::read(content, state.service.clock()).await {
        Ok(content) => {
            let form = Form::read(&content);
            let request = Request::from_parts(parts, Body::from(content));
            (form, understood(next.run(request).await))
        }
        Err(failed) => (Form::default(), failed.into_response()),
    };
    match response.extensions().get::<Code>() {
        Some(&Code(code)) if by_form => {
            let location = [(header::LOCATION, form.refusal_location(code))];
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
    Failed::from(Refusal::InvalidRequest(Unreadable::Form)).into_response()
}
