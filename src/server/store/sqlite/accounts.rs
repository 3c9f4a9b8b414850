//! People who sign in, their sessions, and their API tokens.

mod sessions;
mod sign_ins;
mod tokens;

use async_trait::async_trait;
use jiff::Timestamp;

use super::SqliteStore;
use crate::server::{
    access::OwnerId,
    ports::{
        accounts::{
            Accounts, Digest, NewSession, NewToken, Person, Profile, Session, SignIn, Token,
        },
        store::StoreError,
    },
};

#[async_trait]
impl Accounts for SqliteStore {
    async fn begin_sign_in(&self, sign_in: &SignIn, now: Timestamp) -> Result<(), StoreError> {
        sign_ins::begin(&self.writer, sign_in, now).await
    }

    async fn take_sign_in(
        &self,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Option<SignIn>, StoreError> {
        sign_ins::take(&self.writer, browser, now).await
    }

    async fn sign_in(&self, profile: &Profile, session: &NewSession) -> Result<Person, StoreError> {
        sessions::begin(&self.writer, profile, session).await
    }

    async fn session(
        &self,
        session: &Digest,
        now: Timestamp,
        idle_until: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        sessions::find(self, session, now, idle_until).await
    }

    async fn end_session(&self, session: &Digest) -> Result<bool, StoreError> {
        sessions::end(&self.writer, session).await
    }

    async fn end_sessions_of(&self, person: &OwnerId) -> Result<u64, StoreError> {
        sessions::end_all(&self.writer, person).await
    }

    async fn people(&self, limit: u32) -> Result<Vec<Person>, StoreError> {
        sessions::people(&self.readers, limit).await
    }

    async fn add_token(&self, token: &NewToken, most: u32) -> Result<bool, StoreError> {
        tokens::add(&self.writer, token, most).await
    }

    async fn tokens(&self, person: &OwnerId, now: Timestamp) -> Result<Vec<Token>, StoreError> {
        tokens::list(&self.readers, person, now).await
    }

    async fn revoke_token(
        &self,
        person: &OwnerId,
        id: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        tokens::revoke(&self.writer, person, id, now).await
    }

    async fn token(&self, secret: &Digest, now: Timestamp) -> Result<Option<Token>, StoreError> {
        tokens::find(self, secret, now).await
    }
}
