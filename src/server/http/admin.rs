//! The form of an operator's page: a clean-up is tried again here.
//!
//! The answer is a redirect to the page, which shows what has come of it.

use axum::{
    Extension,
    extract::{Form, State, rejection::FormRejection},
    response::Response,
};
use serde::Deserialize;

use super::{HttpState, sign_in::see_other};
use crate::{api, server::access::Caller};

/// What is to be tried again.
#[derive(Deserialize)]
pub(super) struct RetryForm {
    #[serde(default)]
    id: String,
}

/// `POST /admin/stuck/retry`: makes a stuck clean-up due at once.
pub(super) async fn retry(
    State(state): State<HttpState>,
    Extension(caller): Extension<Caller>,
    form: Result<Form<RetryForm>, FormRejection>,
) -> Response {
    let id = form.map(|Form(form)| form.id).unwrap_or_default();
    match state.service.retry_clean_up(&caller, &id).await {
        Ok(()) => see_other("/admin?retried=1#stuck", []),
        Err(error) => {
            see_other(&format!("/admin?refused={}", api::percent_encode(&error.code)), [])
        }
    }
}
