//! The call slots port: how many calls that change something on the platform may be under way at
//! once, over all portals that share the records.
//!
//! Dokploy's `domain.create` holds one of its ten database connections and asks for another one:
//! some twenty at once hang the whole platform for good (day two, recordings 91 and 500 to 503).
//! It must not know what a call is for.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::server::store::StoreError;

/// The calls that share a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallKind {
    /// The one that can hang the platform.
    Domain,
    /// All others that change something.
    Other,
}

impl CallKind {
    /// Returns which bound holds for the call `name`, which changes something.
    pub fn of(name: &str) -> Self {
        if name == "domain.create" { Self::Domain } else { Self::Other }
    }

    /// Returns its name in the records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Other => "other",
        }
    }
}

/// The number of calls that may be under way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallBounds {
    /// The number of calls of `domain.create`, for each portal.
    pub domains_each: u32,
    /// The number of them in all.
    pub domains: u32,
    /// The number of other mutating calls, in all.
    pub others: u32,
}

impl Default for CallBounds {
    fn default() -> Self {
        Self { domains_each: 2, domains: 8, others: 8 }
    }
}

impl CallBounds {
    /// Returns how many calls of `kind` one portal may have under way, and how many all.
    pub fn of(self, kind: CallKind) -> (u32, u32) {
        match kind {
            CallKind::Domain => (self.domains_each.min(self.domains), self.domains),
            CallKind::Other => (self.others, self.others),
        }
    }
}

/// The name of one slot, which nobody else has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SlotId(pub String);

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Asks for a slot.
#[derive(Clone, Debug)]
pub struct SlotRequest {
    /// Its id from then on.
    pub id: SlotId,
    /// The bound that holds.
    pub kind: CallKind,
    /// The portal that asks.
    pub portal: String,
    /// The time since which the operation is under way: the oldest comes first.
    pub age: Timestamp,
    /// The time.
    pub now: Timestamp,
    /// The time at which the call can have no effect any more, should nobody say how it ended.
    pub until: Timestamp,
    /// The bounds on calls under way.
    pub bounds: CallBounds,
    /// True if the platform is well, where it was asked just now.
    pub is_well: Option<bool>,
}

/// The outcome of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotAnswer {
    /// The slot is taken.
    Taken,
    /// There is none free, or somebody older waits.
    Wait,
    /// Calls whose responses were lost may still run: ask the platform whether it is well, and then
    /// once more.
    Doubt,
}

/// Keeps the slots.
#[async_trait]
pub trait CallSlots: Send + Sync {
    /// Takes a slot, if there is one for the request. One whose call may still run is free again
    /// once its time is over and the platform is well.
    async fn take(&self, request: &SlotRequest) -> Result<SlotAnswer, StoreError>;
    /// Gives a slot back: the call was answered, or surely not made.
    async fn give_back(&self, id: &SlotId) -> Result<(), StoreError>;
    /// Keeps a slot taken at least until `until`: the call's answer was lost.
    async fn keep(&self, id: &SlotId, until: Timestamp) -> Result<(), StoreError>;
    /// As [`CallSlots::keep`], for a call that was dropped. It neither waits nor fails.
    fn abandon(&self, id: &SlotId, until: Timestamp);
}
