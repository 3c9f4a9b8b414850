//! Authentication and authorization of requests.
//!
//! Every request passes through here. The caller is authenticated, and the rule of the route decides
//! by [`access::decide`](crate::server::auth::access::decide); access to a particular operation is
//! decided again when that operation is loaded. A route without a rule is closed.

use std::net::IpAddr;
use std::ops::ControlFlow;

use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::address::address;
use super::error::Failed;
use super::headers::NO_STORE;
use super::routes::{Route, Rule};
use super::{HttpState, origins};
use crate::server::audit::AuditAction;
use crate::server::auth::access::{Caller, Denial, Identity, Permission, Target};
use crate::server::auth::authenticate::{
    Authenticated, AuthenticationError, Freshness, authenticate,
};
use crate::server::page::{HiddenPage, OriginInUse, accepts_html, sign_in_location};
use crate::server::stacks;
use crate::wire::ApiError;
use domain::refusal::{Missing, Refusal, RefusalCode};

/// Authenticates the caller of a request and adds the [`Caller`], and the [`Person`] who has signed
/// in, to it. Returns whether the response may set the cookie that identifies a browser. Breaks
/// with the response if the caller may not use `route`.
///
/// [`Person`]: crate::server::auth::accounts::Person
pub(super) async fn admit(
    state: &HttpState,
    route: Option<&Route>,
    parts: &mut Parts,
) -> ControlFlow<Response, bool> {
    let rule = rule(route);
    // Only what has to do with the sign-in asks for it.
    if state.sign_in_service.is_some() {
        let origin = origins::in_use(parts, &state.origins).clone();
        parts.extensions.insert(OriginInUse(origin));
    }
    let address = address(&parts.extensions, &parts.headers, &state.proxies);
    let Authenticated { identity, until, person } =
        identify(state, route, parts, address).await.map_break(IntoResponse::into_response)?;
    let caller = Caller { identity, address, until };
    if let Rule::Requires(permission) = rule
        && let Err(denial) = caller.may(permission, Target::Unnamed)
    {
        Box::pin(state.audit.denial(&caller, parts.uri.path(), denial)).await;
        let is_hidden_page = denial == Denial::Hidden
            && permission == Permission::Operate
            && route.is_some_and(Route::is_page)
            && accepts_html(&parts.headers);
        if !is_hidden_page {
            return ControlFlow::Break(deny(parts, denial));
        }
        // The same answer as that of `deny`, rendered as the not-found page of the site.
        parts.extensions.insert(HiddenPage);
    }
    // The answer to a form leads to a page, which notices whether the cookie comes back.
    let is_form = route.is_some_and(|route| route.is_function() || route.is_form())
        && rule == Rule::Requires(Permission::Start);
    let is_newcomer = caller.identity == Identity::Anonymous
        && (is_form || parts.method == Method::GET && accepts_html(&parts.headers));
    parts.extensions.insert(caller);
    if let Some(person) = person {
        parts.extensions.insert(person);
    }
    ControlFlow::Continue(is_newcomer)
}

/// Returns the rule of a request: without a route, it is for a file of the site, or the not-found
/// page.
fn rule(route: Option<&Route>) -> Rule {
    route.map_or(Rule::Everyone, |route| route.rule)
}

/// Authenticates the caller of a request. Everyone may use public routes, also with an invalid token
/// or while the database is unavailable.
async fn identify(
    state: &HttpState,
    route: Option<&Route>,
    parts: &Parts,
    address: IpAddr,
) -> ControlFlow<AuthenticationError, Authenticated> {
    let rule = rule(route);
    let freshness = route.map_or(Freshness::Present, |route| route.freshness);
    let now = state.service.clock().now();
    match (authenticate(&state.authenticator, &parts.headers, now, freshness).await, rule) {
        (Ok(authenticated), _) => ControlFlow::Continue(authenticated),
        (Err(_), Rule::Everyone) => {
            let identity = state.authenticator.anonymous_identity();
            ControlFlow::Continue(Authenticated::from_identity(identity))
        }
        (Err(error), Rule::Requires(_)) => {
            if matches!(error, AuthenticationError::Token) {
                let caller = state.authenticator.anonymous_caller(address);
                let path = parts.uri.path();
                let code = RefusalCode::TokenInvalid;
                let rejection =
                    state.audit.rejection(&caller, AuditAction::Enter, Some(path), code);
                Box::pin(rejection).await;
            }
            ControlFlow::Break(error)
        }
    }
}

/// Closes a route that is not in the table to everybody.
pub(super) fn close(path: &str) -> Response {
    tracing::error!(path, "A route has no access rule, so it is closed to everybody");
    Failed::from(not_found()).into_response()
}

/// Denies a request: a program gets the status, a person is redirected to the sign-in.
fn deny(parts: &Parts, denial: Denial) -> Response {
    match denial {
        Denial::SignIn if accepts_html(&parts.headers) => {
            let wanted = match (parts.method.clone(), parts.uri.path_and_query()) {
                (Method::GET | Method::HEAD, Some(wanted)) => wanted.as_str(),
                _ => "/",
            };
            let location = [(header::LOCATION, sign_in_location(wanted, None))];
            (StatusCode::SEE_OTHER, NO_STORE, location).into_response()
        }
        Denial::SignIn => challenge(stacks::refused(denial, not_found())),
        Denial::Scope | Denial::Hidden => {
            Failed::from(stacks::refused(denial, not_found())).into_response()
        }
    }
}

/// Returns the error of a resource that is hidden from the caller.
fn not_found() -> ApiError {
    Refusal::NotFound(Missing::Address).into()
}

/// Answers with an error and the header that asks for a bearer token (RFC 6750, section 3).
fn challenge(error: ApiError) -> Response {
    let mut response = Failed::from(error).into_response();
    let challenge = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

impl IntoResponse for AuthenticationError {
    fn into_response(self) -> Response {
        match self {
            Self::Token => challenge(Refusal::TokenInvalid.into()),
            Self::Store(error) => Failed::from(ApiError::from(error)).into_response(),
        }
    }
}
