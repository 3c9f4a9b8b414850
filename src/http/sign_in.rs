//! Signing in and out, and the forms of a person's own account, where API tokens are made and
//! revoked.
//!
//! Every answer is a redirect to a page; an error is passed to the page as a code in the query.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::owner::OwnerId;
use domain::refusal::RefusalCode;
use serde::Deserialize;

use super::error::with_code;
use super::headers::NO_STORE;
use crate::server::auth::access::{Caller, Identity, Scope};
use crate::server::auth::cookies;
use crate::server::auth::secret::Secret;
use crate::server::auth::sign_in::{
    Callback, Lifetime, ReturnTo, Returning, SIGN_IN_LIFETIME, SignInError, SignInRejected,
    SignInService, SignInStarted, SignedInSession, TokenError, TokenName,
};
use crate::server::page::{OriginInUse, cookie_sent, percent_encode, sign_in_location};
use crate::server::store::StoreError;

/// The page shown after signing out, which redirects to the provider. A direct redirect would be
/// blocked by the browser, since the content security policy applies to the answers to forms.
const SIGNED_OUT: &str = "/sign-in?signed_out=1";

/// The answer to the person whom `check --sign-in` has sent to the provider.
const CHECKED: &str = "If you have just run `ai-stack-deployer check --sign-in` in your own terminal, copy \
                       the address of this page and paste it there. Give it to nobody else: \
                       with it, somebody else could sign in as you. If you have not, somebody \
                       may have sent you here to get it: close this page.\n";
/// The account's page.
const PAGE: &str = "/account";
const TOKENS: &str = "/account#tokens";
/// The lifetime of the cookie that carries a new token to the page that shows it.
const SHOWN_WITHIN: Duration = Duration::from_mins(1);

/// The maximum number of characters of a rejected token name that the form shows again.
const NAME_LIMIT: usize = 64;

#[derive(Deserialize)]
pub(super) struct BeginQuery {
    #[serde(default)]
    return_to: String,
    /// Whether the provider must ask the person even if they are signed in there.
    #[serde(default)]
    again: String,
}

/// The authorization response (RFC 6749, section 4.1.2).
#[derive(Deserialize)]
pub(super) struct CallbackQuery {
    state: String,
    code: Option<String>,
    error: Option<String>,
}

/// The form that creates a token.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct MakeForm {
    name: String,
    scope: String,
    days: String,
}

/// A form with the id of what it is about: a token, an operation or a person.
#[derive(Deserialize)]
pub(super) struct IdForm {
    #[serde(default)]
    id: String,
}

/// The requester and their address, for the handlers of sign-in and account.
pub(super) struct Requester {
    /// The person who has signed in; `None` for a program that uses an API token.
    person: Option<OwnerId>,
    /// Their address.
    address: IpAddr,
}

impl<S: Sync> FromRequestParts<S> for Requester {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let caller = parts.extensions.get::<Caller>();
        let person = match caller.map(|caller| &caller.identity) {
            Some(Identity::Person { owner, .. }) => Some(owner.clone()),
            _ => None,
        };
        // The authentication layer has set the caller for every request; the fallback is never
        // used.
        let address = caller.map_or(Ipv4Addr::UNSPECIFIED.into(), |caller| caller.address);
        Ok(Self { person, address })
    }
}

/// `GET /auth/sign-in`: redirects a person to the provider.
pub(super) async fn begin(
    State(sign_in_service): State<Arc<SignInService>>,
    Extension(OriginInUse(portal)): Extension<OriginInUse>,
    headers: HeaderMap,
    query: Result<Query<BeginQuery>, QueryRejection>,
) -> Response {
    let (wanted, again) =
        query.map(|Query(query)| (query.return_to, !query.again.is_empty())).unwrap_or_default();
    let return_to = ReturnTo::parse(&wanted);
    match sign_in_service.begin(&return_to, &portal, again).await {
        Ok(SignInStarted { address, state, browser }) => {
            let name = cookies::sign_in(&state);
            let cookie = cookies::write(&name, browser.expose(), SIGN_IN_LIFETIME);
            let mut cookies = cookies::make_room_for_sign_in(&headers);
            cookies.push(cookie);
            see_other(&address, cookies)
        }
        Err(error) => {
            let code = error.code().as_str();
            if matches!(error, SignInError::Store(_)) {
                tracing::warn!(%error, code, "Could not start a sign-in");
            } else {
                // The provider's client warns itself, once for all who ask within its pause.
                tracing::info!(%error, code, "Could not start a sign-in");
            }
            redirect_rejected(&SignInRejected { error, return_to })
        }
    }
}

/// `GET /auth/callback`: completes the sign-in of a person whom the provider redirected back. The
/// browser keeps its cookie, so that it can return here once more, unless the sign-in failed: then
/// its cookie is deleted, and no other one. A person who has signed in meanwhile goes to the home
/// page.
pub(super) async fn finish(
    State(sign_in_service): State<Arc<SignInService>>,
    Extension(OriginInUse(portal)): Extension<OriginInUse>,
    Requester { person, address: from }: Requester,
    headers: HeaderMap,
    query: Result<Query<CallbackQuery>, QueryRejection>,
) -> Response {
    let nowhere = SignInRejected { error: SignInError::Expired, return_to: ReturnTo::home() };
    let Some(callback) = query.ok().and_then(|Query(query)| callback(query)) else {
        return redirect_rejected(&nowhere);
    };
    if callback.is_check() {
        return (NO_STORE, CHECKED).into_response();
    }
    let Some(state) = Secret::parse(&callback.state) else { return redirect_rejected(&nowhere) };
    let name = cookies::sign_in(&state);
    let browser = cookies::read(&headers, &name);
    let previous = cookies::read(&headers, cookies::SESSION);
    let returning = Returning { portal: &portal, state: &state, browser, previous, from };
    match sign_in_service.finish(&callback, returning).await {
        Ok(SignedInSession { session: Some(session), return_to }) => {
            let lifetime = sign_in_service.session().lifetime;
            let session = cookies::write(cookies::SESSION, session.expose(), lifetime);
            // The sign-in page leads on if the cookie comes back, and otherwise says that it did not.
            let page = sign_in_location(return_to.as_str(), None);
            see_other(&format!("{page}&{}", cookie_sent(sign_in_service.now())), [session])
        }
        Ok(SignedInSession { session: None, return_to }) => see_other(return_to.as_str(), []),
        Err(SignInRejected { error: SignInError::Expired, .. }) if person.is_some() => {
            see_other(ReturnTo::home().as_str(), browser.map(|_| cookies::remove(&name)))
        }
        Err(turned) if browser.is_none() => {
            let page = sign_in_location(turned.return_to.as_str(), Some(turned.error.code()));
            let cookie = cookies::write(cookies::PROBE, "1", SIGN_IN_LIFETIME);
            see_other(&format!("{page}&{}", cookie_sent(sign_in_service.now())), [cookie])
        }
        // The database may answer when the browser returns once more.
        Err(turned @ SignInRejected { error: SignInError::Store(_), .. }) => {
            redirect_rejected(&turned)
        }
        Err(turned) => {
            let mut response = redirect_rejected(&turned);
            response.headers_mut().append(header::SET_COOKIE, cookies::remove(&name));
            response
        }
    }
}

/// Parses the authorization response; with both a code and an error, it counts as an error. `None`
/// if it is incomplete.
pub(super) fn callback(CallbackQuery { state, code, error }: CallbackQuery) -> Option<Callback> {
    let code = error.map(Err).or(code.map(Ok))?;
    Some(Callback { state, code })
}

/// `POST /auth/sign-out`: signs a person out of this browser.
pub(super) async fn sign_out(
    State(sign_in_service): State<Arc<SignInService>>,
    Requester { person, address }: Requester,
    headers: HeaderMap,
) -> Response {
    let session = cookies::read(&headers, cookies::SESSION).unwrap_or_default();
    signed_out(sign_in_service.sign_out(session, person.as_ref(), address).await)
}

/// `POST /account/sign-out-everywhere`: signs a person out of every browser.
pub(super) async fn sign_out_everywhere(
    State(sign_in_service): State<Arc<SignInService>>,
    Requester { person, address }: Requester,
) -> Response {
    let Some(person) = person else { return redirect_to_sign_in() };
    signed_out(sign_in_service.sign_out_everywhere(&person, address).await)
}

/// `POST /account/tokens`: creates a token, and redirects to the page that shows it once.
pub(super) async fn make_token(
    State(sign_in_service): State<Arc<SignInService>>,
    Requester { person, address }: Requester,
    form: Result<Form<MakeForm>, FormRejection>,
) -> Response {
    let Some(person) = person else { return redirect_to_sign_in() };
    let form = form.map(|Form(form)| form).unwrap_or_default();
    let made = async { sign_in_service.make_token(&person, parse_form(&form)?, address).await };
    match made.await {
        Ok(secret) => show_token(&secret),
        Err(error) => refused(&error, Some(&form.name)),
    }
}

/// `POST /account/tokens/revoke`: revokes a token.
pub(super) async fn revoke_token(
    State(sign_in_service): State<Arc<SignInService>>,
    Requester { person, address }: Requester,
    form: Result<Form<IdForm>, FormRejection>,
) -> Response {
    let Some(person) = person else { return redirect_to_sign_in() };
    match sign_in_service.revoke_token(&person, &id_in(form), address).await {
        Ok(()) => see_other(TOKENS, []),
        Err(error) => refused(&error, None),
    }
}

/// Returns the id in a form, empty if the form cannot be read.
pub(super) fn id_in(form: Result<Form<IdForm>, FormRejection>) -> String {
    form.map(|Form(form)| form.id).unwrap_or_default()
}

fn parse_form(form: &MakeForm) -> Result<(TokenName, Scope, Lifetime), TokenError> {
    let scope = form.scope.parse().map_err(|_| TokenError::Choice)?;
    Ok((TokenName::parse(&form.name)?, scope, Lifetime::parse(&form.days)?))
}

/// Passes a new token to the page in a cookie: a URL would remain in the browser's history and in
/// logs.
fn show_token(secret: &Secret) -> Response {
    see_other(TOKENS, [cookies::write(cookies::TOKEN, secret.expose(), SHOWN_WITHIN)])
}

/// Redirects to the account's page, with the code of the error and the name that was typed.
fn refused(error: &TokenError, name: Option<&str>) -> Response {
    if let TokenError::Store(error) = error {
        tracing::error!(%error, "Could not create or revoke a token");
    }
    let name = name.map(|name| name.chars().take(NAME_LIMIT).collect::<String>());
    let name = name.map(|name| format!("&name={}", percent_encode(&name)));
    let field = if matches!(error, TokenError::Name) { "#token-name" } else { "" };
    let (code, name) = (error.code(), name.unwrap_or_default());
    with_code(see_other(&format!("{PAGE}?refused={}{name}{field}", code.as_str()), []), code)
}

/// Redirects somebody who must sign in first.
fn redirect_to_sign_in() -> Response {
    see_other(&sign_in_location(PAGE, None), [])
}

/// Redirects somebody who has signed out; if that failed, to the account's page, which says that
/// the database is unavailable.
fn signed_out(done: Result<(), StoreError>) -> Response {
    if let Err(error) = done {
        tracing::error!(%error, "Could not change an account");
        let code = RefusalCode::StoreUnavailable;
        return see_other(&format!("{PAGE}?refused={}", code.as_str()), []);
    }
    see_other(SIGNED_OUT, [cookies::SESSION, cookies::TOKEN].map(cookies::remove))
}

/// Redirects to the sign-in page, which explains why the sign-in was rejected.
fn redirect_rejected(turned: &SignInRejected) -> Response {
    let SignInRejected { error, return_to } = turned;
    let location = sign_in_location(return_to.as_str(), Some(error.code()));
    with_code(see_other(&location, []), error.code())
}

/// Redirects to `location` with 303, so that the browser uses GET, and sets `cookies`.
pub(super) fn see_other(
    location: &str,
    cookies: impl IntoIterator<Item = HeaderValue>,
) -> Response {
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
