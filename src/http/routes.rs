//! The routes of the portal: one table with method, path, access rule and handler of each.
//!
//! The router, the access rules, the redirects of other spellings and the methods that other
//! origins may use read this table. A route that is not in it does not exist.

mod spelling;

use std::sync::Arc;

use axum::extract::MatchedPath;
use axum::http::Method;
use axum::http::request::Parts;
use axum::routing::{MethodFilter, MethodRouter, on};

pub(super) use self::spelling::{is_file, spell};
use super::api::{self, changes, deployments, document, history, operations, templates};
use super::openapi::{Describe, Described, Row};
use super::openapi::{lives as life_docs, logs as log_docs, operations as docs};
use super::request_size::Size;
use super::{
    HttpState, admin, data, direct, events, logs, metrics, new, reveal, settings, sign_in, stack,
};
use crate::server::auth::access::Permission::{
    self, Account, Browse, Change, Operate, Start, View,
};
use crate::server::auth::authenticate::Freshness;
use crate::server::auth::identity_provider::CALLBACK;
use crate::server::auth::sign_in::SignInService;
use crate::server::page::API_DOCS;
use domain::refusal::Counted;

/// A route: a method and a path.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) rule: Rule,
    pub(super) answer: Answer,
    /// What its requests count as; `None` if they are not limited.
    pub(super) counted: Option<Counted>,
    /// How old the knowledge about its callers' credentials may be.
    pub(super) freshness: Freshness,
    /// How large its requests may be.
    pub(super) size: Size,
    /// Its description, if it is part of the API.
    describe: Option<Describe>,
}

/// The rule of a route: who may use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Everyone, signed in or not.
    Everyone,
    /// Callers with this permission.
    Requires(Permission),
}

/// The handler of a route.
pub(super) enum Answer {
    /// A handler that needs no router.
    Direct(direct::Direct),
    /// A handler.
    Handler(fn(MethodFilter) -> MethodRouter<Arc<HttpState>>),
    /// A handler that exists only if people sign in (`AUTH=oidc`).
    SignIn(fn(MethodFilter) -> MethodRouter<Arc<SignInService>>),
    /// A server function.
    Function,
    /// A page.
    Page,
    /// A form that comes back on its page, if it is refused or reviewed.
    Form(FormOf),
    /// The files of the site's code and style.
    Files,
}

/// The forms that come back on their pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormOf {
    /// That of a new stack.
    NewStack,
    /// That with the settings of a stack.
    Settings,
}

use Answer::{Direct, Files, Form, Function, Handler, Page, SignIn};
use Rule::{Everyone, Requires};
use direct::Direct::{CheckName, Health, Live, Ready};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;
const PATCH: Method = Method::PATCH;

const fn at(method: Method, path: &'static str, rule: Rule, answer: Answer) -> Route {
    let freshness = Freshness::Present;
    let (counted, describe, size) = (None, None, Size::Usual);
    Route { method, path, rule, answer, counted, freshness, size, describe }
}

/// Makes an [`Answer`] from a handler.
macro_rules! by {
    ($kind:ident, $handler:path) => {
        $kind(|method| on(method, $handler))
    };
}

/// Every route of the portal. A route for GET answers HEAD as well.
pub(super) static ROUTES: &[Route] = &[
    at(GET, "/livez", Everyone, Direct(Live)),
    at(GET, "/readyz", Everyone, Direct(Ready)),
    at(GET, "/health", Everyone, Direct(Health)),
    // The handler requires a token of its own, and exists only if the operator has set one.
    at(GET, "/metrics", Everyone, by!(Handler, metrics::on_main_port)),
    at(GET, "/api/check/{name}", Requires(Browse), Direct(CheckName))
        .counted(Counted::Check)
        .recent()
        .described(docs::check_name),
    at(POST, "/api/deploy", Requires(Start), by!(Handler, deployments::deploy))
        .counted(Counted::Start)
        .of_size(Size::Answers)
        .described(docs::deploy),
    at(GET, "/api/deployment/{id}", Requires(View), by!(Handler, deployments::deployment))
        .recent()
        .described(docs::operation),
    at(GET, "/api/status/{id}", Requires(View), by!(Handler, events::status))
        .described(docs::events),
    at(POST, "/api/deployment/{id}/cancel", Requires(Change), by!(Handler, operations::cancel))
        .described(docs::cancel),
    at(POST, "/api/deployment/{id}/retry", Requires(Change), by!(Handler, operations::retry))
        .counted(Counted::Start)
        .described(docs::retry),
    at(GET, "/api/operations", Requires(View), by!(Handler, api::own_operations::list))
        .recent()
        .described(life_docs::operations),
    at(GET, "/api/operations/{id}", Requires(View), by!(Handler, api::own_operations::one))
        .recent()
        .described(life_docs::one_operation),
    at(GET, "/api/stacks", Requires(View), by!(Handler, operations::stacks))
        .recent()
        .described(docs::stacks),
    at(GET, "/api/stacks/-/events", Requires(View), by!(Handler, events::stacks))
        .described(docs::stacks_events),
    at(GET, "/api/stacks/{name}", Requires(View), by!(Handler, operations::stack))
        .recent()
        .described(docs::stack),
    at(DELETE, "/api/stacks/{name}", Requires(Change), by!(Handler, operations::remove))
        .described(docs::remove),
    at(POST, "/api/stacks/{name}/stop", Requires(Change), by!(Handler, operations::stop))
        .described(docs::stop),
    at(POST, "/api/stacks/{name}/start", Requires(Change), by!(Handler, operations::start))
        .described(docs::start),
    at(POST, "/api/stacks/{name}/restart", Requires(Change), by!(Handler, operations::restart))
        .described(docs::restart),
    at(GET, "/api/stacks/{name}/logs", Requires(Change), by!(Handler, logs::text))
        .described(log_docs::log),
    at(GET, "/api/stacks/{name}/logs/stream", Requires(Change), by!(Handler, logs::stream))
        .described(log_docs::log_stream),
    at(GET, "/api/stacks/{name}/history", Requires(Change), by!(Handler, history::history))
        .described(life_docs::history),
    at(GET, "/api/stacks/{name}/usage", Requires(Change), by!(Handler, api::usage::usage))
        .described(life_docs::usage),
    at(GET, "/api/stacks/{name}/events", Requires(Change), by!(Handler, events::stack::events))
        .described(life_docs::stack_events),
    at(PATCH, "/api/stacks/{name}", Requires(Change), by!(Handler, changes::change))
        .of_size(Size::Answers)
        .described(docs::changes::change),
    at(POST, "/api/stacks/{name}/plan", Requires(Change), by!(Handler, changes::plan))
        .of_size(Size::Answers)
        .described(docs::changes::plan),
    at(POST, "/api/stacks/{name}/rollback", Requires(Change), by!(Handler, changes::rollback))
        .described(docs::changes::rollback),
    at(GET, "/api/stacks/{name}/revisions", Requires(Change), by!(Handler, changes::revisions))
        .described(docs::changes::revisions),
    at(DELETE, "/api/stack/{name}", Requires(Change), by!(Handler, operations::remove))
        .described(docs::remove_alias),
    at(GET, "/api/data", Requires(View), by!(Handler, api::data::list))
        .recent()
        .described(docs::kept_data),
    at(DELETE, "/api/data/{id}", Requires(Change), by!(Handler, api::data::delete))
        .described(docs::delete_data),
    at(GET, "/api/templates", Requires(Browse), by!(Handler, templates::list))
        .recent()
        .described(docs::templates),
    at(GET, "/api/templates/{id}/schema", Requires(Browse), by!(Handler, templates::schema))
        .described(docs::template_schema),
    at(GET, "/templates/{id}/icon.svg", Requires(Browse), by!(Handler, templates::icon)).recent(),
    at(GET, "/api/openapi.json", Everyone, by!(Handler, document::openapi))
        .described(docs::document),
    at(GET, API_DOCS, Everyone, Page).described(docs::page),
    at(GET, "/api/fn/check_name", Requires(Browse), Function).counted(Counted::Check).recent(),
    at(POST, "/api/fn/start_deployment", Requires(Start), Function).counted(Counted::Start),
    at(POST, "/api/fn/cancel_deployment", Requires(Change), Function),
    at(POST, "/api/fn/retry_deployment", Requires(Change), Function).counted(Counted::Start),
    at(POST, "/api/fn/remove_stack", Requires(Change), Function),
    at(GET, "/", Requires(Browse), Page).recent(),
    at(GET, "/new", Requires(Browse), Page).recent(),
    at(GET, "/new/{template}", Requires(Browse), Page).recent(),
    // It counts as a start, which it does itself: what is refused comes back on the page.
    at(POST, "/new/{template}", Requires(Start), Form(FormOf::NewStack)).of_size(Size::Answers),
    at(POST, "/new/{template}/check", Requires(Browse), by!(Handler, new::check))
        .counted(Counted::Check)
        .of_size(Size::Answers),
    at(GET, "/deployments/{id}", Requires(View), Page).recent(),
    at(POST, "/deployments/{id}/reveal", Requires(Account), by!(Handler, reveal::reveal)),
    at(GET, "/stacks/{name}/logs", Requires(Change), Page),
    at(GET, "/stacks/{name}", Requires(Change), Page),
    at(GET, "/stacks/{name}/history", Requires(Change), Page),
    at(GET, "/stacks/{name}/settings", Requires(Change), Page),
    at(POST, "/stacks/{name}/settings", Requires(Change), Form(FormOf::Settings))
        .of_size(Size::Answers),
    at(POST, "/stacks/{name}/settings/check", Requires(Change), by!(Handler, settings::check))
        .counted(Counted::Check)
        .of_size(Size::Answers),
    at(POST, "/stacks/{name}/label", Requires(Change), by!(Handler, settings::label)),
    at(POST, "/stacks/{name}/rollback", Requires(Change), by!(Handler, stack::rollback)),
    at(POST, "/stacks/{name}/stop", Requires(Change), by!(Handler, stack::stop)),
    at(POST, "/stacks/{name}/start", Requires(Change), by!(Handler, stack::start)),
    at(POST, "/stacks/{name}/restart", Requires(Change), by!(Handler, stack::restart)),
    at(POST, "/stacks/{name}/keep", Requires(Change), by!(Handler, stack::keep)),
    at(POST, "/stacks/{name}/remove", Requires(Change), by!(Handler, stack::remove)),
    at(GET, "/data", Requires(View), Page),
    at(POST, "/data/{id}/delete", Requires(Change), by!(Handler, data::delete)),
    at(GET, "/pkg/{*path}", Everyone, Files),
    at(GET, "/sign-in", Everyone, Page),
    at(GET, "/auth/sign-in", Everyone, by!(SignIn, sign_in::begin)).counted(Counted::SignIn),
    at(GET, CALLBACK, Everyone, by!(SignIn, sign_in::finish)).counted(Counted::SignIn),
    at(POST, "/auth/sign-out", Everyone, by!(SignIn, sign_in::sign_out)),
    at(GET, "/account", Requires(Account), Page),
    at(
        POST,
        "/account/sign-out-everywhere",
        Requires(Account),
        by!(SignIn, sign_in::sign_out_everywhere),
    ),
    at(POST, "/account/tokens", Requires(Account), by!(SignIn, sign_in::make_token)),
    at(POST, "/account/tokens/revoke", Requires(Account), by!(SignIn, sign_in::revoke_token)),
    at(GET, "/admin", Requires(Operate), Page),
    at(GET, "/admin/audit", Requires(Operate), Page),
    at(POST, "/admin/stuck/retry", Requires(Operate), by!(Handler, admin::retry)),
    at(POST, "/admin/people/sign-out", Requires(Operate), by!(Handler, admin::revoke_access)),
];

/// Lists the method and path of every route, and whether it requires a permission.
pub fn routes() -> impl Iterator<Item = (&'static Method, &'static str, bool)> {
    ROUTES.iter().map(|route| (&route.method, route.path, route.rule != Everyone))
}

/// Returns the descriptions of the routes that are part of the API.
pub(super) fn described() -> impl Iterator<Item = Described> {
    ROUTES.iter().filter_map(|route| {
        let permission = match route.rule {
            Everyone => None,
            Requires(permission) => Some(permission),
        };
        let (method, path, counted) = (route.method.clone(), route.path, route.counted);
        route
            .describe
            .map(|describe| describe(Described::of(Row { method, path, permission, counted })))
    })
}

/// Returns the methods of the routes for which `is_meant` returns true, without duplicates.
pub(super) fn methods(is_meant: impl Fn(&Route) -> bool) -> Vec<Method> {
    let mut methods = Vec::new();
    for route in ROUTES.iter().filter(|route| is_meant(route)) {
        if !methods.contains(&route.method) {
            methods.push(route.method.clone());
        }
    }
    methods
}

/// The router has a route for the request's path that is not in the table.
#[derive(Debug)]
pub(super) struct NotInTable;

impl Route {
    /// Limits the requests of an address.
    const fn counted(mut self, counted: Counted) -> Self {
        self.counted = Some(counted);
        self
    }

    /// Makes the route a part of the API, with this description.
    const fn described(mut self, describe: Describe) -> Self {
        self.describe = Some(describe);
        self
    }

    /// Identifies callers by what was known about their credentials up to five seconds ago. It is
    /// for what changes nothing, and shows neither a log nor a secret.
    const fn recent(mut self) -> Self {
        self.freshness = Freshness::Recent;
        self
    }

    /// Lets its requests be of this size.
    const fn of_size(mut self, size: Size) -> Self {
        self.size = size;
        self
    }

    /// Finds the route of a request; `None` if the router has no route for the path, or the route
    /// does not support the method.
    pub(super) fn of(parts: &Parts) -> Result<Option<&'static Self>, NotInTable> {
        let Some(path) = parts.extensions.get::<MatchedPath>() else { return Ok(None) };
        let is_method = |own: &Method| {
            *own == parts.method || (*own == Method::GET && parts.method == Method::HEAD)
        };
        let mut routes = ROUTES.iter().filter(|route| route.path == path.as_str()).peekable();
        routes.peek().ok_or(NotInTable)?;
        Ok(routes.find(|route| is_method(&route.method)))
    }

    /// Returns whether the route answers with a page.
    pub(super) fn is_page(&self) -> bool {
        matches!(self.answer, Page)
    }

    /// Returns whether the route is a form that comes back on its page.
    pub(super) fn is_form(&self) -> bool {
        matches!(self.answer, Form(_))
    }

    /// Returns whether the route is a server function.
    pub(super) fn is_function(&self) -> bool {
        matches!(self.answer, Function)
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::{Body, to_bytes},
        extract::Request,
        routing::get,
    };
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_route_that_is_not_in_the_table_is_found_out() {
        let answer = |parts: Parts| async move { Route::of(&parts).is_err().to_string() };
        let router = Router::new().route("/elsewhere", get(answer)).route("/health", get(answer));
        for (path, expected) in [("/elsewhere", "true"), ("/health", "false")] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(to_bytes(response.into_body(), 10).await.unwrap(), expected, "{path}");
        }
    }
}
