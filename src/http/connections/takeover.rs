//! Takes the stream of a connection back from hyper, for a response that is sent by other means.
//!
//! A handler answers with a head and a [`Takeover`] among the extensions of its response. The layers
//! complete the head. Then nothing of hyper and of the router remains for this connection.

use std::pin::Pin;
use std::sync::Arc;

use axum::http::response::Parts;
use axum::http::{Version, header};
use parking_lot::Mutex;

use super::body::Busy;
use super::client_stream::ClientStream;

/// The work that sends a response: first the given head, then the body.
pub(in crate::http) type Sending = Pin<Box<dyn Future<Output = ()> + Send>>;
type Begin = Box<dyn FnOnce(ClientStream, Vec<u8>) -> Sending + Send>;

/// Takes the stream of its connection over. It is an extension of a response.
#[derive(Clone)]
pub(in crate::http) struct Takeover(Arc<Mutex<Option<Begin>>>);

impl Takeover {
    /// Creates the extension. `begin` gets the stream, and the bytes of the head that it must send
    /// before all others.
    pub(in crate::http) fn new(
        begin: impl FnOnce(ClientStream, Vec<u8>) -> Sending + Send + 'static,
    ) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(begin)))))
    }

    /// Begins to send the response; `None` if that was done.
    pub(super) fn begin(&self, stream: ClientStream, head: Vec<u8>) -> Option<Sending> {
        let begin = self.0.lock().take()?;
        Some(begin(stream, head))
    }
}

/// A response whose connection is to be taken over.
pub(super) struct Taken {
    pub(super) takeover: Takeover,
    pub(super) head: Vec<u8>,
    pub(super) is_chunked: bool,
    pub(super) busy: Busy,
}

impl Taken {
    /// Returns the response with these `parts` to a request of this `version`, if it takes its
    /// connection over.
    pub(super) fn from_parts(parts: &Parts, version: Version, busy: Busy) -> Result<Self, Busy> {
        let Some(takeover) = parts.extensions.get::<Takeover>().cloned() else { return Err(busy) };
        // A client of HTTP/1.0 does not know chunks: there the end of the connection is the end of
        // the body.
        let is_chunked = version != Version::HTTP_10;
        Ok(Self { takeover, head: head(parts, is_chunked), is_chunked, busy })
    }
}

/// Writes the head of a response. Every connection that was taken over ends with its response.
fn head(parts: &Parts, is_chunked: bool) -> Vec<u8> {
    let version: &[u8] = if is_chunked { b"HTTP/1.1 " } else { b"HTTP/1.0 " };
    let reason = parts.status.canonical_reason().unwrap_or_default();
    let status = [parts.status.as_str(), " ", reason, "\r\n"].concat();
    let mut head = [version, status.as_bytes()].concat();
    let mut add = |name: &str, value: &[u8]| {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            head.extend_from_slice(part);
        }
    };
    let own = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION];
    for (name, value) in parts.headers.iter().filter(|(name, _)| !own.contains(name)) {
        add(name.as_str(), value.as_bytes());
    }
    if is_chunked {
        add("transfer-encoding", b"chunked");
    }
    add("connection", b"close");
    head.extend_from_slice(b"\r\n");
    head
}

#[cfg(test)]
mod tests {
    use axum::response::{IntoResponse, Response};

    use super::*;

    #[test]
    fn a_head_says_how_the_body_ends() {
        let headers = [("content-type", "text/event-stream"), ("content-length", "0")];
        let response: Response = headers.into_response();
        let (parts, _) = response.into_parts();
        let head = |is_chunked| String::from_utf8(head(&parts, is_chunked)).unwrap();
        assert_eq!(
            head(true),
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
             transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        );
        assert_eq!(
            head(false),
            "HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
        );
    }
}
