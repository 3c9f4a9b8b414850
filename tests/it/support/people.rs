//! Creates sessions of people and API tokens directly in the store.

use std::collections::BTreeSet;
use std::time::Duration;

use ai_stack_deployer::server::auth::access::{Role, Scope};
use ai_stack_deployer::server::auth::accounts::{
    Accounts, Digest, NewSession, NewToken, Profile, Token,
};
use domain::owner::OwnerId;
use jiff::Timestamp;

/// The lifetime of sessions and tokens.
const DAY: Duration = Duration::from_hours(24);

/// Creates a session of the person `name`. Its secret is the name without spaces.
pub(crate) async fn sign_in(
    store: &dyn Accounts,
    name: &str,
    role: Role,
    now: Timestamp,
) -> OwnerId {
    let letters = name.replace(' ', "");
    let issuer = String::from("http://127.0.0.1:9");
    let (email, groups) = (None, BTreeSet::new());
    let subject = name.to_owned();
    let profile = Profile { issuer, subject, name: name.to_owned(), role, email, groups };
    let session = NewSession {
        person: OwnerId::person(&letters),
        secret: Digest::of(&letters),
        begun: now,
        idle_until: now + DAY,
        ends: now + DAY,
        audit_entry: None,
    };
    store.sign_in(&profile, &session).await.unwrap().owner
}

/// Creates a token of `person`. Its secret is `asd_` and its id.
pub(crate) async fn add_token(
    store: &dyn Accounts,
    person: OwnerId,
    id: &str,
    scope: Scope,
    made: Timestamp,
) {
    let (name, expires) = (id.to_owned(), made + DAY);
    let (used, revoked) = (None, None);
    let token = Token { id: id.to_owned(), person, name, scope, made, expires, used, revoked };
    let new = NewToken { token, secret: Digest::of(&format!("asd_{id}")), audit_entry: None };
    assert!(store.add_token(&new, 20).await.unwrap());
}
