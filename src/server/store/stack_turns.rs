//! What the portal finds out about a stack between its operations, or decides.

use jiff::Timestamp;

use crate::server::audit::AuditEntry;
use domain::event::Seq;
use domain::stack_event::Why;
use domain::stack_id::StackId;

/// A change of a stack that no operation makes.
#[derive(Clone, Debug)]
pub struct StackTurn {
    /// The stack.
    pub stack: StackId,
    /// The number of its last event when it was looked at. If there is another one by now, the turn
    /// does not count.
    pub seen: Seq,
    /// The time.
    pub at: Timestamp,
    /// The change.
    pub turn: Turn,
    /// Its audit entry.
    pub audit_entry: Option<AuditEntry>,
}

/// What changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It does not work any more.
    Unhealthy(Why),
    /// It works again.
    Recovered,
    /// It expires then, or not at all.
    Expires(Option<Timestamp>),
}

/// Since when a stack that should run has not worked, and what was found then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unhealthy {
    /// The time at which that was found.
    pub since: Timestamp,
    /// What was found.
    pub why: Why,
}
