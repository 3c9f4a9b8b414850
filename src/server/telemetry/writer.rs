//! Writes the log in a separate thread, so that neither a failing output nor a stalled reader
//! blocks the code that logs.
//!
//! The queue is bounded. A line that does not fit or cannot be written is dropped; the log reports
//! the number of dropped lines as soon as lines can be written again.

use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::server::settings::LogFormat;
use clock::{Clock, SystemClock};

/// The maximum number of bytes in the queue.
const CAPACITY: usize = 4 << 20;
/// The time for which the end of the process waits for the queue to be written.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);
/// The pause before an output that would block is tried again, and the number of attempts.
const PAUSE: Duration = Duration::from_millis(20);
const PAUSES: u32 = 250;

enum Message {
    Line(Vec<u8>),
    Flush(Sender<()>),
}

/// The counters that both sides share.
#[derive(Debug, Default)]
struct Counts {
    /// The bytes in the queue.
    queued: AtomicUsize,
    /// The lines that were dropped and not reported yet.
    lost: AtomicU64,
}

/// Passes lines to the writing thread without waiting for it.
#[derive(Clone, Debug)]
pub(super) struct LossyWriter {
    sender: Sender<Message>,
    counts: Arc<Counts>,
}

/// Waits, when dropped, until the queue is written, for at most a second.
#[derive(Debug)]
pub struct FlushGuard(Sender<Message>);

/// Starts the thread that writes to `output`.
pub(super) fn start(
    output: impl Write + Send + 'static,
    format: LogFormat,
) -> (LossyWriter, FlushGuard) {
    let (sender, receiver) = mpsc::channel();
    let counts = Arc::new(Counts::default());
    let mut drain = Drain { output, format, counts: Arc::clone(&counts), cut_short: false };
    // If the thread cannot be started, all lines are dropped, but the server continues.
    thread::Builder::new().name("log".into()).spawn(move || drain.run(&receiver)).ok();
    (LossyWriter { sender: sender.clone(), counts }, FlushGuard(sender))
}

impl Write for LossyWriter {
    /// Queues the whole line or drops it, and never fails.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let Counts { queued, lost } = &*self.counts;
        let fits = queued.fetch_add(line.len(), Ordering::Relaxed) + line.len() <= CAPACITY;
        if !fits || self.sender.send(Message::Line(line.to_vec())).is_err() {
            queued.fetch_sub(line.len(), Ordering::Relaxed);
            lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LossyWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Drop for FlushGuard {
    fn drop(&mut self) {
        let (done, flushed) = mpsc::channel();
        if self.0.send(Message::Flush(done)).is_ok() {
            flushed.recv_timeout(FLUSH_LIMIT).ok();
        }
    }
}

/// The state of the writing thread.
struct Drain<W> {
    output: W,
    format: LogFormat,
    counts: Arc<Counts>,
    /// True if the last line was written only in part.
    cut_short: bool,
}

impl<W: Write> Drain<W> {
    fn run(&mut self, receiver: &Receiver<Message>) {
        for message in receiver {
            match message {
                Message::Line(line) => {
                    self.line(&line);
                    let before = self.counts.queued.fetch_sub(line.len(), Ordering::Relaxed);
                    // Reported only once the queue is empty, so that a slow reader can catch up
                    // first.
                    if before == line.len() {
                        self.tell_lost();
                    }
                }
                Message::Flush(done) => {
                    self.tell_lost();
                    done.send(()).ok();
                }
            }
        }
    }

    fn line(&mut self, line: &[u8]) {
        if self.write(line).is_err() {
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes how many lines were dropped since the last such report.
    fn tell_lost(&mut self) {
        let lost = self.counts.lost.swap(0, Ordering::Relaxed);
        if lost > 0 && self.write(lost_line(lost, self.format).as_bytes()).is_err() {
            self.counts.lost.fetch_add(lost, Ordering::Relaxed);
        }
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.cut_short {
            self.write_all(b"\n")?;
            self.cut_short = false;
        }
        self.write_all(line)
    }

    fn write_all(&mut self, mut rest: &[u8]) -> io::Result<()> {
        let whole = rest.len();
        let mut pauses = 0;
        while !rest.is_empty() {
            let error = match self.output.write(rest) {
                Ok(0) => ErrorKind::WriteZero.into(),
                Ok(count) => {
                    rest = rest.get(count..).unwrap_or_default();
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            if error.kind() != ErrorKind::WouldBlock || pauses == PAUSES {
                self.cut_short |= rest.len() < whole;
                return Err(error);
            }
            pauses += 1;
            thread::sleep(PAUSE);
        }
        Ok(())
    }
}

/// Returns the line that reports dropped lines, in the format of the log.
fn lost_line(lost: u64, format: LogFormat) -> String {
    let (at, target) = (SystemClock.now(), module_path!());
    let message = "Log lines were lost: they could not be written, or not fast enough";
    match format {
        LogFormat::Pretty => format!("{at}  WARN {target}: {message} log.lost={lost}\n"),
        LogFormat::Json => {
            let line = json!({
                "timestamp": at, "level": "WARN", "message": message, "log.lost": lost,
                "target": target,
            });
            format!("{line}\n")
        }
    }
}

#[cfg(test)]
mod tests;
