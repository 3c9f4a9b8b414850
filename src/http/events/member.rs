//! A watcher of an operation: writes what its client has not got yet.
//!
//! While its client has got everything, the reader of the channel writes to it. Otherwise its own
//! task does. It must not know where events come from.

use std::mem;
use std::sync::Arc;

use axum::body::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::authorization::StreamAuthorization;
use super::frame::{Batch, Framing};
use crate::http::connections::ClientStream;
use crate::http::streams::StreamPermit;
use crate::server::metrics::Counted;
use domain::event::Seq;

/// A client that asked for the events of an operation.
pub(super) struct Watcher {
    /// The last event that the client has got.
    pub(super) cursor: Seq,
    /// `None` if there is nothing to check while the stream is open.
    pub(super) authorization: Option<Arc<StreamAuthorization>>,
    /// Counts the stream against the caller's limit until it is dropped.
    pub(super) _permit: StreamPermit,
    /// Counts the stream among the open ones until it is dropped.
    pub(super) _open: Counted,
}

/// A watcher whose stream is open.
pub(super) struct Member {
    key: u64,
    pub(super) stream: ClientStream,
    pub(super) framing: Framing,
    pub(super) place: Mutex<Place>,
    /// Notified when the reader leaves the stream to the member's own task.
    pub(super) left: Notify,
    watcher: Watcher,
}

/// Who writes to the stream next.
pub(super) enum Place {
    /// The member's own task.
    Behind,
    /// The reader, the events after this one.
    Joined(Seq),
    /// The member's own task: first this, which could not be written at once.
    Slow(Unsent),
    /// Nobody: the stream has ended, or must end.
    Ended,
}

/// What has not been written yet.
pub(super) struct Unsent {
    pub(super) bytes: Bytes,
    /// The last event that is among the bytes or was sent.
    pub(super) cursor: Seq,
    /// True if the end of the body is among the bytes or was sent.
    pub(super) is_end: bool,
}

impl Member {
    pub(super) fn new(key: u64, watcher: Watcher, stream: ClientStream) -> Self {
        let framing = if stream.is_chunked() { Framing::Chunked } else { Framing::Plain };
        let (place, left) = (Mutex::new(Place::Behind), Notify::new());
        Self { key, stream, framing, place, left, watcher }
    }

    pub(super) fn key(&self) -> u64 {
        self.key
    }

    pub(super) fn cursor(&self) -> Seq {
        self.watcher.cursor
    }

    pub(super) fn authorization(&self) -> Option<&Arc<StreamAuthorization>> {
        self.watcher.authorization.as_ref()
    }

    /// Leaves the stream to the reader, for the events after `cursor`. Returns `false` if the stream
    /// must end.
    pub(super) fn join(&self, cursor: Seq) -> bool {
        let mut place = self.place.lock();
        match *place {
            Place::Behind => *place = Place::Joined(cursor),
            Place::Joined(_) | Place::Slow(_) => {}
            Place::Ended => return false,
        }
        true
    }

    /// Writes the events of a batch, if the member has joined.
    pub(super) fn offer(&self, batch: &Batch) {
        let mut place = self.place.lock();
        match *place {
            Place::Joined(cursor) if cursor < batch.last() || batch.is_end() => {
                let bytes = batch.bytes_after(cursor, self.framing);
                self.write(&mut place, &bytes, cursor.max(batch.last()), batch.is_end());
            }
            Place::Joined(_) | Place::Behind | Place::Slow(_) | Place::Ended => {}
        }
    }

    /// Writes the keepalive comment, if the member has joined.
    pub(super) fn keep_alive(&self) {
        let mut place = self.place.lock();
        match *place {
            Place::Joined(cursor) => {
                self.write(&mut place, &self.framing.keepalive(), cursor, false);
            }
            Place::Behind | Place::Slow(_) | Place::Ended => {}
        }
    }

    /// Writes `bytes`, and leaves to the member's own task what cannot be written at once.
    fn write(&self, place: &mut Place, bytes: &Bytes, cursor: Seq, is_end: bool) {
        *place = match self.stream.try_write(bytes) {
            // After the terminal event, the reader lets all members close their connections.
            Ok(written) if written == bytes.len() && is_end => Place::Ended,
            Ok(written) if written == bytes.len() => Place::Joined(cursor),
            Ok(written) => {
                self.left.notify_one();
                Place::Slow(Unsent { bytes: bytes.slice(written..), cursor, is_end })
            }
            Err(_) => {
                self.left.notify_one();
                Place::Ended
            }
        };
    }

    /// Ends the stream of a member that is not to get more.
    pub(super) fn stop(&self) {
        match mem::replace(&mut *self.place.lock(), Place::Ended) {
            Place::Joined(_) => self.end(),
            Place::Behind | Place::Slow(_) | Place::Ended => {}
        }
        self.left.notify_one();
    }

    /// Lets a member whose stream has ended close its connection.
    pub(super) fn close_if_ended(&self) {
        if self.has_ended() {
            self.left.notify_one();
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(*self.place.lock(), Place::Ended)
    }

    /// Writes the end of the body, if its client reads.
    pub(super) fn end(&self) {
        // The client notices the end of the connection all the same.
        drop(self.stream.try_write(self.framing.end()));
    }
}
