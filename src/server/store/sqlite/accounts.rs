//! People who sign in, their sessions, and their API tokens.

mod sessions;
mod sign_ins;
mod tokens;

use async_trait::async_trait;
use jiff::Timestamp;

use super::SqliteStore;
use crate::server::{
    audit::AuditEntry,
    auth::{
        access::OwnerId,
        accounts::{
            Accounts, Digest, NewSession, NewToken, Person, Profile, Session, SignIn, Token,
        },
    },
    store::{StoreError, warn_unless_written},
};

#[async_trait]
impl Accounts for SqliteStore {
    async fn begin_sign_in(&self, sign_in: &SignIn, now: Timestamp) -> Result<(), StoreError> {
        self.finish(sign_ins::begin(self.writer.clone(), sign_in.clone(), now)).await
    }

    async fn take_sign_in(
        &self,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Option<SignIn>, StoreError> {
        self.finish(sign_ins::take(self.writer.clone(), browser.clone(), now)).await
    }

    async fn sign_in(&self, profile: &Profile, session: &NewSession) -> Result<Person, StoreError> {
        self.finish(sessions::begin(self.writer.clone(), profile.clone(), session.clone())).await
    }

    async fn session(
        &self,
        session: &Digest,
        now: Timestamp,
        idle_until: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let found = sessions::find(&self.readers, session, now).await?;
        let Some((found, idle)) = found else { return Ok(None) };
        if let Some(until) = found.prolong(idle, idle_until) {
            let prolonged =
                self.finish(sessions::prolong(self.writer.clone(), session.clone(), until)).await;
            warn_unless_written(prolonged, "A session was not prolonged");
        }
        Ok(Some(found))
    }

    async fn end_session(
        &self,
        session: &Digest,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool, StoreError> {
        self.finish(sessions::end(self.writer.clone(), session.clone(), audit_entry.cloned())).await
    }

    async fn end_sessions_of(
        &self,
        person: &OwnerId,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<u64, StoreError> {
        self.finish(sessions::end_all(self.writer.clone(), person.clone(), audit_entry.cloned()))
            .await
    }

    async fn revoke_access(
        &self,
        person: &OwnerId,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<(u64, u64), StoreError> {
        self.finish(sessions::revoke_access(
            self.writer.clone(),
            person.clone(),
            now,
            audit_entry.cloned(),
        ))
        .await
    }

    async fn people(&self, limit: u32) -> Result<Vec<Person>, StoreError> {
        sessions::people(&self.readers, limit).await
    }

    async fn add_token(&self, token: &NewToken, max: u32) -> Result<bool, StoreError> {
        self.finish(tokens::add(self.writer.clone(), token.clone(), max)).await
    }

    async fn tokens(&self, person: &OwnerId, now: Timestamp) -> Result<Vec<Token>, StoreError> {
        tokens::list(&self.readers, person, now).await
    }

    async fn revoke_token(
        &self,
        person: &OwnerId,
        id: &str,
        now: Timestamp,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<bool, StoreError> {
        self.finish(tokens::revoke(
            self.writer.clone(),
            person.clone(),
            id.to_owned(),
            now,
            audit_entry.cloned(),
        ))
        .await
    }

    async fn token(&self, secret: &Digest, now: Timestamp) -> Result<Option<Token>, StoreError> {
        let found = tokens::find(&self.readers, secret, now).await?;
        let Some(mut token) = found else { return Ok(None) };
        if let Some(used) = token.use_at(now) {
            let audit_entry =
                self.finish(tokens::use_at(self.writer.clone(), token.id.clone(), used)).await;
            warn_unless_written(audit_entry, "The use of a token was not noted");
            token.used = Some(used);
        }
        Ok(Some(token))
    }
}
