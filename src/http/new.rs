//! The form of a new stack: starts it, or says why not, with what fills the form again.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use axum::{Extension, Json};

use super::api::deployments::{Parameter, parameter};
use super::error::Failed;
use super::request_size::{ANSWERS_LIMIT, MAX_ANSWER_FIELDS, has_more_fields};
use super::sign_in::see_other;
use super::{HttpState, generated, limit};
use crate::api::started_at;
use crate::server::auth::access::Caller;
use crate::server::auth::sign_in::ReturnTo;
use crate::server::page::{percent_encode, sign_in_location};
use crate::server::stacks::form::{DATA, Filling, NAME};
use crate::server::stacks::{StartedForPage, TakenBack, VERSION};
use crate::wire::{ApiError, FormVerdict};
use domain::refusal::{Counted, InternalFault, Refusal, RefusalCode, Unreadable};
use domain::template::answers::{PARAMETER_FIELD, SECRET_FIELD, SIZE};
use domain::words;

/// A form that comes back on its page.
pub(super) struct FormAgain {
    /// The request for the page with the form.
    pub(super) page: Request,
    /// The reason; `None` if it was not refused.
    pub(super) error: Option<ApiError>,
}

/// Starts the stack of a form, and leads to its page.
///
/// # Errors
///
/// Returns why nothing was started, with the request for the page with the form, filled.
pub(super) async fn start(state: &HttpState, request: Request) -> Result<Response, Box<FormAgain>> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, ANSWERS_LIMIT).await.unwrap_or_default();
    let (pairs, is_readable) = match pairs_in(&body) {
        Ok(pairs) => (pairs, Ok(())),
        Err(refusal) => (Vec::new(), Err(refusal)),
    };
    let template = parts.uri.path().rsplit('/').next().unwrap_or_default().to_owned();
    let caller = parts.extensions.get::<Caller>();
    let form = caller.map(|caller| state.service.take_secrets_back(caller, &template, pairs));
    let begun = match (is_readable, &form) {
        (Ok(()), Some(form)) => begin(state, &parts, &template, form).await,
        (Ok(()), None) => Err(Refusal::Internal(InternalFault::NoCaller).into()),
        (Err(refusal), _) => Err(refusal.into()),
    };
    match begun {
        Ok(response) => Ok(response),
        Err(error) => {
            let mut filling = filling(&error);
            if let (Some(caller), Some(form)) = (caller, form) {
                if !filling.problems.is_empty() {
                    // A start tells only what it finds first.
                    let verdict = state.service.check_form(caller, &template, &form).await;
                    let FormVerdict { fields, offers, .. } = verdict.unwrap_or_default();
                    for (key, problem) in fields {
                        filling.problems.entry(key).or_insert(problem.message);
                    }
                    filling.offers = offers;
                }
                // Those that were kept already are kept on.
                filling.kept = state.service.keep_secrets(caller, &template, &form.pairs);
                filling.pairs = form.pairs;
            }
            // A secret that cannot be used is typed again. None is shown.
            filling.kept.retain(|key, _| !filling.problems.contains_key(key));
            filling.pairs.retain(|(field, _)| !field.starts_with(SECRET_FIELD));
            Err(Box::new(FormAgain { page: page_request(parts, filling), error: Some(error) }))
        }
    }
}

async fn begin(
    state: &HttpState,
    parts: &Parts,
    template: &str,
    form: &TakenBack,
) -> Result<Response, ApiError> {
    let caller = parts.extensions.get::<Caller>();
    let caller = caller.ok_or(Refusal::Internal(InternalFault::NoCaller))?;
    limit::count(state, Counted::Start, parts).await?;
    let StartedForPage { id, ticket } = state.service.start_form(caller, template, form).await?;
    let page = started_at(&state.service, caller, &id);
    Ok(see_other(&page, generated::write(state.authenticator.is_secure(), ticket)))
}

/// `POST /new/:template/check`: what is wrong with a form's answers so far.
pub(super) async fn check(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    id: Parameter,
    body: Bytes,
) -> Result<Json<FormVerdict>, Failed> {
    let template = parameter(id)?;
    let form = state.service.take_secrets_back(&caller, &template, pairs_in(&body)?);
    let verdict = state.service.check_form(&caller, &template, &form).await;
    Ok(Json(verdict.map_err(in_words_of_the_page)?))
}

/// Gives an error of the check the words of the page, where those of the API would not help.
fn in_words_of_the_page(error: ApiError) -> ApiError {
    if error.code == RefusalCode::NoSuchTemplate {
        return ApiError { message: words::template::NOT_OFFERED.to_owned(), ..error };
    }
    error
}

/// Leads somebody whose session ended meanwhile to the sign-in, and from there back to the form with
/// what is no secret.
pub(super) async fn sign_in_again(parts: &Parts, body: Body) -> Response {
    let body = to_bytes(body, ANSWERS_LIMIT).await.unwrap_or_default();
    let path = parts.uri.path();
    let mut location = path.to_owned();
    for (field, value) in pairs_in(&body).unwrap_or_default() {
        // An empty answer is one, too: without it, the default would come back.
        let is_shown = field.starts_with(PARAMETER_FIELD)
            || !value.is_empty() && [NAME, SIZE, DATA, VERSION].contains(&field.as_str());
        if !is_shown {
            continue;
        }
        let mark = if location.len() == path.len() { '?' } else { '&' };
        let pair = format!("{mark}{}={}", percent_encode(&field), percent_encode(&value));
        if location.len() + pair.len() <= ReturnTo::LONGEST {
            location.push_str(&pair);
        }
    }
    see_other(&sign_in_location(&location, Some(RefusalCode::SignInRequired)), [])
}

/// Reads the fields of a form, whatever its content type.
pub(super) fn pairs_in(body: &[u8]) -> Result<Vec<(String, String)>, Refusal> {
    if has_more_fields(body, MAX_ANSWER_FIELDS) {
        return Err(Refusal::InvalidRequest(Unreadable::Form));
    }
    Ok(form_urlencoded::parse(body).into_owned().collect())
}

/// Returns the request for the page with the form, which is filled.
pub(super) fn page_request<T: Send + Sync + 'static>(mut parts: Parts, filling: T) -> Request {
    parts.method = Method::GET;
    for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::TRANSFER_ENCODING] {
        parts.headers.remove(name);
    }
    parts.extensions.insert(Arc::new(filling));
    parts.headers.insert(header::ACCEPT, HeaderValue::from_static("text/html"));
    Request::from_parts(parts, Body::empty())
}

/// Returns what fills a form that was refused.
pub(super) fn filling(error: &ApiError) -> Filling {
    let fields = error.details.as_ref().map(|details| &details.fields);
    let mut problems: BTreeMap<_, _> = fields
        .into_iter()
        .flatten()
        .map(|(key, problem)| (key.clone(), problem.message.clone()))
        .collect();
    if is_about_name(error.code) {
        problems.insert(NAME.to_owned(), error.message.clone());
    }
    let problem = problems.is_empty().then(|| error.message.clone());
    Filling { problems, problem, ..Filling::default() }
}

fn is_about_name(code: RefusalCode) -> bool {
    use RefusalCode::{InvalidName, NameHeld, NameTaken};
    matches!(code, InvalidName | NameTaken | NameHeld)
}
