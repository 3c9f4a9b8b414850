//! The form with the settings of a stack: shows what it would change, applies that, or comes back with
//! what is wrong. The form with the stack's label.

use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use axum::{Extension, Json};
use serde::Deserialize;

use super::api::deployments::Parameter;
use super::error::Failed;
use super::new::{FormAgain, filling, page_request, pairs_in};
use super::request_size::ANSWERS_LIMIT;
use super::sign_in::see_other;
use super::stack::{FormQuery, Meant};
use super::{HttpState, generated};
use crate::server::auth::access::Caller;
use crate::server::page::page_of;
use crate::server::stacks::form::Filling;
use crate::server::stacks::{Asked, SentSettings, Service, TakenBack};
use crate::wire::{ApiError, FormVerdict, PlanView};
use domain::deployment::DeploymentId;
use domain::refusal::{InternalFault, Refusal, RefusalCode, Unreadable};
use domain::template::answers::SECRET_FIELD;

/// The field that says which button was pressed.
const STEP: &str = "step";

/// The end of the path of the settings.
const SETTINGS: &str = "/settings";

/// What the form is sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// To see what it would change.
    Review,
    /// To change it.
    Apply,
    /// To go back to the answers.
    Edit,
}

/// What came of a form that begins nothing.
enum Shown {
    /// What it would change.
    Plan(PlanView),
    /// The answers again.
    Answers,
}

/// Handles `POST /stacks/:name/settings`, and leads to the page of the change if one was begun.
///
/// # Errors
///
/// Returns the request for the page otherwise: with what the form would change, or with the reason
/// why it was refused.
pub(super) async fn send(state: &HttpState, request: Request) -> Result<Response, Box<FormAgain>> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, ANSWERS_LIMIT).await.unwrap_or_default();
    let (mut pairs, is_readable) = match pairs_in(&body) {
        Ok(pairs) => (pairs, true),
        Err(_) => (Vec::new(), false),
    };
    let meant = Meant::of_form(&parts);
    let step = step(&mut pairs);
    let Some(caller) = parts.extensions.get::<Caller>().cloned() else {
        let error = Refusal::Internal(InternalFault::NoCaller).into();
        return Err(again(parts, SentSettings::default(), Some(error)));
    };
    // What was sealed for the form of one stack is of no use in that of another.
    let context = Service::settings_context(meant.name());
    let form = state.service.take_secrets_back(&caller, &context, pairs);
    let result = if is_readable {
        run(state, &caller, &meant, step, &form).await
    } else {
        Err(Refusal::InvalidRequest(Unreadable::Form).into())
    };
    let (mut filling, plan, error) = match result {
        Ok(Ok(begun)) => return Ok(begun),
        Ok(Err(Shown::Plan(plan))) => (Filling::default(), Some(plan), None),
        Ok(Err(Shown::Answers)) => (Filling::default(), None, None),
        Err(error) => (refused(&error), None, Some(error)),
    };
    filling.kept = state.service.keep_secrets(&caller, &context, &form.pairs);
    // A secret that cannot be used is typed again. None is shown.
    filling.kept.retain(|key, _| !filling.problems.contains_key(key));
    filling.pairs = form.pairs;
    filling.pairs.retain(|(field, _)| !field.starts_with(SECRET_FIELD));
    Err(again(parts, SentSettings { filling, plan }, error))
}

async fn run(
    state: &HttpState,
    caller: &Caller,
    meant: &Meant,
    step: Step,
    form: &TakenBack,
) -> Result<Result<Response, Shown>, ApiError> {
    if step == Step::Edit {
        return Ok(Err(Shown::Answers));
    }
    let (service, name, of) = (&state.service, meant.name(), meant.of()?);
    let request = Service::change_of_form(form)?;
    if step == Step::Apply {
        match service.change(caller, name, of.as_ref(), &request).await? {
            Asked::Begun(id) => return Ok(Ok(begun(state, &id).await)),
            // The plan says so.
            Asked::Unchanged => {}
        }
    }
    service.plan(caller, name, of.as_ref(), &request).await.map(|plan| Err(Shown::Plan(plan)))
}

/// Leads to the page of a change, with a ticket for the secrets that were generated for it.
async fn begun(state: &HttpState, id: &DeploymentId) -> Response {
    // The change goes on without its secrets being shown: the failure is logged.
    let ticket = state.service.ticket_of_change(id).await.ok().flatten();
    see_other(&page_of(id), generated::write(state.authenticator.is_secure(), ticket))
}

/// Takes the button that was pressed out of the fields.
fn step(pairs: &mut Vec<(String, String)>) -> Step {
    let pressed = pairs.extract_if(.., |(field, _)| field == STEP).last();
    match pressed.as_ref().map(|(_, value)| value.as_str()) {
        Some("apply") => Step::Apply,
        Some("edit") => Step::Edit,
        Some(_) | None => Step::Review,
    }
}

/// Returns what fills the form after a refusal. The page itself says if the stack was changed
/// meanwhile.
fn refused(error: &ApiError) -> Filling {
    let filling = filling(error);
    match error.code {
        RefusalCode::RevisionChanged => Filling { problem: None, ..filling },
        _ => filling,
    }
}

/// Returns the request for the page with the form.
fn again(parts: Parts, sent: SentSettings, error: Option<ApiError>) -> Box<FormAgain> {
    Box::new(FormAgain { page: page_request(parts, sent), error })
}

/// `POST /stacks/:name/settings/check`: what is wrong with the answers so far.
pub(super) async fn check(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    name: Parameter,
    query: Result<Query<FormQuery>, QueryRejection>,
    body: Bytes,
) -> Result<Json<FormVerdict>, Failed> {
    let meant = Meant::new(name, query);
    let context = Service::settings_context(meant.name());
    let form = state.service.take_secrets_back(&caller, &context, pairs_in(&body)?);
    let of = meant.of()?;
    let verdict = state.service.check_settings(&caller, meant.name(), of.as_ref(), &form).await;
    Ok(Json(verdict?))
}

/// The form with what a stack is called by its owner.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct LabelForm {
    /// The text; empty for none.
    label: String,
}

/// `POST /stacks/:name/label`: sets or removes what the owner calls the stack.
pub(super) async fn label(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    name: Parameter,
    query: Result<Query<FormQuery>, QueryRejection>,
    form: Result<Form<LabelForm>, FormRejection>,
) -> Response {
    let meant = Meant::new(name, query);
    let done = async {
        let Form(LabelForm { label }) =
            form.map_err(|_| ApiError::from(Refusal::InvalidRequest(Unreadable::Form)))?;
        let of = meant.of()?;
        state.service.label(&caller, meant.name(), of.as_ref(), Some(&label)).await?;
        Ok(Asked::Unchanged)
    };
    meant.answer_at(SETTINGS, done.await)
}
