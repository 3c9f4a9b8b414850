//! The note that an operator looked at what is somebody else's.
//!
//! A page asks again and again while it is open: one look is one note, for an hour.

use super::{Service, store_failed};
use crate::{
    api::wire::ApiError,
    server::{
        access::{Caller, Need},
        ports::{audit::Act, store::Record},
    },
};

impl Service {
    /// Notes that an operator looks at what is not theirs, unless that is noted lately.
    ///
    /// # Errors
    ///
    /// Returns an error when it cannot be noted: they do not look at it then.
    pub(super) async fn note_inspection(
        &self,
        caller: &Caller,
        need: Need,
        record: &Record,
    ) -> Result<(), ApiError> {
        let operator = caller.identity.owner().filter(|_| caller.identity.is_operator());
        let Some(operator) = operator.filter(|_| need == Need::See) else { return Ok(()) };
        if record.owner.as_ref() == Some(operator) {
            return Ok(());
        }
        let id = &record.deployment.id;
        let look = (operator.clone(), id.clone());
        if self.inspections.is_news(look.clone(), self.parts.clock.monotonic()) {
            let entry = self.done(caller, Act::Inspect, id.as_str());
            if let Err(error) = self.parts.audit.note(&entry).await {
                self.inspections.forget(&look);
                return Err(store_failed(&error));
            }
        }
        Ok(())
    }
}
