//! People who sign in, their sessions, and their API tokens.

mod sessions;
mod sign_ins;
mod tokens;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{PostgresStore, within};
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
impl Accounts for PostgresStore {
    async fn begin_sign_in(&self, sign_in: &SignIn, now: Timestamp) -> Result<(), StoreError> {
        within(sign_ins::begin(&self.pool, sign_in, now)).await
    }

    async fn take_sign_in(
        &self,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Option<SignIn>, StoreError> {
        within(sign_ins::take(&self.pool, browser, now)).await
    }

    async fn sign_in(&self, profile: &Profile, session: &NewSession) -> Result<Person, StoreError> {
        within(sessions::begin(&self.pool, profile, session)).await
    }

    async fn session(
        &self,
        session: &Digest,
        now: Timestamp,
        idle_until: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        within(sessions::find(self, session, now, idle_until)).await
    }

    async fn end_session(&self, session: &Digest) -> Result<bool, StoreError> {
        within(sessions::end(&self.pool, session)).await
    }

    async fn end_sessions_of(&self, person: &OwnerId) -> Result<u64, StoreError> {
        within(sessions::end_all(&self.pool, person)).await
    }

    async fn people(&self, limit: u32) -> Result<Vec<Person>, StoreError> {
        within(sessions::people(&self.pool, limit)).await
    }

    async fn add_token(&self, token: &NewToken, most: u32) -> Result<bool, StoreError> {
        within(tokens::add(&self.pool, token, most)).await
    }

    async fn tokens(&self, person: &OwnerId, now: Timestamp) -> Result<Vec<Token>, StoreError> {
        within(tokens::list(&self.pool, person, now)).await
    }

    async fn revoke_token(
        &self,
        person: &OwnerId,
        id: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        within(tokens::revoke(&self.pool, person, id, now)).await
    }

    async fn token(&self, secret: &Digest, now: Timestamp) -> Result<Option<Token>, StoreError> {
        within(tokens::find(self, secret, now)).await
    }
}
