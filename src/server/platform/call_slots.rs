//! The call slots port: limits the concurrent calls that change something on the platform, over all
//! portals that share a database.
//!
//! Dokploy's `domain.create` holds one of its ten database connections while it requests another
//! one: 16 to 20 concurrent calls block the whole platform permanently (recordings day-two 91 and
//! 500 to 503). The port must not know what a call is for.

use async_trait::async_trait;
use jiff::Timestamp;
use strum::IntoStaticStr;

use crate::server::store_error::Result;

/// The kind of a call: calls of one kind share a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum CallKind {
    /// `domain.create`, which can block the platform.
    Domain,
    /// All other calls that change something.
    Other,
}

impl CallKind {
    /// Returns the kind of the call `name`, which must be one that changes something.
    pub fn of(name: &str) -> Self {
        if name == "domain.create" { Self::Domain } else { Self::Other }
    }

    /// Returns its name in the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The limits on concurrent calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallBounds {
    /// The number of calls of `domain.create` per portal.
    pub domains_each: u32,
    /// The number of calls of `domain.create` in total.
    pub domains: u32,
    /// The number of other calls in total.
    pub others: u32,
}

impl Default for CallBounds {
    fn default() -> Self {
        Self { domains_each: 2, domains: 8, others: 8 }
    }
}

impl CallBounds {
    /// Returns how many concurrent calls of `kind` are allowed per portal, and in total.
    pub fn of(self, kind: CallKind) -> (u32, u32) {
        match kind {
            CallKind::Domain => (self.domains_each.min(self.domains), self.domains),
            CallKind::Other => (self.others, self.others),
        }
    }
}

/// The unique id of a slot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SlotId(pub String);

/// A request for a slot.
#[derive(Clone, Debug)]
pub struct SlotRequest {
    /// The id that the slot gets.
    pub id: SlotId,
    /// The kind of the call.
    pub kind: CallKind,
    /// The portal that makes the call.
    pub portal: String,
    /// The start of the operation that makes the call: the oldest operation is served first.
    pub age: Timestamp,
    /// The current time.
    pub now: Timestamp,
    /// The time from which the call can no longer have an effect, if its outcome is never reported.
    pub until: Timestamp,
    /// The limits.
    pub bounds: CallBounds,
    /// The result of a health check of the platform just now, if there was one.
    pub is_healthy: Option<bool>,
}

/// The answer to a [`SlotRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotAnswer {
    /// The slot is taken.
    Taken,
    /// No slot is free, or an older operation waits.
    Wait,
    /// Calls whose responses were lost may still run: check the platform's health, and request
    /// again with the result.
    CheckHealth,
}

/// Gives out slots for calls.
#[async_trait]
pub trait CallSlots: Send + Sync {
    /// Takes a slot, if one is free. The slot of a lost call becomes free when its time is over and
    /// the platform is healthy.
    async fn take(&self, request: &SlotRequest) -> Result<SlotAnswer>;
    /// Releases a slot: the call was answered, or certainly not made.
    async fn give_back(&self, id: &SlotId) -> Result<()>;
    /// Keeps a slot taken at least until `until`: the call's answer was lost.
    async fn keep(&self, id: &SlotId, until: Timestamp) -> Result<()>;
    /// Does the same as [`CallSlots::keep`] for a call that was dropped, without waiting. A failure
    /// is not reported.
    fn abandon(&self, id: &SlotId, until: Timestamp);
}
