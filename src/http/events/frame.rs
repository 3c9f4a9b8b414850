//! Events in the form in which they are sent (the format `text/event-stream` of the HTML standard).
//!
//! Each event is encoded once for all its watchers.

use axum::body::Bytes;

use crate::server::store::StoredEvent;
use domain::event::Seq;

/// The time after which a browser reconnects to a broken stream: two seconds.
pub(in crate::http) const RETRY: &[u8] = b"retry: 2000\n\n";
/// The comment that a silent stream sends.
pub(in crate::http) const COMMENT: &[u8] = b": keepalive\n\n";
/// The end of a body that is sent in chunks.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// An encoded event.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The number of the event.
    pub(super) seq: Seq,
    /// True for the terminal event.
    pub(super) is_end: bool,
    /// The event as text.
    pub(super) text: Bytes,
}

impl Frame {
    /// Encodes an event.
    pub(super) fn of(event: &StoredEvent) -> Self {
        let mut text = format!("id: {}\nevent: {}\n", event.seq, event.name);
        for line in event.data.split(['\n', '\r']) {
            text.extend(["data: ", line, "\n"]);
        }
        text.push('\n');
        Self { seq: event.seq, is_end: event.is_end(), text: text.into() }
    }
}

/// The way in which the body of a response is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// In chunks, with a last one (HTTP/1.1).
    Chunked,
    /// As it is, until the connection ends (HTTP/1.0).
    Plain,
}

impl Framing {
    /// Appends these texts to `bytes`, as one chunk.
    pub(super) fn append<'a>(
        self,
        bytes: &mut Vec<u8>,
        texts: impl Iterator<Item = &'a [u8]> + Clone,
    ) {
        let length: usize = texts.clone().map(<[u8]>::len).sum();
        if length == 0 {
            return;
        }
        bytes.reserve(length + 20);
        let (before, after) = match self {
            Self::Chunked => (format!("{length:x}\r\n"), "\r\n"),
            Self::Plain => (String::new(), ""),
        };
        bytes.extend_from_slice(before.as_bytes());
        texts.for_each(|text| bytes.extend_from_slice(text));
        bytes.extend_from_slice(after.as_bytes());
    }

    /// Appends events, and after the terminal one the end of the body.
    pub(super) fn append_frames(self, bytes: &mut Vec<u8>, frames: &[Frame]) {
        self.append(bytes, frames.iter().map(|frame| &*frame.text));
        if frames.last().is_some_and(|frame| frame.is_end) {
            bytes.extend_from_slice(self.end());
        }
    }

    /// Returns the bytes that end a body.
    pub(super) fn end(self) -> &'static [u8] {
        match self {
            Self::Chunked => LAST_CHUNK,
            Self::Plain => b"",
        }
    }

    /// Returns the keepalive comment.
    pub(super) fn keepalive(self) -> Bytes {
        match self {
            Self::Chunked => Bytes::from_static(b"d\r\n: keepalive\n\n\r\n"),
            Self::Plain => Bytes::from_static(COMMENT),
        }
    }
}

/// Consecutive events, encoded for all who wait for them.
#[derive(Debug, Default)]
pub(super) struct Batch {
    frames: Vec<Frame>,
    /// The events after the cursors that most watchers have.
    encoded: Vec<Encoded>,
}

/// The events after a certain one, in the forms in which they are sent.
#[derive(Debug)]
struct Encoded {
    after: Seq,
    chunked: Bytes,
    plain: Bytes,
}

impl Encoded {
    fn new(after: Seq, frames: &[Frame]) -> Self {
        let frames = frames.get(frames.partition_point(|frame| frame.seq <= after)..);
        let encode = |framing: Framing| {
            let mut bytes = Vec::new();
            framing.append_frames(&mut bytes, frames.unwrap_or_default());
            Bytes::from(bytes)
        };
        Self { after, chunked: encode(Framing::Chunked), plain: encode(Framing::Plain) }
    }

    fn bytes(&self, framing: Framing) -> Bytes {
        match framing {
            Framing::Chunked => self.chunked.clone(),
            Framing::Plain => self.plain.clone(),
        }
    }
}

impl Batch {
    /// Adds the `frames` that follow the event `after`, which is the last one of the batch.
    pub(super) fn extend(&mut self, after: Seq, frames: Vec<Frame>) {
        self.frames.extend(frames);
        let cursors = self.encoded.iter().map(|encoded| encoded.after).chain([after]);
        self.encoded = cursors.map(|after| Encoded::new(after, &self.frames)).collect();
    }

    /// Returns the number of the last event.
    pub(super) fn last(&self) -> Seq {
        self.frames.last().map_or(0, |frame| frame.seq)
    }

    /// Returns whether it has the terminal event.
    pub(super) fn is_end(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.is_end)
    }

    /// Returns the number of events.
    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    /// Returns the bytes for a watcher whose last event is `cursor`.
    pub(super) fn bytes_after(&self, cursor: Seq, framing: Framing) -> Bytes {
        if let Some(encoded) = self.encoded.iter().find(|encoded| encoded.after == cursor) {
            return encoded.bytes(framing);
        }
        if cursor >= self.last() && self.is_end() {
            return Bytes::from_static(framing.end());
        }
        Encoded::new(cursor, &self.frames).bytes(framing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(seq: Seq, name: &str) -> Frame {
        let (name, data) = (name.to_owned(), String::from("{}"));
        Frame::of(&StoredEvent { seq, name, data })
    }

    #[test]
    fn an_event_is_encoded_as_the_standard_says() {
        let data = String::from("{\n}");
        let frame = Frame::of(&StoredEvent { seq: 7, name: String::from("log"), data });
        assert_eq!(&*frame.text, b"id: 7\nevent: log\ndata: {\ndata: }\n\n");
        assert!(!frame.is_end);
    }

    #[test]
    fn the_keepalive_comment_is_one_chunk() {
        let mut chunk = Vec::new();
        Framing::Chunked.append(&mut chunk, [COMMENT].into_iter());
        assert_eq!(Framing::Chunked.keepalive(), chunk);
    }

    fn text(batch: &Batch, cursor: Seq, framing: Framing) -> String {
        String::from_utf8(batch.bytes_after(cursor, framing).to_vec()).unwrap()
    }

    #[test]
    fn a_watcher_gets_the_events_after_its_own_and_the_end_once() {
        let mut batch = Batch::default();
        batch.extend(3, vec![frame(4, "log")]);
        assert_eq!(text(&batch, 3, Framing::Plain), "id: 4\nevent: log\ndata: {}\n\n");
        let chunk = "1b\r\nid: 4\nevent: log\ndata: {}\n\n\r\n";
        assert_eq!(text(&batch, 3, Framing::Chunked), chunk);
        assert!(text(&batch, 4, Framing::Chunked).is_empty());
        batch.extend(4, vec![frame(5, "log"), frame(6, "complete")]);
        let counts = [3, 4, 5, 6, 99].map(|cursor| {
            let text = text(&batch, cursor, Framing::Chunked);
            assert!(text.ends_with("0\r\n\r\n"), "{text}");
            assert_eq!(text.matches("\r\n0\r\n\r\n").count(), usize::from(cursor < 6), "{text}");
            text.matches("id: ").count()
        });
        assert_eq!(counts, [3, 2, 1, 0, 0]);
    }
}
