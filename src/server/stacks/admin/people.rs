//! Revoking a person's access.

use super::allow;
use crate::{
    api::wire::ApiError,
    server::{
        audit::AuditAction,
        auth::access::{Caller, OwnerId},
        stacks::{Service, store_failed},
    },
};
use domain::refusal::Refusal;

impl Service {
    /// Ends every session of a person, and revokes their API tokens. They can sign in again unless
    /// the provider blocks them as well.
    ///
    /// # Errors
    ///
    /// Returns an error if the caller is not an operator, or the person has no sessions and no
    /// tokens.
    pub async fn revoke_access(&self, caller: &Caller, person: &str) -> Result<(), ApiError> {
        allow(caller)?;
        let ended = self.end_access(caller, person).await;
        self.parts.audit.failure(caller, AuditAction::RevokeAccess, person, ended).await
    }

    async fn end_access(&self, caller: &Caller, person: &str) -> Result<(), ApiError> {
        let owner = OwnerId::parse(person).ok().filter(|owner| owner.person_id().is_some());
        let owner = owner.ok_or(Refusal::NoSuchPerson)?;
        let audit_entry = self.parts.audit.entry(caller, AuditAction::RevokeAccess, person);
        let ended =
            self.parts.accounts.revoke_access(&owner, audit_entry.at, Some(&audit_entry)).await;
        let (sessions, tokens) = ended.map_err(|error| store_failed(&error))?;
        if sessions + tokens == 0 {
            return Err(Refusal::NotSignedIn.into());
        }
        tracing::info!(person = %owner, sessions, tokens, "An operator signed a person out");
        Ok(())
    }
}
