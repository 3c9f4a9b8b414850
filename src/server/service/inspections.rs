//! The note that an operator looked at what is somebody else's.
//!
//! A page asks again and again while it is open: one look is one note, for an hour.

use super::{Service, permits::DONE};
use crate::server::{
    access::{Caller, Need},
    ports::{audit::Act, store::Record},
};

impl Service {
    /// Notes that an operator looked at what is not theirs, unless that is noted lately.
    pub(super) async fn note_inspection(&self, caller: &Caller, need: Need, record: &Record) {
        let operator = caller.identity.owner().filter(|_| caller.identity.is_operator());
        let Some(operator) = operator.filter(|_| need == Need::See) else { return };
        if record.owner.as_ref() == Some(operator) {
            return;
        }
        let id = &record.deployment.id;
        let look = (operator.clone(), id.clone());
        if self.inspections.is_news(look, self.parts.clock.now()) {
            self.note(caller, Act::Inspect, id.as_str(), DONE).await;
        }
    }
}
