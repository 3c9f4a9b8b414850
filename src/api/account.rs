//! The signed-in person and their account, as pages show them.
//!
//! Server only. It must not know cookies: `http` puts their content into the request's extensions.

use std::sync::Arc;

use axum::http::request::Parts;
use jiff::Timestamp;
use leptos::prelude::use_context;

use crate::server::auth::access::{Caller, Identity, Role, Scope};
use crate::server::auth::accounts::{Person, Token};
use crate::server::auth::sign_in::SignInService;
use crate::server::page::{HiddenPage, OriginInUse, PageCookies};
use crate::wire::ApiError;
use domain::owner::OwnerId;

/// The signed-in person, as every page shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Their display name.
    pub name: String,
    /// True if they are an operator of the portal.
    pub is_operator: bool,
}

/// An account, as its page shows it.
pub struct AccountView {
    /// Its owner.
    pub who: SignedIn,
    /// The display name of the provider.
    pub provider: String,
    /// The secret of a token that was just created, which is shown once.
    pub fresh_token: Option<String>,
    /// All tokens, with invalid ones at the end.
    pub tokens: Vec<TokenView>,
}

/// An API token, as its page shows it.
pub struct TokenView {
    /// The id to revoke it by.
    pub id: String,
    /// The name that its owner gave it.
    pub name: String,
    /// True if its scope allows more than reading.
    pub may_change: bool,
    /// The time at which it was created.
    pub made: Timestamp,
    /// The time at which it was last used.
    pub used: Option<Timestamp>,
    /// Its status.
    pub status: TokenStatus,
}

/// The status of an API token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenStatus {
    /// It is valid until this time.
    Valid(Timestamp),
    /// It expired at this time.
    Expired(Timestamp),
    /// It was revoked at this time.
    Revoked(Timestamp),
}

/// Returns the sign-in service; `None` if the portal is open to all.
pub(crate) fn sign_in_service() -> Option<Arc<SignInService>> {
    use_context::<Arc<SignInService>>()
}

/// Returns the provider's address at which the person signs out there, too, if there is one.
pub(crate) async fn provider_sign_out(sign_in_service: &SignInService) -> Option<String> {
    let OriginInUse(portal) = extension::<OriginInUse>()?;
    sign_in_service.sign_out_address(&portal).await
}

/// Returns the cookies of the current request.
pub(crate) fn page_cookies() -> PageCookies {
    extension::<PageCookies>().unwrap_or_default()
}

/// Returns whether the page of this request is hidden from the caller.
pub(crate) fn is_hidden_page() -> bool {
    extension::<HiddenPage>().is_some()
}

/// Returns the person who has signed in, if any.
pub(crate) fn signed_in() -> Option<SignedIn> {
    let (_, role) = person()?;
    let name = extension::<Person>().map(|person| person.name).unwrap_or_default();
    Some(SignedIn { name, is_operator: role == Role::Operator })
}

/// Reads the account of the person who has signed in; `None` if nobody has.
pub(crate) async fn account() -> Option<Result<AccountView, ApiError>> {
    let (sign_in_service, (owner, _), who) = (sign_in_service()?, person()?, signed_in()?);
    let fresh_token = page_cookies().fresh_token;
    let now = sign_in_service.now();
    let tokens = match sign_in_service.tokens(&owner).await {
        Ok(tokens) => tokens,
        Err(error) => return Some(Err(error.into())),
    };
    let tokens = tokens.into_iter().map(|token| view(token, now)).collect();
    let provider = sign_in_service.provider_name().to_owned();
    Some(Ok(AccountView { who, provider, fresh_token, tokens }))
}

fn view(token: Token, now: Timestamp) -> TokenView {
    let Token { id, name, scope, made, expires, used, revoked, .. } = token;
    let status = match revoked {
        Some(at) => TokenStatus::Revoked(at),
        None if expires <= now => TokenStatus::Expired(expires),
        None => TokenStatus::Valid(expires),
    };
    TokenView { id, name, may_change: scope == Scope::Deploy, made, used, status }
}

fn person() -> Option<(OwnerId, Role)> {
    match extension::<Caller>()?.identity {
        Identity::Person { owner, role } => Some((owner, role)),
        _ => None,
    }
}

fn extension<T: Clone + Send + Sync + 'static>() -> Option<T> {
    use_context::<Parts>()?.extensions.get::<T>().cloned()
}
