//! The routes of the portal: one table with method, path, access rule and handler of each.
//!
//! The router, the access rules, the redirects of other spellings and the methods that other
//! origins may use read this table. A route that is not in it does not exist.

mod options;

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::MatchedPath;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use percent_encoding::percent_decode_str;

use super::api::{data, deployments, operations, templates};
use super::{HttpState, admin, direct, error, events, metrics, sign_in};
use crate::server::auth::access::Permission::{
    self, Account, Browse, Change, Operate, Start, View,
};
use crate::server::auth::authenticate::Freshness;
use crate::server::auth::identity_provider::CALLBACK;
use crate::server::auth::sign_in::SignInService;
use crate::server::page::HiddenPage;
use domain::refusal::Counted;

/// The maximum length of a file's name and of its path on most file systems, in bytes.
const LONGEST_NAME: usize = 240;
const LONGEST_PATH: usize = 1_024;

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
    /// The files of the site's code and style.
    Files,
}

use Answer::{Direct, Files, Function, Handler, Page, SignIn};
use Rule::{Everyone, Requires};
use direct::Direct::{CheckName, Health, Live, Ready};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;

const fn at(method: Method, path: &'static str, rule: Rule, answer: Answer) -> Route {
    Route { method, path, rule, answer, counted: None, freshness: Freshness::Present }
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
        .recent(),
    at(POST, "/api/deploy", Requires(Start), by!(Handler, deployments::deploy))
        .counted(Counted::Start),
    at(GET, "/api/deployment/{id}", Requires(View), by!(Handler, deployments::deployment)).recent(),
    at(POST, "/api/deployment/{id}/cancel", Requires(Change), by!(Handler, operations::cancel)),
    at(POST, "/api/deployment/{id}/retry", Requires(Change), by!(Handler, operations::retry))
        .counted(Counted::Start),
    at(GET, "/api/stacks", Requires(View), by!(Handler, operations::stacks)).recent(),
    at(GET, "/api/stacks/{name}", Requires(View), by!(Handler, operations::stack)).recent(),
    at(DELETE, "/api/stacks/{name}", Requires(Change), by!(Handler, operations::remove)),
    at(DELETE, "/api/stack/{name}", Requires(Change), by!(Handler, operations::remove)),
    at(GET, "/api/data", Requires(View), by!(Handler, data::list)).recent(),
    at(DELETE, "/api/data/{id}", Requires(Change), by!(Handler, data::delete)),
    at(GET, "/api/templates", Requires(Browse), by!(Handler, templates::list)).recent(),
    at(GET, "/api/templates/{id}/schema", Requires(Browse), by!(Handler, templates::schema)),
    at(GET, "/templates/{id}/icon.svg", Requires(Browse), by!(Handler, templates::icon)).recent(),
    at(GET, "/api/status/{id}", Requires(View), by!(Handler, events::status)),
    at(GET, "/api/fn/check_name", Requires(Browse), Function).counted(Counted::Check).recent(),
    at(POST, "/api/fn/start_deployment", Requires(Start), Function).counted(Counted::Start),
    at(POST, "/api/fn/cancel_deployment", Requires(Change), Function),
    at(POST, "/api/fn/retry_deployment", Requires(Change), Function).counted(Counted::Start),
    at(POST, "/api/fn/remove_stack", Requires(Change), Function),
    at(GET, "/", Requires(Browse), Page).recent(),
    at(GET, "/deployments/{id}", Requires(View), Page).recent(),
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

    /// Identifies callers by what was known about their credentials up to five seconds ago. It is
    /// for what changes nothing, and shows neither a log nor a secret.
    const fn recent(mut self) -> Self {
        self.freshness = Freshness::Recent;
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

    /// Returns whether the route is a server function.
    pub(super) fn is_function(&self) -> bool {
        matches!(self.answer, Function)
    }

    /// Returns whether `path` is a path of this route in its canonical spelling, read without decoding
    /// anything.
    pub(super) fn is_spelled(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix('/') else { return false };
        if matches!(self.answer, Files) || !self.path.contains('{') {
            return path == self.path && !matches!(self.answer, Files);
        }
        let (mut own, mut parts) = (parts_of(self.path), rest.split('/'));
        loop {
            let is_same = match (own.next(), parts.next()) {
                (None, None) => return true,
                (Some(own), Some(part)) if own.starts_with('{') => {
                    !part.is_empty() && is_plain_text(part)
                }
                (Some(own), Some(part)) => own == part,
                (Some(_), None) | (None, Some(_)) => false,
            };
            if !is_same {
                return false;
            }
        }
    }

    /// Returns the canonical spelling of the path with these `parts`, if it is a path of this
    /// route.
    fn spelling(&self, parts: &[&str]) -> Option<Spelling> {
        if parts_of(self.path).count() != parts.len() || matches!(self.answer, Files) {
            return None;
        }
        let mut path = String::new();
        let mut is_plain = true;
        for (own, part) in parts_of(self.path).zip(parts) {
            let decoded = percent_decode_str(part).decode_utf8_lossy();
            path.push('/');
            if !own.starts_with('{') {
                path.push_str(decoded.eq_ignore_ascii_case(own).then_some(own)?);
            } else if self.is_page() {
                is_plain &= is_plain_text(&decoded);
                path.push_str(if is_plain { &decoded } else { part });
            } else {
                path.push_str(part);
            }
        }
        let path = if path.is_empty() { String::from("/") } else { path };
        Some(Spelling { path, is_page: self.is_page(), is_plain })
    }
}

/// The canonical spelling of a path.
struct Spelling {
    path: String,
    is_page: bool,
    /// False if a parameter contains characters that no id contains and that two parsers could
    /// interpret differently.
    is_plain: bool,
}

impl Spelling {
    fn of(path: &str) -> Option<Self> {
        let parts: Vec<_> = parts_of(path).collect();
        ROUTES.iter().find_map(|route| route.spelling(&parts))
    }
}

/// Returns the segments of a path; repeated slashes count as one.
fn parts_of(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

/// Returns whether every URL parser reads `text` in the same way: only unreserved characters (RFC
/// 3986, section 2.3), and neither `.` nor `..`.
fn is_plain_text(text: &str) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !matches!(text, "." | "..") && text.bytes().all(is_unreserved)
}

/// Lets canonical spellings of routes through, and paths that are no route. A GET for another
/// spelling of a page is redirected with 308; any other request for another spelling is answered
/// with 404.
///
/// The page renderer normalizes paths more than the router does: without this, a page could be
/// rendered although its rule was not checked.
pub(super) fn spell(parts: &mut Parts) -> ControlFlow<Response> {
    let uri = &parts.uri;
    if (&parts.method, uri.path()) == (&Method::OPTIONS, "*") {
        return ControlFlow::Break(options::answer(&methods(|_| true)));
    }
    if ROUTES.iter().any(|route| route.is_spelled(uri.path())) {
        return ControlFlow::Continue(());
    }
    match Spelling::of(uri.path()) {
        Some(spelling) if !spelling.is_plain => {
            parts.extensions.insert(HiddenPage);
            ControlFlow::Continue(())
        }
        Some(spelling) if spelling.path != uri.path() => {
            let is_look = matches!(parts.method, Method::GET | Method::HEAD);
            if !(spelling.is_page && is_look) {
                return ControlFlow::Break(error::unknown(uri).into_response());
            }
            let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            let location = [(header::LOCATION, format!("{}{query}", spelling.path))];
            ControlFlow::Break((StatusCode::PERMANENT_REDIRECT, location).into_response())
        }
        Some(_) => ControlFlow::Continue(()),
        None if is_for_people(uri.path()) => ControlFlow::Continue(()),
        None => ControlFlow::Break(error::unknown(uri).into_response()),
    }
}

/// Returns whether a path that is no route may be a file of the site, or an address that a person
/// mistyped. For the others, which only programs use, the 404 is JSON.
fn is_for_people(path: &str) -> bool {
    let first = percent_decode_str(parts_of(path).next().unwrap_or_default()).decode_utf8_lossy();
    path.starts_with('/') && !["api", "health"].iter().any(|own| first.eq_ignore_ascii_case(own))
}

/// Returns whether a file of the site may have this path. Their names are plain, and a name has one
/// spelling.
pub(super) fn is_file(path: &str) -> bool {
    let is_name = |part: &str| (1..=LONGEST_NAME).contains(&part.len()) && is_plain_text(part);
    path.len() <= LONGEST_PATH
        && path.strip_prefix('/').is_some_and(|path| path.split('/').all(is_name))
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

    #[test]
    fn each_path_has_one_spelling() {
        for (path, expected) in [
            ("/", Some("/")),
            ("//", Some("/")),
            ("/admin/", Some("/admin")),
            ("//ADMIN//Audit", Some("/admin/audit")),
            ("/%61dmin", Some("/admin")),
            ("/api/deploy/", Some("/api/deploy")),
            ("/deployments/dep%5F1/", Some("/deployments/dep_1")),
            ("/deployments/Dep_1", Some("/deployments/Dep_1")),
            ("/api/check/a%2fb", Some("/api/check/a%2fb")),
            ("/admin/other", None),
            ("/deployments", None),
            ("/favicon.svg", None),
            ("*", None),
        ] {
            let spelling = Spelling::of(path).map(|spelling| spelling.path);
            assert_eq!(spelling.as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn what_is_spelled_canonically_is_what_decoding_says() {
        let mut paths: Vec<_> = ROUTES.iter().map(|route| route.path.to_owned()).collect();
        for end in ["", "dep_1", "Dep_1", "a%2fb", "..", ".", "a/b", "a/", "ä", "ADMIN", "audit"] {
            for route in ROUTES {
                let begin = route.path.split('{').next().unwrap_or_default();
                paths.extend([format!("{begin}{end}"), format!("{begin}/{end}")]);
                paths.push(format!("{}/{end}", route.path));
                paths.push(begin.to_uppercase() + end);
            }
        }
        let mut count = 0;
        for path in &paths {
            if ROUTES.iter().any(|route| route.is_spelled(path)) {
                let spelling = Spelling::of(path).unwrap();
                assert!(spelling.is_plain && spelling.path == *path, "{path}");
                count += 1;
            }
        }
        assert!(count > ROUTES.len(), "{count} of {}", paths.len());
    }

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

    #[test]
    fn an_id_that_readers_could_take_for_something_else_is_no_id() {
        for part in ["..", ".", "%2e%2e", "..\\admin", "a%2Fb", "%ff", "a%00"] {
            let spelling = Spelling::of(&format!("/deployments/{part}")).unwrap();
            assert!(!spelling.is_plain, "{part}");
        }
    }
}
