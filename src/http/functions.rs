//! The responses of server functions, which the pages call.
//!
//! Errors have the API's format. A person who posted a form without JavaScript is redirected to the
//! page with the form instead, and the page explains the error.

use axum::body::Body;
use axum::extract::Query;
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use leptos::server_fn::error::SERVER_FN_ERROR_HEADER;
use serde::Deserialize;

use super::error::{Code, Failed, with_code};
use super::headers::NO_STORE;
use super::{HttpState, request_size};
use crate::server::page;
use domain::deployment::DeploymentId;
use domain::refusal::{Refusal, RefusalCode, Unreadable};

/// The prefix of the paths of server functions.
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
    /// Parses a form, which is encoded like a query. A form that cannot be parsed counts as empty.
    fn read(content: &[u8]) -> Self {
        let uri = Uri::try_from([b"/?", content].concat()).unwrap_or_default();
        Query::try_from_uri(&uri).map(|Query(form)| form).unwrap_or_default()
    }

    /// Returns the address of the page with the form, with the code of the error.
    fn refusal_location(&self, code: RefusalCode) -> String {
        match DeploymentId::parse(&self.id) {
            Ok(id) => page::refused_at(&page::page_of(&id), code),
            Err(_) => page::refusal_location(&self.name, code),
        }
    }
}

/// Returns whether a request is for a server function.
pub(super) fn is_function(uri: &Uri) -> bool {
    uri.path().starts_with(FUNCTIONS)
}

/// Reads a server function's request within the limits of the API, and makes its errors like those
/// of the API.
pub(super) async fn answer<F: Future<Output = Response>>(
    state: &HttpState,
    mut parts: Parts,
    body: Body,
    next: impl FnOnce(Parts, Body) -> F,
) -> Response {
    let by_form = page::accepts_html(&parts.headers);
    // The framework would redirect to the page that the client names, which can be a foreign one.
    parts.headers.remove(header::REFERER);
    let (form, response) = match request_size::read_form(body, state.service.clock()).await {
        Ok(content) => {
            let form = Form::read(&content);
            (form, replace_parse_error(next(parts, Body::from(content)).await))
        }
        Err(failed) => (Form::default(), failed.into_response()),
    };
    match response.extensions().get::<Code>() {
        Some(&Code(code)) if by_form => {
            let location = [(header::LOCATION, form.refusal_location(code))];
            with_code((StatusCode::FOUND, NO_STORE, location).into_response(), code)
        }
        Some(_) | None => (NO_STORE, response).into_response(),
    }
}

/// Replaces the framework's error for a request that could not be parsed by `INVALID_REQUEST`. The
/// framework answers 500, or redirects to the referring page without an explanation.
fn replace_parse_error(response: Response) -> Response {
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
