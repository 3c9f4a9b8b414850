//! Call slots in the process: enough where one portal has the records to itself.
//!
//! What an earlier process had under way over there is told when it starts.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use jiff::Timestamp;

use super::ports::{
    call_slots::{CallKind, CallSlots, SlotAnswer, SlotId, SlotRequest},
    store::StoreError,
};

/// Slots in memory.
#[derive(Debug, Default)]
pub struct LocalCallSlots(Mutex<HashMap<SlotId, Slot>>);

/// A slot that is taken.
#[derive(Clone, Debug)]
struct Slot {
    kind: CallKind,
    portal: String,
    /// The time at which its call can have no effect any more.
    until: Timestamp,
    /// True if its answer was lost.
    is_lost: bool,
}

impl LocalCallSlots {
    /// Makes slots of which those of the calls `under_way` are taken until `until`: an earlier
    /// process was stopped in the middle of them.
    pub fn after(under_way: &[CallKind], until: Timestamp) -> Self {
        let slot = |(number, kind): (usize, &CallKind)| {
            let portal = String::from("earlier");
            let slot = Slot { kind: *kind, portal, until, is_lost: true };
            (SlotId(format!("earlier-{number}")), slot)
        };
        Self(Mutex::new(under_way.iter().enumerate().map(slot).collect()))
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<SlotId, Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CallSlots for LocalCallSlots {
    async fn take(&self, request: &SlotRequest) -> Result<SlotAnswer, StoreError> {
        let SlotRequest { id, kind, portal, now, until, .. } = request.clone();
        let mut taken = self.taken();
        let is_over = |slot: &Slot| slot.until <= now;
        match request.is_well {
            None if taken.values().any(|slot| slot.is_lost || is_over(slot)) => {
                return Ok(SlotAnswer::Doubt);
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

    async fn give_back(&self, id: &SlotId) -> Result<(), StoreError> {
        self.taken().remove(id);
        Ok(())
    }

    async fn keep(&self, id: &SlotId, until: Timestamp) -> Result<(), StoreError> {
        self.abandon(id, until);
        Ok(())
    }

    fn abandon(&self, id: &SlotId, until: Timestamp) {
        if let Some(slot) = self.taken().get_mut(id) {
            (slot.until, slot.is_lost) = (until, true);
        }
    }
}
