//! Signing in and out: to the provider, back from it, and away.
//!
//! A person sees only redirects to pages; what went wrong goes along as a code.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;

use super::{account, cookies, error::BODY_LIMIT, headers::NO_STORE, requester::Requester};
use crate::{
    api,
    server::auth::{
        identity_provider::CALLBACK,
        sign_in::{
            Callback, ReturnTo, SIGN_IN_LIFETIME, SignInError, SignInRejected, SignInService,
            SignInStarted, SignedInSession,
        },
    },
};

/// The page for somebody who has signed out. The page leads on to the provider: a browser would not
/// follow a redirect there, since our policy keeps the answers to forms on this site.
const SIGNED_OUT: &str = "/sign-in?signed_out=1";

/// Returns the routes of a portal where people sign in.
pub fn sign_in(sign_in_service: Arc<SignInService>) -> Router {
    Router::new()
        .route("/auth/sign-in", get(begin))
        .route(CALLBACK, get(finish))
        .route("/auth/sign-out", post(sign_out))
        .route("/account/sign-out-everywhere", post(sign_out_everywhere))
        .route("/account/tokens", post(account::make_token))
        .route("/account/tokens/revoke", post(account::revoke_token))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(sign_in_service)
}

#[derive(Deserialize)]
struct BeginQuery {
    #[serde(default)]
    return_to: String,
}

/// The authorization response (RFC 6749, section 4.1.2).
#[derive(Deserialize)]
struct CallbackQuery {
    state: String,
    code: Option<String>,
    error: Option<String>,
}

/// `GET /auth/sign-in`: sends a person to the provider.
async fn begin(
    State(sign_in_service): State<Arc<SignInService>>,
    query: Result<Query<BeginQuery>, QueryRejection>,
) -> Response {
    let wanted = query.map(|Query(query)| query.return_to).unwrap_or_default();
    let return_to = ReturnTo::parse(&wanted);
    match sign_in_service.begin(&return_to).await {
        Ok(SignInStarted { address, browser }) => {
            let cookie = cookies::write(cookies::SIGN_IN, browser.expose(), SIGN_IN_LIFETIME);
            see_other(&address, [cookie])
        }
        Err(error) => {
            tracing::warn!(%error, code = error.code(), "Could not start a sign-in");
            redirect_rejected(&SignInRejected { error, return_to }, [])
        }
    }
}

/// `GET /auth/callback`: lets a person in who comes back from the provider.
async fn finish(
    State(sign_in_service): State<Arc<SignInService>>,
    Requester { address, .. }: Requester,
    headers: HeaderMap,
    query: Result<Query<CallbackQuery>, QueryRejection>,
) -> Response {
    let gone = cookies::remove(cookies::SIGN_IN);
    let Some(callback) = query.ok().and_then(|Query(query)| callback(query)) else {
        let nowhere = SignInRejected { error: SignInError::Expired, return_to: ReturnTo::home() };
        return redirect_rejected(&nowhere, [gone]);
    };
    let browser = cookies::read(&headers, cookies::SIGN_IN);
    let previous = cookies::read(&headers, cookies::SESSION);
    match sign_in_service.finish(browser, &callback, previous, address).await {
        Ok(SignedInSession { session, return_to }) => {
            let lifetime = sign_in_service.session().lifetime;
            let session = cookies::write(cookies::SESSION, session.expose(), lifetime);
            see_other(return_to.as_str(), [session, gone])
        }
        Err(turned) => redirect_rejected(&turned, [gone]),
    }
}

/// Reads what came back. With a code and an error at once, it is an error.
fn callback(CallbackQuery { state, code, error }: CallbackQuery) -> Option<Callback> {
    match (error, code) {
        (Some(error), _) => Some(Callback::Error { state, error }),
        (None, Some(code)) => Some(Callback::Code { state, code }),
        (None, None) => None,
    }
}

/// `POST /auth/sign-out`: signs a person out of this browser.
async fn sign_out(
    State(sign_in_service): State<Arc<SignInService>>,
    Requester { person, address }: Requester,
    headers: HeaderMap,
) -> Response {
    let session = cookies::read(&headers, cookies::SESSION).unwrap_or_default();
    match sign_in_service.sign_out(session, person.as_ref(), address).await {
        Ok(()) => signed_out(),
        Err(error) => account::refused_by_store(&error),
    }
}

/// `POST /account/sign-out-everywhere`: signs a person out of every browser.
async fn sign_out_everywhere(
    State(sign_in_service): State<Arc<SignInService>>,
    Requester { person, address }: Requester,
) -> Response {
    let Some(person) = person else { return account::redirect_to_sign_in() };
    match sign_in_service.sign_out_everywhere(&person, address).await {
        Ok(()) => signed_out(),
        Err(error) => account::refused_by_store(&error),
    }
}

fn signed_out() -> Response {
    see_other(SIGNED_OUT, [cookies::SESSION, cookies::SIGN_IN, cookies::TOKEN].map(cookies::remove))
}

/// Leads to the page that says why somebody was not let in.
fn redirect_rejected<const N: usize>(
    turned: &SignInRejected,
    cookies: [HeaderValue; N],
) -> Response {
    let SignInRejected { error, return_to } = turned;
    see_other(&api::sign_in_location(return_to.as_str(), Some(error.code())), cookies)
}

/// Leads to `location`, whatever the method was, and sets `cookies`.
pub(super) fn see_other<const N: usize>(location: &str, cookies: [HeaderValue; N]) -> Response {
    let Ok(location) = HeaderValue::try_from(location) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let location = [(header::LOCATION, location)];
    let mut response = (StatusCode::SEE_OTHER, NO_STORE, location).into_response();
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
