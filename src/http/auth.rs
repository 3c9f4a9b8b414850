//! Authentication and authorization of requests.
//!
//! A layer that every request passes through. It authenticates the caller, looks up the rule of the
//! route and asks [`access::decide`](crate::server::auth::access::decide); access to a particular
//! operation is decided again when that operation is loaded. A route without a rule is closed.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::Failed;
use super::headers::NO_STORE;
use super::routes::{Route, Rule};
use super::{HttpState, origins};
use crate::server::audit::AuditAction;
use crate::server::auth::access::{Caller, Denial, Identity, Permission, Target};
use crate::server::auth::authenticate::{Authenticated, AuthenticationError, authenticate};
use crate::server::page::{HiddenPage, OriginInUse, accepts_html, sign_in_location};
use crate::server::proxies::{self, Proxy};
use crate::server::stacks;
use crate::wire::ApiError;
use domain::refusal::{Missing, Refusal, RefusalCode};

/// Lets a request through with its [`Caller`], and with the [`Person`] who has signed in; otherwise
/// answers with the reason.
///
/// [`Person`]: crate::server::auth::accounts::Person
pub(super) async fn guard(
    State(state): State<HttpState>,
    mut request: Request,
    next: Next,
) -> Response {
    let Ok(route) = Route::of(&request) else {
        let path = request.uri().path();
        tracing::error!(path, "A route has no access rule, so it is closed to everybody");
        return Failed::from(not_found()).into_response();
    };
    // No route: a file of the site, or the not-found page.
    let rule = route.map_or(Rule::Everyone, |route| route.rule);
    let (mut parts, body) = request.into_parts();
    let origin = origins::in_use(&parts, &state.origins).clone();
    parts.extensions.insert(OriginInUse(origin));
    let address = address(&parts.extensions, &parts.headers, &state.proxies);
    let now = state.service.clock().now();
    let authenticated = authenticate(&state.authenticator, &parts.headers, now).await;
    let Authenticated { identity, until, person } = match (authenticated, rule) {
        (Ok(authenticated), _) => authenticated,
        // Everyone may use public routes, also with an invalid token or while the database is
        // unavailable.
        (Err(_), Rule::Everyone) => {
            Authenticated::from_identity(state.authenticator.anonymous_identity())
        }
        (Err(error), Rule::Requires(_)) => {
            if matches!(error, AuthenticationError::Token) {
                let caller = state.authenticator.anonymous_caller(address);
                let path = parts.uri.path();
                let code = RefusalCode::TokenInvalid;
                state.audit.rejection(&caller, AuditAction::Enter, Some(path), code).await;
            }
            return error.into_response();
        }
    };
    let caller = Caller { identity, address, until };
    if let Rule::Requires(permission) = rule
        && let Err(denial) = caller.may(permission, Target::Unnamed)
    {
        state.audit.denial(&caller, parts.uri.path(), denial).await;
        let is_hidden_page = denial == Denial::Hidden
            && permission == Permission::Operate
            && route.is_some_and(Route::is_page)
            && accepts_html(&parts.headers);
        if !is_hidden_page {
            return deny(&parts, denial);
        }
        // The same answer as that of `deny`, rendered as the not-found page of the site.
        parts.extensions.insert(HiddenPage);
    }
    // The answer to a form leads to a page, which notices whether the cookie comes back.
    let is_form =
        route.is_some_and(Route::is_function) && rule == Rule::Requires(Permission::Start);
    let newcomer = caller.identity == Identity::Anonymous
        && (is_form || parts.method == Method::GET && accepts_html(&parts.headers));
    parts.extensions.insert(caller);
    if let Some(person) = person {
        parts.extensions.insert(person);
    }
    request = Request::from_parts(parts, body);
    let mut response = next.run(request).await;
    if let Some(cookie) = newcomer.then(|| state.authenticator.new_cookie()).flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Returns the address of the client, as reported by the trusted proxies.
pub(super) fn address(extensions: &Extensions, headers: &HeaderMap, proxies: &[Proxy]) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(Ipv4Addr::LOCALHOST.into(), |ConnectInfo(peer)| peer.ip());
    let lines = headers.get_all("x-forwarded-for").iter();
    // What cannot be read is one entry like any other that is no address: the client may have sent
    // it, and the entries after it still count.
    let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    proxies::client(peer, lines.iter().map(|line| &**line), proxies)
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
