//! Helpers that server functions and pages on the server share: the use cases, and the response
//! head.
//!
//! Server only. It must not know a use case.

use std::sync::Arc;

use axum::http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, RETRY_AFTER},
    request::Parts,
};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use super::wire::ApiError;
use crate::server::{
    auth::access::Caller,
    page::{accepts_html, page_of, refusal_location, refused_at},
    stacks::{Service, deployment_id},
};
use domain::{
    deployment::DeploymentId,
    refusal::{InternalFault, Refusal},
};

/// Returns the use cases.
///
/// # Errors
///
/// Returns an error where the router did not provide them.
pub(crate) fn service() -> Result<Arc<Service>, ApiError> {
    let service = use_context::<Arc<Service>>();
    service.ok_or_else(|| Refusal::Internal(InternalFault::NotReady).into())
}

/// Returns who asks.
///
/// # Errors
///
/// Returns an error where nobody was authenticated.
pub(crate) fn caller() -> Result<Caller, ApiError> {
    let parts = use_context::<Parts>();
    let caller = parts.and_then(|parts| parts.extensions.get::<Caller>().cloned());
    caller.ok_or_else(|| Refusal::Internal(InternalFault::NoCaller).into())
}

/// Answers the current request with `status`.
pub(crate) fn respond_with(status: u16) {
    let options = use_context::<ResponseOptions>();
    if let (Some(options), Ok(status)) = (options, StatusCode::from_u16(status)) {
        options.set_status(status);
    }
}

/// Answers the current request by leading to `location`.
pub(crate) fn redirect_to(location: &str) {
    leptos_axum::redirect(location);
}

/// Forbids that the answer be kept: whoever goes back to it must see what is true by then.
pub(crate) fn forbid_storing() {
    if let Some(options) = use_context::<ResponseOptions>() {
        options.insert_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Answers that nothing was begun for `name`: a program gets the status, a person who posted
/// the form without JavaScript is led back to the home page.
pub(super) fn refuse(name: &str, error: ApiError) -> ApiError {
    let parts = use_context::<Parts>();
    if parts.is_some_and(|parts| accepts_html(&parts.headers)) {
        leptos_axum::redirect(&refusal_location(name, error.code));
    } else {
        respond(&error);
    }
    error
}

/// Does something about the deployment called `id`, and sends the caller to the page that it
/// leads to. A person is led back to the deployment's own page where it cannot be done.
pub(super) async fn act_on_deployment(
    id: &str,
    act: impl AsyncFnOnce(&DeploymentId) -> Result<String, ApiError>,
) -> Result<(), ApiError> {
    match deployment_id(id) {
        Ok(id) => redirect_or_refuse(act(&id).await, &page_of(&id)),
        Err(error) => redirect_or_refuse(Err(error), "/"),
    }
}

/// Sends the caller to the page that `result` leads to. Where it is an error, a program gets
/// its status, and a person who posted a form is led back to `page`, which shows how things
/// stand and what the error's code means.
pub(super) fn redirect_or_refuse(
    result: Result<String, ApiError>,
    page: &str,
) -> Result<(), ApiError> {
    let parts = use_context::<Parts>();
    let by_form = parts.is_some_and(|parts| accepts_html(&parts.headers));
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

/// Gives the answer an error's status, and says when to come back.
fn respond(error: &ApiError) {
    respond_with(error.status());
    if let (Some(options), Some(seconds)) = (use_context::<ResponseOptions>(), error.retry_after) {
        options.insert_header(RETRY_AFTER, HeaderValue::from(seconds));
    }
}
