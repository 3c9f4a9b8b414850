//! A viewer that watches a deployment to its end like a browser: when the stream breaks, or no
//! portal answers, it reconnects with the last event it has.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use clock::{Clock, SystemClock};
use jiff::Timestamp;

/// The pause before a reconnect. That of a browser is longer.
const PAUSE: Duration = Duration::from_millis(50);
/// The maximum time without a frame: longer than the interval of keepalives.
const SILENCE: Duration = Duration::from_secs(25);
/// The time limit for watching.
const TIMEOUT: Duration = Duration::from_mins(2);

/// An event as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) seq: usize,
    /// The whole frame.
    pub(crate) text: String,
    pub(crate) arrived: Timestamp,
}

impl Seen {
    fn is_end(&self) -> bool {
        self.text.contains("event: complete\n") || self.text.contains("event: error\n")
    }

    fn read(text: String) -> Option<Self> {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let seq = field("id: ")?.parse().unwrap();
        Some(Self { seq, arrived: SystemClock.now(), text })
    }
}

/// Watches the deployment through `port` until it has ended.
///
/// # Panics
///
/// Panics if an event is missed or repeated, or the end does not come.
pub(crate) fn view(port: u16, id: &str) -> Vec<Seen> {
    let begun = SystemClock.now();
    let mut seen = Vec::new();
    while !seen.last().is_some_and(Seen::is_end) {
        let waited = SystemClock.now().duration_since(begun).unsigned_abs();
        assert!(waited < TIMEOUT, "{id} does not end: {:?}", seen.last());
        // Like a browser, it ignores why a stream broke.
        follow(port, id, &mut seen).ok();
        thread::sleep(PAUSE);
    }
    seen
}

/// Follows one stream until it breaks.
fn follow(port: u16, id: &str, seen: &mut Vec<Seen>) -> io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(SILENCE))?;
    // HTTP/1.0 has no chunked encoding.
    let last = seen.len();
    let head = format!("GET /api/status/{id} HTTP/1.0\r\nHost: x\r\nLast-Event-ID: {last}\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut lines = BufReader::new(stream).lines();
    let status = lines.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
    match status.split(' ').nth(1) {
        Some("200") => {}
        Some("502" | "503" | "504") => return Ok(()),
        _ => panic!("{id} after {last}: {status}"),
    }
    let mut frame = String::new();
    for line in lines {
        let line = line?;
        if !line.is_empty() {
            frame.push_str(&line);
            frame.push('\n');
            continue;
        }
        if let Some(one) = Seen::read(std::mem::take(&mut frame)) {
            assert_eq!(one.seq, seen.len() + 1, "{id}: after {:?} came {one:?}", seen.last());
            seen.push(one);
        }
    }
    Ok(())
}
