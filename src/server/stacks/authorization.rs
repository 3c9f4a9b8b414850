//! Authorization for one operation, and the audit entries about it.
//!
//! It must not decide itself: it finds the owner of an operation, and asks
//! [`access::decide`](crate::server::auth::access::decide).

use super::{Service, no_deployment};
use crate::{
    api::wire::ApiError,
    server::{
        audit::{AuditAction, AuditEntry},
        auth::access::{Caller, Denial, IdentifiedBy, Identity, Permission, Target},
        store::Record,
    },
};
use domain::{
    deployment::DeploymentId,
    refusal::{Refusal, RefusalCode},
};

/// The outcome of a successful action in an audit entry.
const DONE: &str = "done";

impl Service {
    /// Finds an operation by its id, if the caller has this permission for it.
    ///
    /// # Errors
    ///
    /// Returns an error if there is none, it is hidden from the caller, or the store is
    /// unavailable.
    pub async fn authorize(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &DeploymentId,
    ) -> Result<Record, ApiError> {
        let record = self.record(id).await?.ok_or_else(no_deployment)?;
        let target = Target::Operation { owner: record.owner.as_ref(), by: IdentifiedBy::Id };
        match caller.may(permission, target) {
            Ok(()) => {
                self.record_inspection(caller, permission, &record).await?;
                Ok(record)
            }
            Err(denial) => {
                self.record_denial(caller, id.as_str(), denial).await;
                Err(refused(denial, no_deployment()))
            }
        }
    }

    /// Records a denied request in the audit log.
    pub async fn record_denial(&self, caller: &Caller, wanted: &str, denial: Denial) {
        // Somebody who has not signed in yet is an ordinary case.
        if denial != Denial::SignIn {
            self.record_audit(caller, AuditAction::Enter, wanted, &denial.to_string()).await;
        }
    }

    /// Records that an address was rejected, once an hour for each code: anyone can cause any
    /// number of rejections.
    pub async fn record_rejection(
        &self,
        caller: &Caller,
        act: AuditAction,
        wanted: &str,
        code: RefusalCode,
    ) {
        if self.rejections.should_record((caller.address, code), self.parts.clock.monotonic()) {
            self.record_audit(caller, act, wanted, code.as_str()).await;
        }
    }

    /// Records the failure of an action in the audit log, and returns the result. A success is
    /// recorded by the transaction of the action.
    pub(super) async fn audited<T>(
        &self,
        caller: &Caller,
        act: AuditAction,
        target: &str,
        result: Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let (act, outcome) = match &result {
            Ok(_) => return result,
            Err(error) if error.status() == 429 => (AuditAction::ReachLimit, error.code.as_str()),
            Err(error) => (act, error.code.as_str()),
        };
        self.record_audit(caller, act, target, outcome).await;
        result
    }

    /// Returns the audit entry of a successful action, for its transaction.
    pub(super) fn audit_entry(
        &self,
        caller: &Caller,
        act: AuditAction,
        target: &str,
    ) -> AuditEntry {
        AuditEntry {
            at: self.parts.clock.now(),
            who: who(&caller.identity),
            act,
            target: Some(target.chars().take(200).collect()),
            from: Some(caller.address),
            outcome: String::from(DONE),
        }
    }

    /// Records an action in the audit log. The target is cut to 200 characters.
    pub async fn record_audit(
        &self,
        caller: &Caller,
        act: AuditAction,
        target: &str,
        outcome: &str,
    ) {
        let entry =
            AuditEntry { outcome: outcome.to_owned(), ..self.audit_entry(caller, act, target) };
        if let Err(error) = self.parts.audit.append(&entry).await {
            tracing::error!(%error, ?entry, "Could not add to the audit log");
        }
    }
}

/// Returns the actor of an audit entry.
fn who(identity: &Identity) -> String {
    match identity {
        Identity::Anonymous => String::from("guest"),
        Identity::Unauthenticated => String::from("stranger"),
        Identity::Browser(owner) | Identity::Person { owner, .. } => owner.to_string(),
        Identity::Program { owner, .. } => format!("{owner} (token)"),
    }
}

/// Returns the error for a denial; `hidden` is the error if the resource is hidden from the caller.
pub fn refused(denial: Denial, hidden: ApiError) -> ApiError {
    match denial {
        Denial::Hidden => hidden,
        Denial::SignIn => Refusal::SignInRequired.into(),
        Denial::Scope => Refusal::ScopeMissing.into(),
    }
}
