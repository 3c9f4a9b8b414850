//! Call slots in memory, for a portal that shares its database with no other one.
//!
//! The platform may still be busy with the calls of an earlier process, so the portal passes them
//! in when it starts.

use std::collections::HashMap;

use parking_lot::Mutex;

use async_trait::async_trait;
use jiff::Timestamp;

use super::call_slots::{CallKind, CallSlots, SlotAnswer, SlotId, SlotRequest};
use crate::server::store_error::Result;

/// The slots in memory.
#[derive(Debug, Default)]
pub struct LocalCallSlots(Mutex<HashMap<SlotId, Slot>>);

/// A slot that is taken.
#[derive(Clone, Debug)]
struct Slot {
    kind: CallKind,
    portal: String,
    /// The time from which its call can no longer have an effect.
    until: Timestamp,
    /// True if the response to its call was lost.
    is_lost: bool,
}

impl LocalCallSlots {
    /// Returns slots of which the calls `under_way` take one each until `until`. An earlier process
    /// stopped during these calls, so their responses are lost.
    pub fn after(under_way: &[CallKind], until: Timestamp) -> Self {
        let slot = |(number, kind): (usize, &CallKind)| {
            let portal = String::from("earlier");
            let slot = Slot { kind: *kind, portal, until, is_lost: true };
            (SlotId(format!("earlier-{number}")), slot)
        };
        Self(Mutex::new(under_way.iter().enumerate().map(slot).collect()))
    }
}

#[async_trait]
impl CallSlots for LocalCallSlots {
    async fn take(&self, request: &SlotRequest) -> Result<SlotAnswer> {
        let SlotRequest { id, kind, portal, now, until, .. } = request.clone();
        let mut taken = self.0.lock();
        let is_over = |slot: &Slot| slot.until <= now;
        // The slot of a lost call becomes free only after its time, and only if the platform is
        // well: a platform that hangs may still be carrying out the call.
        match request.is_healthy {
            None if taken.values().any(|slot| slot.is_lost || is_over(slot)) => {
                return Ok(SlotAnswer::CheckHealth);
            }
            Some(true) => taken.retain(|_, slot| !is_over(slot)),
            None | Some(false) => {}
        }
        let (max_each, max) = request.bounds.of(kind);
        let alike = || taken.values().filter(|slot| slot.kind == kind);
        let own = alike().filter(|slot| slot.portal == portal).count();
        let is_full = |used: usize, max: u32| u32::try_from(used).is_ok_and(|used| used >= max);
        if is_full(own, max_each) || is_full(alike().count(), max) {
            return Ok(SlotAnswer::Wait);
        }
        taken.insert(id, Slot { kind, portal, until, is_lost: false });
        Ok(SlotAnswer::Taken)
    }

    async fn give_back(&self, id: &SlotId) -> Result<()> {
        self.0.lock().remove(id);
        Ok(())
    }

    async fn keep(&self, id: &SlotId, until: Timestamp) -> Result<()> {
        self.abandon(id, until);
        Ok(())
    }

    fn abandon(&self, id: &SlotId, until: Timestamp) {
        if let Some(slot) = self.0.lock().get_mut(id) {
            (slot.until, slot.is_lost) = (until, true);
        }
    }
}
