//! The signed-in person and their account, as pages show them.
//!
//! Server only. It must not know cookies: `http` puts their content into the request's extensions.

use std::sync::Arc;

use axum::http::Extensions;
use axum::http::request::Parts;
use jiff::Timestamp;
use leptos::prelude::{use_context, with_context};

use crate::server::auth::access::{Caller, Identity, Role, Scope};
use crate::server::auth::accounts::{Person, Token};
use crate::server::auth::sign_in::SignInService;
use crate::server::page::{HiddenPage, NewSecret, OriginInUse, PageCookies};
use crate::wire::ApiError;
use domain::owner::OwnerId;

/// The signed-in person, as every page shows them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignedIn {
    /// Their display name.
    pub name: String,
    /// True if they are an operator of the portal.
    pub is_operator: bool,
}

impl SignedIn {
    /// Returns the person who has signed in, according to a request's extensions.
    pub(crate) fn of(extensions: &Extensions) -> Option<Self> {
        let (_, role) = person(extensions)?;
        let name = extensions.get::<Person>().map(|person| person.name.clone());
        Some(Self { name: name.unwrap_or_default(), is_operator: role == Role::Operator })
    }
}

/// The link in the header to the account or to the sign-in page.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AccountLink {
    /// None: the portal is open to all.
    None,
    /// To the sign-in page.
    SignIn,
    /// To the account of this person.
    Account(SignedIn),
}

impl AccountLink {
    /// Returns the link for the caller of a request with these extensions.
    pub(crate) fn of(has_sign_in: bool, extensions: &Extensions) -> Self {
        match SignedIn::of(extensions) {
            _ if !has_sign_in => Self::None,
            Some(person) => Self::Account(person),
            None => Self::SignIn,
        }
    }
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

/// Returns the secrets that were just generated for the stack of the page.
pub(crate) fn generated() -> Vec<NewSecret> {
    page_cookies().generated
}

/// Returns the cookies that the page needs.
pub(crate) fn page_cookies() -> PageCookies {
    extension::<PageCookies>().unwrap_or_default()
}

/// Returns whether the page of this request is hidden from the caller.
pub(crate) fn is_hidden_page() -> bool {
    extension::<HiddenPage>().is_some()
}

/// Returns the person who has signed in, if any.
pub(crate) fn signed_in() -> Option<SignedIn> {
    with_extensions(SignedIn::of)?
}

/// Reads the account of the person who has signed in; `None` if nobody has.
pub(crate) async fn account() -> Option<Result<AccountView, ApiError>> {
    let sign_in_service = sign_in_service()?;
    let ((owner, _), who) = (with_extensions(person)??, signed_in()?);
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

fn person(extensions: &Extensions) -> Option<(OwnerId, Role)> {
    match &extensions.get::<Caller>()?.identity {
        Identity::Person { owner, role } => Some((owner.clone(), *role)),
        Identity::Anonymous
        | Identity::Browser(_)
        | Identity::Unauthenticated
        | Identity::Program { .. } => None,
    }
}

/// Returns the extension of this type of the current request.
pub(super) fn extension<T: Clone + Send + Sync + 'static>() -> Option<T> {
    with_extensions(|extensions| extensions.get::<T>().cloned())?
}

/// Reads the extensions of the current request.
fn with_extensions<T>(read: impl FnOnce(&Extensions) -> T) -> Option<T> {
    with_context::<Parts, _>(|parts| read(&parts.extensions))
}
