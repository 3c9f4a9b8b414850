//! What server functions and pages share on the server: access to the use cases and the caller, and
//! the status and headers of the response.
//!
//! Server only. It must not know a use case.

use std::sync::Arc;

use axum::http::header::{CACHE_CONTROL, RETRY_AFTER, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use super::account::extension;
use crate::server::auth::access::{Caller, Identity};
use crate::server::auth::cookies;
use crate::server::page::{
    IsSecure, accepts_html, cookie_sent, is_mended_by_form, page_of, refusal_location, refused_at,
};
use crate::server::stacks::{SHOWN_WITHIN, SentSettings, Service, deployment_id};
use crate::wire::ApiError;
use domain::deployment::DeploymentId;
use domain::refusal::{InternalFault, Refusal};

/// Returns the use cases.
///
/// # Errors
///
/// Returns an error if the router did not provide them.
pub(crate) fn service() -> Result<Arc<Service>, ApiError> {
    let service = use_context::<Arc<Service>>();
    service.ok_or_else(|| Refusal::Internal(InternalFault::NotReady).into())
}

/// Returns the caller of the current request.
///
/// # Errors
///
/// Returns an error if the request was not authenticated.
pub(crate) fn caller() -> Result<Caller, ApiError> {
    extension::<Caller>().ok_or_else(|| Refusal::Internal(InternalFault::NoCaller).into())
}

/// Returns what was sent with the form of a stack's settings, if the current request is to show that
/// again.
pub(crate) fn sent_settings() -> Option<Arc<SentSettings>> {
    extension()
}

/// Sets the status of the current response.
pub(crate) fn respond_with(status: u16) {
    let options = use_context::<ResponseOptions>();
    if let (Some(options), Ok(status)) = (options, StatusCode::from_u16(status)) {
        options.set_status(status);
    }
}

/// Redirects the current request to `location`.
pub(crate) fn redirect_to(location: &str) {
    leptos_axum::redirect(location);
}

/// Forbids caches to store the response: a person who goes back to the page must see the current
/// state.
pub(crate) fn forbid_storing() {
    if let Some(options) = use_context::<ResponseOptions>() {
        options.insert_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Returns the address of the page of a deployment that `caller` has just started. A browser that came
/// without a cookie gets one with this response.
pub(crate) fn started_at(service: &Service, caller: &Caller, id: &DeploymentId) -> String {
    let page = page_of(id);
    match caller.identity {
        Identity::Anonymous => format!("{page}?{}", cookie_sent(service.clock().now())),
        Identity::Browser(_)
        | Identity::Unauthenticated
        | Identity::Person { .. }
        | Identity::Program { .. } => page,
    }
}

/// Lets the page to which the response leads show the generated secrets of this ticket.
pub(super) fn show_once(ticket: Option<String>) {
    let is_secure = use_context::<IsSecure>().is_some_and(|IsSecure(is_secure)| is_secure);
    if let (Some(options), Some(ticket)) = (use_context::<ResponseOptions>(), ticket) {
        options
            .append_header(SET_COOKIE, cookies::write_generated(is_secure, &ticket, SHOWN_WITHIN));
    }
}

/// Returns the page that leads to the form, if `error` says that a deployment needs other answers to
/// be tried again: with scripts, too, since they only show a sentence.
pub(super) fn leads_to_form(id: &DeploymentId, error: ApiError) -> Result<String, ApiError> {
    if !is_mended_by_form(error.code) {
        return Err(error);
    }
    count(&error);
    Ok(refused_at(&page_of(id), error.code))
}

/// Answers that no deployment of `name` was started: a program gets the status, and a form post
/// without JavaScript is redirected to the home page.
pub(super) fn refuse(name: &str, error: ApiError) -> ApiError {
    count(&error);
    let parts = use_context::<Parts>();
    if parts.is_some_and(|parts| accepts_html(&parts.headers)) {
        leptos_axum::redirect(&refusal_location(name, error.code));
    } else {
        respond(&error);
    }
    error
}

/// Runs `act` on the deployment with this `id`, and redirects the caller to the page that it
/// returns. After an error, a form post is redirected to the deployment's own page.
pub(super) async fn act_on_deployment(
    id: &str,
    act: impl AsyncFnOnce(&DeploymentId) -> Result<String, ApiError>,
) -> Result<(), ApiError> {
    match deployment_id(id) {
        Ok(id) => redirect_or_refuse(act(&id).await, &page_of(&id)),
        Err(error) => redirect_or_refuse(Err(error), "/"),
    }
}

/// Redirects the caller to the page in `result`. After an error, a program gets the error's status,
/// and a form post is redirected to `page`, which shows the current state and the reason.
pub(super) fn redirect_or_refuse(
    result: Result<String, ApiError>,
    page: &str,
) -> Result<(), ApiError> {
    let parts = use_context::<Parts>();
    let by_form = parts.is_some_and(|parts| accepts_html(&parts.headers));
    if let Err(error) = &result {
        count(error);
    }
    match result {
        Ok(page) => {
            leptos_axum::redirect(&page);
            Ok(())
        }
        Err(error) if by_form => {
            leptos_axum::redirect(&refused_at(page, error.code));
            Ok(())
        }
        Err(error) => {
            respond(&error);
            Err(error)
        }
    }
}

/// Counts a refusal of a server function: its response does not have the code.
fn count(error: &ApiError) {
    if let Ok(service) = service() {
        service.metrics().refused(error.code);
    }
}

/// Sets the response's status and `Retry-After` header to those of `error`.
fn respond(error: &ApiError) {
    respond_with(error.status());
    if let (Some(options), Some(seconds)) = (use_context::<ResponseOptions>(), error.retry_after) {
        options.insert_header(RETRY_AFTER, HeaderValue::from(seconds));
    }
}
