//! A watcher: follows the events of one deployment like a browser, through every restart of the
//! portal.
//!
//! It reconnects at once, not after two seconds like a browser, by when the restart would be over.
//! It compares repeated events with those it has, byte for byte.

use std::io::{self, BufRead, BufReader, Lines, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use domain::event::Event;

use super::board::Board;

/// The pause before a reconnect.
const PAUSE: Duration = Duration::from_millis(20);
/// The maximum time without a frame: longer than the interval of keepalives.
const SILENCE: Duration = Duration::from_secs(25);

/// What a watcher knows when it reconnects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recall {
    /// It continues after the last event, with `Last-Event-ID`.
    LastEvent,
    /// It starts from the beginning, like a reloaded page, and sees all events again.
    Nothing,
}

/// An event as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: String,
}

impl Frame {
    pub(crate) fn event(&self) -> Result<Event, String> {
        let seq = self.id.parse().map_err(|_| format!("no number: {self:?}"))?;
        Event::decode(seq, &self.name, &self.data).map_err(|error| format!("{error}: {self:?}"))
    }
}

/// The events that a watcher saw.
#[derive(Debug)]
pub(crate) struct WatchedEvents {
    pub(crate) deployment: String,
    pub(crate) recall: Recall,
    pub(crate) frames: Vec<Frame>,
    /// The number of streams that it needed.
    pub(crate) streams: usize,
}

/// The reason why a stream ended.
enum Cut {
    /// The portal was killed, or was down.
    Broken,
    /// The deployment has ended, and all events were seen.
    Over,
}

/// Watches the deployment until its end, and reports its phases to `board`.
///
/// # Errors
///
/// Returns a violation: a gap, a repetition, another text with the same number, or an event after
/// the end.
pub(crate) fn watch(
    deployment: &str,
    port: u16,
    recall: Recall,
    board: &Board,
) -> Result<WatchedEvents, String> {
    let frames = Vec::new();
    let mut watched =
        WatchedEvents { deployment: deployment.to_owned(), recall, frames, streams: 0 };
    while !board.is_given_up() {
        let wrong = |error| format!("{deployment}, watched with {recall:?}: {error}");
        match watched.follow(port, board).map_err(wrong)? {
            Cut::Over => return Ok(watched),
            Cut::Broken => thread::sleep(PAUSE),
        }
    }
    Err(format!("{deployment} was given up after {:?}", watched.frames.last()))
}

/// Reads all events of a deployment in one stream that ends by itself.
pub(crate) fn replay(deployment: &str, port: u16) -> Result<Vec<Frame>, String> {
    let opened = open(deployment, port, None).map_err(|error| error.to_string())?;
    let Opened::Stream(mut lines) = opened else { return Err(String::from("no stream")) };
    let mut frames = Vec::new();
    while let Some(frame) = next(&mut lines)? {
        frames.push(frame);
    }
    Ok(frames)
}

impl WatchedEvents {
    /// Opens one stream and follows it until it breaks.
    fn follow(&mut self, port: u16, board: &Board) -> Result<Cut, String> {
        let last = self.frames.last().map(|frame| frame.id.clone());
        let cursor = last.filter(|_| self.recall == Recall::LastEvent);
        let mut lines = match open(&self.deployment, port, cursor.as_deref()) {
            Ok(Opened::Stream(lines)) => lines,
            Ok(Opened::Nothing) if self.has_ended() => return Ok(Cut::Over),
            Ok(Opened::Nothing) => return Err(String::from("204 before the end")),
            Ok(Opened::Other(line)) => return Err(line),
            Err(error) => return silence(&error).map_or(Ok(Cut::Broken), Err),
        };
        self.streams += 1;
        let mut at = if cursor.is_some() { self.frames.len() } else { 0 };
        while let Some(frame) = next(&mut lines)? {
            self.take(at, frame, board)?;
            at += 1;
        }
        // A watcher that remembers reconnects after the end as well, like browsers, and gets 204.
        let over = self.recall == Recall::Nothing && self.has_ended() && at == self.frames.len();
        Ok(if over { Cut::Over } else { Cut::Broken })
    }

    /// Applies the frame that follows `at` others.
    fn take(&mut self, at: usize, frame: Frame, board: &Board) -> Result<(), String> {
        if frame.id != (at + 1).to_string() {
            return Err(format!("after {at} events came {frame:?}"));
        }
        if let Some(known) = self.frames.get(at) {
            let same = *known == frame;
            return if same { Ok(()) } else { Err(format!("{known:?} became {frame:?}")) };
        }
        if self.has_ended() {
            return Err(format!("after the end came {frame:?}"));
        }
        board.saw(&self.deployment, &frame.event()?.body);
        self.frames.push(frame);
        Ok(())
    }

    fn has_ended(&self) -> bool {
        self.frames.last().is_some_and(|frame| matches!(frame.name.as_str(), "complete" | "error"))
    }
}

/// The result of a request for a stream.
enum Opened {
    Stream(Lines<BufReader<TcpStream>>),
    Nothing,
    Other(String),
}

/// Requests the events after `cursor`, in HTTP/1.0, which has no chunked encoding.
fn open(deployment: &str, port: u16, cursor: Option<&str>) -> io::Result<Opened> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(SILENCE))?;
    let cursor = cursor.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
    let request = format!("GET /api/status/{deployment} HTTP/1.0\r\nHost: x\r\n{cursor}\r\n");
    stream.write_all(request.as_bytes())?;
    let mut lines = BufReader::new(stream).lines();
    let mut line = || lines.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()));
    let status = line()?;
    while !line()?.is_empty() {}
    Ok(match status.split(' ').nth(1) {
        Some("200") => Opened::Stream(lines),
        Some("204") => Opened::Nothing,
        _ => Opened::Other(status),
    })
}

/// Reads the next complete frame. Like browsers, it ignores an incomplete one.
fn next(lines: &mut Lines<BufReader<TcpStream>>) -> Result<Option<Frame>, String> {
    let mut frame = Frame::default();
    for line in lines {
        let line = match line {
            Ok(line) => line,
            Err(error) => return silence(&error).map_or(Ok(None), Err),
        };
        match line.split_once(": ") {
            Some(("id", id)) => id.clone_into(&mut frame.id),
            Some(("event", name)) => name.clone_into(&mut frame.name),
            Some(("data", data)) => data.clone_into(&mut frame.data),
            _ if line.is_empty() && !frame.data.is_empty() => return Ok(Some(frame)),
            // The `retry:` field, and keepalive comments.
            _ => {}
        }
    }
    Ok(None)
}

/// Returns the violation if a stream broke because it was silent for too long.
fn silence(error: &io::Error) -> Option<String> {
    let silent = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
    silent.then(|| format!("nothing came for {SILENCE:?}"))
}
