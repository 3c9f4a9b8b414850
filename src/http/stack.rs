//! The forms of the pages of a stack: stop it, start it again, restart it, keep it, remove it, and lead
//! it back to an older revision.
//!
//! Each leads to the page of the operation that does it. One that is refused leads back to the page of
//! the stack, which says why.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;

use super::HttpState;
use super::api::deployments::{Parameter, parameter};
use super::error::with_code;
use super::sign_in::see_other;
use crate::server::auth::access::Caller;
use crate::server::page::{STACKS, page_of, percent_encode};
use crate::server::stacks::{self, Asked, ChangeRequest, NewExpiry, StackAction, Wanted};
use crate::server::store::Disposal;
use crate::wire::ApiError;
use domain::deployment::DeploymentId;
use domain::refusal::{Refusal, RefusalCode, Unreadable};

/// The end of the path of the history of a stack.
const HISTORY: &str = "/history";

/// The query of a form: the id of the stack's deployment.
#[derive(Deserialize)]
pub(super) struct FormQuery {
    id: Option<String>,
}

/// The form that removes a stack.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RemoveForm {
    /// `0` to delete its data, which is kept otherwise.
    keep_data: String,
}

/// The form that leads a stack back to an older revision.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RollbackForm {
    /// The revision to go back to.
    to: u32,
    /// The revision that the stack had when its plan was shown.
    revision: u32,
}

/// The stack that a form is about.
pub(super) struct Meant {
    name: String,
    id: Option<String>,
}

impl Meant {
    pub(super) fn new(name: Parameter, query: Result<Query<FormQuery>, QueryRejection>) -> Self {
        let id = query.ok().and_then(|Query(FormQuery { id })| id);
        Self { name: parameter(name).unwrap_or_default(), id }
    }

    /// Reads the stack that the form at an address `/stacks/:name/…` is about.
    pub(super) fn of_form(parts: &Parts) -> Self {
        let path = parts.uri.path();
        let name = path.strip_prefix(STACKS).and_then(|rest| rest.split('/').next());
        let query = Query::<FormQuery>::try_from_uri(&parts.uri);
        let id = query.ok().and_then(|Query(FormQuery { id })| id);
        Self { name: name.unwrap_or_default().to_owned(), id }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn of(&self) -> Result<Option<DeploymentId>, ApiError> {
        self.id.as_deref().map(stacks::deployment_id).transpose()
    }

    /// Leads to the page of the operation, or back to that of the stack if none was begun.
    fn answer(&self, done: Result<Asked, ApiError>) -> Response {
        self.answer_at("", done)
    }

    /// Does the same with the page of the stack whose path has this `end`.
    pub(super) fn answer_at(&self, end: &str, done: Result<Asked, ApiError>) -> Response {
        match done {
            Ok(Asked::Begun(operation)) => see_other(&page_of(&operation), []),
            Ok(Asked::Unchanged) => see_other(&self.page(end, None), []),
            Err(error) => with_code(see_other(&self.page(end, Some(error.code)), []), error.code),
        }
    }

    /// Returns the address of the page of the stack whose path has this `end`.
    fn page(&self, end: &str, refused: Option<RefusalCode>) -> String {
        let page = format!("{STACKS}{}{end}", percent_encode(&self.name));
        // The page of the stack that has the name by now is not found by the id of another one.
        let id = self.id.as_deref().filter(|_| refused != Some(RefusalCode::AnotherStack));
        let id = id.map(|id| format!("id={}", percent_encode(id)));
        let refused = refused.map(|code| format!("refused={}", code.as_str()));
        let query: Vec<_> = id.into_iter().chain(refused).collect();
        if query.is_empty() { page } else { format!("{page}?{}", query.join("&")) }
    }
}

/// `POST /stacks/:name/stop`: lets nothing of the stack run.
pub(super) async fn stop(
    state: State<Arc<HttpState>>,
    caller: Extension<Caller>,
    name: Parameter,
    query: Result<Query<FormQuery>, QueryRejection>,
) -> Response {
    act(state, caller, Meant::new(name, query), StackAction::Stop).await
}

/// `POST /stacks/:name/start`: lets the stopped stack run again.
pub(super) async fn start(
    state: State<Arc<HttpState>>,
    caller: Extension<Caller>,
    name: Parameter,
    query: Result<Query<FormQuery>, QueryRejection>,
) -> Response {
    act(state, caller, Meant::new(name, query), StackAction::Start).await
}

/// `POST /stacks/:name/restart`: replaces the container of the stack.
pub(super) async fn restart(
    state: State<Arc<HttpState>>,
    caller: Extension<Caller>,
    name: Parameter,
    query: Result<Query<FormQuery>, QueryRejection>,
) -> Response {
    act(state, caller, Meant::new(name, query), StackAction::Restart).await
}

/// `POST /stacks/:name/keep`: keeps the stack for longer.
pub(super) async fn keep(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    name: Parameter,
    query: Result<Query<FormQuery>, QueryRejection>,
) -> Response {
    let meant = Meant::new(name, query);
    let kept = async {
        let (of, later) = (meant.of()?, NewExpiry::Later);
        state.service.set_expiry(&caller, &meant.name, of.as_ref(), later).await?;
        Ok(Asked::Unchanged)
    };
    meant.answer(kept.await)
}

/// `POST /stacks/:name/remove`: removes the stack.
pub(super) async fn remove(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    name: Parameter,
    query: Result<Query<FormQuery>, QueryRejection>,
    form: Result<Form<RemoveForm>, FormRejection>,
) -> Response {
    let meant = Meant::new(name, query);
    // Of a form that cannot be read, nobody knows whether it keeps the data.
    let unreadable = |_| ApiError::from(Refusal::InvalidRequest(Unreadable::Form));
    let begun = async {
        let Form(RemoveForm { keep_data }) = form.map_err(unreadable)?;
        let disposal = if keep_data == "0" { Disposal::Delete } else { Disposal::Keep };
        let of = meant.of()?;
        let removing = state.service.remove(&caller, &meant.name, of.as_ref(), disposal).await?;
        Ok(Asked::Begun(removing.id))
    };
    meant.answer(begun.await)
}

/// `POST /stacks/:name/rollback`: leads the stack back to an older revision, by a new one.
pub(super) async fn rollback(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    name: Parameter,
    query: Result<Query<FormQuery>, QueryRejection>,
    form: Result<Form<RollbackForm>, FormRejection>,
) -> Response {
    let meant = Meant::new(name, query);
    let unreadable = |_| ApiError::from(Refusal::InvalidRequest(Unreadable::Form));
    let begun = async {
        let Form(RollbackForm { to, revision }) = form.map_err(unreadable)?;
        let request = ChangeRequest { wanted: Wanted::Revision(to), expected: Some(revision) };
        let of = meant.of()?;
        state.service.change(&caller, &meant.name, of.as_ref(), &request).await
    };
    meant.answer_at(HISTORY, begun.await)
}

async fn act(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    meant: Meant,
    action: StackAction,
) -> Response {
    let begun = async {
        let of = meant.of()?;
        state.service.act_on(&caller, &meant.name, of.as_ref(), action).await
    };
    meant.answer(begun.await)
}
