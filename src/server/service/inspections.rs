//! The note that an operator looked at what is somebody else's.
//!
//! A page asks again and again while it is open: one look is one note, for an hour.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use super::{Service, permits::DONE};
use crate::{
    domain::deployment::DeploymentId,
    server::{
        access::{Caller, Need, OwnerId},
        ports::{audit::Act, store::Record},
    },
};

/// How long a note stands for further looks.
const LASTING: Duration = Duration::from_hours(1);
/// How many notes are remembered: beyond that a look may be noted twice.
const MOST: usize = 1_000;

/// The looks that are noted already.
#[derive(Debug, Default)]
pub(super) struct Inspections(Mutex<HashMap<(OwnerId, DeploymentId), Timestamp>>);

impl Inspections {
    /// Tells whether a look at `now` is to be noted, and remembers that it is.
    fn is_news(&self, operator: &OwnerId, id: &DeploymentId, now: Timestamp) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |at: &Timestamp| now.duration_since(*at).unsigned_abs() < LASTING;
        let look = (operator.clone(), id.clone());
        if noted.get(&look).is_some_and(is_fresh) {
            return false;
        }
        if noted.len() >= MOST {
            noted.retain(|_, at| is_fresh(at));
        }
        if noted.len() >= MOST {
            noted.clear();
        }
        noted.insert(look, now);
        true
    }
}

impl Service {
    /// Notes that an operator looked at what is not theirs, unless that is noted lately.
    pub(super) async fn note_inspection(&self, caller: &Caller, need: Need, record: &Record) {
        let operator = caller.identity.owner().filter(|_| caller.identity.is_operator());
        let Some(operator) = operator.filter(|_| need == Need::See) else { return };
        let id = &record.deployment.id;
        if record.owner.as_ref() != Some(operator)
            && self.inspections.is_news(operator, id, self.parts.clock.now())
        {
            self.note(caller, Act::Inspect, id.as_str(), DONE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_noted_once_an_hour_and_few_are_remembered() {
        let inspections = Inspections::default();
        let (ann, bob) = (OwnerId::person("1"), OwnerId::person("2"));
        let id = DeploymentId::from_random;
        let now = Timestamp::from_second(1_795_427_270).unwrap();
        assert!(inspections.is_news(&ann, &id(1), now));
        assert!(!inspections.is_news(&ann, &id(1), now));
        assert!(inspections.is_news(&bob, &id(1), now));
        assert!(inspections.is_news(&ann, &id(2), now));
        assert!(!inspections.is_news(&ann, &id(1), now + LASTING - Duration::from_secs(1)));
        assert!(inspections.is_news(&ann, &id(1), now + LASTING));
        for bits in 0..3_000 {
            inspections.is_news(&ann, &id(bits), now);
            assert!(inspections.0.lock().unwrap().len() <= MOST);
        }
    }
}
