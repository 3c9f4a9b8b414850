//! The accounts port: people who sign in, their sessions, and their API tokens.
//!
//! A credential comes in as its [`Digest`] only: whoever reads the store has no key. It must not
//! know how somebody proved who they are.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::server::auth::access::{OwnerId, Role, Scope};
use crate::server::{audit::AuditEntry, store::StoreError};

/// The time after which a use is written again.
const MINUTE: Duration = Duration::from_mins(1);

/// Keeps people, sessions, tokens, and sign-ins that are under way.
///
/// An `audit_entry` is written in the transaction of the action that it describes: either both are
/// kept, or neither. An action without an effect writes none.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Keeps a sign-in that has begun, in place of one that this browser had. Those that have
    /// expired at `now` are purged.
    async fn begin_sign_in(&self, sign_in: &SignIn, now: Timestamp) -> Result<(), StoreError>;
    /// Takes out the sign-in that has not expired at `now`: it can be finished once.
    async fn take_sign_in(
        &self,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Option<SignIn>, StoreError>;

    /// Finds the person whom the provider describes, or adds them; takes over what it says now, and
    /// begins a session of theirs. Sessions that have expired are purged.
    async fn sign_in(&self, profile: &Profile, session: &NewSession) -> Result<Person, StoreError>;
    /// Finds the session that has not expired at `now`, and lets it last until `idle_until`, but
    /// not beyond its end.
    async fn session(
        &self,
        session: &Digest,
        now: Timestamp,
        idle_until: Timestamp,
    ) -> Result<Option<Session>, StoreError>;
    /// Ends a session; `false` when there is none.
    async fn end_session(
        &self,
        session: &Digest,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool, StoreError>;
    /// Ends all sessions of a person, and tells how many.
    async fn end_sessions_of(
        &self,
        person: &OwnerId,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<u64, StoreError>;
    /// Ends all sessions of a person and revokes their tokens that can be used at `now`, and
    /// tells how many of each.
    async fn revoke_access(
        &self,
        person: &OwnerId,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<(u64, u64), StoreError>;
    /// Lists people by name, those who signed in last first, at most `limit`.
    async fn people(&self, limit: u32) -> Result<Vec<Person>, StoreError>;

    /// Keeps a new API token, unless its person has `max` already that can still be used when
    /// it is made; `false` then.
    async fn add_token(&self, token: &NewToken, max: u32) -> Result<bool, StoreError>;
    /// Lists a person's tokens, newest first, those that are revoked or expired at `now` at the
    /// end.
    async fn tokens(&self, person: &OwnerId, now: Timestamp) -> Result<Vec<Token>, StoreError>;
    /// Revokes the token `id` of this person; `false` when there is none to revoke.
    async fn revoke_token(
        &self,
        person: &OwnerId,
        id: &str,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool, StoreError>;
    /// Finds the token that can be used at `now`, and notes when it was last used, to the
    /// minute.
    async fn token(&self, secret: &Digest, now: Timestamp) -> Result<Option<Token>, StoreError>;
}

/// The SHA-256 digest of a secret, in lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest(pub String);

impl Digest {
    /// Returns the digest of `secret`.
    pub fn of(secret: &str) -> Self {
        Self::of_bytes(secret.as_bytes())
    }

    /// Returns the digest of `bytes`, whatever they are.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(base16ct::lower::encode_string(&Sha256::digest(bytes)))
    }
}

/// A sign-in that has been sent to the provider and is not back yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// The digest of the secret that the browser holds.
    pub browser: Digest,
    /// The `state` parameter, which the provider has to send back.
    pub state: String,
    /// The nonce, which the identity token has to hold.
    pub nonce: String,
    /// The proof key's verifier (RFC 7636).
    pub verifier: String,
    /// The page to return to after the sign-in.
    pub return_to: String,
    /// The time from which it is purged.
    pub expires: Timestamp,
}

/// The profile of a person, as the provider describes it. Issuer and subject together are who they
/// are; the rest is only shown.
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
    /// The audit entry of the sign-in; the actor is filled in.
    pub audit_entry: Option<AuditEntry>,
}

/// A session that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its owner.
    pub person: Person,
    /// The time at which it ends in any case.
    pub ends: Timestamp,
}

impl Session {
    /// Decides until when a session lasts that lasts until `idle` and is used, where that is
    /// worth a write: not at each request, but at most once a minute.
    pub fn prolong(&self, idle: Timestamp, idle_until: Timestamp) -> Option<Timestamp> {
        let until = idle_until.min(self.ends);
        (until.duration_since(idle).unsigned_abs() > MINUTE).then_some(until)
    }
}

/// A token to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// The token's public part.
    pub token: Token,
    /// The digest of the secret that a program shows.
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
    /// The time at which it was made.
    pub made: Timestamp,
    /// The time from which it is not good any more.
    pub expires: Timestamp,
    /// The time at which it was last used.
    pub used: Option<Timestamp>,
    /// The time at which it was revoked.
    pub revoked: Option<Timestamp>,
}

impl Token {
    /// Decides when it was last used, where that is worth a write: to the minute.
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
