//! Events as the store keeps them.

use domain::event::{DecodeEventError, Event, EventBody, Seq};

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
