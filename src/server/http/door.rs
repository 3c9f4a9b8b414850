//! The door: who asks, and whether they may go where they want.
//!
//! Every request passes it. It recognises somebody, looks up what the route needs and asks
//! [`access::decide`](crate::server::access::decide); what a handler does with one operation is
//! decided again where that operation is known. A route without a rule is closed.

mod recognise;
mod rules;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

pub use recognise::Door;
use recognise::Known;
pub(super) use recognise::{Unrecognised, recognise};
pub use rules::ruled_routes;
use rules::{OPERATOR_PAGES, Rule, rules};

use super::{HttpState, error::Failed, headers::NO_STORE};
use crate::{
    api::{Nowhere, accepts_html, sign_in_location, wire::ApiError},
    server::{
        access::{Caller, Identity, Refusal, Target},
        ports::audit::Act,
        proxies::{self, Proxy},
        service,
    },
};

/// The code of the refusal of an API token that is not good.
const TOKEN_INVALID: &str = "TOKEN_INVALID";

/// Lets a request through with its [`Caller`], and with the [`Person`] who has signed in; or says
/// why not.
///
/// [`Person`]: crate::server::ports::accounts::Person
pub(super) async fn guard(
    State(state): State<HttpState>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let rule = match path.as_deref().map(rules) {
        // Files of the site, and what is not there.
        None => Rule::Everyone,
        Some(Some(rules)) => rules.of(request.method()),
        Some(None) => {
            tracing::error!(path, "A route has no rule, so nobody may use it");
            return Failed::from(nothing_here()).into_response();
        }
    };
    let (mut parts, body) = request.into_parts();
    let address = address(&parts.extensions, &parts.headers, &state.proxies);
    let now = state.service.clock().now();
    let recognised = recognise(&state.door, &parts.headers, now).await;
    let Known { identity, until, person } = match (recognised, rule) {
        (Ok(known), _) => known,
        // What everybody may see is shown while the records are out of reach, too.
        (Err(_), Rule::Everyone) => Known::just(state.door.nobody()),
        (Err(error), Rule::Needs(_)) => {
            if matches!(error, Unrecognised::Token) {
                let caller = state.door.unknown(address);
                let path = parts.uri.path();
                state.service.note_rebuff(&caller, Act::Enter, path, TOKEN_INVALID).await;
            }
            return error.into_response();
        }
    };
    let caller = Caller { identity, address, until };
    if let Rule::Needs(need) = rule
        && let Err(refusal) = caller.may(need, Target::Unnamed)
    {
        state.service.note_refusal(&caller, parts.uri.path(), refusal).await;
        if !(refusal == Refusal::Hidden && is_visit(&parts)) {
            return turn_away(&parts, refusal);
        }
        // The same as `turn_away` says, as the page of the site that says so.
        parts.extensions.insert(Nowhere);
    }
    let newcomer = state.door.greets(&caller.identity, &parts);
    parts.extensions.insert(caller);
    if let Some(person) = person {
        parts.extensions.insert(person);
    }
    request = Request::from_parts(parts, body);
    let response = next.run(request).await;
    if newcomer { state.door.greet(response) } else { response }
}

/// Tells whether a person opens a page: nothing but that page is behind such a request.
fn is_visit(parts: &Parts) -> bool {
    let path = parts.extensions.get::<MatchedPath>();
    parts.method == Method::GET
        && accepts_html(&parts.headers)
        && path.is_some_and(|path| OPERATOR_PAGES.contains(&path.as_str()))
}

/// Returns from where a request comes, behind the proxies that are trusted.
pub(super) fn address(extensions: &Extensions, headers: &HeaderMap, proxies: &[Proxy]) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(Ipv4Addr::LOCALHOST.into(), |ConnectInfo(peer)| peer.ip());
    let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    let lines = lines.iter().map(|line| line.to_str().unwrap_or_default());
    proxies::client(peer, lines, proxies)
}

/// Answers somebody who may not: a program gets the status, a person is led to the sign-in.
fn turn_away(parts: &Parts, refusal: Refusal) -> Response {
    match refusal {
        Refusal::SignIn if accepts_html(&parts.headers) => {
            let wanted = match (parts.method.clone(), parts.uri.path_and_query()) {
                (Method::GET | Method::HEAD, Some(wanted)) => wanted.as_str(),
                _ => "/",
            };
            let location = [(header::LOCATION, sign_in_location(wanted, None))];
            (StatusCode::SEE_OTHER, NO_STORE, location).into_response()
        }
        Refusal::SignIn => challenge(service::refused(refusal, nothing_here())),
        Refusal::Scope | Refusal::Hidden => {
            Failed::from(service::refused(refusal, nothing_here())).into_response()
        }
    }
}

/// Says that there is nothing, as far as whoever asks is concerned.
fn nothing_here() -> ApiError {
    ApiError::new(404, "NOT_FOUND", "There is nothing here: check the address.")
}

/// Answers with an error, and says that a token would help (RFC 6750, section 3).
fn challenge(error: ApiError) -> Response {
    let mut response = Failed::from(error).into_response();
    let challenge = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

impl IntoResponse for Unrecognised {
    fn into_response(self) -> Response {
        match self {
            Self::Token => {
                let message = "This API token is not good, or not any more: make a new one.";
                challenge(ApiError::new(401, TOKEN_INVALID, message))
            }
            Self::Store(error) => Failed::from(service::store_failed(&error)).into_response(),
        }
    }
}

impl Door {
    /// Returns who somebody is of whom nothing is known.
    fn nobody(&self) -> Identity {
        match self {
            Self::Open { .. } => Identity::Guest,
            Self::SignIn { .. } => Identity::Stranger,
        }
    }

    /// Returns somebody at `address` of whom nothing is known.
    pub(super) fn unknown(&self, address: IpAddr) -> Caller {
        Caller { identity: self.nobody(), address, until: None }
    }

    /// Tells whether to give a cookie to whoever asks: a browser without one that visits a page.
    fn greets(&self, identity: &Identity, parts: &Parts) -> bool {
        matches!((self, identity), (Self::Open { .. }, Identity::Guest))
            && parts.method == Method::GET
            && accepts_html(&parts.headers)
    }
}
