//! Shutting a person out.

use super::allow;
use crate::{
    api::wire::ApiError,
    server::{
        access::{Caller, OwnerId},
        ports::audit::Act,
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
        let ended = self.end_access(caller, person).await;
        self.noted(caller, Act::ShutOut, person, ended).await
    }

    async fn end_access(&self, caller: &Caller, person: &str) -> Result<(), ApiError> {
        let owner = OwnerId::parse(person).ok().filter(|owner| owner.person_id().is_some());
        let owner = owner
            .ok_or_else(|| ApiError::new(404, "NO_SUCH_PERSON", "There is no such person."))?;
        let noted = self.done(caller, Act::ShutOut, person);
        let ended = self.parts.accounts.shut_out(&owner, noted.at, Some(&noted)).await;
        let (sessions, tokens) = ended.map_err(|error| store_failed(&error))?;
        if sessions + tokens == 0 {
            let message = "They are signed in nowhere, and no API token of theirs is good.";
            return Err(ApiError::new(409, "NOT_SIGNED_IN", message));
        }
        tracing::info!(person = %owner, sessions, tokens, "An operator shut somebody out");
        Ok(())
    }
}
