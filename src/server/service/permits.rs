//! Permission for one operation, and the note of what somebody did with it.
//!
//! It must not decide: it finds whose an operation is, and asks
//! [`access::decide`](crate::server::access::decide).

use super::{Service, no_deployment};
use crate::{
    api::wire::ApiError,
    domain::deployment::DeploymentId,
    server::{
        access::{Caller, Identity, Knowing, Need, Refusal, Target},
        ports::{
            audit::{Act, AuditEntry},
            store::Record,
        },
    },
};

/// What an audit entry holds for what went well.
const DONE: &str = "done";

impl Service {
    /// Finds the operation that a caller names by its id, and may do this to.
    ///
    /// # Errors
    ///
    /// Returns that there is none, also where it is somebody else's.
    pub async fn permitted(
        &self,
        caller: &Caller,
        need: Need,
        id: &DeploymentId,
    ) -> Result<Record, ApiError> {
        let record = self.record(id).await?.ok_or_else(no_deployment)?;
        let target = Target::Operation { owner: record.owner.as_ref(), by: Knowing::Id };
        match caller.may(need, target) {
            Ok(()) => {
                self.note_inspection(caller, need, &record).await?;
                Ok(record)
            }
            Err(refusal) => {
                self.note_refusal(caller, id.as_str(), refusal).await;
                Err(refused(refusal, no_deployment()))
            }
        }
    }

    /// Notes that somebody wanted to go where they may not.
    pub async fn note_refusal(&self, caller: &Caller, wanted: &str, refusal: Refusal) {
        // Somebody who has only not signed in yet is no news.
        if refusal != Refusal::SignIn {
            self.note(caller, Act::Enter, wanted, &refusal.to_string()).await;
        }
    }

    /// Notes that an address was turned away before anything was looked up: once an hour for each
    /// reason, since whoever wants to can come as often as they like.
    pub async fn note_rebuff(&self, caller: &Caller, act: Act, wanted: &str, code: &'static str) {
        if self.rebuffs.is_news((caller.address, code), self.parts.clock.monotonic()) {
            self.note(caller, act, wanted, code).await;
        }
    }

    /// Notes why nothing came of what somebody wanted to do, and passes the result on. What came
    /// about is noted by the transaction that did it.
    pub(super) async fn noted<T>(
        &self,
        caller: &Caller,
        act: Act,
        target: &str,
        result: Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let (act, outcome) = match &result {
            Ok(_) => return result,
            Err(error) if error.status == 429 => (Act::ReachLimit, error.code.as_str()),
            Err(error) => (act, error.code.as_str()),
        };
        self.note(caller, act, target, outcome).await;
        result
    }

    /// Describes what somebody does, for the transaction that does it.
    pub(super) fn done(&self, caller: &Caller, act: Act, target: &str) -> AuditEntry {
        AuditEntry {
            at: self.parts.clock.now(),
            who: who(&caller.identity),
            act,
            target: Some(target.chars().take(200).collect()),
            from: Some(caller.address),
            outcome: String::from(DONE),
        }
    }

    /// Notes what somebody did. What it was about is told at most as long as a path may be.
    pub async fn note(&self, caller: &Caller, act: Act, target: &str, outcome: &str) {
        let entry = AuditEntry { outcome: outcome.to_owned(), ..self.done(caller, act, target) };
        if let Err(error) = self.parts.audit.note(&entry).await {
            tracing::error!(%error, ?entry, "Could not add to the audit log");
        }
    }
}

/// Returns how the audit log calls somebody.
fn who(identity: &Identity) -> String {
    match identity {
        Identity::Guest => String::from("guest"),
        Identity::Stranger => String::from("stranger"),
        Identity::Browser(owner) | Identity::Person { owner, .. } => owner.to_string(),
        Identity::Program { owner, .. } => format!("{owner} (token)"),
    }
}

/// Says why somebody may not; `hidden` where it is not there as far as they are concerned.
pub fn refused(refusal: Refusal, hidden: ApiError) -> ApiError {
    match refusal {
        Refusal::Hidden => hidden,
        Refusal::SignIn => {
            let message = "Sign in first, or send an API token: Authorization: Bearer asd_...";
            ApiError::new(401, "SIGN_IN_REQUIRED", message)
        }
        Refusal::Scope => {
            let message = "This API token is not good for that: make one with the scope it needs.";
            ApiError::new(403, "SCOPE_MISSING", message)
        }
    }
}
