//! The forms of the operators' page: retry a clean-up, and revoke a person's access.
//!
//! Each answer is a redirect to the page, which shows the outcome.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::response::Response;

use super::HttpState;
use super::error::with_code;
use super::sign_in::{IdForm, id_in, see_other};
use crate::server::auth::access::Caller;
use crate::wire::ApiError;

/// `POST /admin/stuck/retry`: makes a stuck clean-up due at once.
pub(super) async fn retry(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    form: Result<Form<IdForm>, FormRejection>,
) -> Response {
    let done = state.service.retry_clean_up(&caller, &id_in(form)).await;
    redirect_back(done, "/admin?retried=1#stuck")
}

/// `POST /admin/people/sign-out`: signs a person out everywhere, and revokes their API tokens.
pub(super) async fn revoke_access(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    form: Result<Form<IdForm>, FormRejection>,
) -> Response {
    let done = state.service.revoke_access(&caller, &id_in(form)).await;
    redirect_back(done, "/admin?signed_out=1#people")
}

fn redirect_back(done: Result<(), ApiError>, to: &str) -> Response {
    match done {
        Ok(()) => see_other(to, []),
        Err(error) => {
            let page = format!("/admin?refused={}", error.code.as_str());
            with_code(see_other(&page, []), error.code)
        }
    }
}
