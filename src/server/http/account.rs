//! The forms of a person's own account: API tokens are made and revoked here.
//!
//! Each answer is a redirect to the account's page, which shows what has come of it.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Form, State, rejection::FormRejection},
    response::Response,
};
use serde::Deserialize;

use super::{cookies, requester::Requester, sign_in::see_other};
use crate::{
    api,
    server::{
        auth::{
            access::Scope,
            secret::Secret,
            sign_in::{Lifetime, SignInService, TokenError, TokenName},
        },
        store::StoreError,
    },
};

/// The account's page, and the part of it about tokens.
const PAGE: &str = "/account";
const TOKENS: &str = "/account#tokens";
/// The time for which a new token waits for the page that shows it.
const SHOWN_WITHIN: Duration = Duration::from_mins(1);

/// The number of characters of a refused name that go back into the field.
const NAME_LIMIT: usize = 64;

/// A token to make.
#[derive(Default, Deserialize)]
pub(super) struct MakeForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    days: String,
}

/// A token to revoke.
#[derive(Deserialize)]
pub(super) struct RevokeForm {
    #[serde(default)]
    id: String,
}

/// `POST /account/tokens`: makes a token, and leads to the page that shows it once.
pub(super) async fn make_token(
    State(sign_in_service): State<Arc<SignInService>>,
    Requester { person, address }: Requester,
    form: Result<Form<MakeForm>, FormRejection>,
) -> Response {
    let Some(person) = person else { return redirect_to_sign_in() };
    let form = form.map(|Form(form)| form).unwrap_or_default();
    let made = async { sign_in_service.make_token(&person, parse_form(&form)?, address).await };
    match made.await {
        Ok(secret) => shown(&secret),
        Err(error) => refused(&error, Some(&form.name)),
    }
}

/// `POST /account/tokens/revoke`: revokes a token.
pub(super) async fn revoke_token(
    State(sign_in_service): State<Arc<SignInService>>,
    Requester { person, address }: Requester,
    form: Result<Form<RevokeForm>, FormRejection>,
) -> Response {
    let Some(person) = person else { return redirect_to_sign_in() };
    let id = form.map(|Form(form)| form.id).unwrap_or_default();
    match sign_in_service.revoke_token(&person, &id, address).await {
        Ok(()) => see_other(TOKENS, []),
        Err(error) => refused(&error, None),
    }
}

fn parse_form(form: &MakeForm) -> Result<(TokenName, Scope, Lifetime), TokenError> {
    let scope = Scope::from_word(&form.scope).ok_or(TokenError::Choice)?;
    Ok((TokenName::parse(&form.name)?, scope, Lifetime::parse(&form.days)?))
}

/// Sends a new token to the page. It travels in a cookie: an address would stay in the browser's
/// history and in logs.
fn shown(secret: &Secret) -> Response {
    see_other(TOKENS, [cookies::write(cookies::TOKEN, secret.expose(), SHOWN_WITHIN)])
}

/// Leads back to the account, with what was typed.
fn refused(error: &TokenError, name: Option<&str>) -> Response {
    if let TokenError::Store(error) = error {
        tracing::error!(%error, "Could not create or revoke a token");
    }
    let name = name.map(|name| name.chars().take(NAME_LIMIT).collect::<String>());
    let name = name.map(|name| format!("&name={}", api::percent_encode(&name)));
    see_other(&format!("{PAGE}?refused={}{}", error.code(), name.unwrap_or_default()), [])
}

/// Leads back to the account, which says that the records are out of reach.
pub(super) fn refused_by_store(error: &StoreError) -> Response {
    tracing::error!(%error, "Could not change an account");
    see_other(&format!("{PAGE}?refused=STORE_UNAVAILABLE"), [])
}

/// Leads somebody in who has to be signed in for what they wanted.
pub(super) fn redirect_to_sign_in() -> Response {
    see_other(&api::sign_in_location(PAGE, None), [])
}
