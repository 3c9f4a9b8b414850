//! A keep-alive connection that costs next to nothing itself, for load and for waiting.
//!
//! It reads what the servers here send: answers with a length, or in chunks.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One connection to a server.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Asks, and returns the body of an answer of success.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> io::Result<&[u8]> {
        match self.exchange(request).await? {
            (200, body) => Ok(body),
            (status, _) => Err(io::Error::other(format!("unexpected answer: {status}"))),
        }
    }

    /// Asks, and returns the status and the body of the answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some((status, body)) = extent(&self.buffer)? {
                return Ok((status, self.buffer.get(body).unwrap_or_default()));
            }
        }
    }
}

/// Writes a request for `path`.
pub(crate) fn get(path: &str) -> Vec<u8> {
    get_with(path, "")
}

/// Writes a request for `path` with more lines in its head, each with its end.
pub(crate) fn get_with(path: &str, lines: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n").into_bytes()
}

/// Finds the status and the body of an answer that is there as a whole. A body in chunks is returned
/// as it was sent.
fn extent(answer: &[u8]) -> io::Result<Option<(u16, Range<usize>)>> {
    let Some(head_length) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(answer.get(..head_length).unwrap_or_default());
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("unexpected answer: {head}")))?;
    let field = |name: &str| {
        let mut fields = head.lines().filter_map(|line| line.split_once(": "));
        fields.find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value.trim()))
    };
    let start = head_length + 4;
    let is_whole = match field("content-length").map(str::parse::<usize>) {
        Some(Ok(length)) => answer.len() >= start + length,
        None if field("transfer-encoding") == Some("chunked") => answer
            .get(start..)
            .is_some_and(|body| body == b"0\r\n\r\n" || body.ends_with(b"\r\n0\r\n\r\n")),
        _ => return Err(io::Error::other("an answer without a length")),
    };
    // Nothing follows an answer before the next request.
    Ok(is_whole.then_some((status, start..answer.len())))
}
