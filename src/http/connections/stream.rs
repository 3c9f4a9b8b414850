//! A TCP stream that records what its client sends and reads, and adds a sentence where hyper answers
//! by itself with none.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::table::Connection;

/// The beginnings of hyper's own answers to a head that is too long, and what is sent instead.
const TOO_LONG: [(&[u8], &[u8]); 2] = [
    (
        b"HTTP/1.1 414 URI Too Long\r\nconnection: close\r\ncontent-length: 0\r\n",
        b"HTTP/1.1 414 URI Too Long\r\ncontent-type: text/plain\r\ncontent-length: 46\r\n\
          connection: close\r\n\r\nThe address is longer than 8 KiB: shorten it.\n",
    ),
    (
        b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n",
        b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\n\
          content-length: 77\r\nconnection: close\r\n\r\n\
          The address and the header fields of the request are too long: shorten them.\n",
    ),
];
/// The size in bytes up to which the parts of an answer are copied together: to send one part takes
/// the system less time.
const SMALL: usize = 1 << 10;
/// The number of bytes that are received after such an answer: a client that is cut off while it
/// sends does not read the answer.
const DRAIN_LIMIT: usize = 4 << 20;

/// A TCP stream whose progress is recorded.
pub(super) struct WatchedStream {
    stream: TcpStream,
    connection: Arc<Connection>,
    /// The number of bytes to receive before the end, once a head was too long.
    drain: usize,
}

impl WatchedStream {
    pub(super) fn new(stream: TcpStream, connection: Arc<Connection>) -> Self {
        Self { stream, connection, drain: 0 }
    }

    pub(super) fn into_inner(self) -> TcpStream {
        self.stream
    }

    /// Sends a sentence instead of an answer of hyper that has none. Returns whether `answer` is
    /// one.
    fn replace(&mut self, answer: &[u8]) -> bool {
        let found = TOO_LONG.iter().find(|(start, _)| answer.starts_with(start));
        // The buffer of the system is empty but for responses to earlier requests.
        let is_sent = found.is_some_and(|(_, other)| self.stream.try_write(other).is_ok());
        if is_sent {
            self.drain = DRAIN_LIMIT;
        }
        is_sent
    }

    /// Receives what the client still sends, until it stops.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut bytes = [0; 4 << 10];
        while self.drain > 0 {
            let mut buffer = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
            let count = buffer.filled().len();
            self.drain = if count == 0 { 0 } else { self.drain.saturating_sub(count) };
        }
        Poll::Ready(Ok(()))
    }

    fn record(&self, written: &Poll<io::Result<usize>>, offered: usize) {
        match written {
            Poll::Ready(Ok(written)) => self.connection.sent(*written, offered),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.connection.sent(0, offered),
        }
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.connection.received();
        }
        polled
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.replace(buffer) {
            return Poll::Ready(Ok(buffer.len()));
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, buffer);
        self.record(&written, buffer.len());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [buffer] = buffers
            && self.replace(buffer)
        {
            return Poll::Ready(Ok(buffer.len()));
        }
        let offered = buffers.iter().map(|buffer| buffer.len()).sum();
        let written = if offered <= SMALL {
            let mut bytes = [0; SMALL];
            let mut together = ReadBuf::new(&mut bytes);
            for buffer in buffers {
                together.put_slice(buffer);
            }
            Pin::new(&mut self.stream).poll_write(cx, together.filled())
        } else {
            Pin::new(&mut self.stream).poll_write_vectored(cx, buffers)
        };
        self.record(&written, offered);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        self.poll_drain(cx)
    }
}
