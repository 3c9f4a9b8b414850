//! The JSON API of the revisions of a stack: change it, plan that, go back, and list them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::deployments::{into_http, key_of};
use super::operations::{NamedStack, removal, unchanged};
use crate::http::HttpState;
use crate::http::error::{self, Failed};
use crate::http::headers::NO_STORE;
use crate::server::auth::access::Caller;
use crate::server::stacks::{
    self, Asked, ChangeRequest, IdempotentRequest, NewExpiry, Removing, SentAnswers, Wanted,
};
use crate::server::store::IdempotencyKey;
use crate::wire::{ApiError, PlanView, RevisionsView};
use domain::deployment::DeploymentId;
use domain::refusal::Refusal;
use domain::template::answer_error::{AnswerError, AnswerErrors};
use domain::template::answers::{Answers, PARAMETERS, SECRETS, SIZE};

/// The field of the version of the template.
const VERSION: &str = "version";
/// The field of what the owner calls the stack.
const LABEL: &str = "label";
/// The field of the time at which the stack expires.
const EXPIRES: &str = "expiresAt";
/// The field of the revision to go back to.
const REVISION: &str = "revision";

#[derive(Serialize)]
struct ChangeBody<'a, T: Serialize> {
    #[serde(flatten)]
    begun: T,
    /// The secrets that were generated, by the keys of their parameters. They are in this answer
    /// only, and not in one that is replayed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    generated: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct PlanBody {
    success: bool,
    #[serde(flatten)]
    plan: PlanView,
}

#[derive(Serialize)]
struct RevisionsBody {
    success: bool,
    #[serde(flatten)]
    revisions: RevisionsView,
}

/// What the body of a change asks for.
struct Body {
    answers: Map<String, Value>,
    version: Option<String>,
    label: Label,
    expires: Option<NewExpiry>,
}

/// What the stack is called from then on.
#[derive(Debug, PartialEq)]
enum Label {
    Unchanged,
    Removed,
    Named(String),
}

/// `PATCH /api/stacks/:name`: changes a stack.
pub(in crate::http) async fn change(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    stack: NamedStack,
    headers: HeaderMap,
    content: Bytes,
) -> Result<Response, Failed> {
    let (name, of) = (stack.name.as_str(), stack.id.as_ref());
    let body = read(&content)?;
    // Nothing is changed by a request that is refused later because of its key or its guard, or whose
    // answer is replayed.
    let key = key_of(&caller, &headers)?;
    let is_bare = body.answers.is_empty() && body.version.is_none();
    if let Some(key) = key.filter(|_| !is_bare) {
        let idempotency = identified(key, name, expected(&headers), &content);
        let replayed = state.service.replayed(&caller, name, of, idempotency).await?;
        if let Some(replayed) = replayed {
            return Ok(into_http(replayed));
        }
    }
    state.service.expect_revision(&caller, name, of, expected(&headers)).await?;
    let mut is_changed = false;
    if let Some(expiry) = body.expires {
        is_changed = state.service.set_expiry(&caller, name, of, expiry).await?;
    }
    let label = match &body.label {
        Label::Unchanged => None,
        Label::Removed => Some(None),
        Label::Named(label) => Some(Some(label.as_str())),
    };
    if let Some(label) = label {
        state.service.label(&caller, name, of, label).await?;
        is_changed = true;
    }
    if is_bare {
        return Ok(unchanged(is_changed));
    }
    let request = body.request(expected(&headers))?;
    begin(&state, &caller, &stack, request, (&headers, &content)).await
}

/// `POST /api/stacks/:name/plan`: what a change would do.
pub(in crate::http) async fn plan(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    stack: NamedStack,
    headers: HeaderMap,
    content: Bytes,
) -> Result<Response, Failed> {
    let request = read(&content)?.request(expected(&headers))?;
    let plan = state.service.plan(&caller, &stack.name, stack.id.as_ref(), &request).await?;
    Ok((NO_STORE, Json(PlanBody { success: true, plan })).into_response())
}

/// `POST /api/stacks/:name/rollback`: goes back to an older revision, by a new one that is equal.
pub(in crate::http) async fn rollback(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    stack: NamedStack,
    headers: HeaderMap,
    content: Bytes,
) -> Result<Response, Failed> {
    let fields = object(&content)?;
    let number = fields.get(REVISION).and_then(Value::as_u64);
    let number = number.and_then(|number| u32::try_from(number).ok());
    let wanted = Wanted::Revision(number.ok_or(Refusal::NoSuchRevision)?);
    let request = ChangeRequest { wanted, expected: expected(&headers) };
    begin(&state, &caller, &stack, request, (&headers, &content)).await
}

/// `GET /api/stacks/:name/revisions`: the revisions of a stack, newest first.
pub(in crate::http) async fn revisions(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    stack: NamedStack,
) -> Result<Response, Failed> {
    let revisions = state.service.revisions(&caller, &stack.name, stack.id.as_ref()).await?;
    Ok((NO_STORE, Json(RevisionsBody { success: true, revisions })).into_response())
}

async fn begin(
    state: &HttpState,
    caller: &Caller,
    NamedStack { name, id }: &NamedStack,
    request: ChangeRequest,
    (headers, content): (&HeaderMap, &[u8]),
) -> Result<Response, Failed> {
    let (service, of) = (&state.service, id.as_ref());
    let asked = match key_of(caller, headers)? {
        None => service.change(caller, name, of, &request).await?,
        Some(key) => {
            let idempotency = identified(key, name, request.expected, content);
            let begun =
                service.change_idempotent(caller, name, of, &request, idempotency, accepted);
            match begun.await? {
                Ok(asked) => asked,
                Err(replayed) => return Ok(into_http(replayed)),
            }
        }
    };
    Ok(match asked {
        Asked::Begun(id) => {
            let generated = match &request.wanted {
                Wanted::Answers(..) => service.generated_by_change(caller, &id).await?,
                // What an earlier revision has was shown then.
                Wanted::Revision(_) => BTreeMap::new(),
            };
            into_http(accepted_with(&id, &generated))
        }
        Asked::Unchanged => unchanged(false),
    })
}

/// Returns the response to a request that began the operation.
fn accepted(id: &DeploymentId) -> stacks::Response {
    accepted_with(id, &BTreeMap::new())
}

/// Returns the response to a request that began the operation, for which these secrets were `generated`.
fn accepted_with(
    id: &DeploymentId,
    generated: &BTreeMap<String, SecretString>,
) -> stacks::Response {
    let begun = removal(Removing { id: id.clone(), data: None });
    let generated = generated.iter().map(|(key, text)| (key.as_str(), text.expose_secret()));
    let body = error::json(&ChangeBody { begun, generated: generated.collect() });
    stacks::Response { status: StatusCode::ACCEPTED.as_u16(), location: None, body }
}

/// Returns a request with a key. The same key on another stack is another request.
fn identified(
    key: IdempotencyKey,
    name: &str,
    expected: Option<u32>,
    content: &[u8],
) -> IdempotentRequest {
    let mut fields = serde_json::from_slice::<Map<String, Value>>(content).unwrap_or_default();
    fields.insert(String::from("stack"), json!([name, expected]));
    IdempotentRequest { key, body: Value::Object(fields).to_string().into_bytes() }
}

impl Body {
    fn request(self, expected: Option<u32>) -> Result<ChangeRequest, ApiError> {
        let answers = Answers::from_json(&Value::Object(self.answers));
        let answers = SentAnswers::Read(answers.map_err(Refusal::InvalidParameters)?);
        Ok(ChangeRequest { wanted: Wanted::Answers(answers, self.version), expected })
    }
}

/// Reads the body of a change.
fn read(content: &[u8]) -> Result<Body, ApiError> {
    let mut fields = object(content)?;
    let text = |value: Value| match value {
        Value::String(text) => Ok(Some(text)),
        Value::Null => Ok(None),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(ApiError::from(Refusal::InvalidJson))
        }
    };
    let version = fields.remove(VERSION).map(text).transpose()?.flatten();
    let label = match fields.remove(LABEL).map(text).transpose()? {
        None => Label::Unchanged,
        Some(None) => Label::Removed,
        Some(Some(label)) => Label::Named(label),
    };
    let expires = fields.remove(EXPIRES).map(text).transpose()?.map(expiry);
    // Whoever misspells a field must not be told that nothing was to be changed.
    let mut unknown = AnswerErrors::default();
    for name in fields.keys().filter(|name| ![PARAMETERS, SECRETS, SIZE].contains(&name.as_str())) {
        unknown.add(name, AnswerError::Unknown);
    }
    unknown.or(()).map_err(Refusal::InvalidParameters)?;
    Ok(Body { answers: fields, version, label, expires })
}

/// Reads the time at which a stack is to expire, to the millisecond.
fn expiry(text: Option<String>) -> NewExpiry {
    let Some(text) = text else { return NewExpiry::Never };
    let time = text.parse::<Timestamp>().ok();
    let time = time.and_then(|time| Timestamp::from_millisecond(time.as_millisecond()).ok());
    time.map_or(NewExpiry::Unreadable, NewExpiry::At)
}

fn object(content: &[u8]) -> Result<Map<String, Value>, ApiError> {
    serde_json::from_slice(content).map_err(|_| Refusal::InvalidJson.into())
}

/// Reads the revision that the stack must have, if the request names one. One that cannot be read is
/// none that a stack has.
fn expected(headers: &HeaderMap) -> Option<u32> {
    let value = headers.get(header::IF_MATCH)?;
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return None;
    }
    let number = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    Some(number.and_then(|number| number.parse().ok()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use domain::refusal::RefusalCode;

    use super::*;

    #[test]
    fn a_condition_names_a_revision_or_none_that_there_is() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, text.parse().unwrap());
            expected(&headers)
        };
        assert_eq!(expected(&HeaderMap::new()), None);
        assert_eq!((of("*"), of("\"3\"")), (None, Some(3)));
        for none in ["3", "W/\"3\"", "\"x\"", "\"\"", "\"3\", \"4\""] {
            assert_eq!(of(none), Some(0), "{none}");
        }
    }

    #[test]
    fn a_label_can_be_removed_and_unknown_fields_are_refused() {
        let body = read(br#"{"label":null,"size":"small"}"#).unwrap();
        assert_eq!(body.label, Label::Removed);
        assert_eq!(body.answers.keys().collect::<Vec<_>>(), [SIZE]);
        assert!(read(b"[]").is_err() && read(br#"{"label":1}"#).is_err());
        let refusal = read(br#"{"image":"another","label":"Mine"}"#).err().unwrap();
        assert_eq!(refusal.code, RefusalCode::InvalidParameters);
    }
}
