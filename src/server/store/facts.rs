//! Facts: the records that the holder of a lease writes.

use jiff::Timestamp;

use super::{CancelRequest, Desired, State, StepId, StepRecord};
use crate::server::platform::AppName;
use domain::event::{DecodeEventError, Event, EventBody, Seq};
use domain::receipt::Receipt;

/// The end of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Its last state.
    pub state: State,
    /// What the stack should be from now on, if it stays after an operation that has ended with
    /// nothing left to do. `None` means that it is gone then.
    pub leaves: Option<Desired>,
    /// The time at which it ended.
    pub at: Timestamp,
    /// The cancellation state that the writer knows of.
    pub cancel_request: CancelRequest,
    /// The time of the first clean-up or recheck, if one is due.
    pub due: Option<Timestamp>,
}

/// The result of a clean-up after the end.
#[derive(Clone, Debug, PartialEq)]
pub struct CleanupRecord {
    /// The complete receipt by now.
    pub receipt: Receipt,
    /// The time of the clean-up.
    pub at: Timestamp,
    /// The time of the next attempt, which applies if something is left.
    pub due: Timestamp,
    /// What the stack should be if nothing is left to do, as in [`End`].
    pub leaves: Option<Desired>,
}

/// The result of recording a fact, with the cancellation state by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The number of the deployment's last event.
    pub seq: Seq,
    /// True if the cancellation is requested by now.
    pub cancel_request: CancelRequest,
}

/// A fact about an operation, which one transaction of its worker records.
#[derive(Clone, Debug, Default)]
pub struct Fact {
    /// A step's new state.
    pub step: Option<(StepId, StepRecord)>,
    /// Services that the platform created for the operation. Once their applications are deleted,
    /// nothing else shows whose they are.
    pub services: Vec<AppName>,
    /// Events, which the store numbers after the operation's last one.
    pub events: Vec<EventBody>,
    /// The end, if the operation ends. The terminal event is then the last of `events`.
    pub end: Option<End>,
    /// The time at which the stack expires that is live by this end. One that expires already does
    /// so at its own time.
    pub expires: Option<Timestamp>,
}

/// An event as it was recorded, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number.
    pub seq: Seq,
    /// Its name on the wire.
    pub name: String,
    /// Its data on the wire.
    pub data: String,
}

impl StoredEvent {
    /// Reads the event.
    ///
    /// # Errors
    ///
    /// Returns a [`DecodeEventError`] if its name or data are unknown.
    pub fn decode(&self) -> Result<Event, DecodeEventError> {
        Event::decode(self.seq, &self.name, &self.data)
    }

    /// Returns whether it is the terminal event.
    pub fn is_end(&self) -> bool {
        self.name == EventBody::COMPLETE || self.name == EventBody::ERROR
    }
}
