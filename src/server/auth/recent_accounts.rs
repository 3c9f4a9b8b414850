//! Accounts whose recently found sessions and tokens are remembered for a few seconds, except those
//! of operators.
//!
//! Only reads that say so use what is remembered: see [`Accounts::recent_session`]. What this portal
//! ends or revokes is forgotten at once. What another replica ends is forgotten within
//! [`LIFETIME`]; while its notifications do not arrive, the database is probably out of reach, and
//! nothing that is remembered is used.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;

use super::accounts::{
    Accounts, Digest, NewSession, NewToken, Person, Profile, Session, SignIn, Token,
};
use crate::server::audit::AuditEntry;
use crate::server::auth::access::Role;
use crate::server::store_error::Result;
use clock::Clock;
use domain::owner::OwnerId;

/// The time for which a session or token is remembered.
const LIFETIME: Duration = Duration::from_secs(5);
/// The number of sessions, and of tokens, that are remembered. With more, all are forgotten.
const MOST: usize = 10_000;

/// Accounts that remember recent sessions and tokens.
pub struct RecentAccounts {
    accounts: Arc<dyn Accounts>,
    clock: Arc<dyn Clock>,
    /// Returns whether what is remembered may be used.
    may_use: Box<dyn Fn() -> bool + Send + Sync>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// How often everything was forgotten.
    forgotten: u64,
    sessions: Memory<Session>,
    tokens: Memory<Token>,
}

/// What was found by a digest, and when, on the monotonic clock.
type Memory<T> = HashMap<String, (T, Duration)>;

impl RecentAccounts {
    /// Remembers what is found in `accounts`. It is used only while `may_use` returns true.
    pub fn new(
        accounts: Arc<dyn Accounts>,
        clock: Arc<dyn Clock>,
        may_use: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { accounts, clock, may_use: Box::new(may_use), known: Mutex::default() }
    }

    /// Returns what is remembered in a memory, or else what `find` finds, and remembers that if it
    /// is to be kept.
    async fn recall<T: Clone + Send>(
        &self,
        digest: &Digest,
        memory: impl Fn(&mut Known) -> &mut Memory<T> + Send + Sync,
        is_kept: impl Fn(&T) -> bool + Send + Sync,
        find: impl Future<Output = Result<Option<T>>> + Send,
    ) -> Result<Option<T>> {
        let now = self.clock.monotonic();
        let is_recent = |at: &Duration| now.saturating_sub(*at) < LIFETIME;
        let forgotten = {
            let mut known = self.known.lock();
            if (self.may_use)()
                && let Some((found, at)) = memory(&mut known).get(&digest.0)
                && is_recent(at)
            {
                return Ok(Some(found.clone()));
            }
            known.forgotten
        };
        let found = find.await?;
        if let Some(found) = found.as_ref().filter(|found| is_kept(found)) {
            let mut known = self.known.lock();
            // Otherwise it may have been revoked while it was read.
            if known.forgotten == forgotten {
                let memory = memory(&mut known);
                if memory.len() >= MOST {
                    memory.clear();
                }
                memory.insert(digest.0.clone(), (found.clone(), now));
            }
        }
        Ok(found)
    }

    /// Runs a change, and forgets everything before it returns.
    async fn change<T>(&self, change: impl Future<Output = T> + Send) -> T {
        let changed = change.await;
        let mut known = self.known.lock();
        *known = Known { forgotten: known.forgotten + 1, ..Known::default() };
        changed
    }
}

#[async_trait]
impl Accounts for RecentAccounts {
    async fn begin_sign_in(&self, sign_in: &SignIn, now: Timestamp) -> Result<()> {
        self.accounts.begin_sign_in(sign_in, now).await
    }

    async fn take_sign_in(&self, browser: &Digest, now: Timestamp) -> Result<Option<SignIn>> {
        self.accounts.take_sign_in(browser, now).await
    }

    async fn find_sign_in(&self, browser: &Digest, now: Timestamp) -> Result<Option<SignIn>> {
        self.accounts.find_sign_in(browser, now).await
    }

    async fn sign_in(&self, profile: &Profile, session: &NewSession) -> Result<Person> {
        // The person's role may be another one now.
        self.change(self.accounts.sign_in(profile, session)).await
    }

    async fn session(
        &self,
        session: &Digest,
        now: Timestamp,
        idle_until: Timestamp,
    ) -> Result<Option<Session>> {
        self.accounts.session(session, now, idle_until).await
    }

    async fn person(&self, person: &OwnerId) -> Result<Option<Person>> {
        self.accounts.person(person).await
    }

    async fn recent_session(
        &self,
        session: &Digest,
        now: Timestamp,
        idle_until: Timestamp,
    ) -> Result<Option<Session>> {
        let find = self.accounts.session(session, now, idle_until);
        // Operators see what belongs to others.
        let is_kept = |session: &Session| session.person.role != Role::Operator;
        let found = self.recall(session, |known| &mut known.sessions, is_kept, find).await?;
        Ok(found.filter(|session| now < session.ends))
    }

    async fn end_session(
        &self,
        session: &Digest,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool> {
        self.change(self.accounts.end_session(session, audit_entry)).await
    }

    async fn end_sessions_of(
        &self,
        person: &OwnerId,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<u64> {
        self.change(self.accounts.end_sessions_of(person, audit_entry)).await
    }

    async fn revoke_access(
        &self,
        person: &OwnerId,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<(u64, u64)> {
        self.change(self.accounts.revoke_access(person, now, audit_entry)).await
    }

    async fn people(&self, limit: u32) -> Result<Vec<Person>> {
        self.accounts.people(limit).await
    }

    async fn add_token(&self, token: &NewToken, max: u32) -> Result<bool> {
        self.accounts.add_token(token, max).await
    }

    async fn tokens(&self, person: &OwnerId, now: Timestamp) -> Result<Vec<Token>> {
        self.accounts.tokens(person, now).await
    }

    async fn revoke_token(
        &self,
        person: &OwnerId,
        id: &str,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool> {
        self.change(self.accounts.revoke_token(person, id, now, audit_entry)).await
    }

    async fn token(&self, secret: &Digest, now: Timestamp) -> Result<Option<Token>> {
        self.accounts.token(secret, now).await
    }

    async fn recent_token(&self, secret: &Digest, now: Timestamp) -> Result<Option<Token>> {
        let find = self.accounts.token(secret, now);
        let found = self.recall(secret, |known| &mut known.tokens, |_| true, find).await?;
        Ok(found.filter(|token| now < token.expires))
    }
}
