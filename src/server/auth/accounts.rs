//! The accounts port: people who sign in, their sessions, and their API tokens.
//!
//! Credentials are stored as a [`Digest`] only, so whoever reads the store cannot use them. The
//! port must not know how a person proved their identity.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::server::audit::AuditEntry;
use crate::server::auth::access::{Role, Scope};
use crate::server::store_error::Result;
use domain::owner::OwnerId;

/// The precision of the time of the last use: uses within it are not written again.
const MINUTE: Duration = Duration::from_mins(1);

/// Stores people, sessions, tokens, and sign-ins in progress. Every method returns a `StoreError`
/// if the store cannot do it.
///
/// An `audit_entry` is written in the transaction of the action that it describes: either both are
/// kept, or neither. An action without an effect writes none.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Stores a sign-in, and replaces one with the same key. It purges sign-ins that have expired at
    /// `now`.
    async fn begin_sign_in(&self, sign_in: &SignIn, now: Timestamp) -> Result<()>;
    /// Removes and returns the sign-in with this key, if it has not expired at `now`. So a sign-in
    /// can be finished only once.
    async fn take_sign_in(&self, browser: &Digest, now: Timestamp) -> Result<Option<SignIn>>;
    /// Returns the sign-in with this key, if it has not expired at `now`.
    async fn find_sign_in(&self, browser: &Digest, now: Timestamp) -> Result<Option<SignIn>>;

    /// Finds or adds the person of `profile`, updates their name and role, and begins a session for
    /// them. It purges sessions that have expired.
    async fn sign_in(&self, profile: &Profile, session: &NewSession) -> Result<Person>;
    /// Finds a session that has not expired at `now`, and prolongs it to `idle_until`, but not
    /// beyond its end.
    async fn session(
        &self,
        session: &Digest,
        now: Timestamp,
        idle_until: Timestamp,
    ) -> Result<Option<Session>>;
    /// Finds a session like [`Self::session`], possibly as it was up to five seconds ago. It is for
    /// requests that change nothing, and show neither a log nor a secret.
    async fn recent_session(
        &self,
        session: &Digest,
        now: Timestamp,
        idle_until: Timestamp,
    ) -> Result<Option<Session>> {
        self.session(session, now, idle_until).await
    }
    /// Ends a session. Returns `false` if there is none.
    async fn end_session(&self, session: &Digest, audit_entry: Option<&AuditEntry>)
    -> Result<bool>;
    /// Ends all sessions of a person, and returns how many.
    async fn end_sessions_of(
        &self,
        person: &OwnerId,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<u64>;
    /// Ends all sessions of a person, and revokes their tokens that are valid at `now`. Returns how
    /// many of each.
    async fn revoke_access(
        &self,
        person: &OwnerId,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<(u64, u64)>;
    /// Finds a person.
    async fn person(&self, person: &OwnerId) -> Result<Option<Person>>;
    /// Lists at most `limit` people, the latest sign-in first.
    async fn people(&self, limit: u32) -> Result<Vec<Person>>;

    /// Stores a new API token. Returns `false`, and stores nothing, if its person already has `max`
    /// valid tokens.
    async fn add_token(&self, token: &NewToken, max: u32) -> Result<bool>;
    /// Lists a person's tokens, newest first, with those that are revoked or expired at `now` at
    /// the end.
    async fn tokens(&self, person: &OwnerId, now: Timestamp) -> Result<Vec<Token>>;
    /// Revokes the token `id` of this person. Returns `false` if there is no such token, or it is
    /// revoked already.
    async fn revoke_token(
        &self,
        person: &OwnerId,
        id: &str,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool>;
    /// Finds a token that is valid at `now`, and stores the time of its use with the precision of a
    /// minute.
    async fn token(&self, secret: &Digest, now: Timestamp) -> Result<Option<Token>>;
    /// Finds a token like [`Self::token`], possibly as it was up to five seconds ago. It is for
    /// requests that change nothing, and show neither a log nor a secret.
    async fn recent_token(&self, secret: &Digest, now: Timestamp) -> Result<Option<Token>> {
        self.token(secret, now).await
    }
}

/// The SHA-256 digest of a secret, in lowercase hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest(pub String);

impl Digest {
    /// Returns the digest of `secret`.
    pub fn of(secret: &str) -> Self {
        Self::of_bytes(secret.as_bytes())
    }

    /// Returns the digest of `bytes`.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(base16ct::lower::encode_string(&Sha256::digest(bytes)))
    }
}

/// A sign-in in progress: the person is at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// The key: a digest of the secret in the browser's cookie and of the state.
    pub browser: Digest,
    /// The `state` parameter, which the provider must send back.
    pub state: String,
    /// The nonce, which the ID token must contain.
    pub nonce: String,
    /// The PKCE code verifier (RFC 7636).
    pub verifier: String,
    /// The page to return to after the sign-in.
    pub return_to: String,
    /// The time from which it is purged.
    pub expires: Timestamp,
}

/// The profile of a person, as the provider describes it. Issuer and subject together identify
/// them. The name is only displayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The provider.
    pub issuer: String,
    /// The provider's id of the person.
    pub subject: String,
    /// Their display name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Their e-mail address, if the provider has verified it.
    pub email: Option<String>,
    /// Their groups.
    pub groups: BTreeSet<String>,
}

/// Returns the name of a group without the slash that Keycloak writes before its full path.
pub(crate) fn group_name(group: &str) -> &str {
    group.strip_prefix('/').unwrap_or(group)
}

/// A person who has signed in at least once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their owner id.
    pub owner: OwnerId,
    /// Their display name.
    pub name: String,
    /// Their role when they last signed in.
    pub role: Role,
    /// The time at which they last signed in.
    pub seen: Timestamp,
    /// Their e-mail address, if the provider had verified it then.
    pub email: Option<String>,
    /// Those of their groups that some template named then.
    pub groups: BTreeSet<String>,
}

/// A session to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// The id of the person, if they are new.
    pub person: OwnerId,
    /// The digest of the session's secret.
    pub secret: Digest,
    /// The time at which it begins.
    pub begun: Timestamp,
    /// The time at which it ends unless it is used.
    pub idle_until: Timestamp,
    /// The time at which it ends in any case.
    pub ends: Timestamp,
    /// The audit entry of the sign-in. The store fills in the actor, who is known only then.
    pub audit_entry: Option<AuditEntry>,
}

/// A session that has not expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its owner.
    pub person: Person,
    /// The time at which it ends in any case.
    pub ends: Timestamp,
    /// The time at which the person signed in, if that was stored.
    pub begun: Option<Timestamp>,
}

impl Session {
    /// Returns the new expiry of a session that would expire at `idle` and is used now; `None` if
    /// it differs by less than a minute, so that not every request writes to the store.
    pub fn prolong(&self, idle: Timestamp, idle_until: Timestamp) -> Option<Timestamp> {
        let until = idle_until.min(self.ends);
        (until.duration_since(idle).unsigned_abs() > MINUTE).then_some(until)
    }
}

/// A token to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// The token's public part.
    pub token: Token,
    /// The digest of the secret that a program sends.
    pub secret: Digest,
    /// Its audit entry.
    pub audit_entry: Option<AuditEntry>,
}

/// An API token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The id to revoke it by.
    pub id: String,
    /// Its owner.
    pub person: OwnerId,
    /// The name that its owner gave it.
    pub name: String,
    /// Its scope.
    pub scope: Scope,
    /// The time at which it was created.
    pub made: Timestamp,
    /// The time from which it is invalid.
    pub expires: Timestamp,
    /// The time at which it was last used, with the precision of a minute.
    pub used: Option<Timestamp>,
    /// The time at which it was revoked.
    pub revoked: Option<Timestamp>,
}

impl Token {
    /// Returns the time of the last use to store for a use at `now`; `None` if it is stored
    /// already, since its precision is a minute.
    pub fn use_at(&self, now: Timestamp) -> Option<Timestamp> {
        let second = now.as_second();
        let minute = Timestamp::from_second(second - second.rem_euclid(60)).unwrap_or(now);
        (self.used != Some(minute)).then_some(minute)
    }

    /// Returns whether it can be used at `now`.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.expires
    }
}
