//! Who has signed in, and their account, as pages show them.
//!
//! Server only. It must not know cookies: `http` says what a visit brought along.

use std::sync::Arc;

use axum::http::request::Parts;
use jiff::Timestamp;
use leptos::prelude::use_context;

use super::wire::ApiError;
use crate::server::{
    access::{Caller, Identity, OwnerId, Role, Scope},
    ports::accounts::{Person, Token},
    service::store_failed,
    sign_in::Entrance,
};

/// What a visit to the account or the way in brought along, besides who it is.
#[derive(Clone, Default)]
pub struct Visit {
    /// A token that was just made, to be shown this once.
    pub fresh_token: Option<String>,
    /// Whether the browser was signed in once.
    pub had_session: bool,
}

/// Marks a visit to a page that is not there, as far as the visitor is concerned.
#[derive(Clone, Copy, Debug)]
pub struct Nowhere;

/// Somebody who has signed in, as every page shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// How they are called.
    pub name: String,
    /// Whether they run the portal.
    pub is_operator: bool,
}

/// An account, as its page shows it.
pub struct AccountView {
    /// Whose it is.
    pub who: SignedIn,
    /// What people call the provider.
    pub provider: String,
    /// A token that was just made.
    pub fresh_token: Option<String>,
    /// All others, those that cannot be used any more at the end.
    pub tokens: Vec<TokenView>,
}

/// An API token, as its page shows it.
pub struct TokenView {
    /// What it is revoked by.
    pub id: String,
    /// What its person calls it.
    pub name: String,
    /// Whether it is good for more than looking.
    pub may_change: bool,
    /// When it was made.
    pub made: Timestamp,
    /// When it was last used.
    pub used: Option<Timestamp>,
    /// How it stands.
    pub standing: TokenStanding,
}

/// How an API token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenStanding {
    /// It can be used until then.
    Good(Timestamp),
    /// It could be used until then.
    Expired(Timestamp),
    /// It was revoked then.
    Revoked(Timestamp),
}

/// Returns where people come in; `None` where the portal is open to all.
pub(crate) fn entrance() -> Option<Arc<Entrance>> {
    use_context::<Arc<Entrance>>()
}

/// Returns what the current visit brought along.
pub(crate) fn visit() -> Visit {
    extension::<Visit>().unwrap_or_default()
}

/// Tells whether the page of this visit is not there, as far as the visitor is concerned.
pub(crate) fn leads_nowhere() -> bool {
    extension::<Nowhere>().is_some()
}

/// Returns who has signed in, if somebody has.
pub(crate) fn signed_in() -> Option<SignedIn> {
    let (_, role) = person()?;
    let name = extension::<Person>().map(|person| person.name).unwrap_or_default();
    Some(SignedIn { name, is_operator: role == Role::Operator })
}

/// Reads the account of the person who has signed in; `None` where nobody has.
pub(crate) async fn account() -> Option<Result<AccountView, ApiError>> {
    let (entrance, (owner, _), who) = (entrance()?, person()?, signed_in()?);
    let fresh_token = visit().fresh_token;
    let now = entrance.now();
    let tokens = match entrance.tokens(&owner).await {
        Ok(tokens) => tokens,
        Err(error) => return Some(Err(store_failed(&error))),
    };
    let tokens = tokens.into_iter().map(|token| view(token, now)).collect();
    let provider = entrance.provider_name().to_owned();
    Some(Ok(AccountView { who, provider, fresh_token, tokens }))
}

fn view(token: Token, now: Timestamp) -> TokenView {
    let Token { id, name, scope, made, expires, used, revoked, .. } = token;
    let standing = match revoked {
        Some(at) => TokenStanding::Revoked(at),
        None if expires <= now => TokenStanding::Expired(expires),
        None => TokenStanding::Good(expires),
    };
    TokenView { id, name, may_change: scope == Scope::Deploy, made, used, standing }
}

fn person() -> Option<(OwnerId, Role)> {
    match extension::<Caller>()?.identity {
        Identity::Person { owner, role } => Some((owner, role)),
        Identity::Guest | Identity::Browser(_) | Identity::Stranger | Identity::Program { .. } => {
            None
        }
    }
}

fn extension<T: Clone + Send + Sync + 'static>() -> Option<T> {
    use_context::<Parts>()?.extensions.get::<T>().cloned()
}
