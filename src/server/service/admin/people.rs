//! Shutting a person out.

use super::allow;
use crate::{
    api::wire::ApiError,
    server::{
        access::{Caller, OwnerId},
        ports::{audit::Act, store::StoreError},
        service::{Service, store_failed},
    },
};

impl Service {
    /// Ends every session of a person, and revokes their API tokens. Until their provider shuts
    /// them out as well, they can sign in again.
    ///
    /// # Errors
    ///
    /// Returns an error for everybody but operators, and where there is nothing to end.
    pub async fn shut_out(&self, caller: &Caller, person: &str) -> Result<(), ApiError> {
        allow(caller)?;
        let ended = self.end_access(person).await;
        self.noted(caller, Act::ShutOut, person, ended).await
    }

    async fn end_access(&self, person: &str) -> Result<(), ApiError> {
        let owner = OwnerId::parse(person).ok().filter(|owner| owner.person_id().is_some());
        let owner = owner
            .ok_or_else(|| ApiError::new(404, "NO_SUCH_PERSON", "There is no such person."))?;
        let (sessions, tokens) =
            self.end_all_of(&owner).await.map_err(|error| store_failed(&error))?;
        if sessions + tokens == 0 {
            let message = "They are signed in nowhere, and no API token of theirs is good.";
            return Err(ApiError::new(409, "NOT_SIGNED_IN", message));
        }
        tracing::info!(person = %owner, sessions, tokens, "An operator shut somebody out");
        Ok(())
    }

    /// Returns how many sessions and tokens it has ended.
    async fn end_all_of(&self, person: &OwnerId) -> Result<(u64, u64), StoreError> {
        let accounts = &self.parts.accounts;
        let sessions = accounts.end_sessions_of(person).await?;
        let (now, mut revoked) = (self.parts.clock.now(), 0);
        for token in accounts.tokens(person, now).await? {
            if token.is_good(now) && accounts.revoke_token(person, &token.id, now).await? {
                revoked += 1;
            }
        }
        Ok((sessions, revoked))
    }
}
