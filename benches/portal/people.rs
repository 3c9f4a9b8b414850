//! People who have signed in, as they are in the store.

use std::collections::BTreeSet;
use std::time::Duration;

use ai_stack_deployer::server::auth::access::{Role, Scope};
use ai_stack_deployer::server::auth::accounts::{NewSession, NewToken, Profile, Token};
use ai_stack_deployer::server::auth::secret::{self, Secret};
use anyhow::ensure;
use domain::owner::OwnerId;
use jiff::Timestamp;

use super::database::Database;

/// The provider of a portal where people sign in. Nothing answers there.
const PROVIDER: &str = "http://127.0.0.1:9";
/// The variables of such a portal.
pub(crate) const SIGN_IN: [(&str, &str); 3] =
    [("AUTH", "oidc"), ("OIDC_ISSUER", PROVIDER), ("OIDC_CLIENT_ID", "bench")];
/// The lifetime of sessions and tokens.
const DAY: Duration = Duration::from_hours(24);

/// A person, and the fields of requests by which they are known.
pub(crate) struct Person {
    pub(crate) owner: OwnerId,
    /// With a session.
    pub(crate) session: String,
    /// With an API token.
    pub(crate) token: String,
}

/// Adds a person to a database, with a session and an API token, as after a sign-in.
pub(crate) async fn add(database: &Database, role: Role) -> anyhow::Result<Person> {
    let accounts = database.accounts().await?;
    let now = Timestamp::now();
    let session = Secret::from_random(rand::random());
    let new_session = NewSession {
        person: OwnerId::person("bench"),
        secret: session.digest(),
        begun: now,
        idle_until: now + DAY,
        ends: now + DAY,
        audit_entry: None,
    };
    let profile = Profile {
        issuer: PROVIDER.to_owned(),
        subject: String::from("bench"),
        name: String::from("Bench"),
        role,
        email: None,
        groups: BTreeSet::new(),
    };
    let owner = accounts.sign_in(&profile, &new_session).await?.owner;
    let (token, name) = (Secret::token(rand::random()), String::from("bench"));
    let (id, person, expires) = (secret::id(rand::random()), owner.clone(), now + DAY);
    let (made, used, revoked) = (now, None, None);
    let row = Token { id, person, name, scope: Scope::Deploy, made, expires, used, revoked };
    let new_token = NewToken { token: row, secret: token.digest(), audit_entry: None };
    ensure!(accounts.add_token(&new_token, 1).await?, "the token was not added");
    Ok(Person {
        owner,
        session: format!("Cookie: __Host-session={}\r\n", session.expose()),
        token: format!("Authorization: Bearer {}\r\n", token.expose()),
    })
}
