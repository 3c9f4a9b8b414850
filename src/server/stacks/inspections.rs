//! The audit entries of operators who view another person's operation.
//!
//! An open page requests the operation repeatedly, so it is recorded once an hour.

use super::{Service, store_failed};
use crate::{
    api::wire::ApiError,
    server::{
        audit::AuditAction,
        auth::access::{Caller, Permission},
        store::Record,
    },
};

impl Service {
    /// Records that an operator views another person's operation, unless this was recorded within
    /// the last hour.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be recorded. The operation must not be shown then.
    pub(super) async fn record_inspection(
        &self,
        caller: &Caller,
        permission: Permission,
        record: &Record,
    ) -> Result<(), ApiError> {
        let operator = caller.identity.owner().filter(|_| caller.identity.is_operator());
        let Some(operator) = operator.filter(|_| permission == Permission::View) else {
            return Ok(());
        };
        if record.owner.as_ref() == Some(operator) {
            return Ok(());
        }
        let id = &record.deployment.id;
        let look = (operator.clone(), id.clone());
        if self.inspections.should_record(look.clone(), self.parts.clock.monotonic()) {
            let entry = self.audit_entry(caller, AuditAction::Inspect, id.as_str());
            if let Err(error) = self.parts.audit.append(&entry).await {
                self.inspections.reset(&look);
                return Err(store_failed(&error));
            }
        }
        Ok(())
    }
}
