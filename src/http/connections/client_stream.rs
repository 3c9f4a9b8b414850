//! The stream of a connection that was taken back from hyper.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use tokio::net::TcpStream;

use super::body::Busy;
use super::table::{Connection, Entry};

/// The stream of a connection on which a response is sent. The limits of connections apply to it:
/// its client must read, and it is counted until it is dropped.
pub(in crate::http) struct ClientStream {
    stream: TcpStream,
    is_chunked: bool,
    connection: Arc<Connection>,
    _busy: Busy,
    _entry: Entry,
}

impl ClientStream {
    pub(super) fn new(stream: TcpStream, is_chunked: bool, busy: Busy, entry: Entry) -> Self {
        let connection = Arc::clone(entry.connection());
        Self { stream, is_chunked, connection, _busy: busy, _entry: entry }
    }

    /// Returns whether the body must be sent in chunks (RFC 9112, section 7.1).
    pub(in crate::http) fn is_chunked(&self) -> bool {
        self.is_chunked
    }

    /// Writes as many of the `bytes` as can be written at once, and returns how many.
    ///
    /// # Errors
    ///
    /// Returns the error of a connection that is closed.
    pub(in crate::http) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match self.stream.try_write(rest) {
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.connection.sent(written, bytes.len());
        Ok(written)
    }

    /// Waits until something can be written, or the connection is closed.
    pub(in crate::http) async fn writable(&self) {
        // The next attempt to write returns the error.
        drop(self.stream.writable().await);
    }

    /// Waits until the limits of connections end this one.
    pub(in crate::http) async fn ended(&self) {
        self.connection.ended().await;
    }

    /// Waits until the client sends something, or closes the connection.
    pub(in crate::http) async fn readable(&self) {
        // The next attempt to read returns the error.
        drop(self.stream.readable().await);
    }

    /// Reads what has arrived and ignores it. Returns the number of bytes; `None` if the client has
    /// closed the connection.
    pub(in crate::http) fn ignore_input(&self) -> Option<usize> {
        match self.stream.try_read(&mut [0; 512]) {
            Ok(count) => Some(count).filter(|count| *count > 0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Some(0),
            Err(_) => None,
        }
    }
}

impl Drop for ClientStream {
    /// Reads what has arrived: to close a connection with unread input would reset it, and its
    /// client might lose the end of the response.
    fn drop(&mut self) {
        let mut reads = 0..64;
        while reads.next().is_some() && matches!(self.stream.try_read(&mut [0; 512]), Ok(1..)) {}
    }
}
