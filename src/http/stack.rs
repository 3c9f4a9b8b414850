//! The forms of the pages of a stack: stop it, start it again, restart it, keep it, remove it.
//!
//! Each leads to the page of the operation that does it. One that is refused leads back to the page of
//! the stack, which says why.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::HttpState;
use super::api::deployments::{Parameter, parameter};
use super::error::with_code;
use super::sign_in::see_other;
use crate::server::auth::access::Caller;
use crate::server::page::{STACKS, page_of, percent_encode};
use crate::server::stacks::{self, Asked, NewExpiry, StackAction};
use crate::server::store::Disposal;
use crate::wire::ApiError;
use domain::deployment::DeploymentId;
use domain::refusal::{Refusal, RefusalCode, Unreadable};

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

/// The stack that a form is about.
struct Meant {
    name: String,
    id: Option<String>,
}

impl Meant {
    fn new(name: Parameter, query: Result<Query<FormQuery>, QueryRejection>) -> Self {
        let id = query.ok().and_then(|Query(FormQuery { id })| id);
        Self { name: parameter(name).unwrap_or_default(), id }
    }

    fn of(&self) -> Result<Option<DeploymentId>, ApiError> {
        self.id.as_deref().map(stacks::deployment_id).transpose()
    }

    /// Leads to the page of the operation, or back to that of the stack if none was begun.
    fn answer(&self, done: Result<Asked, ApiError>) -> Response {
        match done {
            Ok(Asked::Begun(operation)) => see_other(&page_of(&operation), []),
            Ok(Asked::Unchanged) => see_other(&self.page(None), []),
            Err(error) => with_code(see_other(&self.page(Some(error.code)), []), error.code),
        }
    }

    /// Returns the address of the page of the stack.
    fn page(&self, refused: Option<RefusalCode>) -> String {
        let page = format!("{STACKS}{}", percent_encode(&self.name));
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
